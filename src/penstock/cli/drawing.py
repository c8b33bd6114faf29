"""A flow as a graph in the DOT language. Implements OPS-112 in part (`dot`)."""

from __future__ import annotations

import json
from collections.abc import Iterator

from penstock.services.graphs import FlowGraph
from penstock.services.graphs.drawing import Cluster, Node


def dot(name: str, graph: FlowGraph) -> str:
    """Return a graph as DOT: groups of tasks are boxes, points where they are entered and left are dots."""
    nodes = {node.uid: node for node in graph.nodes}
    lines = [f"digraph {_quoted(name)} {{", "  rankdir=TB;", "  node [shape=box, style=rounded];"]
    for root in (cluster for cluster in graph.clusters if not cluster.parents):
        lines += _cluster(root, graph, nodes, "  ")
    for edge in graph.edges:
        label = f" [label={_quoted(edge.value)}]" if edge.value else ""
        lines.append(f"  {_quoted(edge.source)} -> {_quoted(edge.target)}{label};")
    return "\n".join([*lines, "}"])


def _cluster(cluster: Cluster, graph: FlowGraph, nodes: dict[str, Node], indent: str) -> Iterator[str]:
    yield f"{indent}subgraph {_quoted(f'cluster_{cluster.uid}')} {{"
    for uid in cluster.nodes:
        yield f"{indent}  {_node(nodes[uid])}"
    for inner in graph.clusters:
        if inner.parents and inner.parents[-1] == cluster.uid:
            yield from _cluster(inner, graph, nodes, indent + "  ")
    yield f"{indent}}}"


def _node(node: Node) -> str:
    if node.definition is None:
        return f"{_quoted(node.uid)} [shape=point];"
    kind = str(node.definition.get("type", "")).rpartition(".")[2]
    label = f"{node.definition.get('id', '')}\n{kind}"
    return f"{_quoted(node.uid)} [label={_quoted(label)}];"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
