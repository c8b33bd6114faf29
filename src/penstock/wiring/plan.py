"""What a process is to be: roles, places, numbers. Made from settings and command-line flags; read by `Application`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from penstock.base.clock import SECOND, Micros
from penstock.model.defaults import PluginDefaults
from penstock.ports.secrets import SecretManager, SecretSource
from penstock.secrets import Caching
from penstock.services.auth import Credentials
from penstock.services.encryption import Encryption
from penstock.services.executor.limits import Limits
from penstock.services.retention import Policy
from penstock.services.scheduler import Recovery
from penstock.services.worker import WorkerSettings
from penstock.wiring.expressions import ExpressionPlan
from penstock.wiring.plugin_plan import PluginPlan


class Role(StrEnum):
    """A server component (OPS-001)."""

    EXECUTOR = "executor"
    WORKER = "worker"
    SCHEDULER = "scheduler"
    WEBSERVER = "webserver"
    INDEXER = "indexer"


ALL_ROLES = frozenset({Role.EXECUTOR, Role.WORKER, Role.SCHEDULER, Role.WEBSERVER})


@dataclass(frozen=True, slots=True)
class HttpPlan:
    """Where the web server listens.

    Args:
        host: The address.
        port: The port of API and interface; 0 takes a free one.
        management_port: The port of health and metrics (OPS-093); None leaves them to the main port.
        management_credentials: Who may read them; everybody by default (OPS-094).
        context_path: The path everything lives under (OPS-096).
        url: The public address (OPS-056).
        open_urls: Path prefixes that need no login (OPS-077).
        environment: Name and colour of the badge (OPS-057).
        worker_tokens: Tokens of workers that connect over HTTP (BEY-010).
        hidden_labels: Prefixes of labels that lists do not show.
        cors: Pages of other origins may call the API (OPS-098).
        management_is_required: Do not start when the management port is taken.
        list_range: How far back lists of executions and log lines reach that ask for no time; None for all.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    management_port: int | None = None
    management_credentials: Credentials | None = None
    context_path: str = ""
    url: str = ""
    open_urls: tuple[str, ...] = ()
    environment: tuple[str | None, str | None] = (None, None)
    worker_tokens: tuple[str, ...] = ()
    hidden_labels: tuple[str, ...] = ("system.",)
    cors: bool = False
    management_is_required: bool = False
    list_range: Micros | None = None


@dataclass(frozen=True, slots=True)
class RetentionPlan:
    """How long records are kept, and how often what is older is removed."""

    policy: Policy
    wait: Micros
    every: Micros


@dataclass(frozen=True, slots=True)
class AlertsPlan:
    """Where alerts of triggers go, which, and how often it is looked for them (BEY-005)."""

    url: str
    kinds: tuple[str, ...]
    every: Micros


@dataclass(frozen=True, slots=True)
class MetricsPlan:
    """The first word of metrics' names (OPS-141), and the labels that tell ended executions apart (OPS-142)."""

    prefix: str = "kestra"
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """A process.

    Args:
        roles: What it does.
        database: The address of the database.
        storage: The folder of internal storage.
        upgrades: Whether an older schema of an embedded database is brought up to date at start, instead of refused.
        worker: How its worker behaves.
        http: Where its web server listens.
        secrets: Where secrets come from that no namespace keeps, the first that knows one wins.
        given_secrets: What is given for this run, which wins over what namespaces keep (BEY-030).
        secret_encryption: Encrypts the secrets of namespaces (ENG-374); None where there is no key.
        secret_manager: Keeps the secrets of namespaces in place of the database (GOV-227).
        secret_caching: How their values are kept in memory; None when they are not (GOV-228).
        secret_tags: Put on every secret that is written (GOV-229).
        secrets_are_read_only: Whether the API writes none (GOV-247).
        shared: Variables of every expression: `envs`, `globals`, `kestra`.
        plugin_defaults: The instance's plugin defaults.
        recovery: What becomes of missed dates, by trigger type.
        credentials: The account of the configuration.
        generate_credentials: Make an account when there is none, and say so once.
        worker_timeout: How long a worker may be silent (OPS-125).
        limits: How many executions run at a time in pools and namespaces (BEY-012).
        system_namespace: The namespace of system flows.
        flow_path: A folder whose flows are loaded at start (ENG-010).
        watched_flows: Folders of flows to keep in step with (ENG-012).
        expressions: How expressions are rendered.
        encryption: Encrypts SECRET inputs (OPS-076).
        listeners: Whether the listeners of flows run (MIG-032).
        templates: Whether flows may use templates (MIG-030).
        plugin_configurations: What is configured for plugins, by type (OPS-071).
        retention: Removes what is old (BEY-020); None keeps everything.
        alerts: Tells of triggers that are late or fail (BEY-005); None tells nobody.
        admission: The most open executions of a namespace before requests for more are refused (BEY-011).
        metrics: How metrics are named.
        plugins: Where plugins with environments of their own are.
        list_timeout: How long a list or a chart may take the database (BEY-022).
    """

    roles: frozenset[Role]
    database: str
    storage: Path
    upgrades: bool = False
    worker: WorkerSettings = field(default_factory=WorkerSettings)
    http: HttpPlan = field(default_factory=HttpPlan)
    secrets: Sequence[SecretSource] = ()
    given_secrets: Sequence[SecretSource] = ()
    secret_encryption: Encryption | None = None
    secret_manager: SecretManager | None = None
    secret_caching: Caching | None = None
    secret_tags: tuple[tuple[str, str], ...] = ()
    secrets_are_read_only: bool = False
    shared: Mapping[str, Any] = field(default_factory=dict)
    plugin_defaults: tuple[PluginDefaults, ...] = ()
    recovery: Mapping[str, Recovery] = field(default_factory=dict)
    credentials: Credentials | None = None
    generate_credentials: bool = False
    worker_timeout: Micros = 45 * SECOND
    limits: Limits = field(default_factory=Limits)
    system_namespace: str = "system"
    flow_path: Path | None = None
    watched_flows: tuple[Path, ...] = ()
    expressions: ExpressionPlan = field(default_factory=ExpressionPlan)
    encryption: Encryption | None = None
    listeners: bool = False
    templates: bool = False
    plugin_configurations: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    retention: RetentionPlan | None = None
    alerts: AlertsPlan | None = None
    admission: Mapping[str, int] = field(default_factory=dict)
    metrics: MetricsPlan = field(default_factory=MetricsPlan)
    plugins: PluginPlan = field(default_factory=PluginPlan)
    list_timeout: Micros = 30 * SECOND

    @property
    def is_embedded(self) -> bool:
        """Whether nobody else can use the database."""
        return self.database.startswith("sqlite")
