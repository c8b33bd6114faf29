"""Values of secrets kept in memory for a while."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from penstock.base.clock import Clock, Instant, Micros
from penstock.base.recent import Recent
from penstock.ports.queries import Filter
from penstock.ports.secrets import SecretManager, SecretName, SecretsReadOnly


@dataclass(frozen=True, slots=True)
class Caching:
    """How long values are kept, and how many."""

    most: int
    life: Micros


class CachedSecrets:
    """Another `SecretManager`, asked for the same value only now and then. Implements GOV-228.

    What is written through it is seen at once; what others change, when the value has expired. That there is none is
    not remembered.

    Args:
        manager: The other one.
        caching: How long values are kept, and how many.
        clock: Decides what has expired.
    """

    def __init__(self, manager: SecretManager, caching: Caching, clock: Clock) -> None:
        self._manager = manager
        self._caching = caching
        self._clock = clock
        self._values: Recent[tuple[str, tuple[str, ...], str], tuple[Instant, str]] = Recent(caching.most)

    @property
    def refusal(self) -> SecretsReadOnly | None:
        """Why nothing can be written; None when it can."""
        return self._manager.refusal

    async def find(self, tenant: str, namespaces: Sequence[str], key: str) -> str | None:
        """Return the value of the nearest secret, as it was a while ago."""
        place = (tenant, tuple(namespaces), key)
        until, known = self._values.get(place) or (0, "")
        if until > self._clock.now():
            return known
        value = await self._manager.find(tenant, namespaces, key)
        if value is not None:
            self._values.put(place, (self._clock.now() + self._caching.life, value))
        return value

    async def list(self, tenant: str, filters: Sequence[Filter] = ()) -> Sequence[SecretName]:
        """Return what is told of the secrets that fit."""
        return await self._manager.list(tenant, filters)

    async def put(self, tenant: str, namespace: str, secret: SecretName, value: str) -> None:
        """Insert or replace a secret."""
        await self._manager.put(tenant, namespace, secret, value)
        self._forget(secret.key)

    async def describe(self, tenant: str, namespace: str, secret: SecretName) -> bool:
        """Replace what is told of a secret."""
        return await self._manager.describe(tenant, namespace, secret)

    async def delete(self, tenant: str, namespace: str, key: str) -> bool:
        """Remove a secret."""
        was_there = await self._manager.delete(tenant, namespace, key)
        self._forget(key)
        return was_there

    def where(self, key: str) -> str:
        """Return where it is looked for."""
        return self._manager.where(key)

    def _forget(self, key: str) -> None:
        for place in self._values:
            if place[2] == key:
                self._values.forget(place)
