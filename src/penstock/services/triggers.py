"""States of triggers: reading them, switching triggers off and on, letting go of a lock."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from penstock.base.clock import Clock
from penstock.base.errors import ConflictError, NotFoundError
from penstock.ports.notifier import Notifier
from penstock.ports.queries import Filter, Page, PageRequest
from penstock.ports.triggers import TriggerState, TriggerStore

TriggerName = tuple[str, str, str]
"""(namespace, flow id, trigger id)."""


class TriggerService:
    """Triggers of a tenant, apart from their flows' sources.

    Implements API-102 (list, disable, unlock, delete).

    Args:
        triggers: Where states are stored.
        notifier: Tells the schedulers.
        clock: Dates changes.
    """

    def __init__(self, triggers: TriggerStore, notifier: Notifier, clock: Clock) -> None:
        self._triggers = triggers
        self._notifier = notifier
        self._clock = clock

    async def search(self, tenant: str, filters: Sequence[Filter], page: PageRequest) -> Page[TriggerState]:
        """Return a page of states."""
        return await self._triggers.search(tenant, filters, page)

    async def get(self, tenant: str, name: TriggerName) -> TriggerState:
        """Return one state.

        Raises:
            NotFoundError: There is none.
        """
        state = await self._triggers.get(tenant, *name)
        if state is None:
            raise NotFoundError(f"there is no trigger {'.'.join(name)}")
        return state

    async def set_disabled(self, tenant: str, name: TriggerName, disabled: bool) -> TriggerState:
        """Switch a trigger off or on, without a change of its flow."""
        state = await self.get(tenant, name)
        return await self._save(msgspec.structs.replace(state, disabled=disabled))

    async def unlock(self, tenant: str, name: TriggerName) -> TriggerState:
        """Let a trigger fire again although the execution it started seems to run still.

        Raises:
            ConflictError: Nothing locks it.
        """
        state = await self.get(tenant, name)
        if state.execution_id is None:
            raise ConflictError(f"trigger {'.'.join(name)} is not locked")
        return await self._save(msgspec.structs.replace(state, execution_id=None))

    async def delete(self, tenant: str, name: TriggerName) -> None:
        """Forget the state of a trigger; it begins anew if its flow still has it."""
        state = await self.get(tenant, name)
        await self._triggers.delete(tenant, *name)
        await self._changed(state)

    async def _save(self, state: TriggerState) -> TriggerState:
        state = msgspec.structs.replace(state, updated=self._clock.now())
        await self._triggers.save(state)
        await self._changed(state)
        return state

    async def _changed(self, state: TriggerState) -> None:
        await self._notifier.publish("triggers", ["/".join(state.key)])
