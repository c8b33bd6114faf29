"""Webhooks: the anonymous door to a flow (API-022). Plain Starlette handlers, for this is the hot path."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from penstock.api import schemas
from penstock.api.answers import JsonAnswer
from penstock.api.bodies import read_body
from penstock.api.render.executions import render_summary
from penstock.api.routes.table import Routes
from penstock.api.settings import ApiSettings
from penstock.base.clock import Clock
from penstock.base.codec import to_json, to_json_text
from penstock.services.webhooks import WebhookCall, WebhookOutcome, WebhookService

_PATH = "/api/v1/{tenant}/executions/webhook/{namespace}/{id}/{key}"
_METHODS = ("GET", "POST", "PUT")
_JSON = "application/json"


class WebhookRoutes:
    """Implements API-022, ENG-302 to ENG-305.

    Args:
        webhooks: The use case.
        clock: The present, for durations.
        settings: Bounds and addresses.
    """

    def __init__(self, webhooks: WebhookService, clock: Clock, settings: ApiSettings) -> None:
        self._webhooks = webhooks
        self._clock = clock
        self._settings = settings

    def hot(self) -> list[BaseRoute]:
        """Return the routes that stand before all others, so that they are found first."""
        routes = [Route(path, self.call, methods=list(_METHODS)) for path in (_PATH, _PATH + "/{path:path}")]
        for route in routes:
            route.methods = set(_METHODS)  # it would take `HEAD` for `GET`, and a look at an address start the flow
        return list(routes)

    def router(self) -> APIRouter:
        """Return the routes with their descriptions; they are served by `hot`."""
        routes = Routes("/api/v1/{tenant}/executions/webhook/{namespace}/{id}/{key}", "Webhooks")
        for method in _METHODS:
            name = f"triggerExecutionBy{method.capitalize()}Webhook"
            routes.add(method, "", self.described, name, answers=schemas.Execution)
            routes.add(method, "/{path}", self.described_with_path, f"{name}WithPath", answers=schemas.Execution)
        return routes.router

    async def described(self, request: Request, tenant: str, namespace: str, id: str, key: str) -> Response:  # noqa: A002
        """Start a flow by its webhook; the key authorises."""
        return await self.call(request)

    async def described_with_path(
        self,
        request: Request,
        tenant: str,
        namespace: str,
        id: str,  # noqa: A002
        key: str,
        path: str,
    ) -> Response:
        """Start a flow by its webhook, with a path of its own that the flow reads."""
        return await self.call(request)

    async def call(self, request: Request) -> Response:
        """Start a flow by its webhook."""
        parts = request.path_params
        scope = request.scope
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        outcome = await self._webhooks.call(
            WebhookCall(
                tenant=parts["tenant"],
                namespace=parts["namespace"],
                flow_id=parts["id"],
                key=parts["key"],
                path=parts.get("path"),
                headers=headers,
                parameters=request.query_params.multi_items() if scope["query_string"] else (),
                content_type=request.headers.get("content-type", ""),
                body=await read_body(request, self._settings),
            )
        )
        return self._answer(outcome)

    def _answer(self, outcome: WebhookOutcome) -> Response:
        outputs = outcome.outputs
        kind = outcome.trigger.response_content_type
        if outputs is not None:
            return _typed(outputs, kind)
        execution = outcome.view.execution
        url = self._settings.execution_url(execution.namespace, execution.flow_id, execution.id)
        return JsonAnswer(render_summary(execution, self._clock.now(), url))


def _typed(outputs: Any, kind: str) -> Response:
    """Return outputs in the content type the trigger names: bare text where it is not JSON and there is only one."""
    if kind.partition(";")[0].strip().lower() == _JSON:
        return Response(to_json(outputs), media_type=kind)
    if len(outputs) == 1:
        value = next(iter(outputs.values()))
        return Response(value if isinstance(value, str) else to_json_text(value), media_type=kind)
    return Response(to_json(outputs), media_type=kind)
