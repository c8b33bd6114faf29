"""What a flow declares beside its tasks: prose, inputs, switches of triggers."""

from __future__ import annotations

import json

import pytest

from tests.language.conftest import Language, outputs

DESCRIBED = """
id: {id}
namespace: team
description: "# Flow {{ nobody }}"
inputs:
  - {id: name, type: STRING, displayName: Your name, description: "*in* {{ nobody }}", defaults: Ada}
outputs:
  - {id: made, type: STRING, value: "{{ outputs.made.value }}", description: "*out* {{ nobody }}"}
tasks:
  - id: made
    type: io.kestra.plugin.core.debug.Return
    format: "{{ inputs.name }}"
    description: "*task* {{ nobody }}"
triggers:
  - {id: hook, type: io.kestra.plugin.core.trigger.Webhook, key: a-key, description: "*start* {{ nobody }}"}
"""
HOOKED = """
id: hooked
namespace: team
tasks:
  - {id: made, type: io.kestra.plugin.core.debug.Return, format: x}
triggers:
  - {id: hook, type: io.kestra.plugin.core.trigger.Webhook, key: a-key, disabled: true}
"""


async def test_descriptions_and_display_names_are_kept_as_they_are_written(language: Language) -> None:
    """ENG-016, ENG-163: prose is never rendered, whatever braces are in it."""
    execution = await language.run(DESCRIBED)
    assert execution["outputs"] == {"made": "Ada"}
    flow = await language.get(f"flows/team/{execution['flowId']}")
    [given], [put_out], [task], [trigger] = flow["inputs"], flow["outputs"], flow["tasks"], flow["triggers"]
    assert flow["description"] == "# Flow {{ nobody }}"
    assert (given["displayName"], given["description"]) == ("Your name", "*in* {{ nobody }}")
    assert [one["description"] for one in (put_out, task, trigger)] == [
        "*out* {{ nobody }}",
        "*task* {{ nobody }}",
        "*start* {{ nobody }}",
    ]


@pytest.mark.parametrize(
    ("kind", "more", "given", "value"),
    [
        ("BOOL", "", "true", True),
        ("BOOLEAN", "", "false", False),
        ("SELECT", ", values: [a, b]", "b", "b"),
        ("ENUM", ", values: [a, b]", "b", "b"),
        ("URI", "", "https://example.com/a", "https://example.com/a"),
        ("URL", "", "https://example.com/a", "https://example.com/a"),
    ],
)
async def test_input_types_have_two_spellings(
    language: Language, kind: str, more: str, given: str, value: object
) -> None:
    """ENG-175, ENG-176, ENG-394, USE-B045."""
    execution = await language.run(
        f"id: {{id}}\nnamespace: team\ninputs:\n  - {{id: x, type: {kind}{more}}}\ntasks:\n"
        "  - {id: made, type: io.kestra.plugin.core.debug.Return, format: x}\n",
        files={"x": (None, given)},
    )
    assert execution["inputs"] == {"x": value}


async def test_variables_read_inputs_and_inputs_no_variables(language: Language) -> None:
    """ENG-161, ENG-169: inputs are known first."""
    source = """
id: {id}
namespace: team
inputs:
  - {id: name, type: STRING, defaults: %s}
variables:
  word: kestrel
  greeting: "Hello {{ inputs.name }}"
tasks:
  - {id: made, type: io.kestra.plugin.core.debug.Return, format: "{{ render(vars.greeting) }}"}
"""
    assert outputs(await language.run(source % "Ada"), "made") == {"value": "Hello Ada"}
    await language.server.flow((source % '"{{ vars.word }}"').replace("{id}", "circular"))
    answer = await language.server.client.post("/api/v1/main/executions/team/circular")
    assert answer.status_code == 422
    assert "name" in answer.json()["message"]
    assert (await language.get("executions/search", params={"filters[flowId][EQUALS]": "circular"}))["total"] == 0


async def test_large_payload_goes_by_a_file_and_never_into_the_execution(language: Language) -> None:
    """ENG-129, ENG-182, ENG-331, ENG-332: what is stored is an address of internal storage."""
    payload = b"x" * (8 * 1024 * 1024)
    execution = await language.run(
        "id: {id}\nnamespace: team\ninputs:\n  - {id: payload, type: FILE}\ntasks:\n"
        "  - {id: size, type: io.kestra.plugin.core.storage.Size, uri: '{{ inputs.payload }}'}\n",
        files={"files": ("payload", payload)},
    )
    assert outputs(execution, "size") == {"size": len(payload)}
    assert execution["inputs"]["payload"].startswith("kestra:///team/")
    assert len(json.dumps(execution)) < 10_000


async def test_trigger_that_is_disabled_starts_nothing_until_it_is_enabled(language: Language) -> None:
    """ENG-040."""
    client = language.server.client
    address = "/api/v1/main/executions/webhook/team/hooked/a-key"
    await language.server.flow(HOOKED)
    assert (await client.post(address)).status_code == 409
    assert (await language.get("executions/search"))["total"] == 0
    for enabled in (HOOKED.replace("true", "false"), HOOKED.replace(", disabled: true", "")):
        await client.put("/api/v1/main/flows/team/hooked", content=enabled)
        started = await client.post(address)
        assert started.status_code == 200
        await language.server.until(started.json()["id"], "SUCCESS")


@pytest.mark.parametrize(
    "task",
    [
        "type: io.kestra.plugin.core.flow.Sleep, duration: P1W",
        "type: io.kestra.plugin.core.flow.Pause, pauseDuration: P1W",
        "type: io.kestra.plugin.core.flow.Pause, delay: P1W",
        "type: io.kestra.plugin.core.kv.Set, key: k, value: v, ttl: P1W",
        "type: io.kestra.plugin.core.log.Log, message: x, timeout: P1W",
        "type: io.kestra.plugin.core.log.Log, message: x, retry: {type: constant, interval: P1W}",
        "type: io.kestra.plugin.core.log.Log, message: x, taskCache: {enabled: true, ttl: P1W}",
        "type: io.kestra.plugin.core.flow.LoopUntil, condition: x, checkFrequency: {interval: P1W}, tasks: [INNER]",
        "type: io.kestra.plugin.core.flow.LoopUntil, condition: x, checkFrequency: {maxDuration: P1W}, tasks: [INNER]",
        "type: io.kestra.plugin.core.flow.WorkingDirectory, cache: {patterns: [x], ttl: P1W}, tasks: [INNER]",
    ],
)
async def test_length_in_weeks_is_refused_with_the_flow(language: Language, task: str) -> None:
    """ENG-240."""
    inner = "{id: inner, type: io.kestra.plugin.core.log.Log, message: x}"
    source = f"id: weeks\nnamespace: team\ntasks:\n  - {{id: long, {task.replace('INNER', inner)}}}\n"
    refused = await language.server.client.post("/api/v1/main/flows", content=source)
    assert refused.status_code == 422
    assert "`P1W` is not a duration" in refused.json()["message"]
    assert (await language.server.client.post("/api/v1/main/flows", content=source.replace("1W", "7D"))).is_success
