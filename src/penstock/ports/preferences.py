"""What users chose for themselves: settings of the interface, and the pages they starred."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from penstock.base.clock import Instant


@dataclass(frozen=True, slots=True)
class Bookmark:
    """A page under a name of its user's choice."""

    id: str
    username: str
    name: str
    path: str
    """Where it leads; each of a user's bookmarks leads elsewhere."""
    created: Instant


class PreferenceStore(Protocol):
    """Settings and bookmarks by user."""

    async def of_user(self, username: str) -> Mapping[str, Any]:
        """Return what a user set, by name."""
        ...

    async def change(self, username: str, values: Mapping[str, Any]) -> None:
        """Set some of a user's settings; those that become None are forgotten."""
        ...

    async def bookmarks(self, username: str) -> Sequence[Bookmark]:
        """Return the bookmarks of a user, the oldest first."""
        ...

    async def add_bookmark(self, bookmark: Bookmark) -> None:
        """Keep a new bookmark.

        Raises:
            ConflictError: Its user has one that leads there.
        """
        ...

    async def rename_bookmark(self, username: str, bookmark_id: str, name: str) -> Bookmark | None:
        """Give a bookmark of a user another name, and return it; None when there is none."""
        ...

    async def remove_bookmark(self, username: str, bookmark_id: str) -> bool:
        """Remove a bookmark of a user; False when there was none."""
        ...

    async def clear(self, username: str) -> None:
        """Forget everything a user set and starred."""
        ...
