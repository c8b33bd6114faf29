"""`Exit`: the execution ends in a state of the flow's choosing, without what follows."""

import pytest

from penstock.engine.events import Kill, Pause, Restart, TaskEnded
from penstock.engine.states import StateType
from tests.engine.harness import EngineRun

RETURN = "type: io.kestra.plugin.core.debug.Return, format: x"
EXIT = "type: io.kestra.plugin.core.execution.Exit"
FLOW = "id: flow\nnamespace: company.team\n"
AFTER = f"""
errors:
  - {{id: error, {RETURN}}}
finally:
  - {{id: last, {RETURN}}}
afterExecution:
  - {{id: after, {RETURN}}}
"""


def in_order(state: str) -> str:
    return f"{FLOW}tasks:\n  - {{id: leave, {EXIT}, state: {state}}}\n  - {{id: never, {RETURN}}}{AFTER}"


def beside(*branches: str, state: str = "SUCCESS") -> str:
    """Return a flow in which an Exit runs beside other tasks."""
    lines = "".join(f"      - {{{branch}}}\n" for branch in branches)
    return (
        f"{FLOW}tasks:\n  - id: all\n    type: io.kestra.plugin.core.flow.Parallel\n    tasks:\n"
        f"      - {{id: leave, {EXIT}, state: {state}}}\n{lines}  - {{id: never, {RETURN}}}\n"
    )


@pytest.mark.parametrize(
    ("state", "own", "ended", "handlers"),
    [
        ("SUCCESS", "SUCCESS", "SUCCESS", ["last", "after"]),
        ("WARNING", "WARNING", "WARNING", ["last", "after"]),
        ("FAILED", "FAILED", "FAILED", ["error", "last", "after"]),
        ("KILLED", "KILLED", "KILLED", ["last", "after"]),
        ("CANCELED", "CANCELLED", "CANCELLED", ["last", "after"]),
        ("CANCELLED", "CANCELLED", "CANCELLED", ["last", "after"]),
    ],
)
def test_exit_ends_the_execution_in_its_state_without_what_follows(
    state: str, own: str, ended: str, handlers: list[str]
) -> None:
    """ENG-093, ENG-225, ENG-230."""
    run = EngineRun(in_order(state)).finish()
    assert run.ended == ended
    assert run.states == [("leave", own), *((task, "SUCCESS") for task in handlers)]


def test_exit_inside_other_tasks_closes_them_in_the_state_of_what_ran() -> None:
    source = f"""{FLOW}tasks:
  - id: each
    type: io.kestra.plugin.core.flow.ForEach
    values: [1, 2, 3]
    tasks:
      - id: check
        type: io.kestra.plugin.core.flow.If
        condition: "{{{{ true }}}}"
        then:
          - {{id: leave, {EXIT}}}
          - {{id: never, {RETURN}}}
  - {{id: neither, {RETURN}}}
"""
    run = EngineRun(source).finish()
    assert run.ended == "SUCCESS"
    assert run.states == [("each", "SUCCESS"), ("check", "SUCCESS"), ("leave", "SUCCESS")]


def test_exit_with_tasks_beside_it_lets_them_end_first() -> None:
    run = EngineRun(beside(f"id: other, {RETURN}")).start()
    run.begin("other")
    run.work()
    assert run.ended == "RUNNING"
    other = run.only("other")
    run.tell(TaskEnded(other.id, 1, StateType.FAILED, run.now, run.now, "worker"))
    assert run.ended == "SUCCESS"
    assert dict(run.states) == {"all": "FAILED", "leave": "SUCCESS", "other": "FAILED"}


def test_exit_as_killed_stops_the_tasks_beside_it() -> None:
    run = EngineRun(beside(f"id: other, {RETURN}", state="KILLED")).start()
    run.begin("other")
    decision = run.work().decisions[-2]
    assert [order.task_run_id for order in decision.kills] == [run.only("other").id]
    assert run.ended == "KILLED"
    assert run.history == ["CREATED", "RUNNING", "KILLING", "KILLED"]


