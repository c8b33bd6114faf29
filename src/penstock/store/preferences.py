"""What users chose for themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, and_, delete, select, update

from penstock.base.codec import from_json
from penstock.base.errors import ConflictError
from penstock.ports.preferences import Bookmark
from penstock.store import rows
from penstock.store.bulk import insert
from penstock.store.database import Database
from penstock.store.locks import lock_txn
from penstock.store.tables import BOOKMARKS, PREFERENCES

P, B = PREFERENCES.c, BOOKMARKS.c
_READ = [B.id, B.username, B.name, B.path, B.created]
_PUT = insert(
    PREFERENCES, ("username", "name", "value"), "ON CONFLICT (username, name) DO UPDATE SET value = excluded.value"
)


class SqlPreferenceStore:
    """The `PreferenceStore` port on a database. Implements the storage of UI-020 and UI-160."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_user(self, username: str) -> Mapping[str, Any]:
        """Return what a user set, by name."""
        query = select(P.name, P.value).where(P.username == username).order_by(P.name)
        found = await self._database.read(lambda connection: connection.execute(query).all())
        return {name: from_json(value) for name, value in found}

    async def change(self, username: str, values: Mapping[str, Any]) -> None:
        """Set some of a user's settings; those that become None are forgotten."""
        await self._database.write(lambda connection: change_txn(connection, username, values))

    async def bookmarks(self, username: str) -> Sequence[Bookmark]:
        """Return the bookmarks of a user, the oldest first."""
        query = select(*_READ).where(B.username == username).order_by(B.created, B.id)
        found = await self._database.read(lambda connection: connection.execute(query).all())
        return [Bookmark(*row) for row in found]

    async def add_bookmark(self, bookmark: Bookmark) -> None:
        """Keep a new bookmark.

        Raises:
            ConflictError: Its user has one that leads there.
        """
        await self._database.write(lambda connection: add_bookmark_txn(connection, bookmark))

    async def rename_bookmark(self, username: str, bookmark_id: str, name: str) -> Bookmark | None:
        """Give a bookmark of a user another name, and return it."""
        own = and_(B.username == username, B.id == bookmark_id)

        def rename_txn(connection: Connection) -> Bookmark | None:
            connection.execute(update(BOOKMARKS).where(own).values(name=name))
            row = connection.execute(select(*_READ).where(own)).first()
            return None if row is None else Bookmark(*row)

        return await self._database.write(rename_txn)

    async def remove_bookmark(self, username: str, bookmark_id: str) -> bool:
        """Remove a bookmark of a user."""
        statement = delete(BOOKMARKS).where(and_(B.username == username, B.id == bookmark_id))
        return await self._database.write(lambda connection: connection.execute(statement).rowcount == 1)

    async def clear(self, username: str) -> None:
        """Forget everything a user set and starred."""

        def clear_txn(connection: Connection) -> None:
            connection.execute(delete(PREFERENCES).where(P.username == username))
            connection.execute(delete(BOOKMARKS).where(B.username == username))

        await self._database.write(clear_txn)


def change_txn(connection: Connection, username: str, values: Mapping[str, Any]) -> None:
    """Set and forget settings of a user."""
    if kept := [(username, name, rows.body(value)) for name, value in values.items() if value is not None]:
        _PUT.run(connection, kept)
    if gone := [name for name, value in values.items() if value is None]:
        connection.execute(delete(PREFERENCES).where(and_(P.username == username, P.name.in_(gone))))


def add_bookmark_txn(connection: Connection, bookmark: Bookmark) -> None:
    """Insert a bookmark that leads where none of its user does yet."""
    lock_txn(connection, "bookmark", bookmark.username, bookmark.path)
    same = select(B.name).where(and_(B.username == bookmark.username, B.path == bookmark.path))
    known = connection.execute(same).scalar()
    if known is not None:
        raise ConflictError(
            f"the bookmark `{known}` leads to {bookmark.path} already", hint="rename that one, or remove it first"
        )
    connection.execute(BOOKMARKS.insert().values(**asdict(bookmark)))
