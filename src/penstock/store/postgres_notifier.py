"""Wake-ups between processes: LISTEN and NOTIFY on connections of their own.

Subscribers of this process are told at once; others by one channel of the database. Publishing never waits for the
network: what is published while a NOTIFY is under way travels with the next one, duplicates dropped. Lost connections
are made again; what was said meanwhile is lost, which the contract allows.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any

import psycopg
import psycopg.conninfo
import structlog

from penstock.base.codec import from_json, to_json_text
from penstock.base.ids import new_id
from penstock.store.notifier import LocalNotifier
from penstock.store.postgres import CONNECT_SECONDS, KEEPALIVES

CHANNEL = "penstock"
BYTES = 7900
"""PostgreSQL refuses a payload of 8000 bytes."""
RETRY_SECONDS = (0.1, 0.5, 1.0, 2.0, 5.0)

log = structlog.get_logger(__name__)
Said = tuple[str, str]


class PostgresNotifier:
    """The `Notifier` port on PostgreSQL. Its connections are made when they are first needed.

    Args:
        dsn: Address in libpq's form.
    """

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._local = LocalNotifier()
        self._origin = new_id()
        # A dict keeps the order and drops duplicates.
        self._unsent: dict[Said, None] = {}
        self._something = asyncio.Event()
        self._sent = asyncio.Event()
        self._listening = asyncio.Event()
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def publish(self, topic: str, payloads: Sequence[str]) -> None:
        """Wake whoever subscribed to the topic, here and elsewhere."""
        self._local.deliver(topic, payloads)
        self._unsent.update(((topic, payload), None) for payload in payloads)
        self._something.set()
        self._sent.clear()
        self._ensure("send")

    @asynccontextmanager
    async def _subscribed(self, topics: Sequence[str]) -> AsyncIterator[AsyncIterator[Said]]:
        self._ensure("listen")
        with suppress(TimeoutError):  # without the database there is still this process to hear from
            async with asyncio.timeout(10):
                await self._listening.wait()
        async with self._local.subscribe(*topics) as notifications:
            yield notifications

    def subscribe(self, *topics: str) -> AbstractAsyncContextManager[AsyncIterator[Said]]:
        """Return a context within which an iterator yields (topic, payload) from now on."""
        return self._subscribed(topics)

    async def close(self) -> None:
        """Say what is still unsaid, shortly, then drop the connections."""
        if "send" in self._tasks and not self._sent.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await self._sent.wait()
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._tasks.clear()

    def _ensure(self, side: str) -> None:
        if side not in self._tasks:
            self._tasks[side] = asyncio.create_task(self._keep(side), name=f"postgres-{side}")

    async def _keep(self, side: str) -> None:
        """Run one side for ever, on a new connection after each failure."""
        failures = 0
        while True:
            try:
                connection = await psycopg.AsyncConnection.connect(
                    self._dsn, autocommit=True, **_missing(self._dsn, side)
                )
                async with connection:
                    failures = 0
                    await (self._send(connection) if side == "send" else self._listen(connection))
            except Exception as error:  # also what another release says that this one does not understand
                wait = RETRY_SECONDS[min(failures, len(RETRY_SECONDS) - 1)]
                failures += 1
                log.warning(
                    "notifications interrupted", action="store.notifier", side=side, error=str(error), again_in=wait
                )
                await asyncio.sleep(wait)
            finally:
                if side == "listen":
                    self._listening.clear()

    async def _send(self, connection: psycopg.AsyncConnection[tuple[object, ...]]) -> None:
        while True:
            await self._something.wait()
            # What is said once more while this is under way has to be heard once more.
            said, self._unsent = self._unsent, {}
            texts = list(packed(self._origin, list(said)))
            try:
                await connection.execute("SELECT pg_notify(%s, text) FROM unnest(%s::text[]) AS text", (CHANNEL, texts))
            except BaseException:
                self._unsent = said | self._unsent  # tried again
                raise
            if not self._unsent:
                self._something.clear()
                self._sent.set()

    async def _listen(self, connection: psycopg.AsyncConnection[tuple[object, ...]]) -> None:
        await connection.execute(f"LISTEN {CHANNEL}")
        self._listening.set()
        async for notification in connection.notifies():
            origin, topics = from_json(notification.payload)
            if origin != self._origin:
                for topic, payloads in topics.items():
                    self._local.deliver(topic, payloads)


def _missing(dsn: str, side: str) -> dict[str, Any]:
    """Return how to connect, where the address does not say otherwise."""
    wanted = {**KEEPALIVES, "application_name": f"penstock-{side}", "connect_timeout": CONNECT_SECONDS}
    given = psycopg.conninfo.conninfo_to_dict(dsn)
    return {name: value for name, value in wanted.items() if name not in given}


def packed(origin: str, said: Sequence[Said], limit: int = BYTES) -> Iterator[str]:
    """Return as few texts as hold all notifications, none of them longer than the limit."""
    topics: dict[str, list[str]] = {}
    size = 0
    for topic, payload in said:
        cost = len(to_json_text(payload).encode()) + (len(topic) + 6 if topic not in topics else 0)
        if size + cost > limit - len(origin) - 10 and topics:
            yield to_json_text([origin, topics])
            topics, size = {}, 0
            cost += len(topic) + 6
        topics.setdefault(topic, []).append(payload)
        size += cost + 1
    if topics:
        yield to_json_text([origin, topics])
