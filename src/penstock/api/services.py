"""The use cases the API calls, in one place. Filled by `penstock.wiring`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from fastapi import APIRouter

from penstock.base.clock import Clock
from penstock.services.assets import AssetService
from penstock.services.audit import AuditReader
from penstock.services.auth import AuthService, ServiceAccounts, Tokens
from penstock.services.blueprints import BlueprintCatalogue, OwnBlueprints
from penstock.services.concurrency import ConcurrencyLimits
from penstock.services.dashboards import DashboardService
from penstock.services.dependencies import DependencyService
from penstock.services.drafts import Drafts
from penstock.services.executions import (
    Bulk,
    Deleting,
    ExecutionReader,
    ExecutionService,
    ExecutionSizes,
    ExpressionTester,
    Following,
    NamespaceExpressions,
    Replaying,
    ResumeReader,
    Steering,
)
from penstock.services.explaining import ExecutionExplainer, TriggerExplainer
from penstock.services.files import ExecutionFiles
from penstock.services.flow_metrics import FlowMetrics
from penstock.services.flow_plans import FlowPlanner
from penstock.services.flows import FlowBulk, FlowChecker, FlowDefinitions, FlowService
from penstock.services.graphs import GraphService
from penstock.services.health import HealthService
from penstock.services.instance import InstanceService
from penstock.services.keyvalues import KeyValueService
from penstock.services.log_windows import LogWindows
from penstock.services.logs import LogService
from penstock.services.metrics import HttpTally
from penstock.services.namespace_files import NamespaceFileService
from penstock.services.namespaces import NamespaceService
from penstock.services.plugin_management import PluginManagement
from penstock.services.plugins import PluginCatalogue
from penstock.services.preconditions import PreconditionService
from penstock.services.preferences import Preferences
from penstock.services.secrets import SecretService
from penstock.services.switches import SwitchService
from penstock.services.templates import TemplateService
from penstock.services.triggers import TriggerService
from penstock.services.unit_tests import SuiteRecorder, SuiteService
from penstock.services.usage import UsageService
from penstock.services.webhooks import WebhookService


@dataclass(frozen=True, slots=True)
class Services:
    """What the handlers work with."""

    assets: AssetService
    audit: AuditReader
    auth: AuthService
    blueprints: BlueprintCatalogue
    bulk: Bulk
    clock: Clock
    concurrency: ConcurrencyLimits
    dashboards: DashboardService
    deleting: Deleting
    dependencies: DependencyService
    executions: ExecutionService
    explainer: ExecutionExplainer
    files: ExecutionFiles
    flow_bulk: FlowBulk
    flow_checker: FlowChecker
    flow_definitions: FlowDefinitions
    flow_metrics: FlowMetrics
    flows: FlowService
    following: Following
    graphs: GraphService
    health: HealthService
    http: HttpTally
    instance: InstanceService
    key_values: KeyValueService
    logs: LogService
    log_windows: LogWindows
    namespace_expressions: NamespaceExpressions
    namespace_files: NamespaceFileService
    namespaces: NamespaceService
    own_blueprints: OwnBlueprints
    planner: FlowPlanner
    plugin_management: PluginManagement
    plugins: PluginCatalogue
    preconditions: PreconditionService
    preferences: Preferences
    drafts: Drafts
    reader: ExecutionReader
    replaying: Replaying
    resuming: ResumeReader
    secrets: SecretService
    sizes: ExecutionSizes
    steering: Steering
    suite_recorder: SuiteRecorder
    suites: SuiteService
    switches: SwitchService
    templates: TemplateService
    service_accounts: ServiceAccounts
    tokens: Tokens
    tester: ExpressionTester
    trigger_explainer: TriggerExplainer
    triggers: TriggerService
    usage: UsageService
    webhooks: WebhookService
    routers: Sequence[APIRouter] = field(default=())
    """Routes of others, such as those for workers that connect over HTTP."""
