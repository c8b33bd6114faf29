from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from penstock.testing.run_context import RunContextFactory
from tests.support.live import LiveServer, live_server


@pytest.fixture
def contexts() -> Iterator[RunContextFactory]:
    with RunContextFactory({"secret": lambda key, **_: f"value of {key}"}) as factory:
        yield factory


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[LiveServer]:
    """Give a whole server, for tasks whose work is done by it."""
    async with live_server(tmp_path) as live:
        yield live
