"""Listeners of older flows: tasks that run after the execution and outside of its result."""

from __future__ import annotations

import pytest

from penstock.engine.events import Kill
from penstock.engine.flow import ResolvedFlow
from penstock.engine.states import StateType
from penstock.ports.flows import StoredFlow
from penstock.wiring.flow_reading import FlowReading
from penstock.wiring.plugins import load_plugins
from tests.engine.harness import EngineRun

RETURN = "io.kestra.plugin.core.debug.Return"
FAIL = "io.kestra.plugin.core.execution.Fail"
SOURCE = """
id: flow
namespace: company.team
tasks:
  - {{id: main, type: {task}}}
afterExecution:
  - {{id: after, type: io.kestra.plugin.core.log.Log, message: x}}
listeners:
  - conditions:
      - {{type: io.kestra.plugin.core.condition.ExecutionStatus, in: [FAILED]}}
    tasks:
      - {{id: failed, type: io.kestra.plugin.core.log.Log, message: "it is {{{{ execution.state }}}}"}}
  - conditions:
      - {{type: io.kestra.plugin.core.condition.Expression, expression: "{{{{ flow.id == 'flow' }}}}"}}
    tasks:
      - {{id: bad, type: io.kestra.plugin.core.execution.Fail}}
      - {{id: not_reached, type: io.kestra.plugin.core.log.Log, message: x}}
  - conditions:
      - {{type: io.kestra.plugin.core.condition.Expression, expression: "{{{{ missing.name }}}}"}}
    tasks:
      - {{id: unanswered, type: io.kestra.plugin.core.log.Log, message: x}}
  - tasks:
      - id: group
        type: io.kestra.plugin.core.flow.Sequential
        tasks:
          - {{id: always, type: io.kestra.plugin.core.log.Log, message: x}}
"""


@pytest.fixture(scope="module")
def reading() -> FlowReading:
    return FlowReading(load_plugins().registry, listeners=True)


def flow(reading: FlowReading, task: str) -> ResolvedFlow:
    return reading.resolve(StoredFlow("main", "company.team", "flow", 1, SOURCE.format(task=task), 0))


def test_listeners_whose_conditions_hold_run_after_the_end_and_change_nothing(reading: FlowReading) -> None:
    """ENG-014, MIG-032: a failure in them leaves the state as it is; without conditions they always run."""
    run = EngineRun(flow(reading, f"{RETURN}, format: x")).finish()
    assert run.ended == "SUCCESS"
    assert [task for task, _ in run.states] == ["main", "after", "bad", "group", "always"]
    assert run.history == ["CREATED", "RUNNING", "SUCCESS"]
    assert any("A condition of a listener has no answer" in line for line in run.logs)


def test_listener_for_failures_sees_the_end_state(reading: FlowReading) -> None:
    """MIG-032."""
    run = EngineRun(flow(reading, FAIL)).finish()
    assert (run.ended, run.is_over) == ("FAILED", True)
    assert "it is FAILED" in run.logs


def test_kill_while_listeners_run_ends_them_all(reading: FlowReading) -> None:
    run = EngineRun(flow(reading, f"{RETURN}, format: x")).start()
    while not any(job.task_id == "bad" for job in run.jobs):
        run.work(1)
    run.tell(Kill())
    assert (run.ended, run.is_over) == ("SUCCESS", True)
    assert run.states[-1] == ("bad", "KILLED")


def test_listeners_are_left_out_unless_the_instance_runs_them() -> None:
    """MIG-032: they are off by default."""
    off = FlowReading(load_plugins().registry)
    run = EngineRun(flow(off, f"{RETURN}, format: x")).finish()
    assert [task for task, _ in run.states] == ["main", "after"]
    assert run.execution.state.current is StateType.SUCCESS
