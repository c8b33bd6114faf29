"""Flows through the engine alone: which task runs there are, in which states, in which order."""

from __future__ import annotations

from tests.engine.harness import EngineRun

HEAD = "id: flow\nnamespace: company.team\n"


def test_sequential_children_run_in_order_and_read_each_others_outputs() -> None:
    """ENG-068, example 1 of the language."""
    run = EngineRun(
        HEAD
        + """
tasks:
  - id: sequential
    type: io.kestra.plugin.core.flow.Sequential
    tasks:
      - id: first
        type: io.kestra.plugin.core.output.OutputValues
        values:
          data: "hello from task 1"
      - id: second
        type: io.kestra.plugin.core.output.OutputValues
        values:
          data: "{{ outputs.first.values.data }}"
  - id: log_siblings
    type: io.kestra.plugin.core.log.Log
    message: "{{ outputs.second.values.data }}"
"""
    ).finish()
    assert run.ended == "SUCCESS"
    assert run.states == [(task, "SUCCESS") for task in ("sequential", "first", "second", "log_siblings")]
    assert run.logs == ["hello from task 1"]
    assert run.only("log_siblings").outputs is None
    assert run.history == ["CREATED", "RUNNING", "SUCCESS"]


IF = (
    HEAD
    + """
inputs:
  - id: parameter
    type: STRING
    required: false
tasks:
  - id: if
    type: io.kestra.plugin.core.flow.If
    condition: "{{inputs.parameter ?? false }}"
    then:
      - id: if_not_null
        type: io.kestra.plugin.core.log.Log
        message: Received input {{inputs.parameter}}
    else:
      - id: if_null
        type: io.kestra.plugin.core.log.Log
        message: No input provided
"""
)


def test_if_without_value_takes_else() -> None:
    """ENG-072, ENG-073."""
    run = EngineRun(IF, {"parameter": None}).finish()
    assert run.states == [("if", "SUCCESS"), ("if_null", "SUCCESS")]
    assert run.logs == ["No input provided"]


def test_if_with_value_takes_then() -> None:
    run = EngineRun(IF, {"parameter": "abc"}).finish()
    assert run.states == [("if", "SUCCESS"), ("if_not_null", "SUCCESS")]
    assert run.logs == ["Received input abc"]


SWITCH = (
    HEAD
    + """
tasks:
  - id: switch
    type: io.kestra.plugin.core.flow.Switch
    value: "{{ inputs.param }}"
    cases:
      case1:
        - id: case1
          type: io.kestra.plugin.core.log.Log
          message: Case 1
      true:
        - id: yes_case
          type: io.kestra.plugin.core.log.Log
          message: yes
      notexist:
        - id: fail
          type: io.kestra.plugin.core.execution.Fail
    defaults:
      - id: default
        type: io.kestra.plugin.core.log.Log
        message: default
"""
)


def test_switch_runs_the_case_of_its_value() -> None:
    """ENG-074."""
    assert EngineRun(SWITCH, {"param": "case1"}).finish().states == [("switch", "SUCCESS"), ("case1", "SUCCESS")]


def test_switch_matches_boolean_keys_with_rendered_booleans() -> None:
    assert EngineRun(SWITCH, {"param": True}).finish().states == [("switch", "SUCCESS"), ("yes_case", "SUCCESS")]


def test_switch_without_matching_case_runs_the_fallback() -> None:
    """ENG-075."""
    assert EngineRun(SWITCH, {"param": "other"}).finish().states == [("switch", "SUCCESS"), ("default", "SUCCESS")]


def test_failure_in_a_case_fails_the_switch_and_the_execution() -> None:
    run = EngineRun(SWITCH, {"param": "notexist"}).finish()
    assert run.ended == "FAILED"
    assert run.states == [("switch", "FAILED"), ("fail", "FAILED")]


def test_foreach_runs_iterations_one_after_another_and_keys_outputs_by_value() -> None:
    """ENG-076 to ENG-081, ENG-422; example 5 of the language."""
    run = EngineRun(
        HEAD
        + """
tasks:
  - id: for_each
    type: io.kestra.plugin.core.flow.ForEach
    values: ["value 1", "value 2", "value 3"]
    tasks:
      - id: before_if
        type: io.kestra.plugin.core.debug.Return
        format: "Before if {{ taskrun.value }}"
      - id: if
        type: io.kestra.plugin.core.flow.If
        condition: '{{ taskrun.value == "value 2" }}'
        then:
          - id: after_if
            type: io.kestra.plugin.core.debug.Return
            format: "After if {{ parent.taskrun.value }}"
"""
    ).finish()
    assert run.ended == "SUCCESS"
    assert len(run.states) == 8
    assert run.state.outputs["before_if"]["value 1"]["value"] == "Before if value 1"
    assert run.state.outputs["after_if"]["value 2"]["value"] == "After if value 2"
    assert "value 1" not in run.state.outputs["after_if"]
    runs = [run.state.task_runs[one] for one in run.state.by_task["before_if"]]
    assert [one.iteration for one in runs] == [0, 1, 2]
    assert [task for task, _ in run.states][:4] == ["for_each", "before_if", "if", "before_if"]


