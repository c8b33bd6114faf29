"""The schema as created at once and as reached by migrations is one schema, on both databases."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, inspect, text

from penstock.base.clock import SystemClock, from_datetime
from penstock.base.errors import InvalidRequestError, UnavailableError
from penstock.ports.journal import PARTITIONS
from penstock.store import open_store
from penstock.store import schema as module
from penstock.store.schema import HEAD, SchemaMismatch, create_txn, migrate, note_oldest_txn, rollback, status
from penstock.store.upgrading import upgrade
from tests.support.postgres import PostgresServer

MIGRATIONS = Path(module.__file__).parent / "migrations"

POSTGRES_WORDS = {
    "options": """SELECT relname, reloptions FROM pg_class
        WHERE relnamespace = 'public'::regnamespace ORDER BY relname""",
    "indexes": "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY indexname",
    "collations": """SELECT table_name, column_name, collation_name FROM information_schema.columns
        WHERE table_schema = 'public' ORDER BY table_name, column_name""",
}


def described(connection: Connection) -> dict[str, Any]:
    """Return all that the database itself says about its tables, in an order that does not depend on how they came."""
    inspector = inspect(connection)
    found: dict[str, Any] = {}
    for table in sorted(inspector.get_table_names()):
        columns = {
            column["name"]: (str(column["type"]), column["nullable"], column["default"])
            for column in inspector.get_columns(table)
        }
        indexes = sorted(
            ((index["name"], index["unique"], index["column_names"]) for index in inspector.get_indexes(table)),
            key=lambda index: str(index[0]),
        )
        found[table] = (columns, list(columns), inspector.get_pk_constraint(table)["constrained_columns"], indexes)
    # What reflection does not say (conditions of indexes, storage) the database says in its own words.
    if connection.dialect.name == "sqlite":
        statements = connection.execute(text("SELECT name, sql FROM sqlite_schema ORDER BY name")).all()
        found["sql"] = [(name, re.sub(r"\s+", " ", sql or "")) for name, sql in statements]
    else:
        for name, query in POSTGRES_WORDS.items():
            found[name] = connection.execute(text(query)).all()
    found["partitions"] = connection.execute(text('SELECT * FROM partitions ORDER BY "partition"')).all()
    found["version"] = connection.execute(text("SELECT * FROM alembic_version")).all()
    return found


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def two_urls(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """Return the addresses of two empty databases of one kind."""
    if request.param == "sqlite":
        yield [f"sqlite:///{tmp_path / name}.db" for name in ("fresh", "migrated")]
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    databases = [server.create(), server.create()]
    yield [database.url for database in databases]
    for database in databases:
        server.drop(database)


def test_fresh_schema_and_migrated_schema_are_the_same(two_urls: list[str]) -> None:
    found = []
    for url, make in zip(two_urls, (None, migrate), strict=True):
        if make is not None:
            assert make(url) == HEAD
        engine = create_engine(url)
        with engine.begin() as connection:
            if make is None:
                create_txn(connection)
            found.append(described(connection))
        engine.dispose()
    fresh, migrated = found
    assert len(fresh["partitions"]) == PARTITIONS
    assert set(fresh) == set(migrated)
    for part in fresh:
        assert fresh[part] == migrated[part], part


def test_migrate_a_second_time_changes_nothing(two_urls: list[str]) -> None:
    url = two_urls[0]
    assert status(url).version is None
    assert "empty" in str(status(url))
    assert migrate(url) == migrate(url) == HEAD
    assert status(url).is_current
    assert "up to date" in str(status(url))


async def test_open_of_a_migrated_database_works(two_urls: list[str]) -> None:
    migrate(two_urls[0])
    store = await open_store(two_urls[0], SystemClock())
    assert await store.queries.counts("main") == {}
    await store.close()


def become(url: str, version: str, *, oldest: str) -> None:
    """Give a database the version of another release, which says from which version on releases work on it."""
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :version"), {"version": version})
        note = text("UPDATE settings SET value = :oldest WHERE key = 'schema.oldest'")
        assert connection.execute(note, {"oldest": f'"{oldest}"'}).rowcount == 1
    engine.dispose()


@pytest.mark.parametrize("made", [migrate, None])
async def test_open_of_a_newer_schema_that_only_adds_works(two_urls: list[str], made: Any) -> None:
    """BEY-071: a server of the previous minor release starts on the new schema."""
    url = two_urls[0]
    if made is None:
        await (await open_store(url, SystemClock())).close()
    else:
        made(url)
    become(url, "9999_pre_newer", oldest=HEAD)
    store = await open_store(url, SystemClock())
    assert await store.queries.counts("main") == {}
    await store.close()
    become(url, "9999_pre_newer", oldest="9998_post_newer")
    with pytest.raises(SchemaMismatch, match="9999_pre_newer"):
        await open_store(url, SystemClock())


def test_rollback_undoes_migrations_down_to_a_version(two_urls: list[str]) -> None:
    """BEY-071."""
    old, new = two_urls
    migrate(old, "0003_pre_namespaces")
    migrate(new)
    assert rollback(new, "0003_pre_namespaces") == "0003_pre_namespaces"
    found = []
    for url in two_urls:
        engine = create_engine(url)
        with engine.begin() as connection:
            found.append(described(connection))
        engine.dispose()
    assert found[0] == found[1]
    assert "penstock migrate" in str(status(new))
    assert migrate(new) == HEAD


def test_rollback_to_what_is_not_before_is_refused(two_urls: list[str]) -> None:
    """BEY-071."""
    url = two_urls[0]
    migrate(url, "0002_pre_task_cache")
    for version in ("0003_pre_namespaces", "nonsense"):
        with pytest.raises(InvalidRequestError, match=f"no version {version} before it"):
            rollback(url, version)
    with pytest.raises(InvalidRequestError, match="no minor release before this one"):
        rollback(url)
    assert status(url).version == "0002_pre_task_cache"


def test_schema_is_fit_for_releases_from_its_last_migration_that_takes_or_moves_on(two_urls: list[str]) -> None:
    """BEY-071."""
    url = two_urls[0]
    migrate(url)
    order = ["1_pre_a", "2_post_b", "3_pre_c", "4_move_d", "5_pre_e", "6_post_f"]
    engine = create_engine(url)
    for version, oldest in (
        ("1_pre_a", "1_pre_a"),
        ("2_post_b", "2_post_b"),
        ("3_pre_c", "2_post_b"),
        ("5_pre_e", "4_move_d"),
    ):
        with engine.begin() as connection:
            note_oldest_txn(connection, version, order)
            found = connection.execute(text("SELECT value FROM settings WHERE key = 'schema.oldest'")).scalar()
        assert found == f'"{oldest}"'
    engine.dispose()


@pytest.mark.parametrize(("version", "words"), [("0000_pre_older", "penstock migrate"), ("9999_post_newer", "upgrade")])
async def test_open_of_a_database_of_another_release_is_refused_with_the_way_out(
    two_urls: list[str], version: str, words: str
) -> None:
    url = two_urls[0]
    migrate(url)
    become(url, version, oldest="9999_post_newer")
    with pytest.raises(SchemaMismatch, match=version) as caught:
        await open_store(url, SystemClock())
    assert words in str(caught.value)
    with pytest.raises(SchemaMismatch, match="upgrade Penstock"):
        migrate(url)
    assert not status(url).is_current
    assert "does not know" in str(status(url))


def test_migration_that_fails_leaves_the_database_as_it_was(two_urls: list[str]) -> None:
    url = two_urls[0]
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE settings (oops INTEGER)"))  # one of ours, made by somebody else
    with pytest.raises(Exception, match="settings"):
        migrate(url)
    with engine.begin() as connection:
        assert inspect(connection).get_table_names() == ["settings"]
    engine.dispose()


OLDEST, *_, OLDER, _ = sorted(path.stem for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def database_of(folder: Path, version: str) -> str:
    """Return the address of an embedded database that bears a version of the schema."""
    url = f"sqlite:///{folder / 'penstock.db'}"
    engine = create_engine(url)
    with engine.begin() as connection:
        create_txn(connection)
    engine.dispose()
    become(url, version, oldest=version)
    return url


def older_database(folder: Path) -> str:
    """Return the address of an embedded database of the schema before this release's, with something in it."""
    url = f"sqlite:///{folder / 'penstock.db'}"
    migrate(url, OLDER)
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO settings (key, value) VALUES ('kept', '1')"))
    engine.dispose()
    return url


