"""Texts that whoever asks has not saved yet, over HTTP."""

from __future__ import annotations

import httpx

from penstock.api import schemas
from tests.api.test_shapes import check
from tests.support.live import USER, LiveServer

DRAFTS = "/api/v1/me/drafts"
NAME = "main:company.team:hello"


async def test_draft_is_found_from_another_device_until_it_is_discarded(server: LiveServer) -> None:
    """BEY-043."""
    kept = (await server.client.put(f"{DRAFTS}/{NAME}", json={"source": "id: hello", "revision": 2})).json()
    check(schemas.Draft, kept)
    await server.client.put(f"{DRAFTS}/main:new%3Aown%252F", json={"source": "id: new"})
    async with server.visitor(auth=(USER.username, USER.password)) as other:
        found = (await other.get(DRAFTS, params={"name": NAME})).json()
        check(schemas.DraftList, found)
        assert found == {"results": [kept], "total": 1}
        discarded = await other.delete(f"{DRAFTS}/{NAME}", params={"seen": kept["version"]})
        assert discarded.status_code == 204
    left = (await server.client.get(DRAFTS)).json()["results"]
    assert [(one["name"], one["source"], one["revision"]) for one in left] == [("main:new:own%2F", "id: new", None)]


async def test_draft_that_was_changed_elsewhere_is_neither_overwritten_nor_discarded(client: httpx.AsyncClient) -> None:
    """BEY-043."""
    first = (await client.put(f"{DRAFTS}/{NAME}", json={"source": "one"})).json()
    second = (await client.put(f"{DRAFTS}/{NAME}", json={"source": "two", "seen": first["version"]})).json()
    late = await client.put(f"{DRAFTS}/{NAME}", json={"source": "three", "seen": first["version"]})
    assert late.status_code == 409
    assert "elsewhere" in late.json()["message"]
    assert (await client.delete(f"{DRAFTS}/{NAME}", params={"seen": first["version"]})).status_code == 409
    assert (await client.get(DRAFTS)).json()["results"] == [second]


async def test_draft_that_cannot_be_kept_is_refused(client: httpx.AsyncClient) -> None:
    too_long = await client.put(f"{DRAFTS}/{NAME}", json={"source": "x" * (1024 * 1024 + 1)})
    assert too_long.status_code == 422, too_long.text
    assert (await client.put(f"{DRAFTS}/{'n' * 1001}", json={"source": "x"})).status_code == 422
    assert (await client.get(DRAFTS)).json()["total"] == 0


async def test_drafts_are_nobodys_without_a_login(server: LiveServer) -> None:
    async with server.visitor() as visitor:
        assert (await visitor.get(DRAFTS)).status_code == 401
