"""The schema's version: make an empty database ready, bring an older one up to date, refuse one that does not fit.

A fresh database gets the tables as they are described in `tables`; an older one goes through the migrations. A test
shows that both ways end at the same schema, so starting on an empty database need not load the migration tool.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import (
    URL,
    Column,
    Connection,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    create_engine,
    delete,
    insert,
    inspect,
    make_url,
    select,
)
from sqlalchemy.exc import OperationalError

from penstock.base.codec import from_json, to_json_text
from penstock.base.errors import ConflictError, InvalidRequestError, UnavailableError
from penstock.ports.journal import PARTITIONS
from penstock.store.locks import lock_txn
from penstock.store.statistics import give_statistics_txn
from penstock.store.tables import METADATA, PARTITIONS_TABLE, SETTINGS

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0019_pre_remote_workers"
"""The newest migration, and the only version this release works on."""
LAST_MINOR: str | None = None
"""The newest migration of the minor release before this one; None where there is no such release."""
_MIGRATIONS = Path(__file__).parent / "migrations"
_OLDEST = "schema.oldest"
"""The setting that says from which version of the schema on releases work on this database."""
_VERSION = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
"""The migration tool's own table, as it would make it itself."""


class SchemaMismatch(ConflictError):
    """The database was made by another release."""

    code = "SCHEMA_MISMATCH"


def prepare_txn(connection: Connection, name: str) -> None:
    """Make an empty database ready; leave a fitting one as it is.

    Raises:
        SchemaMismatch: The database is older or newer than this release.
    """
    version = version_txn(connection)
    if version is None:
        lock_txn(connection, "schema")
        version = version_txn(connection)
    if version is None:
        create_txn(connection)
    elif version != HEAD and not serves_txn(connection, version):
        raise SchemaMismatch(
            f"the database {name} has schema version {version}; this release works on {HEAD}",
            hint="stop all servers and run `penstock migrate`; if it says that the database is newer, upgrade Penstock",
        )
    give_statistics_txn(connection)


def serves_txn(connection: Connection, version: str) -> bool:
    """Tell whether this release works on a schema of a later one, which says how old a release may be for it."""
    if version < HEAD:
        return False
    oldest = connection.execute(select(SETTINGS.c.value).where(SETTINGS.c.key == _OLDEST)).scalar()
    return oldest is not None and str(from_json(oldest)) <= HEAD


def note_oldest_txn(connection: Connection, version: str, order: Sequence[str]) -> None:
    """Note the oldest version of the schema whose release still works on this one.

    Migrations called `pre` add what an older release does not miss. No release from before the others can follow: one
    called `move` puts what is there elsewhere, and can be undone; one called `post` takes away, and cannot.

    Args:
        connection: The transaction.
        version: The version the schema has now.
        order: All versions up to the newest, the oldest first.
    """
    passed = order[: order.index(version) + 1]
    oldest = next((one for one in reversed(passed) if "_pre_" not in one), passed[0])
    connection.execute(delete(SETTINGS).where(SETTINGS.c.key == _OLDEST))
    connection.execute(insert(SETTINGS), {"key": _OLDEST, "value": to_json_text(oldest)})


def create_txn(connection: Connection) -> None:
    """Create all tables in an empty database and note the version."""
    METADATA.create_all(connection)
    seed_txn(connection)
    _VERSION.create(connection)
    connection.execute(insert(_VERSION), {"version_num": HEAD})
    note_oldest_txn(connection, HEAD, _versions())


def seed_txn(connection: Connection) -> None:
    """Insert the rows every database has: one per partition."""
    rows = [{"partition": number, "owner": None, "token": 0, "expires": 0} for number in range(PARTITIONS)]
    connection.execute(insert(PARTITIONS_TABLE), rows)


def version_txn(connection: Connection) -> str | None:
    """Return the schema's version; None when the database is empty."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(select(_VERSION.c.version_num)).scalar()


@dataclass(frozen=True, slots=True)
class SchemaStatus:
    """Where a database's schema stands; its text says it to people."""

    version: str | None
    """None when the database is empty."""
    is_known: bool
    """Whether this release knows the version at all."""

    @property
    def is_current(self) -> bool:
        """Whether this release works on it as it is."""
        return self.version == HEAD

    def __str__(self) -> str:
        if self.version is None:
            return "the database is empty; it is made ready when a server starts"
        if self.is_current:
            return f"the schema is up to date (version {self.version})"
        if self.is_known:
            return f"the schema has version {self.version}; run `penstock migrate` to bring it to {HEAD}"
        return f"the schema has version {self.version}, which this release does not know; upgrade Penstock"