def test_upgrade_of_an_older_database_keeps_what_is_in_it_and_a_copy(tmp_path: Path) -> None:
    """BEY-071."""
    url = older_database(tmp_path)
    done = upgrade(url, from_datetime(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)))
    assert done is not None
    assert (done.before, done.after, status(url).version) == (OLDER, HEAD, HEAD)
    assert done.copy.name == f"penstock-{OLDER}-20260102T030405Z.db"
    assert status(f"sqlite:///{done.copy}").version == OLDER
    for file in (tmp_path / "penstock.db", done.copy):
        with closing(sqlite3.connect(file)) as connection:
            assert connection.execute("SELECT value FROM settings WHERE key = 'kept'").fetchall() == [("1",)]
    assert upgrade(url, 0) is None


def test_upgrade_that_fails_leaves_the_database_as_it_was_and_no_copy(tmp_path: Path) -> None:
    """BEY-071."""
    url = database_of(tmp_path, OLDEST)  # whose tables are those of a newer one
    with pytest.raises(Exception, match="already exists"):
        upgrade(url, 0)
    assert status(url).version == OLDEST
    assert [file.name for file in tmp_path.iterdir()] == ["penstock.db"]


def test_upgrade_without_room_for_the_copy_changes_nothing_and_says_what_to_do(tmp_path: Path) -> None:
    """BEY-071."""
    url = database_of(tmp_path, OLDER)
    in_the_way = tmp_path / f"penstock-{OLDER}-19700101T000000Z.db"
    in_the_way.mkdir()
    with pytest.raises(UnavailableError, match="make room"):
        upgrade(url, 0)
    assert status(url).version == OLDER
    assert {file.name for file in tmp_path.iterdir()} == {"penstock.db", in_the_way.name}


def test_upgrade_of_a_newer_database_or_none_does_nothing(tmp_path: Path) -> None:
    """BEY-071."""
    url = database_of(tmp_path, "9999_post_newer")
    assert upgrade(url, 0) is None
    assert upgrade(f"sqlite:///{tmp_path / 'other.db'}", 0) is None
    assert [file.name for file in tmp_path.iterdir()] == ["penstock.db"]


def test_migrate_of_a_database_that_does_not_answer_says_so() -> None:
    with pytest.raises(UnavailableError, match="does not answer") as caught:
        migrate("postgresql://user:sesame@127.0.0.1:1/nothing")
    assert "sesame" not in str(caught.value)


def test_migrations_are_one_line_of_named_steps_up_to_the_head() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    scripts = ScriptDirectory.from_config(config)
    assert scripts.get_heads() == [HEAD]
    for script in scripts.walk_revisions():
        assert re.fullmatch(r"\d{4}_(pre|move|post)_[a-z_]+", script.revision)
        assert Path(script.path).stem == script.revision
        assert script.doc
