"""Namespaces that take no more executions."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest

from penstock.base.clock import SECOND
from penstock.services.executions import Admission, TooManyExecutionsError
from tests.support.live import live_server


class Desk:
    """A clock and a count, both as told."""

    def __init__(self, **counts: int) -> None:
        self.time = 0
        self.counts: Mapping[str, int] = counts
        self.asked = 0

    def now(self) -> int:
        return self.time

    async def open_by_namespace(self, tenant: str) -> Mapping[str, int]:
        self.asked += 1
        return self.counts


async def test_admission_counts_a_namespace_with_those_below_it_and_what_it_let_in_itself() -> None:
    """BEY-011."""
    desk = Desk(**{"a": 1, "a.b": 1, "ab": 50})
    admission = Admission(desk, desk, {"a": 4, "a.b": 2})
    await admission.admit("main", "a.b")
    await admission.admit("main", "ab")
    with pytest.raises(TooManyExecutionsError, match=r"namespace a\.b has 2"):
        await admission.admit("main", "a.b.c")
    await admission.admit("main", "a")
    with pytest.raises(TooManyExecutionsError, match="namespace a has 4"):
        await admission.admit("main", "a")
    assert desk.asked == 1
    desk.time, desk.counts = SECOND, {}
    await admission.admit("main", "a.b")
    assert desk.asked == 2


async def test_request_for_a_full_namespace_is_answered_with_429_until_something_ends(tmp_path: Path) -> None:
    """BEY-011: admission limits per namespace answer 429 with Retry-After."""
    flow = "id: {}\nnamespace: team\ntasks: [{{id: wait, type: io.kestra.plugin.core.flow.Pause}}]\n"
    async with live_server(tmp_path, admission={"team": 2}) as live:
        await live.flow(flow.format("pausing"))
        first, _ = [await live.start("pausing") for _ in range(2)]
        refused = await live.client.post("/api/v1/main/executions/team/pausing")
        assert refused.status_code == 429
        assert refused.headers["Retry-After"] == "5"
        assert refused.json()["code"] == "TOO_MANY_EXECUTIONS"
        await live.until(first["id"], "PAUSED")
        assert (await live.client.post(f"/api/v1/main/executions/{first['id']}/resume")).is_success
        await live.until(first["id"], "SUCCESS")
        await asyncio.sleep(1.1)
        await live.start("pausing")
