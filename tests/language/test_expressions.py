"""The expressions that flows are written with, in the context of a running task."""

from __future__ import annotations

import json

import pytest

from tests.language.conftest import Language, outputs

ROWS = 'variables:\n  rows: [{"id": "a", "n": 1}, {"id": "b", "n": 2}]\n  word: kestrel\n  nested: "{{ vars.word }}"\n'


@pytest.mark.parametrize(
    ("expression", "rendered"),
    [
        ("{{ vars.rows[0].id }}", "a"),
        ("{{ vars['word'] }}", "kestrel"),
        ("{{ vars.rows[vars.rows | length - 1].id }}", "b"),
        ("{{ 2 + 3 * 4 - 1 }}", "13"),
        ("{{ 1 < 2 and 2 <= 2 or false }}", "true"),
        ("{{ 1 == 2 ? 'yes' : 'no' }}", "no"),
        ("{{ 'a' ~ 'b' + 'c' }}", "abc"),
        ("{{ [1, 2, 3] contains 2 }}", "true"),
        ("{{ {'a': 'b'} contains 'a' }}", "true"),
        ("{{ {'a': 'b'}.a }}", "b"),
        ("{% raw %}{{ vars.word }}{% endraw %}", "{{ vars.word }}"),
        ("{% if vars.word == 'kestrel' %}bird{% else %}stone{% endif %}", "bird"),
    ],
)
async def test_operators_and_delimiters(language: Language, expression: str, rendered: str) -> None:
    """ENG-213, ENG-214."""
    assert await language.render(expression, ROWS) == rendered


async def test_filter_binds_tighter_than_a_comparison_and_looser_than_a_fallback(language: Language) -> None:
    """ENG-215."""
    assert await language.render("{{ vars.rows | length > 1 }}", ROWS) == "true"
    day = await language.render('{{ trigger.date ?? execution.startDate | date("yyyy") }}')
    assert day.isdigit()
    assert len(day) == 4


async def test_undefined_variable_fails_the_task_unless_there_is_a_fallback(language: Language) -> None:
    """ENG-216, ENG-260."""
    assert await language.render("{{ trigger.date ?? 'by hand' }}") == "by hand"
    execution = await language.run(
        "id: {id}\nnamespace: team\ntasks:\n"
        "  - {id: made, type: io.kestra.plugin.core.debug.Return, format: '{{ trigger.date }}'}\n"
    )
    assert execution["state"]["current"] == "FAILED"
    assert any("trigger" in message for message in await language.logs(execution))


@pytest.mark.parametrize(
    ("expression", "rendered"),
    [
        ("{{ '2024-05-06T07:08:09Z' | date('yyyy_MM_dd__HH_mm_ss') }}", "2024_05_06__07_08_09"),
        ("{{ '2024-05-06T07:08:09Z' | dateAdd(-1, 'DAYS') | date('yyyy-MM-dd') }}", "2024-05-05"),
        ("{{ '2024-05-06T07:08:09Z' | dateAdd(1, 'MONTHS') | date('MM') }}", "06"),
        ("{{ '2024-05-06T07:08:09Z' | timestamp }}", "1714979289"),
        ("{{ vars.rows | jq('.[].id') | first }}", "a"),
        ("{{ vars.rows | length }}", "2"),
        ("{{ vars.word | upper }}", "KESTREL"),
        ("{{ '06' | number }}", "6"),
        ("{{ vars.word | startsWith('kes') }}", "true"),
        ("{{ vars.rows[0] | toJson }}", '{"id":"a","n":1}'),
        ("{{ vars.rows[0] | json }}", '{"id":"a","n":1}'),
        ("{{ fromJson('{\"a\": 1}').a }}", "1"),
        ("{{ json('{\"a\": 1}').a }}", "1"),
        ("{{ render(vars.nested) }}", "kestrel"),
        ("{{ secret('TOKEN') | length }}", "17"),
    ],
)
async def test_filters_and_functions_of_the_pages(language: Language, expression: str, rendered: str) -> None:
    """ENG-196, ENG-217, ENG-218, ENG-219."""
    assert await language.render(expression, ROWS) == rendered


@pytest.mark.parametrize(
    ("program", "rendered"),
    [
        (".[].id", ["a", "b"]),
        ("map(select(.n > 1)) | .[0].id", ["b"]),
        ('.[0] | to_entries | map(.key) | join("-")', ["id-n"]),
    ],
)
async def test_jq_answers_with_a_list(language: Language, program: str, rendered: list[str]) -> None:
    """ENG-220."""
    assert json.loads(await language.render(f"{{{{ vars.rows | jq('{program}') }}}}", ROWS)) == rendered


