"""Tasks that something stands in for."""

from __future__ import annotations

import pytest

from penstock.base.errors import NotFoundError
from penstock.engine.fixtures import skipped_after
from penstock.engine.records import Fixtures, TaskFixture
from penstock.engine.states import StateType
from tests.engine.harness import EngineRun, flow_of

HEAD = "id: flow\nnamespace: company.team\n"
LOG = "io.kestra.plugin.core.log.Log"
FAIL = "io.kestra.plugin.core.execution.Fail"
RETURN = "io.kestra.plugin.core.debug.Return"
ETL = (
    HEAD
    + f"""
tasks:
  - {{id: extract, type: {FAIL}}}
  - {{id: transform, type: {RETURN}, format: "{{{{ outputs.extract.uri }}}}!"}}
  - {{id: load, type: {LOG}, runIf: "{{{{ outputs.nobody.knows }}}}", message: "{{{{ outputs.nobody.knows }}}}"}}
errors:
  - {{id: alert, type: {LOG}, message: alarm}}
outputs:
  - {{id: result, type: STRING, value: "{{{{ outputs.transform.value }}}}"}}
"""
)


def run(source: str, fixtures: Fixtures) -> EngineRun:
    return EngineRun(source, fixtures=fixtures).finish()


def test_task_with_a_fixture_does_not_run_and_takes_its_outputs() -> None:
    """GOV-321, GOV-325, GOV-330: nothing of it is evaluated but the fixture's own expressions."""
    done = run(
        ETL,
        Fixtures(
            {"extract": TaskFixture(outputs={"uri": "{{ files['a.json'] }}", "n": 1}), "load": TaskFixture()},
            {"a.json": "kestra:///a.json"},
        ),
    )
    assert done.ended == "SUCCESS"
    assert done.states == [("extract", "SUCCESS"), ("transform", "SUCCESS"), ("load", "SUCCESS")]
    assert done.state.outputs["extract"] == {"uri": "kestra:///a.json", "n": 1}
    assert done.state.execution.outputs == {"result": "kestra:///a.json!"}


def test_task_with_a_failed_fixture_drives_the_errors() -> None:
    """GOV-321, GOV-429."""
    failed = {"extract": TaskFixture(), "transform": TaskFixture(StateType.FAILED)}
    done = run(ETL, Fixtures(failed))
    assert done.ended == "FAILED"
    assert done.states == [("extract", "SUCCESS"), ("transform", "FAILED"), ("alert", "SUCCESS")]


def test_fixture_whose_outputs_cannot_be_made_fails_the_task_with_the_reason() -> None:
    done = run(ETL, Fixtures({"extract": TaskFixture(outputs={"uri": "{{ nothing.here }}"})}))
    assert done.ended == "FAILED"
    assert "fixture of task `extract`" in done.logs[0]


def test_flowable_with_a_fixture_starts_no_children() -> None:
    """GOV-321."""
    inner = f"{{id: a, type: {FAIL}}}"
    source = f"{HEAD}tasks: [{{id: seq, type: io.kestra.plugin.core.flow.Sequential, tasks: [{inner}]}}]\n"
    done = run(source, Fixtures({"seq": TaskFixture(StateType.WARNING)}))
    assert done.states == [("seq", "WARNING")]
    assert done.ended == "WARNING"


NESTED = (
    HEAD
    + f"""
tasks:
  - {{id: first, type: {RETURN}, format: "1"}}
  - id: side
    type: io.kestra.plugin.core.flow.Parallel
    tasks:
      - id: left
        type: io.kestra.plugin.core.flow.Sequential
        tasks:
          - {{id: wanted, type: {RETURN}, format: "2"}}
          - {{id: after, type: {FAIL}}}
      - {{id: right, type: {RETURN}, format: "3"}}
  - {{id: last, type: {FAIL}}}
afterExecution:
  - {{id: report, type: {FAIL}}}
outputs:
  - {{id: result, type: STRING, value: "{{{{ outputs.last.value }}}}"}}
"""
)


def test_partial_run_skips_what_comes_after_its_last_task() -> None:
    """BEY-030."""
    done = run(NESTED, Fixtures(skipped_after(flow_of(NESTED), "wanted"), is_partial=True))
    assert done.ended == "SUCCESS"
    states = dict(done.states)
    assert (states["first"], states["wanted"], states["right"]) == ("SUCCESS",) * 3
    assert (states["after"], states["last"], states["report"]) == ("SKIPPED",) * 3
    assert done.state.execution.outputs is None


DAG = (
    HEAD
    + f"""
tasks:
  - id: dag
    type: io.kestra.plugin.core.flow.Dag
    tasks:
      - task: {{id: d, type: {FAIL}}}
        dependsOn: [c]
      - task: {{id: c, type: {RETURN}, format: c}}
        dependsOn: [a]
      - task: {{id: b, type: {FAIL}}}
      - task: {{id: a, type: {RETURN}, format: a}}
"""
)


def test_partial_run_of_a_dag_runs_only_what_its_last_task_depends_on() -> None:
    """BEY-030."""
    assert set(skipped_after(flow_of(DAG), "c")) == {"d", "b"}
    done = run(DAG, Fixtures(skipped_after(flow_of(DAG), "c"), is_partial=True))
    assert done.ended == "SUCCESS"


def test_partial_run_until_an_unknown_task_names_those_there_are() -> None:
    with pytest.raises(NotFoundError, match="no task `x` to stop at") as caught:
        skipped_after(flow_of(DAG), "x")
    assert "dag" in caught.value.hint
