"""The web application: routes and middleware put together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from penstock.api import schemas
from penstock.api.answers import JsonAnswer
from penstock.api.description import description_page
from penstock.api.errors import install_error_handlers
from penstock.api.middleware import Failures, Gate, Heads, PathRewriter, SecurityHeaders, Timing
from penstock.api.routes.account import AccountRoutes
from penstock.api.routes.assets import AssetRoutes
from penstock.api.routes.blueprints import BlueprintRoutes
from penstock.api.routes.bulk import BulkRoutes
from penstock.api.routes.concurrency import ConcurrencyRoutes
from penstock.api.routes.dashboards import DashboardRoutes
from penstock.api.routes.dependencies import DependencyRoutes
from penstock.api.routes.drafts import DraftRoutes
from penstock.api.routes.executions import ExecutionRoutes
from penstock.api.routes.exports import ExportRoutes
from penstock.api.routes.files import FileRoutes
from penstock.api.routes.flow_bulk import FlowBulkRoutes
from penstock.api.routes.flows import FlowRoutes
from penstock.api.routes.following import FollowRoutes
from penstock.api.routes.governance import GovernanceRoutes
from penstock.api.routes.graphs import GraphRoutes
from penstock.api.routes.health import HealthRoutes
from penstock.api.routes.instance import InstanceRoutes
from penstock.api.routes.interface import InterfaceRoutes
from penstock.api.routes.keyvalues import KeyValueRoutes
from penstock.api.routes.launches import LaunchRoutes
from penstock.api.routes.logs import LogRoutes
from penstock.api.routes.metrics import MetricRoutes
from penstock.api.routes.namespace_files import NamespaceFileRoutes
from penstock.api.routes.namespaces import NamespaceRoutes
from penstock.api.routes.overrides import OverrideRoutes
from penstock.api.routes.own_blueprints import OwnBlueprintRoutes
from penstock.api.routes.plans import PlanRoutes
from penstock.api.routes.plugin_versions import PluginVersionRoutes
from penstock.api.routes.plugins import PluginRoutes
from penstock.api.routes.preconditions import PreconditionRoutes
from penstock.api.routes.preferences import PreferenceRoutes
from penstock.api.routes.secrets import SecretRoutes
from penstock.api.routes.service_accounts import ServiceAccountRoutes
from penstock.api.routes.sizes import SizeRoutes
from penstock.api.routes.suites import SuiteRoutes
from penstock.api.routes.switches import SwitchRoutes
from penstock.api.routes.templates import TemplateRoutes
from penstock.api.routes.tokens import TokenAnswers, TokenRoutes
from penstock.api.routes.triggers import TriggerRoutes
from penstock.api.routes.usage import UsageRoutes
from penstock.api.routes.waiting import WaitingRoutes
from penstock.api.routes.webhooks import WebhookRoutes
from penstock.api.services import Services
from penstock.api.settings import ApiSettings
from penstock.base.codec import to_json_text
from penstock.services.flows import FlowDefinitions

_PLACE = "#/components/schemas/{model}"
_IN_PATH = re.compile(r"\{(\w+)\}")
_REFERENCE = re.compile(re.escape(_PLACE).replace(r"\{model\}", r"(\w+)"))


def create_api(services: Services, settings: ApiSettings) -> FastAPI:
    """Return the application that serves API and interface.

    Args:
        services: The use cases.
        settings: How they are shown.
    """
    app = FastAPI(title="Penstock", version=settings.version, docs_url=None, redoc_url=None, openapi_url=None)
    launches = LaunchRoutes(services.executions, services.following, services.clock, settings)
    webhooks = WebhookRoutes(services.webhooks, services.clock, settings)
    routers = [*_routers(services, settings), webhooks.router(), launches.router()]
    # Routes are tried in order: webhooks and launches, of which there may be hundreds a second, come first.
    app.router.routes.extend(webhooks.hot())
    app.router.routes.extend(launches.hot(reserved_words(routers)))
    for router in (*routers, *services.routers):
        app.include_router(router)
    _describe(app)
    app.router.routes.extend(InterfaceRoutes(settings.ui, settings.context).routes())
    install_error_handlers(app)
    _wrap(app, services, settings)
    return app


def _routers(services: Services, settings: ApiSettings) -> list[APIRouter]:
    """Return all routers; one with fixed words stands before one with names in the same place."""
    clock, definitions = services.clock, services.flow_definitions
    tokens = TokenAnswers(services.tokens, clock, settings)
    flow_bulk = FlowBulkRoutes(services.flows, services.flow_bulk, services.flow_checker, definitions, clock, settings)
    return [
        InstanceRoutes(services.auth, services.instance, services.templates, settings).router(),
        AccountRoutes(services.auth, services.flows, settings).router(),
        UsageRoutes(services.usage, services.instance).router(),
        TokenRoutes(tokens).router(),
        ServiceAccountRoutes(services.service_accounts, tokens, settings).router(),
        PreferenceRoutes(services.preferences, settings).router(),
        DraftRoutes(services.drafts, settings).router(),
        HealthRoutes(services.health, None, details=False).router(),
        BlueprintRoutes(services.blueprints, services.graphs).router(),
        OwnBlueprintRoutes(services.own_blueprints, settings).router(),
        DashboardRoutes(services.dashboards, clock, settings).router(),
        DependencyRoutes(services.dependencies, services.reader, clock, settings).router(),
        GraphRoutes(services.graphs, services.reader, clock, settings).router(),
        flow_bulk.router(),
        SwitchRoutes(services.switches, services.flows, services.triggers, definitions, clock, settings).router(),
        FlowRoutes(
            services.flows,
            services.flow_checker,
            definitions,
            services.triggers,
            services.switches,
            clock,
            settings,
        ).router(),
        PlanRoutes(services.planner, services.flows, clock, settings).router(),
        flow_bulk.general_router(),
        BulkRoutes(services.bulk, services.steering, services.replaying, services.deleting, clock, settings).router(),
        ConcurrencyRoutes(services.concurrency, settings).router(),
        ExportRoutes(services.reader, clock).router(),
        OverrideRoutes(services.steering, services.resuming, clock, settings).router(),
        ExecutionRoutes(
            services.reader,
            services.deleting,
            services.steering,
            services.replaying,
            services.tester,
            services.flows,
            definitions,
            clock,
            settings,
        ).router(),
        SizeRoutes(services.sizes).router(),
        FileRoutes(services.files, settings).router(),
        FollowRoutes(services.reader, services.following, clock, settings).router(),
        LogRoutes(services.logs, services.log_windows, clock, settings).router(),
        MetricRoutes(services.flow_metrics).router(),
        KeyValueRoutes(services.key_values, clock, settings).router(),
        NamespaceRoutes(services.namespaces, services.namespace_expressions, settings).router(),
        SecretRoutes(services.secrets, clock, settings).router(),
        TemplateRoutes(services.templates, FlowDefinitions(), settings).router(),
        NamespaceFileRoutes(services.namespace_files).router(),
        TriggerRoutes(
            services.triggers,
            services.flows,
            services.switches,
            definitions,
            services.executions,
            clock,
            settings,
        ).router(),
        PreconditionRoutes(services.preconditions).router(),
        WaitingRoutes(services.explainer, services.trigger_explainer, services.audit).router(),
        SuiteRoutes(services.suites, services.suite_recorder, settings).router(),
        AssetRoutes(services.assets, clock, settings).router(),
        GovernanceRoutes().router(),
        PluginRoutes(services.plugins).router(),
        PluginVersionRoutes(services.plugin_management).router(),
    ]


def reserved_words(routers: Iterable[APIRouter]) -> frozenset[str]:
    """Return the words that follow something under `POST .../executions/`, so that they are no flow ids there."""
    words = set()
    for router in routers:
        for route in router.routes:
            parts = route.path.split("/") if isinstance(route, APIRoute) and "POST" in (route.methods or ()) else []
            if len(parts) == 7 and parts[4] == "executions" and not parts[6].startswith("{"):
                words.add(parts[6])
    return frozenset(words)


def _describe(app: FastAPI) -> None:
    """Add the API's description, for machines and for people (ENG-134)."""

    async def document(request: Request) -> Response:
        return JsonAnswer(app.openapi())

    async def page(request: Request) -> Response:
        return HTMLResponse(description_page(app.openapi()))

    app.router.routes.extend(
        [
            Route("/openapi.json", document, methods=["GET"]),
            Route("/api", page, methods=["GET"]),
            Route("/api/openapi.json", document, methods=["GET"]),
        ]
    )
    app.openapi = partial(_document, app)  # type: ignore[method-assign]  # the documented way to extend it


