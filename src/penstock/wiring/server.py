"""What can be served: an application, or a worker alone."""

from __future__ import annotations

from typing import Protocol

from penstock.base.errors import PenstockError


class Server(Protocol):
    """Something that starts, lives until it is stopped or dies, and stops."""

    async def start(self) -> None:
        """Start; raises PenstockError."""
        ...

    def describe(self) -> str:
        """Return what runs where, for the line that says it is ready."""
        ...

    async def failed(self) -> PenstockError:
        """Wait until a part dies, and return how."""
        ...

    def hurry(self) -> None:
        """Cut short what a stop waits for."""
        ...

    async def stop(self, *, hurry: bool = False) -> None:
        """Stop in order."""
        ...
