"""Waiting in tests for what happens elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


async def eventually(condition: Callable[[], object], seconds: float = 10.0) -> None:
    """Return as soon as a condition holds; fail when it does not within so many seconds."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  # what is waited for may happen in any thread and has no event
            await asyncio.sleep(0.002)
