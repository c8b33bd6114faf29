"""The same API on PostgreSQL."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.api.flows import GREETING, PAUSED
from tests.support.live import live_server


@pytest.mark.postgres
async def test_api_on_postgres_creates_runs_searches_and_steers(tmp_path: Path, postgres_url: str) -> None:
    async with live_server(tmp_path, database=postgres_url) as server:
        await server.flow(GREETING)
        await server.flow(PAUSED)
        ended = await server.run("greeting", data={"name": "Ada"}, params={"labels": "a:b"})
        assert ended["outputs"] == {"greeting": "Hello Ada"}
        paused = await server.start("paused")
        await server.until(paused["id"], "PAUSED")
        found = await server.client.get(
            "/api/v1/main/executions/search", params={"filters[labels][EQUALS][a]": "b", "state": "SUCCESS"}
        )
        assert [one["id"] for one in found.json()["results"]] == [ended["id"]]
        assert (await server.client.delete(f"/api/v1/main/executions/{paused['id']}/kill")).status_code == 202
        await server.until(paused["id"], "KILLED")