async def test_jq_reads_text_as_json(language: Language) -> None:
    """ENG-220."""
    assert await language.render("""{{ '{"a": {"b": [1, 2]}}' | jq('.a.b[1]') | first }}""") == "2"


async def test_roots_of_the_context(language: Language) -> None:
    """ENG-009, ENG-065, ENG-128, ENG-223, EXP-020, EXP-021, EXP-022, EXP-023."""
    rendered = await language.render(
        "{{ flow.namespace }}/{{ flow.id }}/{{ flow.revision }}/{{ flow.tenantId }} {{ task.id }} "
        "{{ taskrun.attemptsCount }} {{ execution.id == execution.originalId }} {{ execution.state }} "
        "{{ inputs.name }} {{ vars.word }} "
        "{{ tasks.made.state ?? 'none' }} {{ outputs | length }} {{ task.type }} {{ execution.state == 'RUNNING' }} "
        "{{ execution.startDate is json }} {{ taskrun.id is defined }} {{ taskrun.startDate | date('yyyy') | length }} "
        "{{ taskrun.value is defined }} {{ execution.startDate | date('yyyy') | length }}",
        ROWS + "inputs:\n  - {id: name, type: STRING, defaults: Ada}\n",
    )
    place, task, *rest = rendered.split(" ")
    assert place.startswith("team/flow-")
    assert place.endswith("/1/main")
    assert (task, rest[:4]) == ("made", ["0", "true", "RUNNING", "Ada"])
    assert rest[7:] == ["io.kestra.plugin.core.debug.Return", "true", "false", "true", "4", "false", "4"]


async def test_task_run_printed_whole_is_json(language: Language) -> None:
    """ENG-064."""
    printed = json.loads(await language.render("{{ taskrun }}"))
    assert printed["attemptsCount"] == 0
    assert {"id", "startDate"} <= set(printed)


async def test_parents_give_the_values_of_inner_and_outer_loop(language: Language) -> None:
    """ENG-066, ENG-067, ENG-080, ENG-422, EXP-023."""
    execution = await language.run(
        """
id: {id}
namespace: team
tasks:
  - id: outer
    type: io.kestra.plugin.core.flow.ForEach
    values: [o1, o2]
    tasks:
      - id: choice
        type: io.kestra.plugin.core.flow.Switch
        value: "{{ taskrun.value }}"
        cases:
          o1:
            - id: inner
              type: io.kestra.plugin.core.flow.ForEach
              values: [i1]
              tasks:
                - id: again
                  type: io.kestra.plugin.core.flow.Switch
                  value: "{{ taskrun.value }}"
                  cases:
                    i1:
                      - id: made
                        type: io.kestra.plugin.core.debug.Return
                        format: >-
                          {{ parents[0].taskrun.value }} {{ parents[1].taskrun.value }} {{ parent.taskrun.value }}
                          {{ taskrun.parentId == parent.taskrun.id }} {{ parent.taskrun.iteration }}
"""
    )
    assert execution["state"]["current"] == "SUCCESS", await language.logs(execution)
    assert outputs(execution, "made") == {"value": "i1 o1 i1 true 0"}
    values = {run["taskId"]: run.get("value") for run in execution["taskRunList"] if run["taskId"] in ("again", "made")}
    assert values == {"again": "i1", "made": None}


async def test_tasks_with_a_state_are_listed(language: Language) -> None:
    """ENG-222."""
    execution = await language.run(
        """
id: {id}
namespace: team
tasks:
  - {id: broken, type: io.kestra.plugin.core.execution.Fail}
errors:
  - id: made
    type: io.kestra.plugin.core.debug.Return
    format: "{{ tasksWithState('failed')[0]['taskId'] }} {{ tasksWithState('FAILED') | length }}"
"""
    )
    assert outputs(execution, "made") == {"value": "broken 1"}


async def test_variables_are_not_rendered_by_themselves(language: Language) -> None:
    """ENG-197, ENG-198, ENG-199, ENG-204."""
    assert await language.render("{{ vars.nested }}", ROWS) == "{{ vars.word }}"
    assert await language.render("{{ render(vars.outer) }}", ROWS + '  outer: "<{{ vars.nested }}>"\n') == "<kestrel>"
    execution = await language.run(
        "id: {id}\nnamespace: team\n" + ROWS + "tasks:\n"
        "  - {id: first, type: io.kestra.plugin.core.debug.Return, format: '{{ vars.nested }}'}\n"
        "  - {id: second, type: io.kestra.plugin.core.debug.Return, format: '{{ outputs.first.value }}'}\n"
    )
    assert outputs(execution, "second") == {"value": "{{ vars.word }}"}
