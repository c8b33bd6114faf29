"""The settings themselves: typed, frozen, with the documented keys and defaults.

A key `kestra.storage.local.base-path` is the attribute `kestra.storage.local.base_path`. What is documented for
systems this server does not have is known by name (`WITHOUT_EFFECT`), so that existing files load.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from penstock.base.clock import SECOND
from penstock.wiring.config.keys import Path
from penstock.wiring.config.units import Address, Duration, EndStates, Level, Period, SecretList, Size, TextList

MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
Flag = Annotated[Literal["true", "error"], BeforeValidator(lambda value: "true" if value is True else value)]
"""Allow it, or make it an error."""


class Section(BaseModel):
    """Base of a part of the configuration; its keys are the kebab-case names of its fields."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        populate_by_name=True,
        alias_generator=lambda name: name.rstrip("_").replace("_", "-"),
    )


class LocalStorage(Section):
    """`kestra.storage.local` (OPS-212: where files go when nothing is said)."""

    base_path: str | None = None


class Storage(Section):
    """`kestra.storage`."""

    type: Literal["local"] | None = None
    local: LocalStorage = LocalStorage()


class Kind(Section):
    """`kestra.repository` and `kestra.queue` (OPS-016)."""

    type: Literal["memory", "h2", "postgres", "mysql", "sqlite", "elasticsearch", "kafka"] | None = None


class BasicAuth(Section):
    """`kestra.server.basic-auth` (OPS-077)."""

    enabled: bool = True
    username: str | None = None
    password: SecretStr | None = None
    open_urls: TextList = ()


class Liveness(Section):
    """`kestra.server.liveness` (OPS-125)."""

    enabled: bool = True
    interval: Duration = 5 * SECOND
    timeout: Duration = 45 * SECOND
    initial_delay: Duration = 45 * SECOND
    heartbeat_interval: Duration = 3 * SECOND


class Server(Section):
    """`kestra.server`."""

    basic_auth: BasicAuth = BasicAuth()
    liveness: Liveness = Liveness()
    termination_grace_period: Duration = 5 * MINUTE
    terminate_grace_period: Duration | None = None
    worker_task_restart_strategy: Literal["AFTER_TERMINATION_GRACE_PERIOD", "IMMEDIATELY", "NEVER"] = (
        "AFTER_TERMINATION_GRACE_PERIOD"
    )

    @property
    def grace_period(self) -> int:
        """How long a stopping server lets its jobs run (OPS-127, OPS-207: two spellings)."""
        return self.terminate_grace_period if self.terminate_grace_period is not None else self.termination_grace_period


class Variables(Section):
    """`kestra.variables` (OPS-058 to OPS-060)."""

    env_vars_prefix: str = "ENV_"
    globals_: dict[str, Any] = Field(default_factory=dict)
    recursive_rendering: bool = False
    cache_enabled: bool = True
    cache_size: int = 1000


class EnvironmentBadge(Section):
    """`kestra.environment` (OPS-057)."""

    name: str | None = None
    color: str | None = None


class Regex(Section):
    """`kestra.regex` (OPS-061)."""

    timeout: Duration = 10 * SECOND


class LocalFiles(Section):
    """`kestra.local-files` (OPS-063)."""

    allowed_paths: TextList = ()
    enable_preview: bool = True


class TemporaryDirectory(Section):
    """`kestra.tasks.tmp-dir` (OPS-066)."""

    path: str | None = None


class DockerScripts(Section):
    """`kestra.tasks.scripts.docker`: commands meant for containers (SCR-026, BEY-035)."""

    fallback: Flag = "true"
    volume_enabled: bool = False


class Scripts(Section):
    """`kestra.tasks.scripts`."""

    docker: DockerScripts = DockerScripts()


class Tasks(Section):
    """`kestra.tasks`."""

    scripts: Scripts = Scripts()
    tmp_dir: TemporaryDirectory = TemporaryDirectory()
    defaults: tuple[dict[str, Any], ...] = ()


class PluginManagement(Section):
    """`kestra.plugins.management`: plugins with environments of their own (OPS-074, GOV-373)."""

    enabled: bool = True
    local_repository_path: str = "~/.kestra/plugins"
    default_version: str = "LATEST"


class Plugins(Section):
    """`kestra.plugins` (OPS-070, OPS-071)."""

    defaults: tuple[dict[str, Any], ...] = ()
    configurations: tuple[dict[str, Any], ...] = ()
    management: PluginManagement = PluginManagement()
    path: str | None = None


class Encryption(Section):
    """`kestra.encryption` (OPS-076)."""

    secret_key: SecretStr | None = None


