"""Tasks on the key-value store, run by a worker on a real store."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.support.flows import CORE, RETURN, run_tasks
from tests.support.live import LiveServer
from tests.support.waiting import PATIENCE

API = "/api/v1/main/namespaces"
SET, GET = {"type": f"{CORE}kv.Set"}, {"type": f"{CORE}kv.Get"}


async def value(server: LiveServer, key: str, namespace: str = "team") -> dict[str, Any]:
    answer = await server.client.get(f"{API}/{namespace}/kv/{key}")
    body: dict[str, Any] = answer.json()
    return {name: body.get(name) for name in ("type", "value")}


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({"value": "hello"}, {"type": "STRING", "value": "hello"}),
        ({"value": '{"a": 1}'}, {"type": "STRING", "value": '{"a": 1}'}),
        ({"value": '{"a": 1}', "kvType": "JSON"}, {"type": "JSON", "value": {"a": 1}}),
        ({"value": "{{ [1, 2] }}", "kvType": "JSON"}, {"type": "JSON", "value": [1, 2]}),
        ({"value": "{{ 1 + 1 }}", "kvType": "NUMBER"}, {"type": "NUMBER", "value": 2}),
        ({"value": "{{ 1 + 1 }}"}, {"type": "STRING", "value": "2"}),
        ({"value": 5}, {"type": "NUMBER", "value": 5}),
        ({"value": False}, {"type": "BOOLEAN", "value": False}),
        ({"value": {"a": "{{ flow.id }}"}}, {"type": "JSON", "value": {"a": "flow"}}),
        ({"value": "2026-01-31", "kvType": "DATE"}, {"type": "DATE", "value": "2026-01-31"}),
    ],
)
async def test_set_stores_the_value_in_its_type(
    server: LiveServer, properties: dict[str, Any], expected: dict[str, Any]
) -> None:
    """ENG-361, ENG-359."""
    ended = await run_tasks(server, {**SET, "key": "k", **properties})
    assert ended.state == "SUCCESS", ended.messages
    assert await value(server, "k") == expected


async def test_set_value_that_is_not_of_its_type_fails(server: LiveServer) -> None:
    """ENG-361."""
    ended = await run_tasks(server, {**SET, "key": "k", "value": "many", "kvType": "NUMBER"})
    assert ended.state == "FAILED"
    assert any("the value is no NUMBER" in message for message in ended.messages)


async def test_set_may_not_overwrite_fails_when_the_key_exists(server: LiveServer) -> None:
    """ENG-361."""
    first = {**SET, "key": "k", "value": "first", "overwrite": False}
    ended = await run_tasks(server, first, {**SET, "key": "k", "value": "second"}, first)
    assert ended.state == "FAILED"
    assert any("`k` exists already" in message for message in ended.messages)
    assert await value(server, "k") == {"type": "STRING", "value": "second"}


async def test_set_with_ttl_and_namespace_is_there_for_a_while(server: LiveServer) -> None:
    """ENG-360, ENG-361, ENG-365."""
    task = {**SET, "key": "{{ task.id }}", "value": "x", "namespace": "other", "kvDescription": "why"}
    assert (await run_tasks(server, {**task, "ttl": "PT1H"}, {**task, "ttl": "PT0.3S"})).state == "SUCCESS"
    async with asyncio.timeout(PATIENCE):
        while len(entries := (await server.client.get(f"{API}/other/kv")).json()) > 1:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    [entry] = entries
    assert (entry["key"], entry["description"]) == ("t1", "why")
    lives = datetime.fromisoformat(entry["expirationDate"]) - datetime.fromisoformat(entry["updateDate"])
    assert lives == timedelta(hours=1)


async def test_get_gives_the_value_in_its_type_or_nothing(server: LiveServer) -> None:
    """ENG-362, ENG-364, ENG-400."""
    ended = await run_tasks(
        server,
        {**SET, "key": "k", "value": '{"a": [5]}', "kvType": "JSON"},
        {**GET, "key": "k"},
        {**SET, "key": "k", "value": "new"},
        {"type": RETURN, "format": "{{ outputs.t2.value.a[0] }} {{ kv('k') }} {{ json(outputs.t2.value).a }}"},
        {**GET, "key": "none"},
        {**GET, "key": "none", "errorOnMissing": True},
    )
    assert ended.outputs["t2"] == {"value": {"a": [5]}}
    assert ended.outputs["t4"] == {"value": "5 new [5]"}
    assert ended.outputs["t5"].get("value") is None
    assert ended.state == "FAILED"
    assert any("no key `none`" in message for message in ended.messages)


async def test_get_keys_lists_by_prefix(server: LiveServer) -> None:
    """ENG-362."""
    keys = {"type": f"{CORE}kv.GetKeys"}
    ended = await run_tasks(
        server,
        *({**SET, "key": key, "value": "x"} for key in ("b_1", "a_2", "a_1")),
        {**keys, "prefix": "a_"},
        keys,
        {**keys, "prefix": "zzz"},
        {**keys, "namespace": "other"},
    )
    found = [ended.outputs[task]["keys"] for task in ("t4", "t5", "t6", "t7")]
    assert found == [["a_1", "a_2"], ["a_1", "a_2", "b_1"], [], []]


async def test_delete_says_whether_there_was_one(server: LiveServer) -> None:
    """ENG-362."""
    delete = {"type": f"{CORE}kv.Delete", "key": "k"}
    ended = await run_tasks(
        server, {**SET, "key": "k", "value": "x"}, delete, delete, {**delete, "errorOnMissing": True}
    )
    assert (ended.outputs["t2"], ended.outputs["t3"]) == ({"deleted": True}, {"deleted": False})
    assert ended.state == "FAILED"
    assert any("no key `k`" in message for message in ended.messages)


async def test_documented_flow_of_the_store_gives_the_documented_outputs(server: LiveServer) -> None:
    """ENG-359 to ENG-363: sample 21, twice."""
    tasks: list[dict[str, Any]] = [
        {**SET, "id": "set_simple_kv", "key": "simple_string", "value": "hello from Kestra"},
        {**SET, "id": "set_json_kv", "key": "json_kv", "value": '{"author": "A", "song": "Never"}\n'},
        {
            "id": "get_kv",
            "type": f"{CORE}output.OutputValues",
            "values": {"simple": "{{ kv('simple_string') }}", "song": "{{ json(kv('json_kv')).song }}"},
        },
        {"id": "kv", "type": f"{CORE}kv.Delete", "key": "simple_string"},
        {"id": "read_missing", "type": RETURN, "format": "{{ kv('simple_string', errorOnMissing=false) }}"},
    ]
    ended = await run_tasks(server, *tasks)
    assert (ended.state, len(ended.outputs)) == ("SUCCESS", 5)
    assert ended.outputs["get_kv"]["values"] == {"simple": "hello from Kestra", "song": "Never"}
    assert ended.outputs["kv"] == {"deleted": True}
    assert ended.outputs["read_missing"] == {"value": ""}
    again = await server.run("flow")
    assert again["state"]["current"] == "SUCCESS"
    assert (await value(server, "json_kv"))["type"] == "STRING"


async def test_purge_removes_expired_pairs_where_it_is_told_to(server: LiveServer) -> None:
    """OPS-166."""
    pairs = [
        {**SET, "key": f"{kind}", "value": "x", "namespace": place, **({"ttl": "PT0.01S"} if kind == "old" else {})}
        for place in ("team", "team.child", "other")
        for kind in ("old", "new")
    ]
    purge = {"type": f"{CORE}kv.PurgeKV"}
    sleep = {"type": f"{CORE}flow.Sleep", "duration": "PT0.1S"}
    ended = await run_tasks(
        server,
        *pairs,
        sleep,
        {**purge, "id": "own", "namespaces": ["team"], "includeChildNamespaces": False},
        {**purge, "id": "below", "namespaces": ["team"]},
        {**purge, "id": "everywhere"},
        {**purge, "id": "all", "namespaces": ["other"], "expiredOnly": False},
    )
    sizes = [ended.outputs[task].get("size") for task in ("own", "below", "everywhere", "all")]
    assert sizes == [1, 1, 1, 1], ended.messages
    page = (await server.client.get("/api/v1/main/kv")).json()
    assert [(entry["namespace"], entry["key"]) for entry in page["results"]] == [("team", "new"), ("team.child", "new")]
