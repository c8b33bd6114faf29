"""Waiting in tests for what happens elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

PATIENCE = 90.0
"""Seconds a test waits for what another thread, process or machine has promised. Only a test that fails waits so long:
short ones would ask how busy the machine is, which is nothing a program can promise."""


async def eventually(condition: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Return as soon as a condition holds; fail when it does not within so many seconds."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  # what is waited for may happen in any thread and has no event
            await asyncio.sleep(0.002)