LOOP = (
    HEAD
    + """
tasks:
  - id: for_each
    type: io.kestra.plugin.core.flow.ForEach
    values: "{{ range(1, 10) }}"
    concurrencyLimit: %d
    tasks:
      - id: parallel
        type: io.kestra.plugin.core.flow.Parallel
        tasks:
          - id: one
            type: io.kestra.plugin.core.debug.Return
            format: "{{ parent.taskrun.value }}"
          - id: two
            type: io.kestra.plugin.core.debug.Return
            format: "{{ parent.taskrun.value }}"
"""
)


def test_foreach_never_runs_more_iterations_than_its_limit() -> None:
    """ENG-077; example 6 of the language."""
    run = EngineRun(LOOP % 2).start()
    most = 0
    while run.jobs:
        running = [s for t, s in run.states if t == "parallel" and s == "RUNNING"]
        most = max(most, len(running))
        run.work(1)
    assert (most, run.ended, len(run.states)) == (2, "SUCCESS", 31)


def test_foreach_with_limit_zero_begins_every_iteration_at_once() -> None:
    run = EngineRun(LOOP % 0).start()
    assert len(run.jobs) == 20
    assert run.work().ended == "SUCCESS"


def test_foreach_over_no_values_succeeds_without_children() -> None:
    run = EngineRun((LOOP % 1).replace("{{ range(1, 10) }}", "[]")).finish()
    assert run.states == [("for_each", "SUCCESS")]


def test_foreach_over_something_that_is_no_list_fails_with_a_hint() -> None:
    run = EngineRun((LOOP % 1).replace("{{ range(1, 10) }}", "nothing")).finish()
    assert run.ended == "FAILED"
    assert "for_each" in run.logs[0]
    assert "JSON array" in run.logs[0]


def test_parallel_children_start_together_up_to_concurrent() -> None:
    """ENG-069."""
    source = (
        HEAD
        + """
tasks:
  - id: parallel
    type: io.kestra.plugin.core.flow.Parallel
    concurrent: 2
    tasks:
      - {id: a, type: io.kestra.plugin.core.debug.Return, format: a}
      - {id: b, type: io.kestra.plugin.core.debug.Return, format: b}
      - {id: c, type: io.kestra.plugin.core.debug.Return, format: c}
"""
    )
    run = EngineRun(source).start()
    assert [job.task_id for job in run.jobs] == ["a", "b"]
    run.work(1)
    assert [job.task_id for job in run.jobs] == ["b", "c"]
    assert run.work().ended == "SUCCESS"


def test_parallel_with_one_failing_branch_lets_the_others_finish_and_fails() -> None:
    run = EngineRun(
        HEAD
        + """
tasks:
  - id: parallel
    type: io.kestra.plugin.core.flow.Parallel
    tasks:
      - {id: a, type: io.kestra.plugin.core.execution.Fail}
      - {id: b, type: io.kestra.plugin.core.debug.Return, format: b}
  - {id: never, type: io.kestra.plugin.core.debug.Return, format: c}
"""
    ).finish()
    assert run.ended == "FAILED"
    assert run.states == [("parallel", "FAILED"), ("a", "FAILED"), ("b", "SUCCESS")]


def test_dag_starts_each_task_when_its_dependencies_have_ended() -> None:
    """ENG-070; example 2 of the language."""
    run = EngineRun(
        HEAD
        + """
tasks:
  - id: dag
    type: io.kestra.plugin.core.flow.Dag
    tasks:
      - task: {id: task1, type: io.kestra.plugin.core.log.Log, message: "1"}
      - task: {id: task2, type: io.kestra.plugin.core.log.Log, message: "2"}
        dependsOn: [task1]
      - task: {id: task3, type: io.kestra.plugin.core.log.Log, message: "3"}
        dependsOn: [task1]
      - task: {id: task4, type: io.kestra.plugin.core.log.Log, message: "4"}
        dependsOn: [task2]
      - task: {id: task5, type: io.kestra.plugin.core.log.Log, message: "5"}
        dependsOn: [task4, task3]
"""
    ).start()
    assert [job.task_id for job in run.jobs] == ["task1"]
    run.work(1)
    assert [job.task_id for job in run.jobs] == ["task2", "task3"]
    run.work(2)
    assert [job.task_id for job in run.jobs] == ["task4"]
    run.work()
    assert (run.ended, run.logs) == ("SUCCESS", ["1", "2", "3", "4", "5"])


