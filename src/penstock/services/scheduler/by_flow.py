"""What is known of triggers, by trigger, with those of one flow at hand: there are thousands of flows."""

from __future__ import annotations

from collections.abc import Collection, Iterator, MutableMapping
from typing import TypeVar

from penstock.ports.flows import FlowKey
from penstock.services.scheduler.agenda import TriggerKey

V = TypeVar("V")


class ByFlow(MutableMapping[TriggerKey, V]):
    """A map by trigger that finds the triggers of a flow without looking at all."""

    def __init__(self) -> None:
        self._values: dict[TriggerKey, V] = {}
        self._keys: dict[FlowKey, set[TriggerKey]] = {}

    def of_flow(self, flow: FlowKey) -> Collection[TriggerKey]:
        """Return the triggers of a flow."""
        return tuple(self._keys.get(flow, ()))

    def __getitem__(self, key: TriggerKey) -> V:
        return self._values[key]

    def __setitem__(self, key: TriggerKey, value: V) -> None:
        self._values[key] = value
        self._keys.setdefault(key[:3], set()).add(key)

    def __delitem__(self, key: TriggerKey) -> None:
        del self._values[key]
        keys = self._keys[key[:3]]
        keys.discard(key)
        if not keys:
            del self._keys[key[:3]]

    def __iter__(self) -> Iterator[TriggerKey]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)
