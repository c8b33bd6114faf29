"""Waiting for the end of executions that triggers started: one light task for each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from penstock.base.errors import UnavailableError
from penstock.engine.records import Execution
from penstock.ports.queries import ExecutionQueries
from penstock.services.executions import Followers
from penstock.services.scheduler.agenda import TriggerKey

log = structlog.get_logger(__name__)
_LOOK_AGAIN = 30.0
_RETRY = 1.0
Ended = Callable[[TriggerKey, str, Execution | None], None]
"""Told (trigger, execution id, the execution or None when it is gone)."""


class Watching:
    """Executions whose end a trigger waits for.

    Args:
        queries: Reads executions.
        followers: Wakes when one changed.
        ended: Told of every end.
    """

    def __init__(self, queries: ExecutionQueries, followers: Followers, ended: Ended) -> None:
        self._queries = queries
        self._followers = followers
        self._ended = ended
        self._tasks: dict[tuple[TriggerKey, str], asyncio.Task[None]] = {}

    def watch(self, key: TriggerKey, execution_id: str) -> None:
        """Wait for the end of an execution; once, however often asked."""
        if (key, execution_id) not in self._tasks:
            task = asyncio.create_task(self._wait(key, execution_id), name=f"schedule-watch-{execution_id}")
            self._tasks[key, execution_id] = task
            task.add_done_callback(lambda _: self._tasks.pop((key, execution_id), None))

    async def close(self) -> None:
        """Wait for nothing any more."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _wait(self, key: TriggerKey, execution_id: str) -> None:
        with self._followers.watch(execution_id) as watch:
            while True:
                try:
                    execution = await self._queries.head(key[0], execution_id)
                except UnavailableError as error:
                    log.warning("end not seen", action="scheduler.watch", execution=execution_id, error=str(error))
                    await watch.changed(_RETRY)
                    continue
                if execution is None or execution.state.is_terminal:
                    self._ended(key, execution_id, execution)
                    return
                await watch.changed(_LOOK_AGAIN)
