"""`Call`: the tasks of another flow inside the same execution."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.base.errors import ConflictError
from penstock.engine.context import variables
from penstock.engine.decision import Decision
from penstock.engine.events import Kill, Restart, TaskEnded
from penstock.engine.flow import ResolvedFlow
from penstock.engine.linking import linked
from penstock.engine.states import StateType
from penstock.engine.variables import VariableChange
from tests.engine.harness import EngineRun, Outcome, flow_of

RETURN = "io.kestra.plugin.core.debug.Return"
CALL = "io.kestra.plugin.core.flow.Call"
FOR_EACH = "io.kestra.plugin.core.flow.ForEach"
CALLED = f"""
id: called
namespace: other.team
inputs:
  - {{id: name, type: STRING}}
  - {{id: count, type: INT, defaults: 2}}
variables: {{greeting: hello}}
tasks:
  - {{id: first, type: {RETURN}, format: "{{{{ vars.greeting }}}} {{{{ inputs.name }}}} {{{{ inputs.count }}}}"}}
  - {{id: second, type: {RETURN}, format: "{{{{ outputs.first.value }}}} in {{{{ flow.namespace ~ '.' ~ flow.id }}}}"}}
outputs:
  - {{id: said, type: STRING, value: "{{{{ outputs.second.value }}}}"}}
"""
OUTER = f"""
id: outer
namespace: company.team
inputs:
  - {{id: who, type: STRING, defaults: world}}
variables: {{greeting: unseen}}
tasks:
  - {{id: first, type: {RETURN}, format: mine}}
  - {{id: call, type: {CALL}, namespace: other.team, flowId: called, inputs: {{name: "{{{{ inputs.who }}}}"}}}}
  - {{id: last, type: {RETURN}, format: "{{{{ outputs.first.value }}}}: {{{{ outputs.call.outputs.said }}}}"}}
"""


def with_calls(source: str, *called: str) -> ResolvedFlow:
    """Return a flow with those it calls linked in, the innermost last."""
    flow = flow_of(source)
    known = {one.id: one for one in (flow_of(text, revision=7) for text in called)}

    def whole(one: ResolvedFlow) -> ResolvedFlow:
        return linked(one, {call.task_id: whole(known[call.id]) for call in one.calls}) if one.calls else one

    return whole(flow)


def value(run: EngineRun, task_id: str) -> Any:
    return (run.only(task_id).outputs or {}).get("value")


def test_call_runs_the_tasks_of_the_other_flow_with_what_they_know_of_their_own() -> None:
    """BEY-037."""
    run = EngineRun(with_calls(OUTER, CALLED), {"who": "world"}).finish()
    assert run.ended == "SUCCESS", run.logs
    assert [task for task, _ in run.states] == ["first", "call", "call.first", "call.second", "last"]
    assert value(run, "last") == "mine: hello world 2 in other.team.called"
    assert run.only("call").outputs == {"outputs": {"said": "hello world 2 in other.team.called"}}
    assert run.execution.pins == {"flow:other.team.called": 7}


def test_call_with_inputs_that_do_not_fit_fails_and_says_why() -> None:
    """BEY-037: the called flow declares what it takes."""
    run = EngineRun(with_calls(OUTER.replace("name:", "nam:"), CALLED), {"who": "world"}).finish()
    assert run.ended == "FAILED"
    assert dict(run.states)["call"] == "FAILED"
    assert any("input `name`: is required" in line for line in run.logs)
    assert any("did you mean `name`" in line for line in run.logs)


def test_call_of_a_disabled_flow_fails() -> None:
    """BEY-037."""
    run = EngineRun(with_calls(OUTER, f"{CALLED}\ndisabled: true\n"), {"who": "x"}).finish()
    assert run.states == [("first", "SUCCESS"), ("call", "FAILED")]


def test_call_whose_outputs_cannot_be_made_fails() -> None:
    """BEY-037."""
    broken = CALLED.replace("outputs.second.value", "outputs.second.missing")
    run = EngineRun(with_calls(OUTER, broken), {"who": "x"}).finish()
    assert run.ended == "FAILED"
    assert any("outputs of flow other.team.called" in line for line in run.logs)


INNER = f"""
id: inner
namespace: company.team
tasks:
  - {{id: first, type: {RETURN}, format: innermost}}
