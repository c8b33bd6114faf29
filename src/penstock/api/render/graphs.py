"""Graphs of flows as JSON (API-038)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penstock.services.graphs import FlowGraph
from penstock.services.graphs.drawing import Cluster, Edge, Node


def render_graph(graph: FlowGraph, runs: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return a graph.

    Args:
        graph: The graph.
        runs: What to say of a task's run, by task id, when it is that of an execution.
    """
    return {
        "nodes": [_node(node, runs or {}) for node in graph.nodes],
        "edges": [_edge(edge) for edge in graph.edges],
        "clusters": [_cluster(cluster) for cluster in graph.clusters],
        "flowables": graph.flowables,
    }


def _node(node: Node, runs: Mapping[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = {"uid": node.uid, "type": node.kind}
    if node.branch is not None:
        body["branchType"] = node.branch
    if node.definition is None:
        return body
    is_trigger = node.kind.endswith("Trigger")
    body["triggerDeclaration" if is_trigger else "task"] = node.definition
    run = None if is_trigger else runs.get(str(node.definition.get("id")))
    return body if run is None else body | {"taskRun": run}


def _edge(edge: Edge) -> dict[str, Any]:
    relation: dict[str, Any] = {} if edge.relation is None else {"relationType": edge.relation.value}
    if edge.value is not None:
        relation["value"] = edge.value
    return {"source": edge.source, "target": edge.target, "relation": relation}


def _cluster(cluster: Cluster) -> dict[str, Any]:
    return {
        "cluster": {"uid": cluster.uid, "type": "io.kestra.core.models.hierarchies.GraphCluster"},
        "nodes": cluster.nodes,
        "parents": list(cluster.parents),
        "start": cluster.start,
        "end": cluster.end,
    }
