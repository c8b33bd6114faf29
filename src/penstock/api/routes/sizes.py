"""How much room an execution takes."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from penstock.api import schemas
from penstock.api.answers import JsonAnswer
from penstock.api.routes.table import Routes
from penstock.ports.sizes import Part
from penstock.services.executions import ExecutionSizes


class SizeRoutes:
    """Implements BEY-021 for one execution.

    Args:
        sizes: Tells the size of an execution.
    """

    def __init__(self, sizes: ExecutionSizes) -> None:
        self._sizes = sizes

    def router(self) -> APIRouter:
        """Return the routes."""
        routes = Routes("/api/v1/{tenant}/executions", "Executions")
        routes.add("GET", "/{execution_id}/size", self.size, "executionSize", answers=schemas.ExecutionSize)
        return routes.router

    async def size(self, tenant: str, execution_id: str) -> Response:
        """Return the bytes of an execution's records and files."""
        found = await self._sizes.of(tenant, execution_id)
        body = {
            "executionId": found.execution_id,
            "bytes": found.bytes,
            "records": [_part(part) for part in found.records],
            "files": _part(found.files),
        }
        return JsonAnswer(body)


def _part(part: Part) -> dict[str, Any]:
    return {"name": part.name, "count": part.count, "bytes": part.bytes}