@pytest.mark.parametrize(
    "waiting",
    [
        "id: other, type: io.kestra.plugin.core.flow.Pause",
        "id: other, type: io.kestra.plugin.core.flow.Pause, pauseDuration: PT1H",
        f"id: other, {RETURN}, retry: {{type: constant, interval: PT1H, maxAttempts: 3}}",
    ],
)
def test_exit_gives_up_what_only_waits(waiting: str) -> None:
    run = EngineRun(beside(waiting)).start()
    for job in [job for job in run.jobs if job.task_id == "other"]:
        run.jobs.remove(job)
        run.tell(TaskEnded(job.task_run_id, 1, StateType.FAILED, run.now, run.now, "worker"))
    run.work()
    assert run.ended == "SUCCESS"
    assert dict(run.states) == {"all": "SUCCESS", "leave": "SUCCESS", "other": "KILLED"}
    assert not run.timers


def test_exit_lets_no_failed_task_beside_it_be_tried_again() -> None:
    run = EngineRun(beside(f"id: other, {RETURN}, retry: {{type: constant, interval: PT1S, maxAttempts: 3}}")).start()
    job = run.begin("other")
    run.work()
    run.tell(TaskEnded(job.task_run_id, 1, StateType.FAILED, run.now, run.now, "worker"))
    assert (run.ended, run.only("other").state.current) == ("SUCCESS", "FAILED")


def test_exit_waits_for_the_flow_that_runs_beside_it() -> None:
    subflow = "id: other, type: io.kestra.plugin.core.flow.Subflow, namespace: company.team, flowId: child"
    run = EngineRun(beside(subflow)).start().work()
    assert run.ended == "RUNNING"
    run.end_children()
    assert (run.ended, run.only("other").state.current) == ("SUCCESS", "SUCCESS")


def test_exit_of_a_held_execution_begins_nothing_that_was_held_back() -> None:
    run = EngineRun(beside(f"id: other, {RETURN}").replace("    tasks:", "    concurrent: 1\n    tasks:")).start()
    job = run.begin("leave")
    run.tell(Pause())
    assert run.ended == "PAUSED"
    run.tell(TaskEnded(job.task_run_id, 1, StateType.SUCCESS, run.now, run.now, "worker", exit=StateType.SUCCESS))
    assert (run.ended, dict(run.states)) == ("SUCCESS", {"all": "SUCCESS", "leave": "SUCCESS"})


def test_killed_execution_that_is_being_left_ends_killed() -> None:
    """ENG-157."""
    run = EngineRun(beside(f"id: other, {RETURN}")).start()
    run.begin("other")
    run.work()
    run.tell(Kill())
    assert run.ended == "KILLED"


def test_exit_of_an_execution_that_is_being_killed_changes_nothing() -> None:
    """ENG-157."""
    run = EngineRun(in_order("SUCCESS")).start()
    job = run.begin("leave")
    run.tell(Kill())
    event = TaskEnded(job.task_run_id, 1, StateType.SUCCESS, run.now, run.now, "worker", exit=StateType.SUCCESS)
    if not run.is_over:
        run.tell(event)
    assert run.finish().ended == "KILLED"


def test_exit_in_an_error_handler_decides_how_the_execution_ends() -> None:
    source = f"""{FLOW}tasks:
  - {{id: bad, type: io.kestra.plugin.core.execution.Fail}}
errors:
  - {{id: leave, {EXIT}, state: WARNING}}
  - {{id: never, {RETURN}}}
finally:
  - {{id: last, {RETURN}}}
"""
    run = EngineRun(source).finish()
    assert (run.ended, [task for task, _ in run.states]) == ("WARNING", ["bad", "leave", "last"])


def test_exit_after_the_end_changes_nothing() -> None:
    source = f"{FLOW}tasks:\n  - {{id: one, {RETURN}}}\nafterExecution:\n  - {{id: leave, {EXIT}, state: WARNING}}\n"
    run = EngineRun(source).finish()
    assert (run.ended, run.states[-1]) == ("SUCCESS", ("leave", "WARNING"))


def test_restart_of_an_execution_that_was_left_as_failed_runs_the_exit_again() -> None:
    """ENG-153."""
    run = EngineRun(in_order("FAILED")).finish()
    run.tell(Restart())
    assert run.ended == "RUNNING"
    assert run.finish().ended == "FAILED"
