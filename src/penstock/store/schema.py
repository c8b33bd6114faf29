"""The schema's version: make an empty database ready, bring an older one up to date, refuse one that does not fit.

A fresh database gets the tables as they are described in `tables`; an older one goes through the migrations. A test
shows that both ways end at the same schema, so starting on an empty database need not load the migration tool.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import (
    Column,
    Connection,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    create_engine,
    insert,
    inspect,
    make_url,
    select,
)
from sqlalchemy.exc import OperationalError

from penstock.base.errors import ConflictError, UnavailableError
from penstock.ports.journal import PARTITIONS
from penstock.store.locks import lock_txn
from penstock.store.statistics import give_statistics_txn
from penstock.store.tables import METADATA, PARTITIONS_TABLE

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0004_pre_executions_by_end"
"""The newest migration, and the only version this release works on."""
_MIGRATIONS = Path(__file__).parent / "migrations"
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
    elif version != HEAD:
        raise SchemaMismatch(
            f"the database {name} has schema version {version}; this release works on {HEAD}",
            hint="stop all servers and run `penstock migrate`; if it says that the database is newer, upgrade Penstock",
        )
    give_statistics_txn(connection)


def create_txn(connection: Connection) -> None:
    """Create all tables in an empty database and note the version."""
    METADATA.create_all(connection)
    seed_txn(connection)
    _VERSION.create(connection)
    connection.execute(insert(_VERSION), {"version_num": HEAD})


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
    return after


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    return config


def _known() -> set[str]:
    from alembic.script import ScriptDirectory

    return {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}


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
        reason = str(error.orig).strip().splitlines()[0]
        raise UnavailableError(
            f"the database {parsed.render_as_string(hide_password=True)} does not answer ({reason})",
            hint="check its address, that it runs, and that no server holds it",
        ) from error
    finally:
        engine.dispose()
