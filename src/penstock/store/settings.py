"""What the instance remembers about itself."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, select

from penstock.base.codec import from_json
from penstock.store import rows
from penstock.store.bulk import insert
from penstock.store.database import Database
from penstock.store.tables import SETTINGS

_PUT = insert(SETTINGS, ("key", "value"), "ON CONFLICT (key) DO UPDATE SET value = excluded.value")
_KEEP = insert(SETTINGS, ("key", "value"), "ON CONFLICT (key) DO NOTHING")


class SqlSettingsStore:
    """The `SettingsStore` port on a database. Implements the settings table of OPS-034."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, key: str) -> Any | None:
        """Return a value; None when there is none."""
        query = select(SETTINGS.c.value).where(SETTINGS.c.key == key)
        text = await self._database.read(lambda connection: connection.execute(query).scalar())
        return None if text is None else from_json(text)

    async def put(self, key: str, value: Any) -> None:
        """Store a value, replacing what was there."""
        row = (key, rows.body(value))
        await self._database.write(lambda connection: _PUT.run(connection, [row]))

    async def keep(self, key: str, value: Any) -> Any:
        """Store a value unless there is one, and return what is there then."""
        row = (key, rows.body(value))
        await self._database.write(lambda connection: _KEEP.run(connection, [row]))
        return await self.get(key)

    async def delete(self, key: str) -> bool:
        """Remove a value; False when there was none."""
        statement = delete(SETTINGS).where(SETTINGS.c.key == key)
        return await self._database.write(lambda connection: connection.execute(statement).rowcount == 1)
