"""What the worker has to hand in: log lines, metrics, reports; in order, in batches, and until it is stored.

A report is never dropped because the server does not answer. One that the server cannot store (a plugin's odd outputs)
is handed in as a failure instead, so that it holds up nobody else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TypeVar

import msgspec
import structlog

from penstock.base.clock import SECOND, Micros
from penstock.base.errors import UnavailableError
from penstock.engine.events import TaskEnded
from penstock.engine.records import LogLine, Metric
from penstock.engine.states import StateType
from penstock.ports.gateway import Report, WorkerGateway
from penstock.ports.journal import LeaseLost

log = structlog.get_logger(__name__)
T = TypeVar("T")
MANY_LINES = 10_000
"""Lines that may wait for the server before those who write more of them have to wait, too."""


class Outbox:
    """Gathers on the loop, hands in from its own task."""

    def __init__(
        self, gateway: WorkerGateway, *, first_delay: Micros = SECOND // 10, longest_delay: Micros = 5 * SECOND
    ) -> None:
        self._gateway = gateway
        self._first_delay = first_delay
        self._longest_delay = longest_delay
        self._reports: list[Report] = []
        self._in_hand: Sequence[Report] = ()
        """Being handed in."""
        self._lines: list[LogLine] = []
        self._lines_in_hand = 0
        self._metrics: list[Metric] = []
        self._wake = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()

    def add(self, reports: Sequence[Report], lines: Sequence[LogLine] = (), metrics: Sequence[Metric] = ()) -> None:
        """Take what is to be handed in. Lines are stored no later than reports that come with or after them."""
        self._reports.extend(reports)
        self._lines.extend(lines)
        self._metrics.extend(metrics)
        self._empty.clear()
        self._wake.set()

    @property
    def keys(self) -> Iterable[tuple[str, int]]:
        """The jobs whose end is not known to be stored yet."""
        return [report.job.key for report in (*self._reports, *self._in_hand)]

    @property
    def is_behind(self) -> bool:
        """Whether it has as many lines as it should hold while the server does not take them."""
        return len(self._lines) + self._lines_in_hand >= MANY_LINES

    async def flush(self) -> None:
        """Wait until all of it is stored."""
        await self._empty.wait()

    async def run(self) -> None:
        """Hand in, for ever."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            lines, self._lines = self._lines, []
            metrics, self._metrics = self._metrics, []
            reports, self._reports = self._reports, []
            self._in_hand = reports
            if lines:
                self._lines_in_hand = len(lines)
                await self._persist(lines, self._gateway.logs)
                self._lines_in_hand = 0
            if metrics:
                await self._persist(metrics, self._gateway.metrics)
            if reports:
                await self._persist(reports, self._gateway.report, self._as_failure)
                self._in_hand = ()
            if not (self._reports or self._lines or self._metrics):
                self._empty.set()

    async def _persist(
        self,
        items: Sequence[T],
        store: Callable[[Sequence[T]], Awaitable[None]],
        instead: Callable[[T, Exception], T] | None = None,
    ) -> None:
        """Store items, however long it takes; those that cannot be stored are replaced or dropped one by one."""
        delay = self._first_delay
        while True:
            try:
                return await store(items)
            except LeaseLost:
                return None
            except UnavailableError as error:
                log.warning("nothing can be handed in", action="worker.hand_in", error=str(error), waiting=len(items))
                await asyncio.sleep(delay / SECOND)
                delay = min(delay * 2, self._longest_delay)
            except Exception as error:
                log.exception("handed in something that cannot be stored", action="worker.hand_in", count=len(items))
                if len(items) > 1:
                    for item in items:
                        await self._persist([item], store, instead)
                elif instead is not None:
                    await self._persist([instead(items[0], error)], store)
                return None

    @staticmethod
    def _as_failure(report: Report, error: Exception) -> Report:
        """Return the report of a failure in place of one that cannot be stored."""
        if not isinstance(report.event, TaskEnded):
            return report
        reason = f"the result of the task could not be stored: {type(error).__name__}"
        ended = msgspec.structs.replace(
            report.event,
            state=StateType.FAILED,
            outputs=None,
            error=reason,
            labels=(),
            variables=(),
            children=(),
            confidential=(),
        )
        return Report(report.job, ended)
