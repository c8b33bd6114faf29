"""Why something does not go on, and whether anything is stuck."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from penstock.api import schemas
from penstock.api.answers import JsonAnswer
from penstock.api.render.waiting import render_audit, render_explanation
from penstock.api.routes.table import Routes
from penstock.base.errors import InvalidRequestError, NotFoundError
from penstock.services.audit import AuditReader
from penstock.services.explaining import ExecutionExplainer, Explanation, TriggerExplainer


class WaitingRoutes:
    """Implements BEY-001 (the last audit) and BEY-002.

    Args:
        executions: Explains executions and task runs.
        triggers: Explains triggers.
        audit: Reads the last audit.
    """

    def __init__(self, executions: ExecutionExplainer, triggers: TriggerExplainer, audit: AuditReader) -> None:
        self._executions = executions
        self._triggers = triggers
        self._audit = audit

    def router(self) -> APIRouter:
        """Return the routes."""
        routes = Routes("/api/v1/{tenant}", "Waiting")
        routes.add("GET", "/executions/{execution_id}/why", self.execution, "whyExecution",
                   answers=schemas.Explanation)  # fmt: skip
        routes.add("GET", "/why/{kind}/{id:path}", self.why, "why", answers=schemas.Explanation)
        routes.add("GET", "/audit", self.audit, "lastAudit", answers=schemas.Audit)
        return routes.router

    async def execution(self, tenant: str, execution_id: str) -> Response:
        """Return what an execution waits for, and what removes it."""
        return JsonAnswer(render_explanation(await self._executions.execution(tenant, execution_id)))

    async def why(self, tenant: str, kind: str, id: str) -> Response:  # noqa: A002
        """Return what an execution, a task run or a trigger (`namespace/flow/trigger`) waits for."""
        return JsonAnswer(render_explanation(await self._explained(tenant, kind, id)))

    async def audit(self, tenant: str) -> Response:
        """Return what the auditor saw last, and the executions it had to get going again."""
        return JsonAnswer(render_audit(await self._audit.last()))

    async def _explained(self, tenant: str, kind: str, asked: str) -> Explanation:
        match kind:
            case "execution":
                return await self._executions.execution(tenant, asked)
            case "taskrun":
                return await self._executions.task_run(tenant, asked)
            case "trigger":
                parts = asked.split("/")
                if len(parts) != 3:
                    raise InvalidRequestError(f"`{asked}` names no trigger", hint="write namespace/flow/trigger")
                return await self._triggers.trigger(tenant, (parts[0], parts[1], parts[2]))
        raise NotFoundError(f"nothing is known of a {kind}", hint="ask about an execution, a taskrun or a trigger")
