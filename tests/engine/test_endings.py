"""What happens when something fails, and what happens last."""

from __future__ import annotations

from tests.engine.harness import EngineRun

HEAD = "id: flow\nnamespace: company.team\n"
LOG = "io.kestra.plugin.core.log.Log"
FAIL = "io.kestra.plugin.core.execution.Fail"
RETURN = "io.kestra.plugin.core.debug.Return"


def test_failed_task_stops_the_flow_and_runs_the_errors() -> None:
    """ENG-225; example 13 of the language."""
    run = EngineRun(
        HEAD
        + f"""
tasks:
  - {{id: failed, type: {FAIL}}}
  - {{id: never, type: {LOG}, message: x}}
errors:
  - id: error_handler
    type: {LOG}
    message: I'm failing task '{{{{ tasksWithState('failed')[0]['taskId'] }}}}'
"""
    ).finish()
    assert run.ended == "FAILED"
    assert run.states == [("failed", "FAILED"), ("error_handler", "SUCCESS")]
    assert run.logs[-1] == "I'm failing task 'failed'"


LOCAL = (
    HEAD
    + f"""
tasks:
  - id: parent-seq
    type: io.kestra.plugin.core.flow.Sequential
    tasks:
      - {{id: t1, type: {RETURN}, format: x}}
      - id: t2
        type: io.kestra.plugin.core.flow.Sequential
        tasks:
          - {{id: t2-t1, type: {FAIL}}}
        errors:
          - {{id: error-t1, type: {RETURN}, format: "Error Trigger ! {{{{task.id}}}}"}}
"""
)


def test_local_errors_run_for_failures_of_their_own_children_and_do_not_rescue() -> None:
    """ENG-226, ENG-407."""
    run = EngineRun(LOCAL).finish()
    assert run.ended == "FAILED"
    assert sorted(run.states) == sorted(
        [("parent-seq", "FAILED"), ("t1", "SUCCESS"), ("t2", "FAILED"), ("t2-t1", "FAILED"), ("error-t1", "SUCCESS")]
    )
    assert run.state.outputs["error-t1"]["value"] == "Error Trigger ! error-t1"


def test_local_errors_do_not_run_for_failures_elsewhere() -> None:
    run = EngineRun(LOCAL.replace(f"{{id: t1, type: {RETURN}, format: x}}", f"{{id: t1, type: {FAIL}}}")).finish()
    assert "error-t1" not in [task for task, _ in run.states]


def test_finally_runs_while_running_and_after_execution_sees_the_end_state() -> None:
    """ENG-230 to ENG-233; example 14 of the language."""
    source = (
        HEAD
        + f"""
tasks:
  - {{id: run, type: {LOG}, message: "Execution {{{{ execution.state }}}}"}}
  - {{id: fail, type: {FAIL}}}
finally:
  - {{id: finally, type: {LOG}, message: "Execution {{{{ execution.state }}}}"}}
afterExecution:
  - {{id: afterExecution, type: {LOG}, message: "Execution {{{{ execution.state }}}}"}}
  - {{id: onlySuccess, type: {LOG}, message: "x", runIf: "{{{{ execution.state == 'SUCCESS' }}}}"}}
"""
    )
    run = EngineRun(source).finish()
    assert run.ended == "FAILED"
    assert run.states == [
        ("run", "SUCCESS"),
        ("fail", "FAILED"),
        ("finally", "SUCCESS"),
        ("afterExecution", "SUCCESS"),
        ("onlySuccess", "SKIPPED"),
    ]
    assert [line for line in run.logs if line.startswith("Execution")] == [
        "Execution RUNNING",
        "Execution RUNNING",
        "Execution FAILED",
    ]


def test_failure_after_the_execution_changes_nothing() -> None:
    """ENG-232, ENG-389."""
    run = EngineRun(
        HEAD + f"tasks:\n  - {{id: a, type: {LOG}, message: x}}\nafterExecution:\n  - {{id: b, type: {FAIL}}}\n"
    ).finish()
    assert (run.ended, run.is_over) == ("SUCCESS", True)


def test_failing_finally_task_fails_the_execution_and_skips_the_rest_of_finally() -> None:
    """ENG-408."""
    run = EngineRun(
        HEAD
        + f"tasks:\n  - {{id: a, type: {LOG}, message: x}}\nfinally:\n  - {{id: b, type: {FAIL}}}\n"
        + f"  - {{id: c, type: {LOG}, message: x}}\n"
    ).finish()
    assert run.ended == "FAILED"
    assert run.states == [("a", "SUCCESS"), ("b", "FAILED")]


def test_allowed_failure_warns_and_goes_on() -> None:
    """ENG-228, ENG-406."""
    run = EngineRun(
        HEAD
        + f"tasks:\n  - {{id: a, type: {FAIL}, allowFailure: true}}\n  - {{id: b, type: {LOG}, message: x}}\n"
        + f"errors:\n  - {{id: c, type: {LOG}, message: x}}\n"
    ).finish()
    assert run.ended == "WARNING"
    assert run.states == [("a", "WARNING"), ("b", "SUCCESS")]


def test_allowed_failure_with_allowed_warning_is_a_success() -> None:
    """ENG-229."""
    run = EngineRun(HEAD + f"tasks:\n  - {{id: a, type: {FAIL}, allowFailure: true, allowWarning: true}}\n").finish()
    assert (run.ended, run.states) == ("SUCCESS", [("a", "SUCCESS")])


def test_failing_error_handler_starts_no_handler_again() -> None:
    """ENG-407."""
    run = EngineRun(
        HEAD
        + f"tasks:\n  - {{id: a, type: {FAIL}}}\nerrors:\n  - {{id: b, type: {FAIL}}}\n  - {{id: c, type: {FAIL}}}\n"
    ).finish()
    assert run.states == [("a", "FAILED"), ("b", "FAILED")]


def test_flow_output_that_cannot_be_rendered_fails_the_execution_with_its_name() -> None:
    run = EngineRun(
        HEAD
        + f"tasks:\n  - {{id: a, type: {LOG}, message: x}}\n"
        + "outputs:\n  - {id: total, type: INT, value: \"{{ 'many' }}\"}\n"
    ).finish()
    assert run.ended == "FAILED"
    assert "total" in (run.execution.error or "")


def test_flow_outputs_have_their_declared_types() -> None:
    """ENG-206."""
    run = EngineRun(
        HEAD
        + f'tasks:\n  - {{id: a, type: {RETURN}, format: "41"}}\n'
        + 'outputs:\n  - {id: n, type: INT, value: "{{ outputs.a.value }}"}\n'
        + '  - {id: s, type: STRING, value: "{{ outputs.a.value }}"}\n'
    ).finish()
    assert run.execution.outputs == {"n": 41, "s": "41"}


def test_disabled_flow_fails_at_once_with_the_documented_message() -> None:
    """ENG-038."""
    run = EngineRun(HEAD + f"disabled: true\ntasks:\n  - {{id: a, type: {LOG}, message: x}}\n").finish()
    assert (run.ended, run.states) == ("FAILED", [])
    assert run.logs == ["Cannot execute a flow which is disabled"]
