"""Several sources of secrets as one: the first that has a secret wins."""

from __future__ import annotations

from collections.abc import Sequence

from penstock.ports.secrets import SecretSource


class ChainedSecrets:
    """Sources in order of precedence."""

    def __init__(self, sources: Sequence[SecretSource]) -> None:
        self._sources = tuple(sources)

    async def find(self, tenant: str, namespace: str, key: str) -> str | None:
        """Return the secret's value from the first source that has it."""
        for source in self._sources:
            value = await source.find(tenant, namespace, key)
            if value is not None:
                return value
        return None

    async def names(self, tenant: str, namespace: str) -> list[str]:
        """Return the names that exist in any source."""
        return sorted({name for source in self._sources for name in await source.names(tenant, namespace)})

    def where(self, key: str) -> str:
        """Return all places in order."""
        return ", then ".join(source.where(key) for source in self._sources) or "no source of secrets: none is set up"
