"""Replays that begin several task runs again."""

from __future__ import annotations

import msgspec
import pytest

from penstock.engine.events import TaskEnded
from penstock.engine.replaying import replayed
from penstock.engine.states import StateType
from penstock.engine.working_set import ExecutionState
from tests.engine.harness import EngineRun

HEAD = "id: f\nnamespace: team\ntasks:\n  - id: all\n    type: io.kestra.plugin.core.flow."
SAY = "type: io.kestra.plugin.core.debug.Return, format: x"
LOOP = f"{HEAD}ForEach\n    values: [0, 1, 2]\n    concurrencyLimit: 2\n    tasks: [{{id: say, {SAY}}}]\n"
PARALLEL = f"{HEAD}Parallel\n    concurrent: 2\n    tasks: [{', '.join(f'{{id: s{n}, {SAY}}}' for n in range(3))}]\n"


def end(run: EngineRun, state: StateType) -> None:
    job = run.jobs.popleft()
    run.tell(TaskEnded(job.task_run_id, job.attempt, state, run.now, run.now, outputs={"value": "x"}))


@pytest.mark.parametrize("source", [LOOP, PARALLEL], ids=["loop", "parallel"])
def test_replay_at_one_of_three_begins_the_failed_ones_again_within_the_limit(source: str) -> None:
    """ENG-154, ENG-079."""
    first = EngineRun(source).start()
    end(first, StateType.SUCCESS)  # which lets the third begin
    end(first, StateType.FAILED)
    end(first, StateType.FAILED)
    assert first.ended == "FAILED"
    chosen = next(run.id for run in first.state.task_runs.values() if run.state.current is StateType.SUCCESS)
    again = EngineRun(source)
    new = msgspec.structs.replace(again.execution, id="again", original_id="execution", attempt_number=2)
    again.state = ExecutionState.of(*replayed(again.flow, first.state, new, chosen, again.now))
    again.state.is_new = True
    again.start()
    for expected in (2, 2, 1):
        assert len(again.jobs) == expected
        end(again, StateType.SUCCESS)
    assert again.ended == "SUCCESS"
    assert len(again.state.task_runs) == 4
