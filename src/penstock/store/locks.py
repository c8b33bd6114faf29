"""One at a time, by name, until the transaction ends: for rows that may not exist yet and so cannot be locked."""

from __future__ import annotations

from sqlalchemy import Connection


def lock_txn(connection: Connection, *names: str) -> None:
    """Wait until no other transaction holds the lock of this name; SQLite's one writer holds them all anyway."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", ("\x1f".join(names),))
