"""Small things an instance remembers about itself, by name (the login, its own id, when it was set up)."""

from __future__ import annotations

from typing import Any, Protocol


class SettingsStore(Protocol):
    """JSON values by key."""

    async def get(self, key: str) -> Any | None:
        """Return a value; None when there is none."""
        ...

    async def put(self, key: str, value: Any) -> None:
        """Store a value, replacing what was there."""
        ...

    async def keep(self, key: str, value: Any) -> Any:
        """Store a value unless there is one, and return what is there then: the same to all who ask at once."""
        ...

    async def delete(self, key: str) -> bool:
        """Remove a value; False when there was none."""
        ...
