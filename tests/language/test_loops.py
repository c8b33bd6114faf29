"""Loops: their values, and the outputs inside and behind them."""

from __future__ import annotations

from tests.language.conftest import Language, outputs

VALUES = """
id: {id}
namespace: team
variables:
  servers: [{name: a, port: 1}, {name: b, port: 2}]
tasks:
  - {id: list, type: io.kestra.plugin.core.output.OutputValues, values: {parts: "{{ ['x y', 'z-1'] }}"}}
  - id: each
    type: io.kestra.plugin.core.flow.ForEach
    values: "{{ vars.servers }}"
    tasks:
      - id: server
        type: RETURN
        format: "{{ fromJson(taskrun.value).name }}:{{ json(taskrun.value).port }} {{ taskrun.iteration }}"
  - id: parts
    type: io.kestra.plugin.core.flow.ForEach
    values: "{{ outputs.list.values.parts }}"
    tasks:
      - {id: made, type: RETURN, format: "{{ taskrun.value }}!"}
      - {id: sibling, type: RETURN, format: "{{ outputs.made[taskrun.value].value }}"}
      - id: choice
        type: io.kestra.plugin.core.flow.If
        condition: "{{ taskrun.value == 'x y' }}"
        then:
          - {id: deep, type: RETURN, format: "{{ currentEachOutput(outputs.made).value }} {{ parent.taskrun.value }}"}
  - {id: none, type: io.kestra.plugin.core.flow.ForEach, values: [], tasks: [{id: never, type: RETURN, format: x}]}
  - {id: read, type: RETURN, format: "{{ outputs.sibling['z-1'].value }} {{ outputs.deep['x y'].value }}"}
""".replace("RETURN", "io.kestra.plugin.core.debug.Return")


async def test_loop_over_what_a_variable_or_an_earlier_task_gives_keys_its_outputs_by_value(language: Language) -> None:
    """ENG-076, ENG-078 to ENG-084, ENG-422: one task run for each child and value."""
    execution = await language.run(VALUES)
    assert execution["state"]["current"] == "SUCCESS", await language.logs(execution)
    made = [run["outputs"]["value"] for run in execution["taskRunList"] if run["taskId"] == "server"]
    assert made == ["a:1 0", "b:2 1"]
    assert outputs(execution, "deep") == {"value": "x y! x y"}
    assert outputs(execution, "read") == {"value": "z-1! x y! x y"}
    values = [run.get("value") for run in execution["taskRunList"] if run["taskId"] in ("server", "made", "deep")]
    assert values == ['{"name":"a","port":1}', '{"name":"b","port":2}', "x y", None, "z-1"]
    assert len(execution["taskRunList"]) == 14, "ENG-085, ENG-414"


async def test_loop_over_something_that_is_no_list_fails_and_says_so(language: Language) -> None:
    execution = await language.run(VALUES.replace("values: []", 'values: "{{ flow.id }}"'))
    assert execution["state"]["current"] == "FAILED"
    assert any("`values` of `none` is no list" in line for line in await language.logs(execution))
