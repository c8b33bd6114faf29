"""Reading and changing what is set for all flows of a namespace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from penstock.base.clock import Clock
from penstock.base.errors import ConflictError, InvalidRequestError, NotFoundError
from penstock.ports.flows import FlowStore
from penstock.ports.namespaces import Namespace, NamespaceStore
from penstock.ports.notifier import Notifier
from penstock.services.namespaces.known import KnownNamespaces
from penstock.services.namespaces.names import check_namespace, lineage

_DEFAULT_KEYS = {"type", "values", "forced"}


class NamespaceService:
    """Namespaces of a tenant: those that flows declare, those that have settings, and those above either.

    Implements API-105 but for secrets, ENG-018, ENG-022, ENG-320.

    Args:
        namespaces: Where settings are stored.
        known: The copy of this process; renewed before a change is answered.
        flows: Tell which namespaces are in use.
        notifier: Tells everybody who keeps flows ready to run.
        clock: Dates changes.
    """

    def __init__(
        self,
        namespaces: NamespaceStore,
        known: KnownNamespaces,
        flows: FlowStore,
        notifier: Notifier,
        clock: Clock,
    ) -> None:
        self._namespaces = namespaces
        self._known = known
        self._flows = flows
        self._notifier = notifier
        self._clock = clock

    async def create(self, namespace: Namespace) -> Namespace:
        """Store the settings of a namespace that has none.

        Raises:
            ConflictError: It has some.
            InvalidRequestError: The name, a variable or a plugin default is none.
        """
        if await self._namespaces.find(namespace.tenant, [namespace.id]):
            raise ConflictError(f"namespace {namespace.id} exists already", hint="update it instead")
        return await self.put(namespace)

    async def put(self, namespace: Namespace) -> Namespace:
        """Store settings, whether there were some or not; flows use them from their next task on."""
        check_namespace(namespace.id)
        _check_defaults(namespace.plugin_defaults)
        now = self._clock.now()
        await self._namespaces.save(replace(namespace, created=now, updated=now))
        await self._changed(namespace.tenant, namespace.id)
        [stored] = await self._namespaces.find(namespace.tenant, [namespace.id])
        return stored

    async def set_defaults(self, tenant: str, namespace_id: str, defaults: Sequence[Mapping[str, Any]]) -> Namespace:
        """Replace the plugin defaults of a namespace; its other settings stay."""
        found = await self._namespaces.find(tenant, [namespace_id])
        known = found[0] if found else Namespace(tenant, namespace_id)
        return await self.put(replace(known, plugin_defaults=tuple(defaults)))

    async def get(self, tenant: str, namespace_id: str) -> Namespace:
        """Return a namespace; one without settings when only flows know it.

        Raises:
            NotFoundError: Neither settings nor flows name it or one below it.
        """
        found = await self._namespaces.find(tenant, [namespace_id])
        if found:
            return found[0]
        if namespace_id not in await self.names(tenant):
            raise NotFoundError(f"there is no namespace {namespace_id}")
        return Namespace(tenant, namespace_id)

    async def delete(self, tenant: str, namespace_id: str) -> None:
        """Forget the settings of a namespace; its flows, pairs and files stay.

        Raises:
            NotFoundError: It has none.
        """
        if not await self._namespaces.delete(tenant, namespace_id):
            raise NotFoundError(f"namespace {namespace_id} has no settings")
        await self._changed(tenant, namespace_id)

    async def names(self, tenant: str, *, existing: bool = False) -> list[str]:
        """Return the names of all namespaces in order.

        Args:
            tenant: Whose.
            existing: Leave out those that only lie above others.
        """
        own = {one.id for one in await self._namespaces.all(tenant)}
        own.update(await self._flows.namespaces(tenant))
        return sorted(own if existing else {name for one in own for name in lineage(one)})

    async def search(self, tenant: str, text: str = "", *, existing: bool = False) -> list[Namespace]:
        """Return the namespaces whose name contains a text, in the order of their names."""
        known = {one.id: one for one in await self._namespaces.all(tenant)}
        names = await self.names(tenant, existing=existing)
        return [known.get(name) or Namespace(tenant, name) for name in names if text.lower() in name.lower()]

    async def surroundings(self, tenant: str, namespace_id: str) -> list[Namespace]:
        """Return the settings that hold for flows of a namespace: its own first, then those of the ones above."""
        found = await self._namespaces.find(tenant, lineage(namespace_id))
        return sorted(found, key=lambda one: len(one.id), reverse=True)

    async def inherited(self, tenant: str, namespace_id: str) -> list[Namespace]:
        """Return the settings of the namespaces above one, nearest first."""
        return [one for one in await self.surroundings(tenant, namespace_id) if one.id != namespace_id]

    async def _changed(self, tenant: str, namespace_id: str) -> None:
        await self._known.refresh()
        await self._notifier.publish("namespaces", [f"{tenant}/{namespace_id}"])


def _check_defaults(defaults: Sequence[Mapping[str, Any]]) -> None:
    for index, entry in enumerate(defaults):
        place = f"pluginDefaults[{index}]"
        if not isinstance(entry.get("type"), str):
            raise InvalidRequestError(f"`{place}` has no `type`", hint="name the type, or a prefix of types")
        if not isinstance(entry.get("values", {}), Mapping):
            raise InvalidRequestError(f"`{place}.values` is no map", hint="write property names and their values")
        unknown = sorted(set(entry) - _DEFAULT_KEYS)
        if unknown:
            raise InvalidRequestError(
                f"`{place}` has an unknown key `{unknown[0]}`", hint="it may have `type`, `values` and `forced`"
            )
