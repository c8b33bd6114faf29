"""Spellings of other generations of the language: older loops, and those of 2.0."""

from __future__ import annotations

import pytest

from penstock.builtin.triggers.schedule import Schedule
from penstock.model.flow import parse_flow
from tests.engine.harness import EngineRun, flow_of, registry_of_builtins

HEAD = "id: flow\nnamespace: company.team\n"
RETURN = "io.kestra.plugin.core.debug.Return"


def test_loop_hands_out_each_value_with_its_index_at_any_depth() -> None:
    """BEY-050."""
    run = EngineRun(
        HEAD
        + f"""
tasks:
  - id: loop
    type: plugin.kestra.core.flow.Loop
    values: [{{name: a}}, plain]
    tasks:
      - {{id: own, type: {RETURN}, format: "{{{{ item.index }}}} {{{{ item.value.name ?? item.value }}}}"}}
      - id: deeper
        type: io.kestra.plugin.core.flow.Sequential
        tasks:
          - {{id: inner, type: {RETURN}, format: "{{{{ item.index }}}} {{{{ item.value.name ?? item.value }}}}"}}
"""
    ).finish()
    assert run.ended == "SUCCESS"
    for task in ("own", "inner"):
        values = [run.state.task_runs[one].outputs for one in run.state.by_task[task]]
        assert values == [{"value": "0 a"}, {"value": "1 plain"}]


def test_task_is_skipped_when_its_when_is_false() -> None:
    """BEY-050: `when` is another name of `runIf`, at today's rank."""
    source = HEAD + f"tasks:\n  - {{id: one, type: {RETURN}, format: x, when: '{{{{ 1 > 2 }}}}'}}\n"
    assert EngineRun(source).finish().states == [("one", "SKIPPED")]
    assert parse_flow(source, registry_of_builtins()).problems == ()


def test_task_with_both_run_if_and_when_is_refused() -> None:
    source = HEAD + f"tasks:\n  - {{id: one, type: {RETURN}, format: x, when: 'true', runIf: 'true'}}\n"
    (problem,) = parse_flow(source, registry_of_builtins()).errors
    assert "`when` is another name of `runIf`" in problem.message


def test_trigger_s_when_is_one_of_its_conditions() -> None:
    """BEY-050."""
    given = {"id": "t", "type": Schedule.type_name, "cron": "@daily", "when": "{{ true }}"}
    trigger = Schedule.model_validate(given)
    assert trigger.conditions == [{"type": "io.kestra.plugin.core.condition.Expression", "expression": "{{ true }}"}]


def test_policy_references_are_accepted_with_a_warning() -> None:
    """BEY-050."""
    source = HEAD + f"policyRefs: [a]\ntasks:\n  - {{id: one, type: {RETURN}, format: x, policyRefs: [b]}}\n"
    parsed = parse_flow(source, registry_of_builtins())
    assert [(one.severity, one.path) for one in parsed.problems] == [
        ("warning", "policyRefs"),
        ("warning", "tasks[0].policyRefs"),
    ]


def test_defaults_of_the_short_prefix_apply() -> None:
    """BEY-050, ENG-316."""
    flow = flow_of(
        HEAD
        + "tasks:\n  - {id: one, type: plugin.kestra.core.log.Log, message: x}\n"
        + "pluginDefaults:\n  - {type: plugin.kestra.core, values: {level: WARN}}\n"
    )
    assert flow.tasks["one"].type == "io.kestra.plugin.core.log.Log"
    assert flow.tasks["one"].properties["level"] == "WARN"


@pytest.mark.parametrize(("name", "more", "at_once"), [("EachSequential", "", 1), ("EachParallel", "concurrent: 2", 2)])
def test_older_loops_go_on_working_and_are_reported(name: str, more: str, at_once: int) -> None:
    """ENG-014, MIG-025: the older loops are kept, and validation says what replaces them."""
    source = (
        HEAD
        + f"""
tasks:
  - id: each
    type: io.kestra.plugin.core.flow.{name}
    value: '["a", "b", "c"]'
    {more}
    tasks:
      - {{id: say, type: {RETURN}, format: "{{{{ taskrun.value }}}}"}}
"""
    )
    problems = parse_flow(source, registry_of_builtins()).problems
    assert {str(problem.severity) for problem in problems} == {"deprecation"}
    assert "use `io.kestra.plugin.core.flow.ForEach`" in str(problems[0])
    run = EngineRun(source).start()
    assert len(run.jobs) == at_once
    assert run.finish().ended == "SUCCESS"
    assert run.state.outputs["say"]["c"] == {"value": "c"}
