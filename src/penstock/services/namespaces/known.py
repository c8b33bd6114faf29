"""The settings of all namespaces, in memory: there are few of them, and every flow that is made ready asks for some."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog

from penstock.base.errors import PenstockError
from penstock.expressions import DottedMap
from penstock.ports.namespaces import Namespace, NamespaceStore
from penstock.ports.notifier import Notifier
from penstock.services.namespaces.names import lineage

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What holds for the flows of a namespace from outside them."""

    namespaces: tuple[Namespace, ...] = ()
    """Those that have settings: the namespace's own first, then those above."""
    variables: Mapping[str, Any] = field(default_factory=dict)
    """`namespace` of the expression context; what is nearer wins (ENG-022)."""

    @property
    def stamp(self) -> Hashable:
        """Equal as long as nothing changed."""
        return tuple((one.id, one.updated) for one in self.namespaces)


NOTHING = Surroundings()


class KnownNamespaces:
    """A copy of what is stored, renewed when a notification says so, and now and then in case one got lost.

    Args:
        store: Where settings are stored.
        look_again: Seconds after which the copy is renewed without a notification.
    """

    def __init__(self, store: NamespaceStore, *, look_again: float = 30.0) -> None:
        self._store = store
        self._look_again = look_again
        self._known: dict[tuple[str, str], Namespace] = {}
        self._surroundings: dict[tuple[str, str], Surroundings] = {}

    def of(self, tenant: str, namespace: str) -> Surroundings:
        """Return what holds for the flows of a namespace."""
        if not self._known:
            return NOTHING
        found = self._surroundings.get((tenant, namespace))
        if found is None:
            names = lineage(namespace)
            settings = tuple(self._known[tenant, name] for name in names if (tenant, name) in self._known)
            variables = {key: value for one in reversed(settings) for key, value in one.variables.items()}
            found = Surroundings(settings, DottedMap(variables)) if settings else NOTHING
            self._surroundings[tenant, namespace] = found
        return found

    async def refresh(self) -> None:
        """Read everything anew."""
        self._known = {(one.tenant, one.id): one for one in await self._store.all()}
        self._surroundings = {}

    async def follow(self, notifier: Notifier) -> None:
        """Renew the copy as namespaces change anywhere; runs until it is cancelled."""
        async with notifier.subscribe("namespaces") as changes:
            changed = asyncio.ensure_future(anext(changes))
            try:
                while True:
                    try:
                        await self.refresh()
                    except PenstockError as error:
                        log.warning("namespaces not read", action="namespaces.refresh", reason=str(error))
                    await asyncio.wait([changed], timeout=self._look_again)
                    if changed.done():
                        changed.result()
                        changed = asyncio.ensure_future(anext(changes))
            finally:
                changed.cancel()
