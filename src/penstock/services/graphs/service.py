"""Graphs of stored flows, of sources and of executions, with called flows drawn in place where that is wanted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from penstock.base.errors import InvalidRequestError
from penstock.model.scalars import plain
from penstock.model.yaml import read_yaml
from penstock.services.flows import FlowDefinitions, FlowService
from penstock.services.graphs.drawing import FlowGraph, Node, draw

_DEEPEST = 20


class GraphService:
    """Implements API-038 and the graphs of API-100, API-101, UI-065.

    Args:
        flows: The stored flows.
        definitions: Flows as plain data.
    """

    def __init__(self, flows: FlowService, definitions: FlowDefinitions) -> None:
        self._flows = flows
        self._definitions = definitions

    async def of_flow(
        self, tenant: str, namespace: str, flow_id: str, revision: int | None = None, expanded: Sequence[str] = ()
    ) -> FlowGraph:
        """Return the graph of a stored flow.

        Args:
            tenant: Whose flow it is.
            namespace: Its namespace.
            flow_id: Its id.
            revision: Its revision; the latest by default.
            expanded: The uids of tasks whose called flows are drawn in place.

        Raises:
            NotFoundError: There is no such flow, or one that is to be drawn in place is not there.
        """
        flow = await self._flows.get(tenant, namespace, flow_id, revision, deleted=revision is not None)
        return await self._drawn(tenant, namespace, self._definitions.of(flow), expanded)

    async def of_source(self, tenant: str, source: str, expanded: Sequence[str] = ()) -> FlowGraph:
        """Return the graph of a source that need not be stored, nor valid in all its parts.

        Raises:
            InvalidRequestError: It is no YAML map.
        """
        data = read_yaml(source).data
        if not isinstance(data, dict):
            raise InvalidRequestError("the source is no flow", hint="a flow is a YAML map")
        definition = plain(data)
        return await self._drawn(tenant, str(definition.get("namespace")), definition, expanded)

    async def _drawn(
        self, tenant: str, namespace: str, definition: Mapping[str, Any], wanted: Sequence[str]
    ) -> FlowGraph:
        called: dict[str, Mapping[str, Any]] = {}
        graph = draw(definition)
        for _ in range(_DEEPEST):
            new = [node for node in graph.nodes if node.uid in wanted and node.uid not in called and _calls(node)]
            if not new:
                break
            for node in new:
                called[node.uid] = await self._called(tenant, namespace, node)
            graph = draw(definition, called)
        return graph

    async def _called(self, tenant: str, namespace: str, node: Node) -> Mapping[str, Any]:
        task = node.definition or {}
        revision = task.get("revision")
        flow = await self._flows.get(
            tenant,
            str(task.get("namespace", namespace)),
            str(task.get("flowId")),
            revision if isinstance(revision, int) else None,
        )
        return self._definitions.of(flow)


def _calls(node: Node) -> bool:
    return node.definition is not None and "flowId" in node.definition