def _document(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document, with the shapes that only request bodies refer to."""
    if app.openapi_schema is None:
        document = get_openapi(title="Penstock API", version=app.version, routes=app.routes)
        known = document["components"]["schemas"]
        for name in sorted(set(_REFERENCE.findall(to_json_text(document))) - set(known)):
            shape = getattr(schemas, name).model_json_schema(by_alias=True, ref_template=_PLACE)
            known.update({**shape.pop("$defs", {}), **known, name: shape})
        for path, operations in document["paths"].items():
            for operation in operations.values():
                if parameters := _parameters(path, operation.pop("parameters", ())):
                    operation["parameters"] = parameters
        schemes = ("basic", "bearer")
        document["components"]["securitySchemes"] = {name: {"type": "http", "scheme": name} for name in schemes}
        document["security"] = [{name: []} for name in schemes]
        app.openapi_schema = document
    return app.openapi_schema


def _parameters(path: str, declared: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return each parameter once, as it was described last, and those of the path that no handler asks for."""
    missing = {("path", name): {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
               for name in _IN_PATH.findall(path)}  # fmt: skip
    return list({**missing, **{(one["in"], one["name"]): one for one in declared}}.values())


def _wrap(app: FastAPI, services: Services, settings: ApiSettings) -> None:
    """Put the middleware around the application; what is added last sees a request first."""
    app.add_middleware(Gate, auth=services.auth, settings=settings)
    app.add_middleware(Timing, tally=services.http)  # within the next, which gives the router another scope
    app.add_middleware(PathRewriter, settings=settings)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware, allow_origins=list(settings.cors_origins), allow_methods=["*"], allow_headers=["*"]
        )
    app.add_middleware(Heads)
    app.add_middleware(Failures)
    app.add_middleware(SecurityHeaders)
