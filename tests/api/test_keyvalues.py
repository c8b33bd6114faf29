"""The key-value store over HTTP."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import httpx
import pytest

from penstock.api import schemas
from tests.api.test_shapes import check
from tests.support.live import LiveServer
from tests.support.waiting import PATIENCE

API = "/api/v1/main"
KV = f"{API}/namespaces/company.team/kv"


async def put(client: httpx.AsyncClient, key: str, body: str, **options: object) -> None:
    namespace = options.pop("namespace", "company.team")
    answer = await client.put(f"{API}/namespaces/{namespace}/kv/{key}", content=body, **options)  # type: ignore[arg-type]
    assert (answer.status_code, answer.text) == (200, "")


async def test_pair_put_is_read_with_its_type(client: httpx.AsyncClient) -> None:
    """ENG-366, API-040, API-107."""
    await put(client, "greeting", '"Hello World"', headers={"Content-Type": "text/plain"})
    await put(client, "greeting", '"Hello again"')
    body = (await client.get(f"{KV}/greeting")).json()
    check(schemas.KeyValue, body)
    assert (body["type"], body["value"], body["revision"]) == ("STRING", "Hello again", 2)
    await put(client, "settings", '{"a": [1, null]}')
    assert (await client.get(f"{KV}/settings")).json()["value"] == {"a": [1, None]}
    await put(client, "day", "2026-01-31")
    assert (await client.get(f"{KV}/day")).json()["type"] == "DATE"


async def test_pair_put_with_a_type_has_that_type(client: httpx.AsyncClient) -> None:
    """IAC-012."""
    for body, kind, value in (
        ("42", "STRING", "42"),
        ('"42"', "NUMBER", 42),
        ("1.50", "STRING", "1.50"),
        ("P1D", "STRING", "P1D"),
    ):
        await put(client, "k", body, params={"type": kind})
        found = (await client.get(f"{KV}/k")).json()
        assert (found["type"], found["value"]) == (kind, value)
    refused = await client.put(f"{KV}/k", content="many", params={"type": "NUMBER"})
    assert (refused.status_code, refused.json()["code"]) == (422, "KV_TYPE_MISMATCH")


@pytest.mark.parametrize("place", ["headers", "params"])
async def test_pair_with_ttl_expires_and_description_is_kept(client: httpx.AsyncClient, place: str) -> None:
    """ENG-360."""
    await put(client, "brief", '"x"', **{place: {"ttl": "PT1M", "description": "soon gone"}})
    await put(client, "long", '"x"', **{place: {"ttl": "PT1H"}})
    [brief, long] = (await client.get(KV)).json()
    assert brief["description"] == "soon gone"
    lives = datetime.fromisoformat(long["expirationDate"]) - datetime.fromisoformat(long["updateDate"])
    assert lives == timedelta(hours=1)
    await put(client, "brief", '"x"', **{place: {"ttl": "PT0.05S"}})
    async with asyncio.timeout(PATIENCE):
        while (await client.get(f"{KV}/brief")).status_code != 404:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    assert [entry["key"] for entry in (await client.get(KV)).json()] == ["long"]
    assert (await client.delete(f"{KV}/brief")).json() is False


async def test_pair_with_a_ttl_that_is_none_is_refused(client: httpx.AsyncClient) -> None:
    for ttl in ("soon", "PT0S", "-PT1S"):
        answer = await client.put(f"{KV}/k", content="1", headers={"ttl": ttl})
        assert answer.status_code == 422, answer.text
    assert (await client.get(f"{KV}/k")).status_code == 404


async def test_pairs_are_listed_by_the_older_path_as_an_array(client: httpx.AsyncClient) -> None:
    """ENG-367."""
    await put(client, "b", "1")
    await put(client, "a", "2")
    await put(client, "other", "3", namespace="company")
    found = (await client.get(KV)).json()
    for entry in found:
        check(schemas.KeyValueEntry, entry)
    assert [(entry["namespace"], entry["key"], entry["version"]) for entry in found] == [
        ("company.team", "a", 1),
        ("company.team", "b", 1),
    ]


async def test_pairs_of_all_namespaces_are_searched_by_pages(client: httpx.AsyncClient) -> None:
    """ENG-367, API-008, API-009."""
    for namespace, key in (("company", "a"), ("company.team", "b"), ("company.team", "c")):
        await put(client, key, "1", namespace=namespace)
    page = (await client.get(f"{API}/kv", params={"size": 2, "sort": "key:desc"})).json()
    check(schemas.PagedKeyValues, page)
    assert (page["total"], [entry["key"] for entry in page["results"]]) == (3, ["c", "b"])
    assert "value" not in page["results"][0]
    params = {"filters[namespace][EQUALS]": "company"}
    answer = await client.get(f"{API}/kv/", params=params)
    assert [entry["key"] for entry in answer.json()["results"]] == ["a"]
    assert (await client.get(f"{API}/kv", params={"filters[colour][EQUALS]": "red"})).status_code == 422


async def test_inherited_pairs_are_the_nearest(client: httpx.AsyncClient) -> None:
    """API-107."""
    for namespace, key in (("company", "a"), ("company", "b"), ("company.team", "b"), ("companyx", "c")):
        await put(client, key, "1", namespace=namespace)
    found = (await client.get(f"{KV}/inheritance")).json()
    assert [(entry["namespace"], entry["key"]) for entry in found] == [("company", "a"), ("company.team", "b")]


async def test_detail_is_entry_and_value_in_one(client: httpx.AsyncClient) -> None:
    """API-107."""
    await put(client, "k", "1.5", headers={"description": "what"})
    body = (await client.get(f"{KV}/k/detail")).json()
    check(schemas.KeyValueDetail, body)
    assert (body["type"], body["value"], body["version"], body["revision"]) == ("NUMBER", 1.5, 1, 1)
    assert (await client.get(f"{KV}/none/detail")).status_code == 404


async def test_delete_says_whether_there_was_one(client: httpx.AsyncClient) -> None:
    """ENG-368."""
    await put(client, "k", "1")
    assert (await client.delete(f"{KV}/k")).json() is True
    assert (await client.delete(f"{KV}/k")).json() is False
    assert (await client.get(f"{KV}/k")).status_code == 404


async def test_delete_of_many_names_those_there_were(client: httpx.AsyncClient) -> None:
    """API-107."""
    for key in ("a", "b", "c"):
        await put(client, key, "1")
    answer = await client.request("DELETE", KV, json={"keys": ["a", "none", "c", "a"]})
    assert answer.json() == {"keys": ["a", "c"]}
    assert [entry["key"] for entry in (await client.get(KV)).json()] == ["b"]


async def test_keys_may_be_of_any_plain_characters(client: httpx.AsyncClient) -> None:
    """ENG-360."""
    for key in ("A key/with%20all.of+it?", "a/b", "123", "~"):
        path = httpx.URL("http://server").copy_with(raw_path=f"{KV}/{_quoted(key)}".encode()).raw_path.decode()
        assert (await client.put(path, content='"x"')).status_code == 200, key
        assert (await client.get(path)).json()["value"] == "x"
    listed = {entry["key"] for entry in (await client.get(KV)).json()}
    assert listed == {"A key/with%20all.of+it?", "a/b", "123", "~"}
    for key in ("ümlaut", " ", "k" * 257):
        assert (await client.put(f"{KV}/{_quoted(key)}", content="1")).status_code == 422, key


async def test_namespace_that_is_none_is_refused(client: httpx.AsyncClient) -> None:
    assert (await client.put(f"{API}/namespaces/a..b/kv/k", content="1")).status_code == 422


async def test_pair_is_what_a_flow_reads(server: LiveServer) -> None:
    """EXP-148, ENG-400."""
    await put(server.client, "settings", '{"colour": "red"}', namespace="team")
    await put(server.client, "text", '"{\\"a\\": 5}"', namespace="team")
    await server.flow(
        "id: reads\nnamespace: team\ntasks:\n  - id: show\n    type: io.kestra.plugin.core.debug.Return\n"
        "    format: \"{{ kv('settings').colour }} {{ json(kv('settings')).colour }} {{ json(kv('text')).a }}\"\n"
    )
    ended = await server.run("reads")
    assert ended["taskRunList"][0]["outputs"]["value"] == "red red 5"


def _quoted(key: str) -> str:
    from urllib.parse import quote

    return quote(key, safe="")
