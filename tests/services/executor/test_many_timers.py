"""More timers than an executor keeps in memory at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.services.executor import executor
from tests.support.live import live_server

WAITS = """
id: waits
namespace: team
tasks:
  - {id: hold, type: io.kestra.plugin.core.flow.Pause, delay: PT1S}
"""


async def test_timers_beyond_those_in_memory_are_not_late_by_more_than_a_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executor, "_TIMERS_AT_ONCE", 1)
    async with live_server(tmp_path) as live:
        await live.client.post("/api/v1/main/flows", content=WAITS)
        paused = [(await live.start("waits"))["id"] for _ in range(3)]
        for one in paused:
            await live.until(one, "PAUSED")
    async with live_server(tmp_path) as again:
        for one in paused:
            assert (await again.until(one, "SUCCESS", "FAILED"))["state"]["current"] == "SUCCESS"
