"""The use cases of key-value pairs, for people and for tasks alike."""

from __future__ import annotations

import re
from collections.abc import Sequence

from penstock.base.clock import Clock, Instant
from penstock.base.durations import DurationError, parse_duration
from penstock.base.errors import InvalidRequestError, NotFoundError
from penstock.ports.jobs import Held
from penstock.ports.keyvalue import KeyValue, KeyValueStore
from penstock.ports.queries import Filter, Page, PageRequest
from penstock.services.keyvalues.values import TypedValue
from penstock.services.namespaces import check_namespace, lineage

_KEY = re.compile(r"[!-~](?:[ -~]{0,254}[!-~])?")


class KeyValueService:
    """Pairs of a tenant.

    Implements ENG-359 to ENG-362, ENG-366 to ENG-368, API-107, OPS-166 (pairs).

    Args:
        pairs: Where they are stored.
        clock: Dates them, and decides which have expired.
    """

    def __init__(self, pairs: KeyValueStore, clock: Clock) -> None:
        self._pairs = pairs
        self._clock = clock

    async def get(self, tenant: str, namespace: str, key: str) -> KeyValue:
        """Return a pair.

        Raises:
            NotFoundError: There is none, or it has expired.
        """
        found = await self._pairs.get(tenant, namespace, key, self._clock.now())
        if found is None:
            raise NotFoundError(
                f"there is no key `{key}` in the key-value store of namespace {namespace}",
                hint="set it first; it may have expired",
            )
        return found

    async def put(
        self,
        tenant: str,
        namespace: str,
        key: str,
        value: TypedValue,
        *,
        ttl: str | None = None,
        description: str | None = None,
        overwrite: bool = True,
        held: Held | None = None,
    ) -> KeyValue:
        """Store a pair and return it.

        Args:
            tenant: Whose.
            namespace: Where.
            key: Its name.
            value: What it holds.
            ttl: How long it lives, as ISO 8601 duration; for ever when None.
            description: What it is for.
            overwrite: Whether one that exists may be replaced.
            held: The lease of the attempt it is stored for.

        Raises:
            ConflictError: It exists, and may not be replaced.
            JobTaken: The attempt it is stored for is its worker's no longer.
            InvalidRequestError: Namespace, key or ttl cannot be used.
        """
        check_namespace(namespace)
        if not _KEY.fullmatch(key):
            raise InvalidRequestError(
                f"`{key}` is no key", hint="use letters, digits and other plain ASCII characters, at most 256"
            )
        now = self._clock.now()
        pair = KeyValue(namespace, key, value.type, value.value, 0, now, now, _expiry(now, ttl), description or None)
        return await self._pairs.put(tenant, pair, overwrite=overwrite, held=held)

    async def list(self, tenant: str, namespace: str, prefix: str = "") -> Sequence[KeyValue]:
        """Return the pairs of a namespace without their values, by key."""
        return await self._pairs.list(tenant, namespace, self._clock.now(), prefix)

    async def inherited(self, tenant: str, namespace: str) -> Sequence[KeyValue]:
        """Return the pairs of a namespace and of those above it; of equal keys the nearest."""
        found: dict[str, KeyValue] = {}
        for place in lineage(namespace):
            for pair in await self.list(tenant, place):
                found.setdefault(pair.key, pair)
        return [found[key] for key in sorted(found)]

    async def search(self, tenant: str, filters: Sequence[Filter], page: PageRequest) -> Page[KeyValue]:
        """Return a page of pairs of all namespaces, without their values."""
        return await self._pairs.search(tenant, filters, page, self._clock.now())

    async def delete(self, tenant: str, namespace: str, key: str, *, held: Held | None = None) -> bool:
        """Remove a pair, for an attempt that its worker still has; False when there was none."""
        return await self._pairs.delete(tenant, namespace, key, self._clock.now(), held=held)

    async def delete_many(self, tenant: str, namespace: str, keys: Sequence[str]) -> Sequence[str]:
        """Remove pairs and return the keys of those there were."""
        return [key for key in dict.fromkeys(keys) if await self.delete(tenant, namespace, key)]

    async def purge(
        self, tenant: str, namespaces: Sequence[str], *, children: bool = True, expired_only: bool = True
    ) -> int:
        """Remove some pairs for good, expired ones or all, in some namespaces or everywhere.

        Returns:
            How many; 0 when there are no more.
        """
        now = self._clock.now()
        return await self._pairs.purge(tenant, namespaces, now, children=children, expired_only=expired_only)


def _expiry(now: Instant, ttl: str | None) -> Instant | None:
    if not ttl:
        return None
    try:
        length = parse_duration(ttl)
    except DurationError as error:
        raise InvalidRequestError(f"the ttl cannot be read: {error.message}", hint=error.hint) from error
    if length <= 0:
        raise InvalidRequestError(f"`{ttl}` leaves a pair no time to live", hint="use a ttl such as PT1H or P7D")
    return now + length
