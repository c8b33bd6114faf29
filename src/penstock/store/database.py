"""The seam to a database: a transaction is a synchronous function, handed to a thread as a whole.

`write` runs it in a transaction that is durable when the call returns; `read` runs it on a consistent snapshot. The
function gets a SQLAlchemy connection and must leave transactions alone. It may be run again when the transaction could
not be committed, so it must not keep anything outside but its result.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from sqlalchemy import Connection

from penstock.base.errors import InvalidRequestError
from penstock.ports.pools import PoolFigures

T = TypeVar("T")
Work = Callable[[Connection], T]
"""What runs inside a transaction."""


def unfit() -> InvalidRequestError:
    """Return the error of a value that no column can hold: whoever asked gave it, since records are made to fit."""
    return InvalidRequestError(
        "one of the values is none that a database can hold",
        hint="whole numbers such as revisions have 9 digits at most, and texts hold no NUL character",
    )


class Database(Protocol):
    """SQLite and PostgreSQL alike."""

    @property
    def name(self) -> str:
        """Where the database is, for people; without a password."""
        ...

    async def write(self, work: Work[T]) -> T:
        """Run the work in a transaction and commit it; durable when this returns.

        Raises:
            UnavailableError: The database cannot write now.
        """
        ...

    async def read(self, work: Work[T]) -> T:
        """Run the work on a snapshot of the database; it must not write.

        Raises:
            UnavailableError: The database does not answer.
        """
        ...

    def figures(self) -> PoolFigures:
        """Return how its connections are used now."""
        ...

    async def close(self) -> None:
        """Finish what was handed in and let go of the database."""
        ...