def migrate(url: str, revision: str = "head") -> str:
    """Bring the database at this address to a version of the schema, the newest by default; returns that version.

    Raises:
        SchemaMismatch: The database is newer than this release.
        UnavailableError: The database does not answer.
    """
    with _transaction(url) as connection:
        lock_txn(connection, "schema")
        return migrate_txn(connection, revision)


def status(url: str) -> SchemaStatus:
    """Return where the schema of the database at this address stands.

    Raises:
        UnavailableError: The database does not answer.
    """
    with _transaction(url) as connection:
        return schema_status_txn(connection)


def schema_status_txn(connection: Connection) -> SchemaStatus:
    """Return where the schema stands."""
    version = version_txn(connection)
    return SchemaStatus(version, version in _known())


def migrate_txn(connection: Connection, revision: str = "head") -> str:
    """Run the migrations that lead to a version."""
    from alembic import command  # slow to import, and hardly ever needed

    before = version_txn(connection)
    if before is not None and before not in _known():
        raise SchemaMismatch(
            f"the database has schema version {before}, which this release does not know",
            hint="the database is newer: upgrade Penstock",
        )
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
    after = version_txn(connection)
    assert after is not None
    note_oldest_txn(connection, after, _versions())
    return after


def rollback(url: str, revision: str | None = None) -> str:
    """Bring the database back to an earlier version of the schema; returns that version. Implements BEY-071.

    Args:
        url: The database's address.
        revision: The version; that of the minor release before this one by default.

    Raises:
        InvalidRequestError: There is no such version, or none before this release.
        UnavailableError: The database does not answer.
    """
    wanted = revision or LAST_MINOR
    if wanted is None:
        raise InvalidRequestError(
            "there is no minor release before this one to roll back to", hint="name a version of the schema with --to"
        )
    with _transaction(url) as connection:
        lock_txn(connection, "schema")
        return rollback_txn(connection, wanted)


def rollback_txn(connection: Connection, wanted: str) -> str:
    """Undo the migrations behind a version, the newest first."""
    from alembic import command

    versions, now = _versions(), version_txn(connection)
    if now not in versions:
        raise InvalidRequestError(f"the schema has version {now}, which this release cannot undo")
    earlier = versions[: versions.index(now) + 1]
    if wanted not in earlier:
        raise InvalidRequestError(
            f"the schema has version {now}; there is no version {wanted} before it",
            hint=f"name one of {', '.join(earlier)}",
        )
    for one in reversed(earlier[earlier.index(wanted) + 1 :]):
        if "_post_" in one:
            raise InvalidRequestError(
                f"migration {one} has removed data and cannot be undone", hint="restore the backup from before it"
            )
    config = _config()
    config.attributes["connection"] = connection
    command.downgrade(config, wanted)
    note_oldest_txn(connection, wanted, versions)
    return wanted


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    return config


def _known() -> set[str]:
    return set(_versions())


def _versions() -> list[str]:
    """Return all versions this release knows, the oldest first: migrations are named by their versions."""
    return sorted(path.stem for path in (_MIGRATIONS / "versions").glob("[0-9]*.py"))


@contextmanager
def _transaction(url: str) -> Iterator[Connection]:
    """Open a database for one transaction, outside any server."""
    parsed = make_url(url)
    is_sqlite = parsed.get_backend_name() == "sqlite"
    if is_sqlite:
        # The driver itself would not put a change of the schema into a transaction.
        engine = create_engine(parsed, isolation_level="AUTOCOMMIT")
    else:
        engine = create_engine(parsed.set(drivername="postgresql+psycopg"))
    try:
        with engine.connect() as connection:
            if not is_sqlite:
                with connection.begin():
                    yield connection
                return
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.exec_driver_sql("ROLLBACK")
                raise
            connection.exec_driver_sql("COMMIT")
    except OperationalError as error:
        raise _unanswered(parsed, error) from error
    finally:
        engine.dispose()


def compact(url: str) -> None:
    """Give back the room that removed rows have left.

    An embedded database, which no server may have open, is written anew. PostgreSQL, whose servers may be up, only
    learns what room is free: to write its tables anew would lock them.

    Raises:
        UnavailableError: The database does not answer, or is in use.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        parsed = parsed.set(drivername="postgresql+psycopg")
    engine = create_engine(parsed, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            if connection.dialect.name == "sqlite":
                connection.exec_driver_sql("PRAGMA auto_vacuum = INCREMENTAL")  # of files from before it was on
            connection.exec_driver_sql("VACUUM")
    except OperationalError as error:
        raise _unanswered(parsed, error) from error
    finally:
        engine.dispose()


def _unanswered(address: URL, error: OperationalError) -> UnavailableError:
    reason = str(error.orig).strip().splitlines()[0]
    return UnavailableError(
        f"the database {address.render_as_string(hide_password=True)} does not answer ({reason})",
        hint="check its address, that it runs, and that no server holds it",
    )
