"""A stored flow as plain data, as people wrote it: what the API shows beside the source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from penstock.base.errors import NotFoundError
from penstock.base.recent import Recent
from penstock.model.scalars import plain
from penstock.model.yaml import read_yaml
from penstock.ports.flows import StoredFlow


class FlowDefinitions:
    """The parsed YAML of stored revisions, kept for lists that show the same flows again and again.

    Args:
        capacity: Revisions kept.
    """

    def __init__(self, capacity: int = 500) -> None:
        self._known: Recent[tuple[str, str, str, int], Mapping[str, Any]] = Recent(capacity)

    def of(self, flow: StoredFlow) -> Mapping[str, Any]:
        """Return the plain data of a flow; empty when its source is no YAML mapping (any more)."""
        return self._known.of((flow.tenant, flow.namespace, flow.id, flow.revision), lambda: _read(flow.source))

    def task(self, flow: StoredFlow, task_id: str) -> Mapping[str, Any]:
        """Return one task as written, wherever it is nested.

        Raises:
            NotFoundError: The flow has no such task.
        """
        for definition in self.tasks(flow):
            if definition.get("id") == task_id:
                return definition
        raise NotFoundError(f"flow {flow.namespace}.{flow.id} has no task `{task_id}`")

    def tasks(self, flow: StoredFlow) -> Iterator[Mapping[str, Any]]:
        """Yield every task as written, outer ones first."""
        return (one for one in _maps(self.of(flow)) if "type" in one)

    def trigger(self, flow: StoredFlow, trigger_id: str) -> Mapping[str, Any] | None:
        """Return one trigger as written; None when the flow has none of that name."""
        triggers = self.of(flow).get("triggers")
        found = (one for one in triggers if isinstance(one, dict)) if isinstance(triggers, list) else iter(())
        return next((one for one in found if one.get("id") == trigger_id), None)


_TASKS = ("tasks", "errors", "finally", "afterExecution")


def _maps(definition: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield every map below a flow's lists of tasks, outer ones first."""
    waiting: list[Any] = [definition.get(key) for key in reversed(_TASKS)]
    while waiting:
        value = waiting.pop()
        if isinstance(value, Mapping):
            yield value
            waiting.extend(reversed(list(value.values())))
        elif isinstance(value, list):
            waiting.extend(reversed(value))


def _read(source: str) -> Mapping[str, Any]:
    data = read_yaml(source).data
    return plain(data) if isinstance(data, dict) else {}
