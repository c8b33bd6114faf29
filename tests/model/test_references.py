"""Names in expressions, checked against what the flow declares."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from penstock.model.problems import Problem, Severity

Problems = Callable[..., list[Problem]]
FLOW = """
inputs:
  - {id: user, type: STRING}
  - {id: my-input, type: STRING}
  - {id: nested.first, type: STRING}
variables: {base_url: x, my-var: y}
tasks:
  - {id: extract, type: test.Return}
  - {id: my-task, type: test.Return}
  - {id: open, type: test.Script, script: x}
  - {id: loop, type: test.Loop, values: [a], tasks: [{id: inner, type: test.Return}]}
  - {id: use, type: test.Return, format: "EXPRESSION"}
"""


def findings(problems: Problems, expression: str) -> list[Problem]:
    return problems(FLOW.replace("EXPRESSION", expression))


@pytest.mark.parametrize(
    "expression",
    [
        "{{ inputs.user }} {{ inputs['my-input'] }} {{ inputs.nested.first }} {{ inputs.nested }} {{ inputs }}",
        "{{ outputs.extract.value }} {{ outputs['my-task'].value }} {{ outputs[inputs.user].x }} {{ outputs }}",
        "{{ outputs.open.vars.anything }} {{ outputs.inner['a'].value }} {{ outputs.inner.a.value }}",
        "{{ vars.base_url }} {{ vars['my-var'] }} {{ tasks.extract.state }} {{ labels.any.thing }}",
        "{{ flow.id }} {{ execution.startDate }} {{ trigger.date ?? '' }} {{ taskrun.value ?? '' }} {{ taskrun.id }}",
        "{{ envs.x ~ globals.y ~ kestra.url ~ namespace.z ~ workingDir }}",
        "{% set x = 1 %}{{ x }}{% for item in inputs.user %}{{ item }}{{ loop.index }}{% endfor %}",
        "{% raw %}{{ inputs.nope }}{% endraw %}",
        "{{ inputs.user ?? raise }}",
        "{{ inputs.user-inputs.user }}",
        "no expression: inputs.nope",
    ],
)
def test_expression_of_declared_names_has_no_findings(problems: Problems, expression: str) -> None:
    assert findings(problems, expression) == []


@pytest.mark.parametrize(
    ("expression", "message", "hint"),
    [
        ("{{ inputs.usr ?? '' }}", "the flow has no input `usr`", "did you mean `user`?"),
        (
            "{% if inputs.user %}{{ inputs.nested.frist }}{% endif %}",
            "the flow has no input `nested.frist`",
            "did you mean `nested.first`?",
        ),
        ("{{ outputs.extrct.value }}", "the flow has no task `extrct`", "did you mean `extract`?"),
        ("{{ outputs['extrct'].value }}", "the flow has no task `extrct`", "did you mean `extract`?"),
        ("{{ tasks.extrct.state }}", "the flow has no task `extrct`", "did you mean `extract`?"),
        ("{{ outputs.extract.vale }}", "task `extract` (Return) has no output `vale`", "did you mean `value`?"),
        ("{{ vars.base_ulr }}", "the flow has no variable `base_ulr`", "did you mean `base_url`?"),
        ("{{ input.user }}", "nothing is called `input` here", "did you mean `inputs`?"),
        ("{{ currentEachOutput(outputs.inne) }}", "the flow has no task `inne`", "did you mean `inner`?"),
        ("{{ outputs.my-task.value }}", "`outputs.my-task` is a subtraction", "write `outputs['my-task']`"),
        ("{{ inputs.my-input }}", "`inputs.my-input` is a subtraction", "write `inputs['my-input']`"),
        ("{{ vars.my-var }}", "`vars.my-var` is a subtraction", "write `vars['my-var']`"),
    ],
)
def test_expression_with_an_undeclared_name_is_a_warning_with_the_nearest(
    problems: Problems, expression: str, message: str, hint: str
) -> None:
    """Implements BEY-033, EXP-042."""
    [problem] = findings(problems, expression)
    assert (problem.severity, problem.message, problem.hint) == (Severity.WARNING, message, hint)
    assert problem.path == "tasks[4].format"


@pytest.mark.parametrize(
    ("expression", "message", "hint"),
    [
        ("{{ flow.idd }}", "`flow` has no `idd`", "did you mean `id`?"),
        ("{{ execution.xyz }}", "`execution` has no `xyz`", "declared: id, originalId, startDate, state"),
        ("{{ inputs.usr }}", "the flow has no input `usr`", "did you mean `user`?"),
        ("{{ inputs.nested.frist }}", "the flow has no input `nested.frist`", "did you mean `nested.first`?"),
        ("{{ taskrun.value }}", "`taskrun.value` exists only in a loop", "the task is in none"),
        ("{{ parent.taskrun.value }}", "`parent` exists only inside another task", "the task is in none"),
        ("{{ outputs.use.value }}", "task `use` has not ended yet when this is read", "read it in a later task"),
        ("{{ outputs.last.value }}", "task `last` has not run yet when this is read", "read it in a later task"),
        ("{{ outputs.alarm.value }}", "task `alarm` has not run yet when this is read", "read it in a later task"),
    ],
)
def test_expression_with_which_no_execution_can_succeed_is_an_error(
    problems: Problems, expression: str, message: str, hint: str
) -> None:
    """Implements BEY-033."""
    flow = FLOW + "  - {id: last, type: test.Return}\nerrors: [{id: alarm, type: test.Return}]\n"
    [problem] = problems(flow.replace("EXPRESSION", expression))
    assert (problem.severity, problem.message, problem.hint) == (Severity.ERROR, message, hint)
    assert problem.path == "tasks[4].format"


@pytest.mark.parametrize(
    ("around", "task"),
    [
        ("{use}", "disabled: true"),
        ("{use}", "allowFailure: true"),
        ("{use}", "runIf: false"),
        ("{{id: a, type: test.Choose, value: x, cases: {{x: [{use}]}}}}", "description: x"),
        ("{{id: a, type: test.Loop, values: [a], tasks: [{use}]}}", "description: x"),
    ],
)
def test_fault_that_need_not_fail_an_execution_is_a_warning(problems: Problems, around: str, task: str) -> None:
    """Implements BEY-033."""
    use = f"{{id: use, type: test.Return, format: '{{{{ inputs.nope }}}}', {task}}}"
    [problem] = problems(f"tasks: [{around.format(use=use)}]")
    assert (problem.severity, problem.message) == (Severity.WARNING, "the flow has no input `nope`")


LOOPS = """
tasks:
  - id: loop
    type: test.Loop
    values: [a]
    tasks:
      - {id: direct, type: test.Return, format: "DIRECT"}
      - id: group
        type: test.Group
        tasks: [{id: inner, type: test.Return, format: "INNER"}]
      - {id: after, type: test.Return}
  - id: graph
    type: test.Graph
    tasks: [{task: {id: one, type: test.Return, format: "ONE"}}, {task: {id: two, type: test.Return}}]
