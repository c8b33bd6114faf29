"""Secrets given by hand, such as on the command line."""

from __future__ import annotations

from collections.abc import Mapping


class GivenSecrets:
    """Plain values by key, for all namespaces. Implements BEY-030."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = dict(values)

    async def find(self, tenant: str, namespace: str, key: str) -> str | None:
        """Return the secret's value."""
        return self._values.get(key)

    async def names(self, tenant: str, namespace: str) -> list[str]:
        """Return the names that exist."""
        return sorted(self._values)

    def where(self, key: str) -> str:
        """Return where it is looked for."""
        return f"option --secret {key}=..."