class KeptSecrets(Section):
    """`kestra.secret.jdbc` (GOV-229, GOV-231)."""

    secret: SecretStr | None = None
    tags: dict[str, str] = {}


class TagFilter(Section):
    """`kestra.secret.aws-secret-manager.filter-on-tags` (GOV-249)."""

    tags: dict[str, str] = {}


class PrefixFilter(Section):
    """`kestra.secret.aws-secret-manager.filter-on-prefix` (GOV-250)."""

    prefix: str = ""
    keep_prefix: bool = False


class AwsSecretManager(Section):
    """`kestra.secret.aws-secret-manager` (GOV-229, GOV-230, GOV-232)."""

    access_key_id: SecretStr | None = None
    secret_key_id: SecretStr | None = None
    session_token: SecretStr | None = None
    region: str | None = None
    endpoint_override: str | None = None
    prefix: str = "kestra"
    tags: dict[str, str] = {}
    filter_on_tags: TagFilter = TagFilter()
    filter_on_prefix: PrefixFilter = PrefixFilter()


class SecretCache(Section):
    """`kestra.secret.cache` (GOV-228)."""

    enabled: bool = False
    maximum_size: int = Field(default=1000, ge=1)
    expire_after_write: Duration = MINUTE


class Secrets(Section):
    """`kestra.secret` (BEY-060, GOV-227, GOV-231, GOV-247)."""

    type: Literal["env", "jdbc", "aws-secret-manager"] | None = None
    jdbc: KeptSecrets = KeptSecrets()
    aws_secret_manager: AwsSecretManager = AwsSecretManager()
    cache: SecretCache = SecretCache()
    read_only: bool = False
    encoding: Literal["auto", "plain", "base64"] = "base64"


class HiddenLabels(Section):
    """`kestra.hidden-labels`."""

    prefixes: TextList = ("system.",)


class SystemFlows(Section):
    """`kestra.system-flows` (OPS-064)."""

    namespace: str = "system"


class Switch(Section):
    """A part that can only be turned on or off."""

    enabled: bool = False


class ConfigurationFiles(Section):
    """`kestra.configurations` (OPS-053)."""

    delete_files_on_start: bool = False


class WorkerAccess(Section):
    """`kestra.worker`: workers that reach the server over HTTP (BEY-010); an addition to the documented keys."""

    tokens: SecretList = ()


AtLeastOne = Annotated[int, Field(ge=1)]


class ConcurrencyLimits(Section):
    """`kestra.concurrency`: how many executions run at a time (BEY-012); an addition to the documented keys."""

    pools: dict[str, AtLeastOne] = Field(default_factory=dict)
    namespaces: dict[str, AtLeastOne] = Field(default_factory=dict)
    labels: dict[str, AtLeastOne] = Field(default_factory=dict)


class Admission(Section):
    """`kestra.admission`: when requests for executions are refused (BEY-011); an addition to the documented keys."""

    namespaces: dict[str, AtLeastOne] = Field(default_factory=dict)


class Metrics(Section):
    """`kestra.metrics` (OPS-141, OPS-142)."""

    prefix: str = "kestra"
    labels: TextList = ()


class RetentionRule(Section):
    """One of `kestra.retention.rules` (BEY-020): the first that fits an execution decides.

    A word that is not known is an error here: a rule without the condition that it was to have fits everything.
    """

    model_config = ConfigDict(extra="forbid")

    namespace: str | None = None
    states: EndStates = ()
    labels: dict[str, str] = Field(default_factory=dict)
    executions: Period | None = None
    logs: Period | None = None


class Retention(Section):
    """`kestra.retention`: how long records are kept (BEY-020); an addition to the documented keys."""

    enabled: bool = True
    executions: Period = 90 * DAY
    logs: Period = 30 * DAY
    rules: tuple[RetentionRule, ...] = ()
    initial_delay: Duration = 10 * MINUTE
    fixed_delay: Duration = HOUR


class Lists(Section):
    """`kestra.lists`: how far lists reach, how long they may take (BEY-022); an addition to the documented keys."""

    time_range: Period = 90 * DAY
    timeout: Duration = 30 * SECOND


class Alerts(Section):
    """`kestra.alerts`: tells people of triggers that are late or fail (BEY-005); an addition to the documented keys."""

    url: SecretStr | None = None
    of: tuple[Literal["LATE", "FAILING"], ...] = ("LATE", "FAILING")
    fixed_delay: Duration = MINUTE