triggers: [{id: t, type: test.Timer}]
"""


@pytest.mark.parametrize(
    ("place", "expression", "message"),
    [
        ("DIRECT", "{{ taskrun.value }} {{ parents[0].taskrun.value }} {{ parent.taskrun.id }}", None),
        ("DIRECT", "{{ outputs.after[taskrun.value].value ?? '' }} {{ outputs.after['a'].value }}", None),
        ("DIRECT", "{{ parents[1].taskrun.value }}", "`parents[1]` is out of reach"),
        ("DIRECT", "{{ outputs.one.value }}", "task `one` has not run yet when this is read"),
        ("INNER", "{{ parent.taskrun.value }} {{ parents[1].taskrun.value }}", None),
        ("INNER", "{{ taskrun.value }}", "only the tasks directly in a loop have a value"),
        ("ONE", "{{ outputs.inner.a.value }} {{ outputs.two.value }} {{ trigger.whatever }}", None),
    ],
)
def test_loop_scope_is_known(problems: Problems, place: str, expression: str, message: str | None) -> None:
    """Implements BEY-033: loop scope, tasks that cannot have run, parents."""
    flow = LOOPS.replace(place, expression)
    for other in ("DIRECT", "INNER", "ONE"):
        flow = flow.replace(other, "")
    assert [problem.message for problem in problems(flow)] == ([] if message is None else [message])


@pytest.mark.parametrize(
    ("expression", "message", "hint"),
    [
        ("{{ outputs.log.value }}", "task `log` (Log) has no outputs", "read another task's"),
        ("{{ trigger.dat }}", "the flow has no triggers", "give a fallback with `??`"),
        ("{{ trigger.executionId }}", None, None),
    ],
)
def test_outputs_and_triggers_that_are_not_there_are_warnings(
    problems: Problems, expression: str, message: str | None, hint: str | None
) -> None:
    """Implements BEY-033."""
    use = f"{{id: r, type: test.Return, format: '{expression}'}}"
    found = problems(f"tasks: [{{id: log, type: test.log.Log, message: x}}, {use}]")
    assert [(one.severity, one.message, one.hint) for one in found] == (
        [] if message is None else [(Severity.WARNING, message, hint)]
    )


def test_trigger_variables_are_those_of_the_types_of_the_triggers(problems: Problems) -> None:
    """Implements BEY-033."""
    found = problems(
        "triggers: [{id: t, type: test.Clock}]",
        "tasks: [{id: r, type: test.Return, format: '{{ trigger.dat }} {{ trigger.date }}'}]",
    )
    assert [(one.severity, one.message, one.hint, one.column) for one in found] == [
        (Severity.WARNING, "no trigger of the flow has `dat`", "did you mean `date`?", 56)
    ]


def test_mistake_in_one_expression_does_not_hide_the_others(problems: Problems) -> None:
    """Implements BEY-033: several problems of one text are all told."""
    text = "{{ 1 + }} {{ inputs.a }} {{ | }} {{ flow.idd }}"
    found = problems(f"tasks: [{{id: r, type: test.Return, format: '{text}'}}]")
    places = [text.index(part) + 1 for part in ("}}", "a }}", "| }}", "idd")]
    first = found[0].column - places[0]
    assert [(one.severity, one.column - first) for one in found] == [(Severity.ERROR, place) for place in places]


def test_syntax_error_in_any_rendered_text_is_an_error_at_its_place(problems: Problems) -> None:
    """Implements EXP-009."""
    [problem] = problems("tasks:", "  - id: a", "    type: test.Script", "    script: |", "      x", "      {{ 1 + }}")
    assert (problem.severity, problem.path, problem.line) == (Severity.ERROR, "tasks[0].script", 8)
    assert problem.column == 14


def test_syntax_error_in_a_key_or_a_nested_value_is_found(problems: Problems) -> None:
    """Implements EXP-001."""
    found = problems("tasks: [{id: a, type: test.Script, script: x, env: {'{{ ': a, b: '{{ '}, options: {c: ['{{ ']}}]")
    assert [problem.path for problem in found] == [
        "tasks[0].env['{{ ']",
        "tasks[0].env.b",
        "tasks[0].options.c[0]",
    ]


@pytest.mark.parametrize(
    "place",
    [
        "description: '{{ '",
        "variables: {x: '{{ '}",
        "inputs: [{id: a, type: STRING, description: '{{ ', displayName: '{% '}]",
        "outputs: [{id: o, value: x, description: '{{ '}]",
        "errors: [{id: e, type: test.Return, description: '{{ '}]",
    ],
)
def test_text_that_is_never_rendered_by_itself_may_hold_anything(problems: Problems, place: str) -> None:
    """Implements ENG-198."""
    assert problems(place) == []


def test_task_of_an_unknown_type_does_not_make_its_flow_full_of_warnings(problems: Problems) -> None:
    found = problems("tasks: [{id: a, type: test.Nope}, {id: b, type: test.Return, format: '{{ outputs.c.value }}'}]")
    assert [problem.code for problem in found] == ["UNKNOWN_TYPE"]


def test_same_mistake_in_many_tasks_is_told_for_each(problems: Problems) -> None:
    tasks = ", ".join(f"{{id: t{index}, type: test.Return, format: '{{{{ inputs.x }}}}'}}" for index in range(3))
    assert [problem.path for problem in problems(f"tasks: [{tasks}]")] == [
        f"tasks[{index}].format" for index in range(3)
    ]


@pytest.mark.parametrize("name", ["vars.base", "outputs.a.value", "tasks.a.state"])
def test_input_that_reads_what_comes_after_inputs_is_a_warning(problems: Problems, name: str) -> None:
    """ENG-161, ENG-169."""
    part = f"variables: {{base: x}}\ninputs: [{{id: a, type: STRING, defaults: '{{{{ {name} }}}}'}}]"
    [problem] = problems(part)
    assert problem.severity is Severity.WARNING
    assert problem.message == f"inputs cannot read `{name.split('.')[0]}`"


@pytest.mark.parametrize(
    "part",
    [
        "outputs: [{id: o, value: '{{ outputs.nope }}'}]",
        "checks: [{condition: '{{ inputs.nope }}', message: m}]",
        "sla: [{id: s, type: EXECUTION_ASSERTION, assert: '{{ vars.nope }}', behavior: NONE}]",
        "inputs: [{id: a, type: STRING, defaults: '{{ inputs.nope }}'}]",
        "triggers: [{id: t, type: test.Timer, inputs: {a: '{{ vars.nope }}'}}]",
        "errors: [{id: e, type: test.Return, runIf: '{{ outputs.nope }}'}]",
    ],
)
def test_names_are_checked_in_every_part_of_a_flow(problems: Problems, part: str) -> None:
    [problem] = problems(part)
    assert "nope" in problem.message
