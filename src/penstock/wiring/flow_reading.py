"""From stored sources to flows that run, and to the triggers of such flows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

from penstock.base.errors import InvalidRequestError, NotFoundError
from penstock.engine.flow import Holds, ResolvedFlow
from penstock.engine.records import Execution, TaskRun
from penstock.engine.resolve import resolve
from penstock.model.defaults import DefaultsStack, Levels, PluginDefaults
from penstock.model.definitions import Completer
from penstock.model.document import FlowDocument
from penstock.model.parsing import read_flow
from penstock.model.registry import TypeRegistry
from penstock.ports.flows import StoredFlow
from penstock.sdk import ConditionBase, TriggerBase
from penstock.sdk.condition import Condition, ConditionContext, ExecutionFacts, FlowFacts, all_hold
from penstock.services.namespaces import Surroundings

_OWN_KEYS = frozenset({"type", "values", "forced", "version"})


def plugin_defaults(entries: Iterable[Mapping[str, Any]]) -> tuple[PluginDefaults, ...]:
    """Return the instance's plugin defaults; keys beside `type`, `values`, `forced` count as values (OPS-070)."""
    result = []
    for entry in entries:
        values = {key: value for key, value in entry.items() if key not in _OWN_KEYS}
        forced = str(entry.get("forced", False)).lower() == "true"
        result.append(PluginDefaults(str(entry.get("type", "")), {**values, **(entry.get("values") or {})}, forced))
    return tuple(result)


class FlowReading:
    """Reads flows with the types and the plugin defaults of this instance, and with what their namespaces set.

    Implements ENG-022, ENG-318, ENG-320.

    Args:
        registry: The types.
        defaults: The instance's plugin defaults.
        surroundings: What holds for the flows of a tenant's namespace.
        listeners: Whether the listeners of flows run (MIG-032).
    """

    def __init__(
        self,
        registry: TypeRegistry,
        defaults: Sequence[PluginDefaults] = (),
        surroundings: Callable[[str, str], Surroundings] = lambda *_: Surroundings(),
        *,
        listeners: bool = False,
    ) -> None:
        self.registry = registry
        self.defaults = (tuple(defaults),)
        self._surroundings = surroundings
        self._listeners = listeners

    def levels(self, tenant: str, namespace: str) -> Levels:
        """Return the plugin defaults from outside the flows of a namespace, nearest first (ENG-421)."""
        return (
            *(plugin_defaults(one.plugin_defaults) for one in self._surroundings(tenant, namespace).namespaces),
            *self.defaults,
        )

    def resolve(self, stored: StoredFlow) -> ResolvedFlow:
        """Return a stored revision ready to run; raises InvalidFlow."""
        defaults = self.levels(stored.tenant, stored.namespace)
        return resolve(
            read_flow(stored.source, self.registry, defaults=defaults),
            self.registry,
            tenant=stored.tenant,
            revision=stored.revision,
            defaults=defaults,
            namespace_variables=self._surroundings(stored.tenant, stored.namespace).variables,
            listeners=self._holds if self._listeners else None,
        )

    def _holds(self, namespace: str, flow_id: str, conditions: Sequence[Mapping[str, Any]]) -> Holds:
        """Return what tells whether the conditions of a listener hold."""
        facts = FlowFacts(namespace, flow_id)

        def holds(
            execution: Execution, runs: Sequence[TaskRun], render: Callable[[str, Mapping[str, Any]], str]
        ) -> bool:
            context = ConditionContext(facts, self.condition, render, execution=ExecutionFacts.of(execution, runs))
            return all_hold(conditions, context)

        return holds

    def triggers(self, flow: ResolvedFlow) -> list[TriggerBase]:
        """Return a flow's triggers, made from their definitions."""
        return [kind.model_validate(definition) for kind, definition in self._triggers(flow)]

    def trigger_definition(self, flow: ResolvedFlow, trigger_id: str) -> Mapping[str, Any]:
        """Return a trigger's properties with defaults applied; raises NotFoundError."""
        for _, definition in self._triggers(flow):
            if definition.get("id") == trigger_id:
                return definition
        raise NotFoundError(f"flow {flow.namespace}.{flow.id} has no trigger {trigger_id} in revision {flow.revision}")

    def _triggers(self, flow: ResolvedFlow) -> Iterator[tuple[type[TriggerBase], dict[str, Any]]]:
        document = flow.source
        if not isinstance(document, FlowDocument) or not document.triggers:
            return
        completer = Completer(self.registry, DefaultsStack([document.defaults, *flow.defaults]))
        for definition in document.triggers:
            found = completer.find(definition)
            if found is not None and issubclass(found.entry.cls, TriggerBase):
                yield found.entry.cls, completer.complete_all(definition)

    def condition(self, definition: Mapping[str, Any]) -> Condition:
        """Return the condition of a definition; raises PenstockError when it cannot be made."""
        found = self.registry.find(str(definition.get("type")))
        if found is None or not issubclass(found.entry.cls, ConditionBase):
            raise InvalidRequestError(f"`{definition.get('type')}` is no type of condition")
        completer = Completer(self.registry, DefaultsStack(list(self.defaults)))
        return cast(Condition, found.entry.cls.model_validate(completer.complete_all(dict(definition))))
