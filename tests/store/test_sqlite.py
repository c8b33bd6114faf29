"""What only an embedded database has to get right: groups of commits, other processes, a full disk."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
import textwrap
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from penstock.base.clock import SystemClock
from penstock.base.errors import ConflictError, UnavailableError
from penstock.store import open_store
from penstock.store import sqlite as module
from penstock.store.sqlite import SqliteDatabase, matches
from tests.support.waiting import PATIENCE


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[SqliteDatabase]:
    opened = SqliteDatabase(tmp_path / "test.db")
    await opened.write(lambda connection: connection.execute(text("CREATE TABLE t (n INTEGER PRIMARY KEY)")) and None)
    yield opened
    await opened.close()


def put(number: int) -> module.Work[int]:
    def work(connection: Connection) -> int:
        connection.execute(text("INSERT INTO t VALUES (:n)"), {"n": number})
        return number

    return work


async def numbers(database: SqliteDatabase) -> list[int]:
    return await database.read(lambda c: list(c.execute(text("SELECT n FROM t ORDER BY n")).scalars()))


async def test_group_with_one_failing_work_commits_the_others(database: SqliteDatabase) -> None:
    def fail(connection: Connection) -> int:
        put(99)(connection)
        raise ConflictError("no")

    works = [put(1), fail, put(2), put(1), put(3)]  # the second 1 breaks the primary key
    outcomes = await asyncio.gather(*(database.write(work) for work in works), return_exceptions=True)
    assert [isinstance(one, Exception) for one in outcomes] == [False, True, False, True, False]
    assert isinstance(outcomes[1], ConflictError)
    assert await numbers(database) == [1, 2, 3]


async def test_writes_handed_in_together_share_commits(database: SqliteDatabase) -> None:
    commits = 0

    def count(statement: str) -> None:
        nonlocal commits
        commits += statement == "COMMIT"

    await database.write(lambda connection: module.driver_of(connection).set_trace_callback(count))
    await asyncio.gather(*(database.write(put(number)) for number in range(500)))
    assert len(await numbers(database)) == 500
    assert commits < 100


async def test_write_whose_waiter_went_away_is_committed_and_hurts_nobody(database: SqliteDatabase) -> None:
    impatient = asyncio.create_task(database.write(put(1)))
    await asyncio.sleep(0)
    impatient.cancel()
    assert await database.write(put(2)) == 2
    assert await numbers(database) == [1, 2]


async def test_read_while_a_write_is_under_way_does_not_wait_for_it(database: SqliteDatabase) -> None:
    entered, leave = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def slow(connection: Connection) -> None:
        put(1)(connection)
        loop.call_soon_threadsafe(entered.set)
        assert leave.wait(PATIENCE)

    writing = asyncio.create_task(database.write(slow))
    await entered.wait()
    assert await asyncio.wait_for(numbers(database), PATIENCE) == []
    leave.set()
    await writing
    assert await numbers(database) == [1]


async def test_read_that_writes_is_refused(database: SqliteDatabase) -> None:
    with pytest.raises(UnavailableError):
        await database.read(put(1))
    assert await numbers(database) == []


async def test_close_commits_what_was_handed_in(tmp_path: Path) -> None:
    database = SqliteDatabase(tmp_path / "test.db")
    await database.write(lambda c: c.execute(text("CREATE TABLE t (n INTEGER PRIMARY KEY)")) and None)
    writes = [asyncio.create_task(database.write(put(number))) for number in range(20)]
    await asyncio.sleep(0)
    await database.close()
    assert await asyncio.gather(*writes) == list(range(20))
    with pytest.raises(UnavailableError, match="closed"):
        await database.write(put(21))
    with sqlite3.connect(tmp_path / "test.db") as driver:
        assert driver.execute("SELECT count(*) FROM t").fetchone() == (20,)
    driver.close()


@contextmanager
def locked_by_another_process(path: Path) -> Iterator[None]:
    code = f"""
        import sqlite3, sys
        driver = sqlite3.connect({str(path)!r}, isolation_level=None)
        driver.execute("PRAGMA journal_mode = WAL")
        driver.execute("BEGIN EXCLUSIVE")
        print("locked", flush=True)
        sys.stdin.read()
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"locked\n"
        yield
        other.communicate()


async def test_open_of_a_file_locked_by_another_process_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BUSY_SECONDS", 0.1)
    path = tmp_path / "busy.db"
    refused = pytest.raises(UnavailableError, match=r"busy\.db is locked by another process")
    with locked_by_another_process(path), refused:
        await open_store(f"sqlite:///{path}", SystemClock())
    store = await open_store(f"sqlite:///{path}", SystemClock())
    await store.close()


