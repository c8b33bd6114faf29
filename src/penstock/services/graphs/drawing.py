"""From a flow as written to its graph. Pure.

Every control-flow task is a cluster: a point where it is entered, the task itself, what it holds, and a point where it
is left. The flow is the outermost cluster. Uids are paths: `root.each.say` is task `say` in task `each`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

ROOT = "root"
_START, _END, _TRIGGERS = "start", "end", "triggers"
_HIERARCHY = "io.kestra.core.models.hierarchies."
Definition = Mapping[str, Any]


class Relation(StrEnum):
    """Why one node comes after another (API-038)."""

    SEQUENTIAL = "SEQUENTIAL"
    CHOICE = "CHOICE"
    ERROR = "ERROR"
    FINALLY = "FINALLY"
    AFTER_EXECUTION = "AFTER_EXECUTION"
    PARALLEL = "PARALLEL"
    DYNAMIC = "DYNAMIC"


@dataclass(frozen=True, slots=True)
class Node:
    """A task, a trigger, or a point where a cluster is entered or left."""

    uid: str
    kind: str
    branch: str | None = None
    definition: Definition | None = None


@dataclass(frozen=True, slots=True)
class Edge:
    """What comes after what; without a relation it is only a line."""

    source: str
    target: str
    relation: Relation | None = None
    value: str | None = None


@dataclass(frozen=True, slots=True)
class Cluster:
    """Nodes that belong together."""

    uid: str
    parents: Sequence[str]
    nodes: list[str] = field(default_factory=list)

    @property
    def start(self) -> str:
        """The node by which it is entered."""
        return f"{self.uid}.{_START}"

    @property
    def end(self) -> str:
        """The node by which it is left."""
        return f"{self.uid}.{_END}"


@dataclass(slots=True)
class FlowGraph:
    """A graph under construction; nothing changes it once it is drawn."""

    nodes: list[Node] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    clusters: list[Cluster] = field(default_factory=list)
    flowables: list[str] = field(default_factory=list)


_PARALLEL = frozenset(("Parallel", "EachParallel"))
_LOOPS = frozenset(("ForEach", "EachParallel", "EachSequential", "LoopUntil"))
_BRANCHES = (("then", "then"), ("else", "else"), ("defaults", "defaults"))
_LATE = (("errors", Relation.ERROR), ("finally", Relation.FINALLY), ("afterExecution", Relation.AFTER_EXECUTION))
_HOLDING = ("tasks", "then", "else", "cases", "defaults")


def draw(definition: Definition, expanded: Mapping[str, Definition] | None = None) -> FlowGraph:
    """Return the graph of a flow.

    Args:
        definition: The flow as plain data.
        expanded: Called flows that are drawn in place of the tasks that call them, by the uids of those.
    """
    drawing = _Drawing(expanded or {})
    drawing.flow(ROOT, definition, ())
    return drawing.graph


class _Drawing:
    """Draws one graph."""

    def __init__(self, expanded: Mapping[str, Definition]) -> None:
        self.graph = FlowGraph()
        self._expanded = expanded

    def flow(self, uid: str, definition: Definition, parents: tuple[str, ...], branch: str | None = None) -> Cluster:
        cluster = self._cluster(uid, parents, branch)
        last = self._sequence(_list(definition.get("tasks")), cluster, cluster.start, None, branch)
        self._line(last, cluster.end)
        self._late(definition, cluster, branch)
        for trigger in _list(definition.get("triggers")):
            node = self._node(cluster, f"{uid}.{_TRIGGERS}.{trigger.get('id')}", "GraphTrigger", branch, trigger)
            self._line(node, cluster.start)
        return cluster

    def _cluster(self, uid: str, parents: tuple[str, ...], branch: str | None) -> Cluster:
        cluster = Cluster(uid, parents)
        self.graph.clusters.append(cluster)
        self._node(cluster, cluster.start, "GraphClusterRoot", branch)
        self._node(cluster, cluster.end, "GraphClusterEnd", branch)
        return cluster

    def _node(
        self, cluster: Cluster, uid: str, kind: str, branch: str | None, definition: Definition | None = None
    ) -> str:
        self.graph.nodes.append(Node(uid, f"{_HIERARCHY}{kind}", branch, definition))
        cluster.nodes.append(uid)
        return uid

    def _line(self, source: str, target: str, relation: Relation | None = None, value: str | None = None) -> None:
        self.graph.edges.append(Edge(source, target, relation, value))

    def _sequence(
        self,
        tasks: Sequence[Definition],
        cluster: Cluster,
        before: str,
        first: Relation | None,
        branch: str | None,
        value: str | None = None,
    ) -> str:
        """Draw tasks one after the other; returns the node behind which things go on."""
        relation = first if first is not None else Relation.SEQUENTIAL
        for task in tasks:
            entry, leave = self._task(task, cluster, branch)
            self._line(before, entry, relation, value)
            before, relation, value = leave, Relation.SEQUENTIAL, None
        return before

    def _task(self, task: Definition, cluster: Cluster, branch: str | None) -> tuple[str, str]:
        """Draw a task; returns the nodes by which it is entered and left."""
        uid = f"{cluster.uid}.{task.get('id')}"
        parents = (*cluster.parents, cluster.uid)
        called = self._expanded.get(uid)
        if called is not None:
            inner = self.flow(uid, called, parents, branch)
            return inner.start, inner.end
        if not _holds(task):
            kind = "SubflowGraphTask" if "flowId" in task else "GraphTask"
            node = self._node(cluster, uid, kind, branch, task)
            return node, node
        self.graph.flowables.append(str(task.get("id")))
        inner = self._cluster(uid, parents, branch)
        own = self._node(inner, f"{uid}.{task.get('id')}", "GraphTask", branch, task)
        self._line(inner.start, own)
        for leave in self._children(task, inner, own, branch):
            self._line(leave, inner.end)
        self._late(task, inner, branch)
        return inner.start, inner.end

    def _children(self, task: Definition, inner: Cluster, own: str, branch: str | None) -> list[str]:
        """Draw what a control-flow task holds; returns the nodes behind which it is left."""
        name = str(task.get("type")).rpartition(".")[2]
        if name == "Dag":
            return self._dag(_list(task.get("tasks")), inner, own, branch)
        if any(key in task for key in ("then", "else", "cases", "defaults")):
            return self._choices(task, inner, own, branch)
        relation = Relation.DYNAMIC if name in _LOOPS else Relation.PARALLEL if name in _PARALLEL else None
        tasks = _list(task.get("tasks"))
        if name not in _PARALLEL or not tasks:
            return [self._sequence(tasks, inner, own, relation, branch)]
        return [self._sequence([one], inner, own, relation, branch) for one in tasks]

    def _choices(self, task: Definition, inner: Cluster, own: str, branch: str | None) -> list[str]:
        cases = task.get("cases")
        choices = [(str(value), _list(tasks)) for value, tasks in cases.items()] if isinstance(cases, Mapping) else []
        choices += [(name, _list(task.get(key))) for key, name in _BRANCHES if key in task]
        leaves = [
            self._sequence(tasks, inner, own, Relation.CHOICE, branch, value) for value, tasks in choices if tasks
        ]
        # Where a way may be taken on which nothing runs, the task itself leads out too.
        has_rest = bool(_list(task.get("else")) or _list(task.get("defaults")))
        return leaves if leaves and has_rest else [*leaves, own]

    def _dag(self, entries: Sequence[Definition], inner: Cluster, own: str, branch: str | None) -> list[str]:
        drawn: dict[str, tuple[str, str]] = {}
        for entry in entries:
            task = entry.get("task")
            if isinstance(task, Mapping):
                drawn[str(task.get("id"))] = self._task(task, inner, branch)
        followed: set[str] = set()
        for entry in entries:
            task = entry.get("task")
            if not isinstance(task, Mapping):
                continue
            wanted = entry.get("dependsOn")
            before = [str(one) for one in wanted if str(one) in drawn] if isinstance(wanted, list) else []
            followed.update(before)
            for source in [drawn[one][1] for one in before] or [own]:
                self._line(source, drawn[str(task.get("id"))][0], Relation.PARALLEL)
        return [leave for name, (_, leave) in drawn.items() if name not in followed] or [own]

    def _late(self, definition: Definition, cluster: Cluster, branch: str | None) -> None:
        """Draw what runs after the tasks: on errors, in any case, and when all is over."""
        for key, relation in _LATE:
            tasks = _list(definition.get(key))
            if not tasks:
                continue
            before = cluster.start if relation is Relation.ERROR else cluster.end
            leave = self._sequence(tasks, cluster, before, relation, branch or relation.value)
            if relation is Relation.ERROR:
                self._line(leave, cluster.end)


def _holds(task: Definition) -> bool:
    """Return whether a task holds other tasks."""
    return any(isinstance(task.get(key), list | Mapping) for key in _HOLDING) and "flowId" not in task


def _list(value: Any) -> list[Definition]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, Iterable) else []
