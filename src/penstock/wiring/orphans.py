"""What a worker does before it begins: away with the processes that killed workers have left on this machine."""

from __future__ import annotations

import asyncio

import structlog

from penstock.builtin.runners.orphans import Notes

log = structlog.get_logger(__name__)


async def end_orphans() -> None:
    """End the commands of workers that are gone: they run again elsewhere, or belong to nobody (BEY-009)."""
    count = await asyncio.to_thread(Notes().end_orphans)
    if count:
        log.warning("commands of a killed worker were ended", action="worker.orphans", count=count)