@pytest.mark.parametrize(("content", "words"), [(b"this is text, not a database" * 100, "no sound SQLite database")])
async def test_open_of_a_file_that_is_no_database_says_so(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "text.db"
    path.write_bytes(content)
    with pytest.raises(UnavailableError, match=words):
        await open_store(f"sqlite:///{path}", SystemClock())


async def test_open_in_a_folder_that_does_not_exist_says_what_to_check(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="folder exists"):
        await open_store(f"sqlite:///{tmp_path / 'nowhere' / 'x.db'}", SystemClock())


async def test_open_in_memory_leaves_nothing_behind() -> None:
    store = await open_store("sqlite://", SystemClock())
    path = store.database.name
    assert os.path.exists(path)  # noqa: ASYNC240 - a look at a local file
    await store.close()
    assert not os.path.exists(os.path.dirname(path))  # noqa: ASYNC240


async def test_disk_full_fails_the_write_and_work_goes_on_when_there_is_room(database: SqliteDatabase) -> None:
    def limit(pages: int) -> module.Work[int]:
        return lambda connection: connection.execute(text(f"PRAGMA max_page_count = {pages}")).scalar_one()

    def bulky(connection: Connection) -> None:
        connection.execute(text("CREATE TABLE bulk (body BLOB)"))
        connection.execute(text("INSERT INTO bulk VALUES (zeroblob(1000000))"))

    await database.write(limit(20))
    outcomes = await asyncio.gather(database.write(put(1)), database.write(bulky), return_exceptions=True)
    assert isinstance(outcomes[1], UnavailableError)
    assert "disk is full" in str(outcomes[1])
    assert "make room" in str(outcomes[1])
    # The neighbour of the same group is either stored or told the same, never left in doubt.
    assert await numbers(database) == ([1] if outcomes[0] == 1 else [])
    await database.write(limit(100_000))
    await database.write(bulky)
    assert await database.write(put(7)) == 7


FILLS_UP = """
    import asyncio, resource, sys
    from sqlalchemy import text
    from pathlib import Path
    from penstock.base.errors import UnavailableError
    from penstock.store.sqlite import SqliteDatabase

    async def main():
        database = SqliteDatabase(Path(sys.argv[1]))
        await database.write(lambda c: c.execute(text("CREATE TABLE t (n INTEGER PRIMARY KEY, body BLOB)")) and None)
        acknowledged, failures = [], 0

        async def put(number):
            statement = text("INSERT INTO t VALUES (:n, zeroblob(50000))")
            await database.write(lambda c: c.execute(statement, {"n": number}) and None)
            acknowledged.append(number)

        resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, resource.RLIM_INFINITY))
        for start in range(0, 200, 10):
            outcomes = await asyncio.gather(*(put(n) for n in range(start, start + 10)), return_exceptions=True)
            failures += sum(isinstance(one, UnavailableError) for one in outcomes)
            assert all(one is None or isinstance(one, UnavailableError) for one in outcomes), outcomes
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert failures
        await put(1000)
        await database.close()
        print(",".join(map(str, acknowledged)))

    asyncio.run(main())
"""


def test_file_that_may_not_grow_loses_nothing_acknowledged_and_recovers(tmp_path: Path) -> None:
    path = tmp_path / "small.db"
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(FILLS_UP), str(path)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    acknowledged = {int(number) for number in done.stdout.strip().split(",")}
    driver = sqlite3.connect(path)
    assert {row[0] for row in driver.execute("SELECT n FROM t")} == acknowledged
    assert driver.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    driver.close()
    assert 1000 in acknowledged
    assert len(acknowledged) > 5


def test_regular_expression_that_would_take_for_ever_does_not_match() -> None:
    assert matches("^a+b", "aaab") is True
    assert matches("x", None) is False
    assert matches(r"^(a|a|aa)+$", "a" * 60 + "b") is False


def rights_in(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}


async def test_files_of_a_new_database_are_their_owners_alone(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        database = SqliteDatabase(tmp_path / "new.db")
        await database.write(lambda connection: connection.execute(text("CREATE TABLE t (n INTEGER)")) and None)
        rights = rights_in(tmp_path)
        await database.close()
    finally:
        os.umask(before)
    assert rights == {"new.db": 0o600, "new.db-wal": 0o600, "new.db-shm": 0o600}


async def test_file_whose_rights_were_chosen_keeps_them(tmp_path: Path) -> None:
    path = tmp_path / "shared.db"
    path.touch()
    path.chmod(0o660)
    await SqliteDatabase(path).close()
    assert rights_in(tmp_path)["shared.db"] == 0o660