outputs:
  - {{id: out, value: "{{{{ outputs.first.value }}}} of {{{{ flow.id }}}}"}}
"""
MIDDLE = f"""
id: middle
namespace: company.team
tasks:
  - {{id: first, type: {RETURN}, format: middle}}
  - {{id: call, type: {CALL}, flowId: inner}}
  - {{id: again, type: {CALL}, flowId: inner}}
outputs:
  - {{id: out, value: "{{{{ outputs.first.value }}}}, {{{{ outputs.call.outputs.out }}}}"}}
"""
TOP = f"""
id: top
namespace: company.team
tasks:
  - id: loop
    type: {FOR_EACH}
    values: [a, b]
    concurrencyLimit: 0
    tasks:
      - {{id: call, type: {CALL}, flowId: middle}}
  - {{id: last, type: {RETURN}, format: "{{{{ outputs.call.b.outputs.out }}}}"}}
"""


def test_calls_inside_calls_and_loops_keep_apart() -> None:
    """BEY-037: ids are behind those of the calls, and no loop value around a call is seen inside."""
    run = EngineRun(with_calls(TOP, MIDDLE, INNER)).finish()
    assert run.ended == "SUCCESS", run.logs
    assert value(run, "last") == "middle, innermost of inner"
    assert {"call.call.first", "call.again.first"} <= set(run.state.by_task)
    assert run.execution.pins == {"flow:company.team.middle": 7, "flow:company.team.inner": 7}
    [one, _] = [run.state.task_runs[found] for found in run.state.by_task["call.call.first"]]
    context = variables(run.flow, run.state, one, run.flow.tasks[one.task_id])
    assert context["task"]["id"] == "first"
    assert dict(context["outputs"]) == {"first": {"value": "innermost"}}
    assert {name: entry["taskId"] for name, entry in context["tasks"].items()} == {"first": "first"}
    assert not context.get("parents")
    assert "item" not in context


HANDLED = f"""
id: called
namespace: company.team
tasks:
  - {{id: bad, type: io.kestra.plugin.core.execution.Fail}}
errors:
  - {{id: mend, type: {RETURN}, format: "{{{{ tasks.bad.state }}}}"}}
finally:
  - {{id: clean, type: {RETURN}, format: x}}
"""


def test_called_flow_that_fails_runs_its_errors_and_finally_inside_the_call() -> None:
    """BEY-037: they are local to the call; the call's own come after them."""
    source = f"""
id: outer
namespace: company.team
tasks:
  - id: call
    type: {CALL}
    flowId: called
    allowFailure: true
    errors:
      - {{id: own, type: {RETURN}, format: "{{{{ outputs['call.mend'].value }}}}"}}
  - {{id: last, type: {RETURN}, format: x}}
"""
    run = EngineRun(with_calls(source, HANDLED)).finish()
    assert run.ended == "WARNING"
    assert [task for task, _ in run.states] == ["call", "call.bad", "call.mend", "own", "call.clean", "last"]
    assert value(run, "call.mend") == "FAILED"
    assert value(run, "own") == "FAILED"


def test_dag_and_for_each_item_of_a_called_flow_find_their_tasks() -> None:
    """BEY-037: a Dag names its tasks as they are declared."""
    called = f"""
id: called
namespace: company.team
tasks:
  - id: dag
    type: io.kestra.plugin.core.flow.Dag
    tasks:
      - {{task: {{id: b, type: {RETURN}, format: "{{{{ outputs.a.value }}}}"}}, dependsOn: [a]}}
      - {{task: {{id: a, type: {RETURN}, format: x}}}}
outputs:
  - {{id: out, value: "{{{{ outputs.b.value }}}}"}}
"""
    outer = f"id: o\nnamespace: company.team\ntasks:\n  - {{id: call, type: {CALL}, flowId: called}}\n"
    run = EngineRun(with_calls(outer, called)).finish()
    assert run.ended == "SUCCESS", run.logs
    assert [task for task, _ in run.states] == ["call", "call.dag", "call.a", "call.b"]


