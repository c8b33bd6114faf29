"""API tokens, found by their digests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, and_, delete, select, update

from penstock.base.clock import Instant
from penstock.base.errors import ConflictError
from penstock.ports.tokens import ApiToken
from penstock.store.database import Database
from penstock.store.locks import lock_txn
from penstock.store.tables import API_TOKENS

C = API_TOKENS.c
_READ = [C.id, C.username, C.name, C.description, C.prefix, C.digest, C.created, C.max_age, C.expires, C.extended,
         C.last_used]  # fmt: skip


class SqlTokenStore:
    """The `TokenStore` port on a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, token: ApiToken) -> None:
        """Keep a new token.

        Raises:
            ConflictError: Its owner has one of that name.
        """
        await self._database.write(lambda connection: add_txn(connection, token))

    async def of_user(self, username: str) -> Sequence[ApiToken]:
        """Return the tokens of a user, by name."""
        query = select(*_READ).where(C.username == username).order_by(C.name)
        found = await self._database.read(lambda connection: connection.execute(query).all())
        return [_token(row) for row in found]

    async def by_digest(self, digest: str) -> ApiToken | None:
        """Return the token with a digest."""
        query = select(*_READ).where(C.digest == digest)
        row = await self._database.read(lambda connection: connection.execute(query).first())
        return None if row is None else _token(row)

    async def used(self, token_id: str, at: Instant, expires: Instant | None) -> None:
        """Take note of a use, and of when the token ends from now on."""
        statement = update(API_TOKENS).where(C.id == token_id).values(last_used=at, expires=expires)
        await self._database.write(lambda connection: connection.execute(statement).rowcount)

    async def delete(self, username: str, token_id: str) -> bool:
        """Remove a token of a user."""
        statement = delete(API_TOKENS).where(and_(C.username == username, C.id == token_id))
        return await self._database.write(lambda connection: connection.execute(statement).rowcount == 1)

    async def delete_all(self, username: str, expired_by: Instant | None = None) -> None:
        """Remove the tokens of a user, or those that have expired."""
        statement = delete(API_TOKENS).where(C.username == username)
        if expired_by is not None:
            statement = statement.where(C.expires <= expired_by)
        await self._database.write(lambda connection: connection.execute(statement).rowcount)


def add_txn(connection: Connection, token: ApiToken) -> None:
    """Insert a token whose name its owner has not used yet."""
    lock_txn(connection, "api token", token.username, token.name)
    same = select(C.id).where(and_(C.username == token.username, C.name == token.name))
    if connection.execute(same).first() is not None:
        raise ConflictError(
            f"there is an API token `{token.name}` already", hint="choose another name, or revoke that one first"
        )
    connection.execute(API_TOKENS.insert().values(**asdict(token)))


def _token(row: Sequence[Any]) -> ApiToken:
    return ApiToken(*row)
