"""What limits how many executions run at a time: of a flow, a pool of flows, a namespace, with a label (BEY-012).

A gate is anything with a limit that several executions pass through. Which gates an execution passes follows from the
latest revision of its flow, its labels, and the server's configuration alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from penstock.engine.flow import ResolvedFlow
from penstock.engine.records import Execution, Labels

FlowKey = tuple[str, str, str]
"""(tenant, namespace, flow id)."""
Lane = tuple[FlowKey, Labels]
"""A flow, and those labels of an execution that have a limit: all executions of a lane pass the same gates."""
UNNAMED_POOL = 1
"""The limit of a pool that the configuration does not name."""


@dataclass(frozen=True, slots=True)
class Gate:
    """One limit."""

    kind: str
    """`flow`, `pool`, `namespace` or `label`."""
    name: tuple[str, ...]
    limit: int = field(compare=False)

    @property
    def is_shared(self) -> bool:
        """Whether executions of several flows pass it."""
        return self.kind != "flow"


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits the configuration sets.

    Args:
        pools: How many executions run at a time in a pool.
        namespaces: How many run at a time in a namespace and those below it.
        labels: How many run at a time with a label: `key:value`, or `key` for each of its values.
    """

    pools: Mapping[str, int] = field(default_factory=dict)
    namespaces: Mapping[str, int] = field(default_factory=dict)
    labels: Mapping[str, int] = field(default_factory=dict)

    def lane(self, execution: Execution) -> Lane:
        """Return the lane of an execution."""
        key = (execution.tenant, execution.namespace, execution.flow_id)
        if not self.labels:
            return key, ()
        return key, tuple(sorted(one for one in dict(execution.labels).items() if self._of_label(*one) is not None))

    def gates(self, lane: Lane, flow: ResolvedFlow | None) -> tuple[Gate, ...]:
        """Return the gates of a lane; those of a deleted flow are those of its namespace and of the labels."""
        key, labels = lane
        tenant, namespace, _ = key
        gates = [Gate("namespace", (tenant, name), self.namespaces[name]) for name in self._around(namespace)]
        for name, value in labels:
            limit = self._of_label(name, value)
            if limit is not None:
                gates.append(Gate("label", (tenant, name, value), limit))
        concurrency = flow.concurrency if flow is not None else None
        if concurrency is not None:
            if "limit" in concurrency:
                gates.append(Gate("flow", key, concurrency["limit"]))
            if "pool" in concurrency:
                pool = concurrency["pool"]
                gates.append(Gate("pool", (tenant, pool), self.pools.get(pool, UNNAMED_POOL)))
        return tuple(gates)

    def _of_label(self, name: str, value: str) -> int | None:
        return self.labels.get(f"{name}:{value}", self.labels.get(name))

    def _around(self, namespace: str) -> list[str]:
        """Return the namespaces with a limit that a namespace lies in."""
        if not self.namespaces:
            return []
        parts = namespace.split(".")
        names = [".".join(parts[: count + 1]) for count in range(len(parts))]
        return [name for name in names if name in self.namespaces]
