"""What limits how many executions run at a time: of one flow, of the flows of a pool, of a namespace (BEY-012).

A gate is anything with a limit that several executions pass through. Which gates a flow's executions pass follows from
its latest revision and from the server's configuration alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from penstock.engine.flow import ResolvedFlow

FlowKey = tuple[str, str, str]
"""(tenant, namespace, flow id)."""
UNNAMED_POOL = 1
"""The limit of a pool that the configuration does not name."""


@dataclass(frozen=True, slots=True)
class Gate:
    """One limit."""

    kind: str
    """`flow`, `pool` or `namespace`."""
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
    """

    pools: Mapping[str, int] = field(default_factory=dict)
    namespaces: Mapping[str, int] = field(default_factory=dict)

    def gates(self, key: FlowKey, flow: ResolvedFlow | None) -> tuple[Gate, ...]:
        """Return the gates that executions of a flow pass; those of a deleted flow pass those of its namespace."""
        tenant, namespace, _ = key
        gates = [Gate("namespace", (tenant, name), self.namespaces[name]) for name in self._around(namespace)]
        concurrency = flow.concurrency if flow is not None else None
        if concurrency is not None:
            if "limit" in concurrency:
                gates.append(Gate("flow", key, concurrency["limit"]))
            if "pool" in concurrency:
                pool = concurrency["pool"]
                gates.append(Gate("pool", (tenant, pool), self.pools.get(pool, UNNAMED_POOL)))
        return tuple(gates)

    def _around(self, namespace: str) -> list[str]:
        """Return the namespaces with a limit that a namespace lies in."""
        if not self.namespaces:
            return []
        parts = namespace.split(".")
        names = [".".join(parts[: count + 1]) for count in range(len(parts))]
        return [name for name in names if name in self.namespaces]
