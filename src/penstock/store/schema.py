"""The schema's version: make an empty database ready, bring an older one up to date, refuse one that does not fit.

A fresh database gets the tables as they are described in `tables`; an older one goes through the migrations. A test
shows that both ways end at the same schema, so starting on an empty database need not load the migration tool.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, insert, inspect, make_url, text

from penstock.base.errors import ConflictError
from penstock.ports.journal import PARTITIONS
from penstock.store.locks import lock_txn
from penstock.store.statistics import give_statistics_txn
from penstock.store.tables import METADATA, PARTITIONS_TABLE

HEAD = "0001_pre_baseline"
"""The newest migration, and the only version this release works on."""
_MIGRATIONS = Path(__file__).parent / "migrations"


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
    connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
    connection.execute(text("INSERT INTO alembic_version VALUES (:version)"), {"version": HEAD})


def seed_txn(connection: Connection) -> None:
    """Insert the rows every database has: one per partition."""
    rows = [{"partition": number, "owner": None, "token": 0, "expires": 0} for number in range(PARTITIONS)]
    connection.execute(insert(PARTITIONS_TABLE), rows)


def version_txn(connection: Connection) -> str | None:
    """Return the schema's version; None when the database is empty."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def migrate(url: str, revision: str = "head") -> str:
    """Bring the database at this address to a version of the schema, the newest by default; returns that version.

    Raises:
        SchemaMismatch: The database is newer than this release.
    """
    engine = _engine(url)
    try:
        with engine.begin() as connection:
            lock_txn(connection, "schema")
            return migrate_txn(connection, revision)
    finally:
        engine.dispose()


def migrate_txn(connection: Connection, revision: str = "head") -> str:
    """Run the migrations that lead to a version."""
    from alembic import command  # slow to import, and hardly ever needed
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    before = version_txn(connection)
    if before is not None and before not in known:
        raise SchemaMismatch(
            f"the database has schema version {before}, which this release does not know",
            hint="the database is newer: upgrade Penstock",
        )
    command.upgrade(config, revision)
    after = version_txn(connection)
    assert after is not None
    return after


def _engine(url: str) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql":
        return create_engine(parsed.set(drivername="postgresql+psycopg"))
    return create_engine(parsed)
