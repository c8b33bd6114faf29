"""What only PostgreSQL has to get right: lost connections, deadlocks, wake-ups between processes."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DataError

from penstock.base.clock import SystemClock
from penstock.base.codec import from_json
from penstock.base.errors import InvalidRequestError, UnavailableError
from penstock.ports.journal import PARTITIONS
from penstock.store import Store, open_store
from penstock.store.database import Work
from penstock.store.postgres import PostgresDatabase
from penstock.store.postgres_notifier import PostgresNotifier, packed
from penstock.testing.store import records
from penstock.testing.store.notifier import heard
from tests.support.postgres import USER, Database
from tests.support.waiting import PATIENCE

pytestmark = pytest.mark.postgres


@pytest.fixture
async def database(postgres_url: str) -> AsyncIterator[PostgresDatabase]:
    opened = PostgresDatabase(postgres_url)
    await opened.write(lambda c: c.execute(text("CREATE TABLE t (n INTEGER PRIMARY KEY, v INTEGER)")) and None)
    yield opened
    await opened.close()


def cut_connections(database: Database, *, only: str = "penstock%") -> int:
    """Have the server drop all connections of Penstock; returns how many there were."""
    query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND application_name LIKE %s"
    with psycopg.connect(database.dsn, autocommit=True) as connection:
        return len(connection.execute(query, (database.name, only)).fetchall())


@pytest.mark.parametrize(
    ("statement", "value", "words"),
    [
        ("INSERT INTO t VALUES (:value, 1)", 10**12, "none that a database can hold"),
        ("SELECT 1 LIMIT :value", 10**30, "none that a database can hold"),
        ("SELECT CAST(:value AS text)", "a\0b", "none that a database can hold"),
        ("SELECT CAST(:value AS jsonb)", '"\\u0000"', "none that a database can hold"),
        ("SELECT 'a' ~ :value", r"\p{L}", "no such pattern: invalid regular expression: invalid escape"),
    ],
)
async def test_value_that_does_not_fit_is_the_callers_mistake(
    database: PostgresDatabase, statement: str, value: object, words: str
) -> None:
    """API-007."""
    with pytest.raises(InvalidRequestError, match=words):
        await database.write(lambda connection: connection.execute(text(statement), {"value": value}) and None)


@pytest.mark.parametrize("statement", ["SELECT 1 / 0", "SELECT CAST(:value AS integer)", "SELECT 1 OFFSET -1"])
async def test_statement_that_cannot_be_computed_is_no_mistake_of_the_caller(
    database: PostgresDatabase, statement: str
) -> None:
    """API-007: it is logged as a failure of the server, without values, which may be confidential."""
    with pytest.raises(DataError) as raised:
        await database.read(lambda connection: connection.execute(text(statement), {"value": "s3cret"}) and None)
    assert "[parameters:" not in str(raised.value)


async def test_connections_cut_while_idle_are_replaced_unnoticed(
    database: PostgresDatabase, postgres_database: Database
) -> None:
    insert = text("INSERT INTO t VALUES (1, 1)")
    await database.read(lambda connection: connection.execute(text("SELECT 1")).scalar())
    assert cut_connections(postgres_database) >= 1
    assert await database.write(lambda connection: connection.execute(insert).rowcount) == 1
    assert await database.read(lambda connection: connection.execute(text("SELECT count(*) FROM t")).scalar()) == 1


async def test_connection_cut_within_a_transaction_runs_it_once_more_whole(
    database: PostgresDatabase, postgres_database: Database
) -> None:
    attempts = 0

    def work(connection: Connection) -> int:
        nonlocal attempts
        attempts += 1
        connection.execute(text("INSERT INTO t VALUES (1, 1)"))
        if attempts == 1:
            cut_connections(postgres_database)
        connection.execute(text("INSERT INTO t VALUES (2, 2)"))
        return attempts

    assert await database.write(work) == 2
    assert await database.read(lambda connection: connection.execute(text("SELECT count(*) FROM t")).scalar()) == 2


async def test_transaction_of_a_process_that_stands_still_loses_its_locks(postgres_url: str) -> None:
    """BEY-001: an executor that was frozen in the middle of a commit does not keep its partitions from others."""
    frozen = PostgresDatabase(postgres_url, idle_seconds=0.5)
    other = await open_store(postgres_url, SystemClock())
    now = SystemClock().now()
    await other.journal.lease("frozen", PARTITIONS, 1, now)
    locked, go_on = threading.Event(), threading.Event()

    def work(connection: Connection) -> None:
        connection.execute(text('SELECT 1 FROM partitions WHERE "partition" <= 64 FOR SHARE'))
        locked.set()
        go_on.wait(PATIENCE)
        connection.execute(text("SELECT 1"))

    standing = asyncio.create_task(frozen.write(work))
    try:
        await asyncio.to_thread(locked.wait)
        assert await other.journal.lease("other", PARTITIONS, 1, now + 2) == []
        async with asyncio.timeout(PATIENCE):
            while len(await other.journal.lease("other", PARTITIONS, 1_000_000, now + 2)) < PARTITIONS:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
    finally:
        go_on.set()
        await standing
        await frozen.close()
        await other.close()


async def test_server_that_became_a_standby_is_left_for_one_that_writes(
    database: PostgresDatabase, postgres_database: Database
) -> None:
    """A fail-over: connections to the old server refuse to write, and none of them is used again."""
    set_read_only(postgres_database, "on")
    cut_connections(postgres_database)
    insert = text("INSERT INTO t VALUES (1, 1)")
    with pytest.raises(UnavailableError):
        await database.write(lambda connection: connection.execute(insert).rowcount)
    set_read_only(postgres_database, "off")
    assert await database.write(lambda connection: connection.execute(insert).rowcount) == 1


async def test_address_of_several_servers_leads_to_the_one_that_writes(
    postgres_database: Database, unused_tcp_port: int
) -> None:
    """OPS-017: a database with standbys; notifications find it too."""
    hosts = f"host=127.0.0.1:{unused_tcp_port}&host=127.0.0.1:{postgres_database.port}"
    url = f"postgresql://{USER}@/{postgres_database.name}?{hosts}"
    one, two = await open_store(url, SystemClock()), await open_store(url, SystemClock())
    try:
        async with one.notifier.subscribe("jobs") as notifications:
            await two.notifier.publish("jobs", ["gpu"])
            assert await heard(notifications, 1) == [("jobs", "gpu")]
    finally:
        await one.close()
        await two.close()


async def test_connection_that_refuses_to_write_is_given_up(database: PostgresDatabase) -> None:
    pids: list[int] = []

    def work(connection: Connection) -> None:
        pids.append(connection.execute(text("SELECT pg_backend_pid()")).scalar_one())
        if len(pids) == 1:
            connection.execute(text("SET TRANSACTION READ ONLY"))
        connection.execute(text("INSERT INTO t VALUES (1, 1)"))

    with pytest.raises(UnavailableError, match="read-only"):
        await database.write(work)
    await database.write(work)
    assert pids[0] != pids[1]


def set_read_only(database: Database, value: str) -> None:
    """Have new sessions of a database refuse to write, as those of a standby do."""
    with psycopg.connect(database.dsn, autocommit=True, options="-c default_transaction_read_only=off") as connection:
        connection.execute(f"ALTER DATABASE {database.name} SET default_transaction_read_only = {value}")


async def test_transactions_that_deadlock_both_succeed(database: PostgresDatabase) -> None:
    await database.write(lambda c: c.execute(text("INSERT INTO t VALUES (1, 0), (2, 0)")) and None)
    both = threading.Barrier(2, timeout=PATIENCE)
    met: list[int] = []

    def crosswise(first: int, second: int) -> Work[None]:
        def work(connection: Connection) -> None:
            connection.execute(text("UPDATE t SET v = v + 1 WHERE n = :n"), {"n": first})
            if first not in met:
                met.append(first)
                both.wait()
            connection.execute(text("UPDATE t SET v = v + 1 WHERE n = :n"), {"n": second})

        return work

    await asyncio.gather(database.write(crosswise(1, 2)), database.write(crosswise(2, 1)))
    total = await database.read(lambda connection: connection.execute(text("SELECT sum(v) FROM t")).scalar())
    assert total == 4


async def test_read_that_writes_is_refused(database: PostgresDatabase) -> None:
    with pytest.raises(Exception, match="read-only"):
        await database.read(lambda connection: connection.execute(text("INSERT INTO t VALUES (1, 1)")).rowcount)


async def test_server_that_does_not_answer_is_said_without_the_password() -> None:
    with pytest.raises(UnavailableError) as caught:
        await open_store("postgresql://user:sesame@127.0.0.1:1/nothing", SystemClock())
    assert "127.0.0.1:1" in str(caught.value)
    assert "check that PostgreSQL runs" in str(caught.value)
    assert "sesame" not in str(caught.value)


async def test_open_by_two_servers_at_once_prepares_the_database_once(postgres_url: str) -> None:
    stores = await asyncio.gather(*(open_store(postgres_url, SystemClock()) for _ in range(3)))
    (one,) = await records.stored(stores[0].journal, records.execution())
    assert await stores[2].queries.head("main", one.id) == one
    for store in stores:
        await store.close()


# -- wake-ups


@pytest.fixture
async def pair(postgres_url: str) -> AsyncIterator[tuple[Store, Store]]:
    """Return two stores on one database, as two servers have them."""
    first = await open_store(postgres_url, SystemClock())
    second = await open_store(postgres_url, SystemClock())
    yield first, second
    await first.close()
    await second.close()


async def test_publish_in_one_server_wakes_another_in_order(pair: tuple[Store, Store]) -> None:
    first, second = pair
    async with second.notifier.subscribe("messages", "jobs") as notifications:
        await first.notifier.publish("messages", ["1", "2"])
        await first.notifier.publish("jobs", ["gpu"])
        await first.notifier.publish("flows", ["nobody listens"])
        assert await heard(notifications, 3) == [("messages", "1"), ("messages", "2"), ("jobs", "gpu")]


async def test_publish_is_heard_once_where_it_was_said(pair: tuple[Store, Store]) -> None:
    first, second = pair
    async with first.notifier.subscribe("jobs") as here, second.notifier.subscribe("jobs") as there:
        await first.notifier.publish("jobs", ["a"])
        assert await heard(there, 1) == [("jobs", "a")]
        await second.notifier.publish("jobs", ["b"])
        assert await heard(here, 2) == [("jobs", "a"), ("jobs", "b")]


async def test_publish_of_very_many_payloads_arrives_whole(pair: tuple[Store, Store]) -> None:
    first, second = pair
    payloads = [f"execution-{number}-ü" for number in range(5_000)]
    async with second.notifier.subscribe("execution") as notifications:
        await first.notifier.publish("execution", payloads)
        assert [payload for _, payload in await heard(notifications, 5_000)] == payloads


async def test_notifications_after_connections_were_cut_go_on(
    pair: tuple[Store, Store], postgres_database: Database
) -> None:
    first, second = pair
    async with second.notifier.subscribe("jobs") as notifications:
        await first.notifier.publish("jobs", ["before"])
        assert await heard(notifications, 1) == [("jobs", "before")]
        assert cut_connections(postgres_database, only="penstock-%") == 2

        async def insist() -> None:
            while True:
                await first.notifier.publish("jobs", ["after"])
                await asyncio.sleep(0.05)

        insisting = asyncio.create_task(insist())
        assert await heard(notifications, 1) == [("jobs", "after")]
        insisting.cancel()


async def test_close_says_what_is_unsaid(postgres_url: str) -> None:
    listening = await open_store(postgres_url, SystemClock())
    speaking = await open_store(postgres_url, SystemClock())
    async with listening.notifier.subscribe("jobs") as notifications:
        await speaking.notifier.publish("jobs", ["last words"])
        await speaking.close()
        assert await heard(notifications, 1) == [("jobs", "last words")]
    await listening.close()


async def test_notification_published_again_while_it_is_being_sent_is_heard_again(
    postgres_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    telling, listening = (PostgresNotifier(postgres_database.dsn) for _ in range(2))
    execute, again = psycopg.AsyncConnection.execute, ["once more"]

    async def slowly(connection: Any, query: Any, *arguments: Any) -> Any:
        done = await execute(connection, query, *arguments)
        if "pg_notify" in str(query) and again:
            again.pop()
            await telling.publish("messages", ["3"])
        return done

    monkeypatch.setattr(psycopg.AsyncConnection, "execute", slowly)
    async with asyncio.timeout(PATIENCE), listening.subscribe("messages") as notifications:
        await telling.publish("messages", ["3"])
        assert await heard(notifications, 2) == [("messages", "3")] * 2
    await telling.close()
    await listening.close()


async def test_subscribe_without_a_database_still_hears_this_process() -> None:
    notifier = PostgresNotifier("postgresql://nobody@127.0.0.1:1/nothing")
    async with asyncio.timeout(PATIENCE), notifier.subscribe("jobs") as notifications:
        await notifier.publish("jobs", ["here"])
        assert await heard(notifications, 1) == [("jobs", "here")]
    await notifier.close()


def test_packed_notifications_are_few_short_and_complete() -> None:
    said = [(f"topic-{number % 3}", f'payload-{number}-ü\n"') for number in range(3_000)]
    texts = list(packed("origin", said))
    assert max(len(text.encode()) for text in texts) < 8_000
    assert len(texts) < 15
    unpacked = [(topic, payload) for text in texts for topic, found in from_json(text)[1].items() for payload in found]
    assert sorted(unpacked) == sorted(said)
    assert list(packed("origin", [])) == []


async def test_subscription_given_up_at_whatever_moment_ends(postgres_database: Database) -> None:
    """Also in the moment when the connection begins to listen: a server told to stop then has to stop."""

    async def listen(notifier: PostgresNotifier, begun: asyncio.Event) -> None:
        begun.set()
        async with notifier.subscribe("a") as notifications:
            await heard(notifications, 1)

    for steps in range(4):
        notifier, begun = PostgresNotifier(postgres_database.dsn), asyncio.Event()
        listening = asyncio.create_task(listen(notifier, begun))
        await begun.wait()
        await notifier._listening.wait()
        for _ in range(steps):
            await asyncio.sleep(0)
        listening.cancel()
        await asyncio.wait([listening], timeout=PATIENCE / 10)
        assert listening.cancelled()
        await notifier.close()
