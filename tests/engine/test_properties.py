"""Random flows, random orders of events: what must hold for all of them.

Every execution ends, every task run is closed, no job is handed out twice, histories only grow (all checked by the
harness after each decision), and replaying the recorded events gives the same decisions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.base.errors import ConflictError
from penstock.engine.decide import decide
from penstock.engine.decision import Decision, Job
from penstock.engine.events import ChildEnded, ChildStarted, Event, Kill, Pause, Restart, Resume, TaskEnded
from penstock.engine.replaying import replayed
from penstock.engine.states import TERMINAL, StateType
from penstock.engine.working_set import ExecutionState
from tests.engine.harness import EngineRun

EXITS = (StateType.SUCCESS, StateType.WARNING, StateType.FAILED, StateType.KILLED, StateType.CANCELLED)
FLOW = "io.kestra.plugin.core.flow."
RETURN = "io.kestra.plugin.core.debug.Return"


def _leaf(options: tuple[bool, bool, bool]) -> dict[str, Any]:
    allow_failure, disabled, retried = options
    task: dict[str, Any] = {"type": RETURN, "format": "x"}
    if allow_failure:
        task["allowFailure"] = True
    if disabled:
        task["disabled"] = True
    if retried:
        task["retry"] = {"type": "constant", "interval": "PT1S", "maxAttempts": 2}
    return task


SUBFLOW = {"type": FLOW + "Subflow", "namespace": "company.team", "flowId": "other"}
RETRY = {"type": "constant", "interval": "PT1S", "maxAttempts": 2}


def _dag(children: list[dict[str, Any]], edges: int, concurrent: int) -> dict[str, Any]:
    """Return a Dag in which the bits of a number say which task waits for the one before it."""
    return {"type": FLOW + "Dag", "children": children, "edges": edges, "concurrent": concurrent}


def _with_more(kind: dict[str, Any], handlers: dict[str, Any], retried: bool) -> dict[str, Any]:
    """Return a control-flow task with handlers and a retry policy."""
    more = {} if "Pause" in kind["type"] else handlers
    return {**kind, **more, **({"retry": RETRY} if retried else {})}


LEAVES = st.tuples(st.booleans(), st.booleans(), st.booleans()).map(_leaf)


def _nested(children: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    lists = st.lists(children, min_size=1, max_size=3)
    handlers = st.fixed_dictionaries(
        {},
        optional={
            "errors": st.lists(LEAVES, min_size=1, max_size=2),
            "finally": st.lists(LEAVES, min_size=1, max_size=2),
        },
    )
    kinds = st.one_of(
        st.builds(lambda tasks: {"type": FLOW + "Sequential", "tasks": tasks}, lists),
        st.builds(lambda tasks: {"type": FLOW + "AllowFailure", "tasks": tasks}, lists),
        st.builds(
            lambda tasks, n: {"type": FLOW + "Parallel", "tasks": tasks, "concurrent": n}, lists, st.integers(0, 2)
        ),
        st.builds(
            lambda a, b, c: {"type": FLOW + "If", "condition": c, "then": a, "else": b}, lists, lists, st.booleans()
        ),
        st.builds(lambda a, b: {"type": FLOW + "Switch", "value": "a", "cases": {"a": a}, "defaults": b}, lists, lists),
        st.builds(
            lambda tasks, values, n: {
                "type": FLOW + "ForEach",
                "tasks": tasks,
                "values": values,
                "concurrencyLimit": n,
            },
            lists,
            st.lists(st.integers(0, 9), max_size=3, unique=True),
            st.integers(0, 2),
        ),
        st.builds(_dag, st.lists(children, min_size=1, max_size=4), st.integers(0, 15), st.integers(0, 2)),
        st.builds(
            lambda tasks, most: {
                "type": FLOW + "LoopUntil",
                "tasks": tasks,
                "condition": "{{ false }}",
                "checkFrequency": {"interval": "PT1S", "maxIterations": most},
            },
            lists,
            st.integers(1, 3),
        ),
        st.builds(
            lambda wait, failed: {**SUBFLOW, "wait": wait, "transmitFailed": failed}, st.booleans(), st.booleans()
        ),
        st.just({"type": FLOW + "Pause"}),
        st.builds(
            lambda behavior: {"type": FLOW + "Pause", "pauseDuration": "PT1M", "behavior": behavior},
            st.sampled_from(["RESUME", "WARN", "CANCEL", "FAIL"]),
        ),
    )
    return st.builds(_with_more, kinds, handlers, st.booleans())


TASKS = st.recursive(LEAVES, _nested, max_leaves=8)
LISTS = st.lists(TASKS, min_size=1, max_size=3)
FLOWS = st.fixed_dictionaries(
    {"tasks": LISTS},
    optional={
        "errors": LISTS,
        "finally": LISTS,
        "afterExecution": LISTS,
        "retry": st.builds(
            lambda behavior: {**RETRY, "behavior": behavior},
            st.sampled_from(["RETRY_FAILED_TASK", "CREATE_NEW_EXECUTION"]),
        ),
    },
)


def _with_ids(value: Any, counter: list[int]) -> Any:
    if isinstance(value, list):
        return [_with_ids(item, counter) for item in value]
    if not isinstance(value, dict):
        return value
    result = {key: _with_ids(item, counter) for key, item in value.items()}
    if "children" in result:
        children, edges = result.pop("children"), result.pop("edges")
        result["tasks"] = [
            {"task": task, "dependsOn": [children[place - 1]["id"]] if place and edges >> place & 1 else []}
            for place, task in enumerate(children)
        ]
    if "type" in result and result["type"].startswith("io."):
        counter[0] += 1
        result = {"id": f"t{counter[0]}", **result}
    return result


def _source(flow: Mapping[str, Any]) -> str:
    return yaml.safe_dump({"id": "flow", "namespace": "company.team", **_with_ids(flow, [0])}, sort_keys=False)


class Recorded(EngineRun):
    """Remembers every event with its instant, to replay it."""

    def __init__(self, source: str) -> None:
        self.events: list[tuple[Event, int]] = []
        super().__init__(source, run_task=lambda *_: (StateType.SUCCESS, {"value": "x"}))

    def tell(self, event: Event) -> Decision:
        place, now = len(self.events), self.now + 1000
        decision = super().tell(event)  # a kill tells of ends while it is carried out: they come after it
        self.events.insert(place, (event, now))
        return decision


def _end_job(run: Recorded, data: st.DataObject) -> None:
    job: Job = data.draw(st.sampled_from(list(run.jobs)), label="job")
    run.jobs.remove(job)
    state = data.draw(st.sampled_from([StateType.SUCCESS, StateType.SUCCESS, StateType.FAILED]), label="state")
    leaves = data.draw(st.integers(0, 9), label="leaves") == 0
    exit_state = data.draw(st.sampled_from(EXITS), label="exit") if leaves else None
    event = TaskEnded(job.task_run_id, job.attempt, state, run.now, run.now, outputs={"value": "x"}, exit=exit_state)
    run.tell(event)
    if data.draw(st.booleans(), label="repeated"):
        assert run.tell(event).is_empty


def _end_child(run: Recorded, data: st.DataObject) -> None:
    """Let an execution that a Subflow has started end, or be started, as far as the parent hears of it."""
    wanted = data.draw(st.sampled_from(run.children), label="child")
    run.children.remove(wanted)
    if not wanted.start.wait:
        run.tell(ChildStarted(wanted.task_run_id, wanted.execution_id))
        return
    state = data.draw(st.sampled_from([StateType.SUCCESS, StateType.FAILED, StateType.KILLED]), label="state")
    event = ChildEnded(wanted.task_run_id, wanted.execution_id, state, {"o": 1})
    run.tell(event)
    if data.draw(st.booleans(), label="repeated"):
        assert run.tell(event).is_empty


def _intervene(run: Recorded, data: st.DataObject) -> None:
    event: Event = data.draw(st.sampled_from([Kill(), Pause(), Resume(), Restart()]), label="intervention")
    try:
        run.tell(event)
    except ConflictError:
        return


def _check_limits(run: Recorded) -> None:
    """No flowable has more children, or iterations, running than it may."""
    for scope in run.state.task_runs.values():
        task = run.flow.tasks[scope.task_id]
        limit = task.properties.get("concurrent") or task.properties.get("concurrencyLimit")
        if not limit or scope.cursor is None or scope.cursor.phase != "tasks":
            continue
        inside = [
            one for one in run.state.task_runs.values() if one.parent_id == scope.id and not one.state.is_terminal
        ]
        assert len(inside) <= limit, f"{len(inside)} run in `{task.id}` of which {limit} may"


def _happen(run: Recorded, data: st.DataObject) -> None:
    """Let one thing happen."""
    if data.draw(st.integers(0, 9), label="what") == 0:
        _intervene(run, data)
    elif run.killed_children:
        run.end_children()
    elif run.children and (not (run.jobs or run.timers) or data.draw(st.booleans(), label="a child ends")):
        _end_child(run, data)
    elif run.jobs:
        _end_job(run, data)
    elif run.timers:
        run.pass_time()
    else:
        run.tell(Resume())


def _drive(run: Recorded, data: st.DataObject) -> None:
    """Let things happen in any order until the execution is over."""
    run.start()
    for _ in range(40):
        if run.is_over:
            break
        _happen(run, data)
        _check_limits(run)
    for _ in range(1000):
        if run.is_over:
            return
        if not run.jobs and "PAUSED" in (run.ended, *(state for _, state in run.states)):
            run.tell(Resume())
        run.work()
        run.end_children()
        if run.timers and not run.jobs and not run.is_over:
            run.pass_time()
    raise AssertionError(f"stuck in {run.ended}: {run.states}")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(FLOWS, st.data())
def test_every_execution_ends_with_everything_closed_whatever_happens(
    flow: Mapping[str, Any], data: st.DataObject
) -> None:
    run = Recorded(_source(flow))
    _drive(run, data)
    assert run.execution.state.current in TERMINAL
    assert all(one.state.current in TERMINAL for one in run.state.task_runs.values())
    cursors = [one.cursor for one in run.state.task_runs.values() if one.cursor is not None]
    assert all(cursor.active == 0 for cursor in (*cursors, run.execution.cursor))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(FLOWS, st.data())
def test_replaying_the_recorded_events_gives_the_same_decisions(flow: Mapping[str, Any], data: st.DataObject) -> None:
    run = Recorded(_source(flow))
    first = run.state.execution
    _drive(run, data)
    state = ExecutionState(first, is_new=True)
    for event, now in run.events:
        state.apply(decide(run.flow, state, event, now))
        state.is_new = False
    assert state.execution == run.execution
    assert state.task_runs == run.state.task_runs


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(FLOWS, st.data())
def test_working_set_read_back_from_its_rows_decides_the_same(flow: Mapping[str, Any], data: st.DataObject) -> None:
    run = Recorded(_source(flow))
    first = run.state.execution
    _drive(run, data)
    state = ExecutionState(first, is_new=True)
    for event, now in run.events:
        decision = decide(run.flow, state, event, now)
        state.apply(decision)
        state = ExecutionState.of(state.execution, state.task_runs.values())
    assert state.task_runs == run.state.task_runs


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(FLOWS, st.data())
def test_replay_from_any_task_run_ends_with_everything_closed(flow: Mapping[str, Any], data: st.DataObject) -> None:
    """ENG-154."""
    run = Recorded(_source(flow))
    _drive(run, data)
    if not run.state.task_runs:
        return
    chosen = data.draw(st.sampled_from(sorted(run.state.task_runs)), label="task run")
    again = Recorded(_source(flow))
    new = msgspec.structs.replace(again.execution, id="again", original_id="execution", attempt_number=2)
    try:
        execution, runs = replayed(run.flow, run.state, new, chosen, again.now)
    except ConflictError:
        return  # it stands in an error handler, or inside one
    again.state = ExecutionState.of(execution, runs)
    again.state.is_new = True
    _drive(again, data)
    assert again.execution.state.current in TERMINAL
    assert all(one.state.current in TERMINAL for one in again.state.task_runs.values())
    cursors = [one.cursor for one in again.state.task_runs.values() if one.cursor is not None]
    assert all(cursor.active == 0 for cursor in (*cursors, again.execution.cursor))
