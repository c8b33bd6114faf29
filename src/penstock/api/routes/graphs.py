"""Flows and executions as graphs (API-100, API-101)."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from penstock.api import schemas
from penstock.api.answers import JsonAnswer
from penstock.api.bodies import read_text
from penstock.api.render.executions import render_task_run
from penstock.api.render.graphs import render_graph
from penstock.api.routes.table import YAML, Routes, parameter
from penstock.api.settings import ApiSettings
from penstock.base.clock import Clock
from penstock.services.executions import ExecutionReader
from penstock.services.graphs import GraphService

_SUBFLOWS = [
    parameter("subflows", {"type": "array", "items": {"type": "string"}}, text="uids of tasks whose flows are shown")
]


class GraphRoutes:
    """Implements the graphs of API-100 and API-101.

    Args:
        graphs: The use cases.
        reader: Reads executions.
        clock: The present, for durations.
        settings: Bounds.
    """

    def __init__(self, graphs: GraphService, reader: ExecutionReader, clock: Clock, settings: ApiSettings) -> None:
        self._graphs = graphs
        self._reader = reader
        self._clock = clock
        self._settings = settings

    def router(self) -> APIRouter:
        """Return the routes."""
        routes = Routes("/api/v1/{tenant}", "Graphs")
        add, shape = routes.add, schemas.FlowGraph
        add("POST", "/flows/graph", self.of_source, "generateFlowGraphFromSource", answers=shape, body=YAML,
            parameters=_SUBFLOWS)  # fmt: skip
        add("GET", "/flows/{namespace}/{id}/graph", self.of_flow, "generateFlowGraph", answers=shape,
            parameters=_SUBFLOWS)  # fmt: skip
        add("GET", "/executions/{execution_id}/graph", self.of_execution, "executionFlowGraph", answers=shape,
            parameters=_SUBFLOWS)  # fmt: skip
        return routes.router

    async def of_source(self, request: Request, tenant: str) -> Response:
        """Return the graph of a source that is not stored yet."""
        source = await read_text(request, self._settings)
        return JsonAnswer(render_graph(await self._graphs.of_source(tenant, source, _expanded(request))))

    async def of_flow(
        self,
        request: Request,
        tenant: str,
        namespace: str,
        id: str,  # noqa: A002
        revision: int | None = None,
    ) -> Response:
        """Return the graph of a flow."""
        return JsonAnswer(render_graph(await self._graphs.of_flow(tenant, namespace, id, revision, _expanded(request))))

    async def of_execution(self, request: Request, tenant: str, execution_id: str) -> Response:
        """Return the graph of an execution's flow, with the last run of each task."""
        view = await self._reader.get(tenant, execution_id)
        execution = view.execution
        graph = await self._graphs.of_flow(
            tenant, execution.namespace, execution.flow_id, execution.flow_revision, _expanded(request)
        )
        now = self._clock.now()
        return JsonAnswer(
            render_graph(graph, {run.task_id: render_task_run(run, execution, now) for run in view.task_runs})
        )


def _expanded(request: Request) -> list[str]:
    return [one for text in request.query_params.getlist("subflows") for one in text.split(",") if one]
