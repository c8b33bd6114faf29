"""Settings and bookmarks of whoever asks, over HTTP."""

from __future__ import annotations

import httpx
import pytest

from penstock.api import schemas
from tests.api.test_shapes import check
from tests.support.live import USER, LiveServer

PREFERENCES, BOOKMARKS = "/api/v1/me/preferences", "/api/v1/me/bookmarks"


async def test_settings_are_kept_on_the_server_and_changed_one_by_one(server: LiveServer) -> None:
    """UI-020, UI-021, UI-022, UI-023, UI-160: what one device sets another one reads."""
    first = (await server.client.patch(PREFERENCES, json={"theme": "dark", "pageSize": 50})).json()
    check(schemas.Preferences, first)
    await server.client.patch(PREFERENCES, json={"pageSize": None, "language": "de"})
    async with server.visitor(auth=(USER.username, USER.password)) as other:
        found = (await other.get(PREFERENCES)).json()
    assert found == {"username": USER.username, "values": {"theme": "dark", "language": "de"}}


async def test_settings_are_nobodys_without_a_login(server: LiveServer) -> None:
    async with server.visitor() as visitor:
        assert (await visitor.get(PREFERENCES)).status_code == 401
        assert (await visitor.get(BOOKMARKS)).status_code == 401


async def test_setting_that_cannot_be_kept_is_refused(client: httpx.AsyncClient) -> None:
    for body in ({"no name": 1}, {"long": "x" * 70_000}, {f"n{number}": 1 for number in range(201)}):
        answer = await client.patch(PREFERENCES, json=body)
        assert answer.status_code == 422, answer.text
    assert (await client.get(PREFERENCES)).json()["values"] == {}


async def test_bookmark_is_kept_once_renamed_and_removed(client: httpx.AsyncClient) -> None:
    """UI-010, UI-160."""
    page = {"name": "Broken", "path": "/main/executions?state=FAILED"}
    made = (await client.post(BOOKMARKS, json=page)).json()
    check(schemas.Bookmark, made)
    again = await client.post(BOOKMARKS, json={**page, "name": "Other"})
    assert again.status_code == 409
    assert "`Broken`" in again.json()["message"]
    renamed = (await client.patch(f"{BOOKMARKS}/{made['id']}", json={"name": " Failed "})).json()
    assert renamed == {**made, "name": "Failed"}
    listed = (await client.get(BOOKMARKS)).json()
    check(schemas.BookmarkList, listed)
    assert listed == {"results": [renamed], "total": 1}
    assert (await client.delete(f"{BOOKMARKS}/{made['id']}")).status_code == 204
    for method, body in (("DELETE", None), ("PATCH", {"name": "x"})):
        assert (await client.request(method, f"{BOOKMARKS}/{made['id']}", json=body)).status_code == 404


@pytest.mark.parametrize("page", [{"name": "x", "path": "https://elsewhere"}, {"name": " ", "path": "/main/flows"}])
async def test_bookmark_that_leads_elsewhere_or_has_no_name_is_refused(
    client: httpx.AsyncClient, page: dict[str, str]
) -> None:
    assert (await client.post(BOOKMARKS, json=page)).status_code == 422


async def test_everything_is_forgotten_at_once(client: httpx.AsyncClient) -> None:
    await client.patch(PREFERENCES, json={"theme": "dark"})
    await client.post(BOOKMARKS, json={"name": "x", "path": "/main/flows"})
    assert (await client.delete(PREFERENCES)).status_code == 204
    assert (await client.get(PREFERENCES)).json()["values"] == {}
    assert (await client.get(BOOKMARKS)).json()["total"] == 0
