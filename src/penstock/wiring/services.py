"""The use cases behind the API, built on the core of a process."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from fastapi import APIRouter
from prometheus_client.registry import Collector

import penstock
from penstock.api import ApiSettings, Services
from penstock.api.worker_gateway import WorkerAccess, create_worker_router
from penstock.secrets import ChainedSecrets
from penstock.services.assets import AssetService
from penstock.services.audit import AuditReader
from penstock.services.auth import AuthService
from penstock.services.auth.service import SECRET_KEY
from penstock.services.blueprints import BlueprintCatalogue, OwnBlueprints
from penstock.services.concurrency import ConcurrencyLimits
from penstock.services.dashboards import ChartData, DashboardService
from penstock.services.dependencies import DependencyService
from penstock.services.drafts import Drafts
from penstock.services.executions import (
    Bulk,
    Deleting,
    ExecutionReader,
    ExecutionSizes,
    ExpressionTester,
    Following,
    NamespaceExpressions,
    Replaying,
)
from penstock.services.explaining import ExecutionExplainer, TriggerExplainer
from penstock.services.file_access import FileAccess
from penstock.services.files import ExecutionFiles
from penstock.services.flow_metrics import FlowMetrics
from penstock.services.flow_plans import FlowPlanner
from penstock.services.flow_schema import FlowSchema
from penstock.services.flows import FlowBulk, FlowChecker, FlowDefinitions, FlowService
from penstock.services.graphs import GraphService
from penstock.services.health import HealthService
from penstock.services.instance import InstanceService
from penstock.services.log_windows import LogWindows
from penstock.services.logs import LogService
from penstock.services.metrics import Published, Sources
from penstock.services.plugin_management import PluginManagement
from penstock.services.plugins import PluginCatalogue
from penstock.services.preconditions import PreconditionService
from penstock.services.preferences import Preferences
from penstock.services.scheduler.conditions import Conditions
from penstock.services.secrets import SecretService
from penstock.services.switches import SwitchService
from penstock.services.templates import TemplateService
from penstock.services.unit_tests import SuiteRecorder, SuiteService
from penstock.services.usage import UsageService
from penstock.services.webhooks import WebhookService
from penstock.wiring.built_schema import built_schema
from penstock.wiring.core import Core, known_names
from penstock.wiring.metrics import AuditMetrics, ExecutorMetrics, LogMetrics
from penstock.wiring.plan import HttpPlan, Role
from penstock.wiring.plugin_versions import PluginVersions
from penstock.wiring.unit_tests import unit_tests
from penstock.wiring.version import penstock_version

SUITE_PATIENCE = 300.0
"""Seconds that a case of a stored test suite may take."""


def api_services(
    core: Core, auth: AuthService, routers: Sequence[APIRouter] = (), *, following: Following | None = None
) -> Services:
    """Return what the API's handlers work with.

    Args:
        core: What the use cases stand on.
        auth: Who may use them.
        routers: Further routes.
        following: Follows executions; at the usual pace by default.
    """
    store, clock, managed = core.store, core.clock, core.plan.plugins.folder
    names = known_names(core)
    checker = FlowChecker(store.flows, core.plugins.registry, defaults=core.reading.levels, names=names)
    flows, definitions = FlowService(store.flows, checker, core.catalog, store.notifier, clock), FlowDefinitions()
    switches = SwitchService(store.switches, store.triggers, core.triggers, core.catalog, store.notifier, clock)
    following = following or Following(store.queries, core.followers)
    answer = core.functions.answer
    shared = core.plan.shared
    conditions = Conditions(core.reading.condition, shared, answer)
    preconditions = PreconditionService(core.catalog, core.reading.triggers, store.triggers, conditions, clock)
    suites = SuiteService(
        store.documents, store.suite_results, unit_tests(core, patience=SUITE_PATIENCE), store.flows, clock
    )
    explainer = ExecutionExplainer(store.waiting, store.jobs, store.journal, core.catalog, core.plan.limits, clock)
    return Services(
        assets=AssetService(store.assets, clock),
        audit=AuditReader(store.settings),
        auth=auth,
        blueprints=BlueprintCatalogue(),
        bulk=Bulk(store.queries),
        clock=clock,
        concurrency=ConcurrencyLimits(store.flows, core.catalog, store.journal),
        dashboards=DashboardService(store.dashboards, ChartData(store.charts, store.flows, clock), clock),
        deleting=Deleting(store.queries, core.storage, core.dispatcher),
        dependencies=DependencyService(store.flows, store.queries, core.plugins.registry),
        executions=core.executions,
        explainer=explainer,
        files=ExecutionFiles(store.queries, FileAccess(core.storage, store.queries)),
        flow_checker=checker,
        flow_bulk=FlowBulk(flows, checker),
        flow_definitions=definitions,
        flow_metrics=FlowMetrics(store.charts, clock),
        flows=flows,
        following=following,
        graphs=GraphService(flows, definitions),
        health=health_service(core),
        http=core.tallies.http,
        instance=InstanceService(store.settings),
        key_values=core.key_values,
        logs=LogService(store.queries, core.storage),
        log_windows=LogWindows(store.queries, core.storage),
        namespace_expressions=NamespaceExpressions(core.known_namespaces, answer, shared),
        namespace_files=core.namespace_files,
        namespaces=core.namespaces,
        own_blueprints=OwnBlueprints(store.documents, checker, clock),
        planner=FlowPlanner(store.flows, checker, core.reading.resolve, core.reading.triggers, conditions, clock),
        plugin_management=PluginManagement(PluginVersions(managed) if managed is not None else None),
        plugins=_plugins(core),
        preconditions=preconditions,
        preferences=Preferences(store.preferences, clock),
        drafts=Drafts(store.drafts, clock),
        reader=ExecutionReader(store.queries),
        replaying=Replaying(store.queries, core.catalog, core.dispatcher, clock, core.inputs),
        resuming=core.resuming,
        secrets=_secrets(core),
        sizes=ExecutionSizes(store.queries, store.sizes, core.storage),
        steering=core.steering,
        tester=ExpressionTester(store.queries, core.catalog, answer, shared),
        trigger_explainer=TriggerExplainer(
            store.triggers,
            store.flows,
            core.catalog,
            core.reading.triggers,
            preconditions,
            explainer,
            switches,
            store.waiting,
            store.jobs,
            store.queries,
            clock,
        ),
        suite_recorder=SuiteRecorder(store.queries, suites),
        suites=suites,
        templates=_templates(core, checker),
        service_accounts=auth.accounts,
        tokens=auth.tokens,
        switches=switches,
        triggers=core.triggers,
        usage=UsageService(flows, definitions, store.charts, clock),
        webhooks=WebhookService(
            core.catalog, core.reading.triggers, core.executions, following, answer, conditions, shared
        ),
        routers=routers,
    )


def _secrets(core: Core) -> SecretService:
    plan = core.plan
    given = ChainedSecrets(plan.secrets)
    return SecretService(core.secret_manager, given, read_only=plan.secrets_are_read_only, tags=plan.secret_tags)


def _templates(core: Core, checker: FlowChecker) -> TemplateService:
    store = core.store
    stored = store.templates if core.plan.templates else None
    return TemplateService(stored, checker.parse, core.catalog.templates, store.notifier, core.clock)


def _plugins(core: Core) -> PluginCatalogue:
    registry = core.plugins.registry
    return PluginCatalogue(registry, core.plugins.versions, FlowSchema(registry, built_schema))


async def worker_routers(core: Core) -> list[APIRouter]:
    """Return the routes of workers that connect over HTTP; none without tokens (BEY-010)."""
    tokens = core.plan.http.worker_tokens
    if not tokens:
        return []
    # All servers of a database sign alike, so that a worker may talk to any of them.
    secret = str(await core.store.settings.get(SECRET_KEY))
    key = hashlib.blake2b(b"worker tickets", key=secret.encode()[:64], digest_size=32).digest()
    return [create_worker_router(core.remote_gateway, WorkerAccess(tokens, key))]


def health_service(core: Core) -> HealthService:
    """Return the checks of this process."""
    database = "SQLite" if core.plan.is_embedded else "PostgreSQL"
    return HealthService(core.store.settings, database, core.plan.storage)


def published(core: Core) -> Published:
    """Return the metrics of this process."""
    roles = core.plan.roles
    sources = Sources(
        core.tallies,
        core.store.depths,
        pool=core.store.database.figures,
        caches=_caches(core),
        has_executor=Role.EXECUTOR in roles,
        has_worker=Role.WORKER in roles,
        has_scheduler=Role.SCHEDULER in roles,
        prefix=core.plan.metrics.prefix,
    )
    others: list[Collector] = [LogMetrics()]
    if core.executor is not None:
        others.append(ExecutorMetrics(core.executor))
    if core.auditor is not None:
        others.append(AuditMetrics(core.auditor))
    return Published(sources, core.clock, others)


def _caches(core: Core) -> Mapping[str, Callable[[], int]]:
    """Return what tells how much this process keeps in memory."""
    executor = core.executor
    return {} if executor is None else {"executions": lambda: executor.held}


def api_settings(plan: HttpPlan, system_namespace: str) -> ApiSettings:
    """Return how the API shows things."""
    name, color = plan.environment
    return ApiSettings(
        version=penstock_version(),
        url=plan.url,
        context_path=plan.context_path,
        ui=interface_folder(),
        open_urls=plan.open_urls,
        environment_name=name,
        environment_color=color,
        secure_cookie=plan.url.startswith("https://"),
        hidden_labels=plan.hidden_labels,
        system_namespace=system_namespace,
        cors_origins=("*",) if plan.cors else (),
        list_range=plan.list_range,
    )


def interface_folder() -> Path | None:
    """Return the built interface of this installation; None when there is none."""
    folder = Path(penstock.__file__).parent / "_ui"
    return folder if folder.is_dir() else None
