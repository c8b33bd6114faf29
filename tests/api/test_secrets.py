"""Secrets of namespaces over HTTP, and what flows get of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from penstock.api import schemas
from penstock.services.encryption import Encryption
from penstock.services.file_access import Caller
from penstock.store.tables import SECRETS
from tests.api.test_shapes import check
from tests.support.live import LiveServer, live_server

API = "/api/v1/main"
READER = """id: reader
namespace: company.team
tasks:
  - id: tell
    type: io.kestra.plugin.core.log.Log
    message: "it is {{ secret('TOKEN') }}, {{ secret('HOOK') }}"
  - id: field
    type: io.kestra.plugin.core.debug.Return
    format: "{{ secret('JSON', subkey='user') | length }}"
"""


@pytest.fixture
async def keeping(tmp_path: Path) -> AsyncIterator[LiveServer]:
    """A server with an encryption key."""
    encryption = Encryption.passing()
    async with live_server(tmp_path, secrets={"HOOK": "from-outside"}, encryption=encryption) as server:
        yield server


async def put(server: LiveServer, namespace: str, key: str, value: str, **about: Any) -> Any:
    body = {"key": key, "value": value, **about}
    answer = await server.client.put(f"{API}/namespaces/{namespace}/secrets", json=body)
    assert answer.status_code == 200, answer.text
    assert value not in answer.text
    return answer.json()


async def test_secret_of_a_namespace_is_read_by_its_flows_and_those_below(keeping: LiveServer) -> None:
    """ENG-374, API-105, GOV-219, GOV-223, GOV-225: the nearest wins, also over the environment; masked in logs."""
    await put(keeping, "company", "TOKEN", "above-all")
    await put(keeping, "company", "HOOK", "nearer-one")
    await put(keeping, "company", "JSON", '{"user": "12345"}')
    await put(keeping, "company.other", "TOKEN", "elsewhere")
    await keeping.flow(READER)
    logs = []
    for value in ("above-all", "its-own"):
        if value == "its-own":
            await put(keeping, "company.team", "TOKEN", value)
        answer = await keeping.client.post(f"{API}/executions/company.team/reader", params={"wait": "true"})
        execution = answer.json()
        assert execution["state"]["current"] == "SUCCESS", execution
        assert execution["taskRunList"][1]["outputs"] == {"value": "5"}
        logs += [one["message"] for one in (await keeping.client.get(f"{API}/logs/{execution['id']}")).json()]
    assert logs == ["it is ******, ******"] * 2


async def test_secret_is_stored_encrypted_for_its_place_alone(keeping: LiveServer) -> None:
    """GOV-223, GOV-231."""
    await put(keeping, "company", "TOKEN", "plain-as-day")
    query = select(SECRETS.c.sealed)
    sealed = (await keeping.core.store.database.read(lambda connection: connection.execute(query).all()))[0][0]
    assert "plain-as-day" not in sealed
    [kept] = await keeping.core.store.secrets.list("main")
    await keeping.core.store.secrets.put("main", replace(kept, namespace="thief"))
    answer = await keeping.client.post(
        f"{API}/flows", content=READER.replace("company.team", "thief").replace("reader", "stealing")
    )
    assert answer.status_code == 200
    execution = (await keeping.client.post(f"{API}/executions/thief/stealing", params={"wait": "true"})).json()
    assert execution["state"]["current"] == "FAILED"


async def test_secrets_are_told_by_name_with_description_and_tags(keeping: LiveServer) -> None:
    """API-105, API-049."""
    tags = [{"key": "owner", "value": "ops"}]
    found = await put(keeping, "company", "TOKEN", "hidden-1", description="For the shop", tags=tags)
    assert found == [{"key": "TOKEN", "namespace": "company", "description": "For the shop", "tags": tags}]
    await put(keeping, "company.team", "OTHER", "hidden-2")
    page = (await keeping.client.get(f"{API}/namespaces/company/secrets")).json()
    check(schemas.SecretNames, page)
    assert (page["readOnly"], page["total"]) == (False, 2)
    assert page["results"] == [*found, {"key": "HOOK", "tags": []}]
    for query, keys in (
        ({"sort": "key:desc"}, ["TOKEN", "OTHER", "HOOK"]),
        ({"sort": "key:asc", "size": "1", "page": "2"}, ["OTHER"]),
        ({"filters[q][EQUALS]": "shop"}, ["TOKEN"]),
        ({"q": "hoo"}, ["HOOK"]),
        ({"filters[namespace][PREFIX]": "company", "q": "t"}, ["TOKEN", "OTHER"]),
    ):
        page = (await keeping.client.get(f"{API}/secrets", params=query)).json()
        assert [one["key"] for one in page["results"]] == keys, query
    inherited = (await keeping.client.get(f"{API}/namespaces/company.team.one/inherited-secrets")).json()
    assert inherited == {"company": ["HOOK", "TOKEN"], "company.team": ["HOOK", "OTHER"]}


async def test_secret_is_described_anew_and_deleted(keeping: LiveServer) -> None:
    """API-105."""
    place = f"{API}/namespaces/company/secrets"
    await put(keeping, "company", "TOKEN", "hidden-1", tags=[{"key": "a", "value": "b"}])
    answer = await keeping.client.patch(f"{place}/TOKEN", json={"key": "TOKEN", "description": "New", "tags": []})
    assert answer.json() == [{"key": "TOKEN", "namespace": "company", "description": "New", "tags": []}]
    caller = Caller("main", "company", "any", "any")
    assert await keeping.core.functions.call(caller, "secret", {"key": "TOKEN"}) == "hidden-1"
    assert (await keeping.client.patch(f"{place}/TOKEN", json={"key": "OTHER"})).status_code == 422
    assert (await keeping.client.patch(f"{place}/NONE", json={})).status_code == 404
    assert (await keeping.client.delete(f"{place}/TOKEN")).status_code == 204
    assert (await keeping.client.delete(f"{place}/TOKEN")).status_code == 404


async def test_secret_that_makes_no_sense_is_refused(keeping: LiveServer) -> None:
    """API-105."""
    for namespace, body, word in (
        ("company", {"key": "a b", "value": "x"}, "a b"),
        ("company", {"key": "A", "value": ""}, "empty"),
        ("company", {"key": "A"}, "value"),
        ("no namespace", {"key": "A", "value": "x"}, "no namespace"),
        ("company", {"key": "A", "value": "x", "namespace": "other"}, "other"),
    ):
        answer = await keeping.client.put(f"{API}/namespaces/{namespace}/secrets", json=body)
        assert answer.status_code in (400, 422), answer.text
        assert word in answer.text
    assert await keeping.core.store.secrets.list("main") == []


async def test_server_without_a_key_names_the_environment_s_secrets_and_keeps_none(server: LiveServer) -> None:
    """API-105, ENG-372."""
    place = f"{API}/namespaces/team/secrets"
    page = (await server.client.get(place)).json()
    check(schemas.SecretNames, page)
    assert page == {"readOnly": True, "results": [{"key": "HOOK", "tags": []}], "total": 1}
    answer = await server.client.put(place, json={"key": "TOKEN", "value": "hidden-1"})
    assert (answer.status_code, answer.json()["code"]) == (409, "SECRETS_READ_ONLY")
    assert "kestra.encryption.secret-key" in answer.json()["hint"]
