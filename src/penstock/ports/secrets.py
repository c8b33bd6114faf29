"""Where secrets come from."""

from __future__ import annotations

from typing import Protocol


class SecretSource(Protocol):
    """Looks secrets up by name. Values leave it only towards a rendering task; they are never stored or logged."""

    async def find(self, tenant: str, namespace: str, key: str) -> str | None:
        """Return the secret's value; None when there is none."""
        ...

    async def names(self, tenant: str, namespace: str) -> list[str]:
        """Return the names that exist, for validation and completion."""
        ...

    def where(self, key: str) -> str:
        """Return in words where a secret of that name is looked for, for the error of a missing one (BEY-060)."""
        ...
