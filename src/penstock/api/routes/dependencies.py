"""Which flows start which, and how executions that belong together get on (API-100, API-117, API-024)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from penstock.api import schemas
from penstock.api.answers import JsonAnswer
from penstock.api.events import EMPTY, KEEP_ALIVE, event_stream, frame
from penstock.api.render.executions import render_state
from penstock.api.routes.table import Routes
from penstock.api.settings import ApiSettings
from penstock.base.clock import Clock, Instant
from penstock.engine.records import Execution
from penstock.services.dependencies import Dependencies, DependencyService
from penstock.services.executions import ExecutionReader


class DependencyRoutes:
    """Implements the dependencies of API-100, API-117 and API-024.

    Args:
        dependencies: The use cases.
        reader: Says whether an execution exists, before the stream begins.
        clock: The present, for durations.
        settings: How often a quiet stream shows a sign of life.
    """

    def __init__(
        self, dependencies: DependencyService, reader: ExecutionReader, clock: Clock, settings: ApiSettings
    ) -> None:
        self._dependencies = dependencies
        self._reader = reader
        self._clock = clock
        self._settings = settings

    def router(self) -> APIRouter:
        """Return the routes."""
        routes = Routes("/api/v1/{tenant}", "Dependencies")
        add = routes.add
        add("GET", "/flows/{namespace}/{id}/dependencies", self.of_flow, "flowDependencies",
            answers=schemas.FlowTopology)  # fmt: skip
        add("GET", "/namespaces/{namespace}/dependencies", self.of_namespace, "flowDependenciesFromNamespace",
            answers=schemas.FlowTopology)  # fmt: skip
        add("GET", "/dependencies", self.of_tenant, "flowDependenciesFromTenant", answers=schemas.FlowTopology)
        add("GET", "/executions/{execution_id}/follow-dependencies", self.follow, "followDependenciesExecutions",
            kind="text/event-stream")  # fmt: skip
        return routes.router

    async def of_flow(
        self,
        tenant: str,
        namespace: str,
        id: str,  # noqa: A002
        destinationOnly: bool = False,  # noqa: N803
        expandAll: bool = False,  # noqa: N803
    ) -> Response:
        """Return the flows that start a flow or that it starts; all the way with `expandAll`."""
        found = await self._dependencies.of_flow(
            tenant, namespace, id, destination_only=destinationOnly, expand=expandAll
        )
        return JsonAnswer(_render(tenant, found))

    async def of_namespace(self, tenant: str, namespace: str, destinationOnly: bool = False) -> Response:  # noqa: N803
        """Return all flows of a namespace, and those of others that start them or that they start."""
        found = await self._dependencies.of_namespace(tenant, namespace, destination_only=destinationOnly)
        return JsonAnswer(_render(tenant, found))

    async def of_tenant(self, tenant: str, destinationOnly: bool = False) -> Response:  # noqa: N803
        """Return all flows that start others or are started by others."""
        return JsonAnswer(_render(tenant, await self._dependencies.of_tenant(tenant)))

    async def follow(
        self,
        tenant: str,
        execution_id: str,
        destinationOnly: bool = False,  # noqa: N803
        expandAll: bool = False,  # noqa: N803
    ) -> Response:
        """Follow the states of all executions that belong to the same run of things, until they are over."""
        execution = await self._reader.head(tenant, execution_id)
        return event_stream(self._states(tenant, execution))

    async def _states(self, tenant: str, execution: Execution) -> AsyncIterator[bytes]:
        yield EMPTY
        changes = self._dependencies.related(tenant, execution, idle=self._settings.keep_alive)
        async with aclosing(changes):
            async for one in changes:
                yield KEEP_ALIVE if one is None else frame(_status(one, self._clock.now()), one.version)


def _status(execution: Execution, now: Instant) -> dict[str, Any]:
    return {
        "executionId": execution.id,
        "tenantId": execution.tenant,
        "namespace": execution.namespace,
        "flowId": execution.flow_id,
        "state": render_state(execution.state, now),
    }


def _render(tenant: str, dependencies: Dependencies) -> dict[str, Any]:
    def uid(flow: tuple[str, str]) -> str:
        return f"{tenant}_{flow[0]}_{flow[1]}"

    return {
        "nodes": [{"uid": uid(flow), "namespace": flow[0], "id": flow[1]} for flow in dependencies.flows],
        "edges": [
            {"source": uid(source), "target": uid(target), "relation": relation.value}
            for source, target, relation in dependencies.edges
        ],
    }
