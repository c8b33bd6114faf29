"""Flows as graphs, and graphs of flows."""

from __future__ import annotations

from typing import Any, Literal

from penstock.api.schemas.base import Shape


class FlowNode(Shape):
    """A flow among others."""

    uid: str
    namespace: str
    id: str


class FlowRelation(Shape):
    """One flow starts another: as a task, or by a trigger of the other."""

    source: str
    target: str
    relation: Literal["FLOW_TASK", "FLOW_TRIGGER"]


class FlowTopology(Shape):
    """Flows and how they start one another."""

    nodes: list[FlowNode]
    edges: list[FlowRelation]


class GraphNode(Shape):
    """A task, a trigger, or a point where a cluster is entered or left."""

    uid: str
    type: str
    branch_type: Literal["ERROR", "FINALLY", "AFTER_EXECUTION"] | None = None
    task: dict[str, Any] | None = None
    trigger_declaration: dict[str, Any] | None = None
    task_run: dict[str, Any] | None = None


class GraphRelation(Shape):
    """Why one node comes after another."""

    relation_type: (
        Literal["SEQUENTIAL", "CHOICE", "ERROR", "FINALLY", "AFTER_EXECUTION", "PARALLEL", "DYNAMIC"] | None
    ) = None
    value: str | None = None


class GraphEdge(Shape):
    """What comes after what."""

    source: str
    target: str
    relation: GraphRelation


class GraphCluster(Shape):
    """Nodes that belong together, and where they are entered and left."""

    cluster: GraphNode
    nodes: list[str]
    parents: list[str]
    start: str
    end: str


class FlowGraph(Shape):
    """A flow as a graph."""

    nodes: list[GraphNode]
    edges: list[GraphEdge]
    clusters: list[GraphCluster]
    flowables: list[str]
