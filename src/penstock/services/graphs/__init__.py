"""A flow as a graph: its tasks, the order they run in, and the groups they form."""

from penstock.services.graphs.drawing import FlowGraph, draw
from penstock.services.graphs.service import GraphService

__all__ = ["FlowGraph", "GraphService", "draw"]
