"""A live server for each test, and a client that is logged in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.support.live import LiveServer, live_server


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[LiveServer]:
    async with live_server(tmp_path, secrets={"HOOK": "from-a-secret"}) as live:
        yield live


@pytest.fixture
def client(server: LiveServer) -> httpx.AsyncClient:
    return server.client