class Core(Section):
    """`kestra`."""

    url: Address = None
    environment: EnvironmentBadge = EnvironmentBadge()
    repository: Kind = Kind()
    queue: Kind = Kind()
    storage: Storage = Storage()
    server: Server = Server()
    variables: Variables = Variables()
    regex: Regex = Regex()
    local_files: LocalFiles = LocalFiles()
    tasks: Tasks = Tasks()
    plugins: Plugins = Plugins()
    encryption: Encryption = Encryption()
    secret: Secrets = Secrets()
    hidden_labels: HiddenLabels = HiddenLabels()
    system_flows: SystemFlows = SystemFlows()
    templates: Switch = Switch()
    listeners: Switch = Switch()
    tutorial_flows: Switch = Switch(enabled=True)
    configurations: ConfigurationFiles = ConfigurationFiles()
    worker: WorkerAccess = WorkerAccess()
    concurrency: ConcurrencyLimits = ConcurrencyLimits()
    retention: Retention = Retention()
    admission: Admission = Admission()
    metrics: Metrics = Metrics()
    alerts: Alerts = Alerts()
    lists: Lists = Lists()


class DataSource(Section):
    """One of `datasources` (OPS-017)."""

    url: str | None = None
    driver_class_name: str | None = None
    username: str | None = None
    password: SecretStr | None = None
    dialect: str | None = None


class DataSources(Section):
    """`datasources`."""

    postgres: DataSource = DataSource()
    h2: DataSource = DataSource()
    sqlite: DataSource = DataSource()
    mysql: DataSource = DataSource()


class Cors(Section):
    """`micronaut.server.cors` (OPS-098)."""

    enabled: bool = False


class HttpServer(Section):
    """`micronaut.server` (OPS-093, OPS-095, OPS-096)."""

    host: str = "0.0.0.0"  # noqa: S104  # the documented server answers on all addresses
    port: int = Field(8080, ge=0, le=65535)
    context_path: str = ""
    max_request_size: Size = 10 * 1024**3
    cors: Cors = Cors()


class Watch(Section):
    """`micronaut.io.watch` (ENG-012, OPS-065)."""

    enabled: bool = False
    paths: tuple[str, ...] = ()


class Io(Section):
    """`micronaut.io`."""

    watch: Watch = Watch()


class Http(Section):
    """`micronaut`: what the web server listens to; the documented keys keep the framework's name."""

    server: HttpServer = HttpServer()
    io: Io = Io()


class Credentials(Section):
    """A user name and a password."""

    username: str | None = None
    password: SecretStr | None = None


class AllEndpoints(Section):
    """`endpoints.all` (OPS-093, OPS-094)."""

    enabled: bool = True
    port: int = Field(8081, ge=0, le=65535)
    basic_auth: Credentials = Credentials()


class Endpoints(Section):
    """`endpoints`: the management endpoints."""

    all: AllEndpoints = AllEndpoints()


class Logger(Section):
    """`logger` (OPS-103, OPS-105)."""

    levels: dict[str, Level] = Field(default_factory=dict)
    format: Literal["plain", "json"] | None = None


class Settings(Section):
    """Everything a server can be told. Implements the keys of OPS-016 to OPS-103 that are named in this module."""

    kestra: Core = Core()
    datasources: DataSources = DataSources()
    micronaut: Http = Http()
    endpoints: Endpoints = Endpoints()
    logger: Logger = Logger()


WITHOUT_EFFECT: tuple[Path, ...] = (
    ("kestra", "ai"),
    ("kestra", "anonymous-usage-report"),
    ("kestra", "ee"),
    ("kestra", "elasticsearch"),
    ("kestra", "heartbeat"),
    ("kestra", "indexer"),
    ("kestra", "jdbc"),
    ("kestra", "kafka"),
    ("kestra", "kv"),
    ("kestra", "plugins", "management", "auto-reload-enabled"),
    ("kestra", "plugins", "management", "auto-reload-interval"),
    ("kestra", "plugins", "management", "custom-plugins-enabled"),
    ("kestra", "plugins", "management", "remote-storage-enabled"),
    ("kestra", "plugins", "repositories"),
    ("kestra", "plugins", "security"),
    ("kestra", "queue", "postgres"),
    ("kestra", "retries"),
    ("kestra", "security"),
    ("kestra", "server", "service"),
    ("kestra", "server-type"),
    ("kestra", "tasks", "sdk"),
    ("kestra", "traces"),
    ("kestra", "ui-anonymous-usage-report"),
    ("kestra", "webserver"),
)
"""Documented keys that are accepted and do nothing here."""


def known_paths(section: type[BaseModel] = Settings, prefix: Path = ()) -> Iterator[tuple[Path, bool]]:
    """Yield every path of the settings, and whether any key may stand below it."""
    for name, field in section.model_fields.items():
        path = (*prefix, field.alias or name)
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, Section):
            yield from known_paths(inner, path)
        else:
            yield path, str(inner).startswith("dict[")
