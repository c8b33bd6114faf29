"""Rows that were inserted, updated or deleted, whatever the database: how they are told, and what is dealt with."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Literal

from pydantic import Field

from penstock.builtin.messages.receiving import Received, Subscribing
from penstock.sdk import PluginError, Property, RunContext

_BACKLOG = 5.0
"""Seconds for which one who has waited for long enough goes on as long as there is something that does not count."""


class CaptureError(PluginError):
    """The changes of a database cannot be followed."""

    code = "CAPTURE_FAILED"


@dataclass(frozen=True, slots=True)
class Change:
    """A row that was inserted, updated or deleted.

    Args:
        operation: `c`, `u` or `d`.
        schema: The schema of its table, or the database where there are none.
        table: Its table.
        before: What is known of the row as it was: the key of one that was deleted, where there is no more.
        after: The row as it is; without values that the database does not tell because they did not change.
    """

    operation: str
    schema: str
    table: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None

    @property
    def stream(self) -> str:
        """The table's whole name."""
        return f"{self.schema}.{self.table}"


@dataclass(frozen=True, slots=True)
class Transaction:
    """What was committed together.

    Args:
        number: What the database calls it.
        end: The place behind it.
        instant: When it was committed.
        changes: Its rows.
        source: What flows read of its place.
    """

    number: Any
    end: Any
    instant: datetime
    changes: Sequence[Change] = ()
    source: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wish:
    """How changes are told.

    Args:
        format: Whether a row stands for itself, in a field `record`, or with what it was before.
        deleted: What becomes of rows that are gone.
        has_metadata: Whether it is told where and when.
        included: The tables that count; all where there are none.
        excluded: Those that do not.
        has_whole_names: Whether a table is named together with its schema.
    """

    format: Literal["INLINE", "WRAP", "RAW"]
    deleted: Literal["ADD_FIELD", "NULL", "DROP"]
    has_metadata: bool
    included: list[str]
    excluded: list[str]
    has_whole_names: bool = False

    def counts(self, change: Change) -> bool:
        """Return whether a change is told."""
        return self.is_meant(change.stream) and not (change.operation == "d" and self.deleted == "DROP")

    def is_meant(self, stream: str) -> bool:
        """Return whether a table counts."""
        return (not self.included or stream in self.included) and stream not in self.excluded

    def fields(self, change: Change, transaction: Transaction) -> dict[str, Any]:
        """Return what flows read of a change."""
        stream = change.stream if self.has_whole_names else change.table
        return {"stream": stream, "data": self.told(change, transaction)}

    def told(self, change: Change, transaction: Transaction) -> dict[str, Any] | None:
        """Return a change as it is wished for."""
        where = {"schema": change.schema, "table": change.table, "txId": transaction.number,
                 **transaction.source, "timestamp": transaction.instant}  # fmt: skip
        if self.format == "RAW":
            return {"op": change.operation, "before": change.before, "after": change.after, "source": where}
        is_gone = change.operation == "d"
        if is_gone and self.deleted == "NULL":
            return None
        row = {**(change.before or {}), **(change.after or {})}
        told: dict[str, Any] = {"record": row} if self.format == "WRAP" else row
        if self.deleted == "ADD_FIELD":
            told["deleted"] = is_gone
        if self.has_metadata:
            told["metadata"] = where
        return told


class Following(Subscribing):
    """A database whose changes are followed."""

    has_whole_names: ClassVar[bool] = False

    hostname: Property[str] = Field(description="The server.")
    username: Property[str] = Field(description="The user.")
    password: Property[str] | None = Field(None, description="The user's password.")
    ssl_mode: Property[Literal["DISABLE", "REQUIRE", "VERIFY_CA", "VERIFY_FULL"]] = Field(
        Property.of("DISABLE"), description="How far encryption is asked for and looked at."
    )
    included_tables: Property[list[str]] = Field(
        Property.of([]), description="The tables, as in public.orders; all by default."
    )
    excluded_tables: Property[list[str]] = Field(Property.of([]), description="Tables that do not count.")
    format: Property[Literal["INLINE", "WRAP", "RAW"]] = Field(
        Property.of("INLINE"),
        description="A change is the row (INLINE), has it as `record` (WRAP), or has `op`, `before` and `after` (RAW).",
    )
    deleted: Property[Literal["ADD_FIELD", "NULL", "DROP"]] = Field(
        Property.of("ADD_FIELD"),
        description="What is said of deleted rows: a field `deleted`, nothing, or no event.",
    )
    metadata: Property[Literal["ADD_FIELD", "DROP"]] = Field(
        Property.of("ADD_FIELD"), description="Whether a field `metadata` says where and when."
    )

    def wish(self, context: RunContext) -> Wish:
        """Return how changes are told."""
        return Wish(
            context.render(self.format),
            context.render(self.deleted),
            context.render(self.metadata) == "ADD_FIELD",
            context.render(self.included_tables),
            context.render(self.excluded_tables),
            self.has_whole_names,
        )


class ChangeSource(ABC):
    """The changes behind a place. It is moved on when the last change of a transaction has been dealt with.

    Args:
        name: Tells this place from others.
        wish: How changes are told.
    """

    patience: ClassVar[float] = 0.0
    """Seconds after which the place is moved on to where nothing counts: it may cost more than to read that again."""

    def __init__(self, name: str, wish: Wish) -> None:
        self.name = name
        self.wish = wish
        self._ready: deque[Received] = deque()
        self._open: Any = None
        self._behind: Any = None
        self.moved = time.monotonic()

    @abstractmethod
    def look(self, seconds: float) -> Sequence[Transaction]:
        """Return what has been committed next; wait about so long for it."""

    @abstractmethod
    def move(self, place: Any) -> None:
        """Have it remembered that what is before a place has been dealt with."""

    def receive(self, seconds: float) -> Received | None:
        """Return the next change. It is the last of its transaction if it has a token."""
        deadline = time.monotonic() + seconds
        while not self._ready:
            found = self.look(max(deadline - time.monotonic(), 0.0))
            for transaction in found:
                self._take(transaction)
            if not self._ready:
                self._move_on()
                if time.monotonic() >= deadline + (_BACKLOG if found else 0.0):
                    return None
        message = self._ready.popleft()
        self._open = message.token or self._open
        return message

    def acknowledge(self, messages: Sequence[Received]) -> None:
        """Move on behind the transactions of which these are the last changes."""
        ends = [message.token for message in messages if message.token is not None]
        if ends:
            self._moved_to(ends[-1])

    def settle(self) -> None:
        """Move on, at the end, to where nothing counts, unless something has not been dealt with."""
        if self._behind is not None and self._open is None and not self._ready:
            self._moved_to(self._behind)

    def _take(self, transaction: Transaction) -> None:
        told = [change for change in transaction.changes if self.wish.counts(change)]
        for number, change in enumerate(told, 1):
            key = f"{self.name}:{transaction.end}:{transaction.instant.timestamp()}:{number}"
            is_last = number == len(told)
            fields = self.wish.fields(change, transaction)
            self._ready.append(Received(fields, transaction.end if is_last else None, key))
        self._behind = None if told else transaction.end

    def _move_on(self) -> None:
        if time.monotonic() - self.moved >= self.patience:
            self.settle()

    def _moved_to(self, place: Any) -> None:
        self.move(place)
        self.moved = time.monotonic()
        if place == self._open:
            self._open = None
        if place == self._behind:
            self._behind = None