def failing_once(run: EngineRun, task_id: str) -> None:
    """Let the first attempt of a task fail."""
    tried: list[str] = []
    real = run.run_task

    def first_fails(job: Any, definition: Any, context: Any) -> Outcome:
        if job.task_id == task_id and not tried:
            tried.append(job.task_id)
            return StateType.FAILED, None
        return real(job, definition, context)

    run.run_task = first_fails


def test_restart_goes_on_inside_a_call_with_its_inputs() -> None:
    """BEY-037, ENG-153."""
    run = EngineRun(with_calls(OUTER, CALLED), {"who": "world"})
    failing_once(run, "call.second")
    run.finish()
    assert run.ended == "FAILED"
    run.tell(Restart())
    run.work()
    assert run.ended == "SUCCESS", run.logs
    assert value(run, "last") == "mine: hello world 2 in other.team.called"
    assert len(run.only("call.first").attempts) == 1


def test_retry_of_a_call_begins_the_whole_of_it_again() -> None:
    """BEY-037: as for any group of tasks."""
    retried = OUTER.replace(
        "flowId: called,", "flowId: called, retry: {type: constant, interval: PT1S, maxAttempts: 2},"
    )
    run = EngineRun(with_calls(retried, CALLED), {"who": "world"})
    failing_once(run, "call.second")
    run.finish()
    assert run.ended == "SUCCESS", run.logs
    assert len(run.only("call.first").attempts) == 2
    assert len(run.only("call").attempts) == 2


def test_retry_of_the_called_flow_counts_for_its_own_tasks() -> None:
    """BEY-037, ENG-242."""
    own = f"{CALLED}\nretry: {{type: constant, interval: PT1S, maxAttempts: 2}}\n"
    run = EngineRun(with_calls(OUTER, own), {"who": "world"})
    failing_once(run, "call.second")
    run.finish()
    assert run.ended == "SUCCESS", run.logs
    assert len(run.only("call.second").attempts) == 2
    assert len(run.only("call.first").attempts) == 1


def test_kill_ends_a_call_and_what_runs_in_it() -> None:
    """BEY-037, BEY-004."""
    run = EngineRun(with_calls(OUTER, CALLED), {"who": "world"}).start()
    run.work(1)
    run.begin("call.first")
    run.tell(Kill())
    assert run.ended == "KILLED"
    assert dict(run.states) == {"first": "SUCCESS", "call": "KILLED", "call.first": "KILLED"}


def test_variables_set_in_a_call_are_those_of_the_called_flow() -> None:
    """BEY-037, ENG-201."""
    run = EngineRun(with_calls(OUTER, CALLED), {"who": "world"}).start()
    run.work(1)
    job = run.begin("call.first")
    wanted = (VariableChange(("greeting",), "good day"),)
    decision: Decision = run.tell(
        TaskEnded(job.task_run_id, 1, StateType.SUCCESS, run.now, run.now, "worker", {"value": "x"}, variables=wanted)
    )
    assert decision.execution is None or decision.execution.variables is None
    second = run.only("call.second")
    context = variables(run.flow, run.state, second, run.flow.tasks["call.second"])
    assert context["vars"] == {"greeting": "good day"}
    assert variables(run.flow, run.state)["vars"] == {"greeting": "unseen"}


def test_template_that_brings_a_name_twice_is_refused() -> None:
    """ENG-100."""
    source = f"""
id: outer
namespace: company.team
tasks:
  - {{id: first, type: {RETURN}, format: x}}
  - {{id: group, type: io.kestra.plugin.core.flow.Template, namespace: company.team, templateId: inner}}
"""
    with pytest.raises(ConflictError, match="`first` comes twice"):
        with_calls(source, INNER)
