"""Apps: lists answer, and are empty."""

from __future__ import annotations

import httpx

from penstock.api import schemas
from tests.api.test_shapes import check


async def test_lists_of_what_is_not_kept_are_empty(client: httpx.AsyncClient) -> None:
    """API-120."""
    for path in ("apps/search", "apps/catalog"):
        answer = await client.get(f"/api/v1/main/{path}", params={"page": 1, "size": 25})
        assert (answer.status_code, answer.json()) == (200, {"results": [], "total": 0}), path
        check(schemas.PagedNothing, answer.json())
    assert (await client.get("/api/v1/main/apps/tags")).json() == {"tags": []}


async def test_thing_that_is_not_kept_is_not_found_by_name(client: httpx.AsyncClient) -> None:
    """API-120."""
    for path in ("apps/x",):
        answer = await client.get(f"/api/v1/main/{path}")
        assert (answer.status_code, bool(answer.json()["hint"])) == (404, True), path
