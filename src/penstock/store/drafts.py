"""Texts that users have not saved yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import Connection, and_, delete, func, select

from penstock.base.errors import ConflictError, InvalidRequestError
from penstock.ports.drafts import Draft
from penstock.store.database import Database
from penstock.store.locks import lock_txn
from penstock.store.tables import DRAFTS

D = DRAFTS.c
_READ = select(D.username, D.name, D.version, D.source, D.revision, D.updated)


class SqlDraftStore:
    """The `DraftStore` port on a database. Implements the storage of BEY-043."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_user(self, username: str, name: str | None = None) -> Sequence[Draft]:
        """Return the drafts of a user, or the one of a name, by name."""
        query = _READ.where(D.username == username).order_by(D.name)
        if name is not None:
            query = query.where(D.name == name)
        found = await self._database.read(lambda connection: connection.execute(query).all())
        return [Draft(*row) for row in found]

    async def put(self, draft: Draft, seen: str | None, most: int) -> Draft:
        """Keep a draft in place of the version that was seen, and return what is kept now.

        Raises:
            ConflictError: There is another version with another text.
            InvalidRequestError: The user has as many drafts as can be.
        """
        return await self._database.write(lambda connection: put_txn(connection, draft, seen, most))

    async def remove(self, username: str, name: str, seen: str) -> None:
        """Forget a draft, if there is one.

        Raises:
            ConflictError: There is another version than the one that was seen.
        """

        def remove_txn(connection: Connection) -> None:
            known = _locked_txn(connection, username, name)
            if known is not None and known.version != seen:
                raise _overtaken(name)
            _delete_txn(connection, username, name)

        await self._database.write(remove_txn)


def put_txn(connection: Connection, draft: Draft, seen: str | None, most: int) -> Draft:
    """Write a draft over the version that was seen."""
    known = _locked_txn(connection, draft.username, draft.name)
    if known is not None and (known.source, known.revision) == (draft.source, draft.revision):
        return known
    if known is not None and known.version != seen:
        raise _overtaken(draft.name)
    kept = connection.execute(select(func.count()).where(D.username == draft.username)).scalar_one()
    if known is None and kept >= most:
        raise InvalidRequestError(f"a user has at most {most} drafts", hint="save or discard some of them first")
    _delete_txn(connection, draft.username, draft.name)
    connection.execute(DRAFTS.insert().values(**asdict(draft)))
    return draft


def _locked_txn(connection: Connection, username: str, name: str) -> Draft | None:
    lock_txn(connection, "draft", username, name)
    row = connection.execute(_READ.where(and_(D.username == username, D.name == name))).first()
    return None if row is None else Draft(*row)


def _delete_txn(connection: Connection, username: str, name: str) -> None:
    connection.execute(delete(DRAFTS).where(and_(D.username == username, D.name == name)))


def _overtaken(name: str) -> ConflictError:
    return ConflictError(
        f"the draft `{name}` was changed elsewhere meanwhile", hint="read it, and send the version you have seen"
    )