def test_allow_failure_group_turns_a_failure_into_a_warning() -> None:
    """ENG-092; example 9 of the language."""
    run = EngineRun(
        HEAD
        + """
tasks:
  - id: allow_failure
    type: io.kestra.plugin.core.flow.AllowFailure
    tasks:
      - {id: ko, type: io.kestra.plugin.core.execution.Fail}
      - {id: next, type: io.kestra.plugin.core.debug.Return, format: x}
  - {id: end, type: io.kestra.plugin.core.debug.Return, format: "{{ task.id }} > {{ taskrun.startDate }}"}
"""
    ).finish()
    assert run.ended == "WARNING"
    assert run.states == [("allow_failure", "WARNING"), ("ko", "FAILED"), ("end", "SUCCESS")]
    assert run.state.outputs["end"]["value"].startswith("end > 20")


def test_loop_until_runs_again_after_its_interval_until_the_condition_holds() -> None:
    """ENG-090; example 8 of the language."""
    source = (
        HEAD
        + """
tasks:
  - id: loop
    type: io.kestra.plugin.core.flow.LoopUntil
    condition: "{{ outputs.ping.value == '%s' }}"
    checkFrequency: {interval: PT30S, maxIterations: 5}
    tasks:
      - {id: ping, type: io.kestra.plugin.core.debug.Return, format: "{{ taskrun.iteration }}"}
"""
    )
    run = EngineRun(source % 2).start().work()
    begun = run.now
    assert run.only("ping").state.current == "SUCCESS"
    run.pass_time()
    assert run.now - begun >= 29_000_000
    run.work().finish()
    assert (run.ended, len(run.states), run.state.outputs["ping"]["value"]) == ("SUCCESS", 4, "2")
    endless = source % 99
    for most in ("5", '"{{ 2 + 3 }}"'):
        run = EngineRun(endless.replace("maxIterations: 5", f"maxIterations: {most}")).finish()
        assert len(run.states) == 6, "a limit that is reached is a normal end (ENG-091)"
    wrong = EngineRun(endless.replace("maxIterations: 5", "maxIterations: \"{{ 'many' }}\"")).finish()
    assert (wrong.ended, wrong.logs[-1]) == (
        "FAILED",
        "`maxIterations` must be a whole number, not `many` (see what its expression renders to)",
    )


def test_disabled_and_conditional_tasks_are_skipped_and_the_others_run() -> None:
    """ENG-041, ENG-045; example 17 of the language."""
    run = EngineRun(
        HEAD
        + """
tasks:
  - {id: off, type: io.kestra.plugin.core.debug.Return, format: x, disabled: true}
  - {id: main, type: io.kestra.plugin.core.debug.Return, format: Hello, runIf: "{{ inputs.run_task }}"}
  - {id: fallback, type: io.kestra.plugin.core.debug.Return, format: fallback output}
outputs:
  - id: flow_output
    type: STRING
    value: "{{ tasks.main.state != 'SKIPPED' ? outputs.main.value : outputs.fallback.value }}"
""",
        {"run_task": False},
    ).finish()
    assert run.states == [("off", "SKIPPED"), ("main", "SKIPPED"), ("fallback", "SUCCESS")]
    assert run.execution.outputs == {"flow_output": "fallback output"}


def test_run_if_that_cannot_be_rendered_fails_the_task() -> None:
    """USE-B047."""
    run = EngineRun(
        HEAD
        + 'tasks:\n  - {id: a, type: io.kestra.plugin.core.debug.Return, format: x, runIf: "{{ outputs.no.such }}"}\n'
    ).finish()
    assert run.states == [("a", "FAILED")]
    assert "runIf" in run.logs[0]


def test_nesting_of_a_hundred_levels_runs() -> None:
    body = "- {id: leaf, type: io.kestra.plugin.core.debug.Return, format: deep}"
    for level in range(100):
        indented = "\n".join("    " + line for line in body.splitlines())
        body = f"- id: level{level}\n  type: io.kestra.plugin.core.flow.Sequential\n  tasks:\n{indented}"
    run = EngineRun(HEAD + "tasks:\n" + "\n".join("  " + line for line in body.splitlines()) + "\n").finish()
    assert (run.ended, len(run.states)) == ("SUCCESS", 101)


def test_five_thousand_skipped_tasks_in_a_row_need_no_deep_stack() -> None:
    tasks = "".join(
        f"  - {{id: t{index}, type: io.kestra.plugin.core.debug.Return, format: x, disabled: true}}\n"
        for index in range(5000)
    )
    assert EngineRun(HEAD + "tasks:\n" + tasks).finish().ended == "SUCCESS"
