"""Inputs, from a launch to the tasks that read them."""

from __future__ import annotations

import json

from tests.language.conftest import Language, outputs

RETURN = "io.kestra.plugin.core.debug.Return"
EVERY_TYPE = """
id: {id}
namespace: team
inputs:
  - {id: text, type: STRING, validator: '^student(\\d+)?$', defaults: student5}
  - {id: age, type: INT, min: 18, max: 64}
  - {id: weight, type: FLOAT, defaults: 1.5}
  - {id: day, type: DATE, after: "2024-04-10", before: "2024-04-15"}
  - {id: moment, type: DATETIME, defaults: "{{ '2024-01-02T03:04:05Z' }}"}
  - {id: hour, type: TIME, defaults: "10:15:30"}
  - {id: length, type: DURATION, max: PT1H, defaults: PT5M6S}
  - {id: several, type: MULTISELECT, values: [a, b, c], defaults: [a, c]}
  - {id: one, type: SELECT, expression: "{{ ['x', 'y'] }}", autoSelectFirst: true}
  - {id: free, type: SELECT, values: [x], allowCustomValue: true, defaults: other}
  - {id: numbers, type: ARRAY, itemType: INT, defaults: [1, 2]}
  - {id: nested.yaml, type: YAML, defaults: {a: {b: 1}}}
  - {id: nested.json, type: JSON, defaults: '{"k": [7]}'}
  - {id: address, type: URI, defaults: "https://example.com/a"}
  - {id: mail, type: EMAIL, defaults: ada@example.com}
  - {id: optional, type: STRING, required: false}
  - {id: proposed, type: STRING, required: false, prefill: shown}
  - {id: made, type: STRING, expression: "{{ flow.namespace }}"}
tasks:
  - {id: all, type: RETURN, format: "{{ inputs }}"}
  - id: some
    type: RETURN
    format: "{{ inputs.nested.yaml.a.b + inputs.age }} {{ inputs.nested.json.k[0] }} {{ inputs.numbers | last }}"
  - id: none
    type: RETURN
    format: "[{{ inputs.optional }}|{{ inputs.optional ?? 'd' }}|{{ inputs.optional ??? 'd' }}]"
""".replace("RETURN", RETURN)


async def test_inputs_of_every_type_reach_the_tasks_in_the_form_of_their_types(language: Language) -> None:
    """ENG-158 to ENG-160, ENG-162, ENG-166 to ENG-168, ENG-172 to ENG-174, ENG-177 to ENG-181, ENG-183 to ENG-185,
    ENG-187, ENG-188, ENG-404, ENG-405."""
    execution = await language.run(EVERY_TYPE, files={"age": (None, "18"), "day": (None, "2024-04-15")})
    assert json.loads(outputs(execution, "all")["value"]) == {
        "text": "student5",
        "age": 18,
        "weight": 1.5,
        "day": "2024-04-15",
        "moment": "2024-01-02T03:04:05Z",
        "hour": "10:15:30",
        "length": "PT5M6S",
        "several": ["a", "c"],
        "one": "x",
        "free": "other",
        "numbers": [1, 2],
        "nested": {"yaml": {"a": {"b": 1}}, "json": {"k": [7]}},
        "address": "https://example.com/a",
        "mail": "ada@example.com",
        "optional": None,
        "proposed": None,
        "made": "team",
    }
    assert outputs(execution, "some") == {"value": "19 7 2"}
    assert outputs(execution, "none") == {"value": "[|d|]"}


async def test_launch_with_wrong_inputs_names_all_of_them_and_creates_nothing(language: Language) -> None:
    """ENG-189 to ENG-191, ENG-403: bounds are part of the range."""
    await language.server.flow(EVERY_TYPE.replace("{id}", "strict"))
    given = {"text": "studentx", "age": "65", "day": "2024-04-16", "numbers": '["a"]', "several": '["z"]', "what": "1"}
    files = {name: (None, value) for name, value in given.items()}
    answer = await language.server.client.post("/api/v1/main/executions/team/strict", files=files)
    assert answer.status_code == 422
    told = {problem["input"] for problem in answer.json()["problems"]}
    assert told == {"text", "age", "day", "numbers", "several", "what"}
    assert (await language.get("executions/search", params={"filters[flowId][EQUALS]": "strict"}))["total"] == 0


CALLED = """
id: called-with-dots
namespace: team
inputs:
  - {id: user.name, type: STRING}
  - {id: user.age, type: INT, min: 3}
tasks:
  - {id: said, type: RETURN, format: "{{ inputs.user }} {{ inputs.user.age + 1 }}"}
outputs:
  - {id: said, type: STRING, value: "{{ outputs.said.value }}"}
""".replace("RETURN", RETURN)
CALLING = """
id: {id}
namespace: team
tasks:
  - id: good
    type: io.kestra.plugin.core.flow.Subflow
    namespace: team
    flowId: called-with-dots
    inputs: {user.name: Ada, user.age: "{{ 3 + 4 }}"}
  - id: bad
    type: io.kestra.plugin.core.flow.Subflow
    namespace: team
    flowId: called-with-dots
    inputs: {user.name: Ada, user.age: 1}
"""


async def test_inputs_given_to_another_flow_may_have_dots_and_are_checked_by_it(language: Language) -> None:
    """ENG-105, ENG-106."""
    await language.server.flow(CALLED)
    execution = await language.run(CALLING)
    assert execution["state"]["current"] == "FAILED"
    assert outputs(execution, "good")["outputs"] == {"said": '{"name":"Ada","age":7} 8'}
    assert "input `user.age`: `1` is given, it must be at least 3" in await language.logs(execution)


CONDITIONAL = """
id: {id}
namespace: team
inputs:
  - {id: run, type: BOOL, defaults: true}
tasks:
  - {id: main, type: RETURN, format: main, runIf: "{{ inputs.run }}"}
  - {id: other, type: RETURN, format: fallback}
outputs:
  - {id: made, type: STRING, value: "{{ tasks.main.state != 'SKIPPED' ? outputs.main.value : outputs.other.value }}"}
""".replace("RETURN", RETURN)


async def test_output_of_a_flow_that_depends_on_what_ran_takes_one_branch_alone(language: Language) -> None:
    """ENG-207, example 17 of the language."""
    assert (await language.run(CONDITIONAL))["outputs"] == {"made": "main"}
    skipped = await language.run(CONDITIONAL, files={"run": (None, "false")})
    assert skipped["outputs"] == {"made": "fallback"}
