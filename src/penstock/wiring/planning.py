"""From settings to a plan. Implements OPS-016, OPS-051, OPS-056 to OPS-059, OPS-063, OPS-070, OPS-071, OPS-125."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from penstock.builtin.runners.docker import Docker
from penstock.secrets import ChainedSecrets, EnvironmentSecrets, FileSecrets
from penstock.services.auth import Credentials
from penstock.services.encryption import Encryption, EncryptionError
from penstock.services.executor.limits import Limits
from penstock.services.scheduler import Recovery
from penstock.services.worker import WorkerSettings
from penstock.wiring.config import ConfigurationError, Settings
from penstock.wiring.config.settings import Alerts
from penstock.wiring.datasource import database_url
from penstock.wiring.expressions import expression_plan
from penstock.wiring.flow_reading import plugin_defaults
from penstock.wiring.local import database_file
from penstock.wiring.plan import AlertsPlan, HttpPlan, MetricsPlan, Plan, Role
from penstock.wiring.plugin_plan import plugin_plan
from penstock.wiring.retention import retention_plan
from penstock.wiring.secret_planning import secret_caching, secret_manager, secret_tags

IMAGE_STORAGE = Path("/app/storage")
MOUNTED_SECRETS = Path("/run/secrets")


def plan_of(
    settings: Settings,
    roles: Iterable[Role],
    *,
    data: Path | None = None,
    environment: Mapping[str, str] | None = None,
    threads: int | None = None,
    worker_group: str = "",
    flow_path: Path | None = None,
    generate_credentials: bool = False,
    management_is_required: bool = False,
) -> Plan:
    """Return the plan the settings make.

    Args:
        settings: What is configured.
        roles: What the process does.
        data: The data directory of `server local`.
        environment: The environment variables; those of the process by default.
        threads: How many tasks the worker runs at once.
        worker_group: The group of the worker.
        flow_path: A folder whose flows are loaded at start.
        generate_credentials: Make an account when there is none.
        management_is_required: Do not start when the management port is taken.

    Raises:
        ConfigurationError: The settings do not make sense together.
    """
    variables = os.environ if environment is None else environment
    database = database_url(settings)
    core = settings.kestra
    if core.server.liveness.heartbeat_interval >= core.server.liveness.timeout:
        raise ConfigurationError(
            "kestra.server.liveness.heartbeat-interval must be shorter than kestra.server.liveness.timeout"
        )
    watch = settings.micronaut.io.watch
    return Plan(
        roles=frozenset(roles),
        database=database,
        storage=storage_root(settings, data),
        upgrades=data is not None and database == database_file(data),
        worker=worker_settings(settings, threads, worker_group),
        http=_http(settings, management_is_required),
        secrets=_secrets(settings, variables),
        secret_encryption=secret_encryption(settings),
        secret_manager=secret_manager(core.secret),
        secret_caching=secret_caching(core.secret.cache),
        secret_tags=secret_tags(core.secret),
        secrets_are_read_only=core.secret.read_only,
        shared=shared_variables(settings, variables),
        plugin_defaults=plugin_defaults([*core.tasks.defaults, *core.plugins.defaults]),
        recovery=_recovery(core.plugins.configurations),
        credentials=_credentials(core.server.basic_auth.username, core.server.basic_auth.password),
        generate_credentials=generate_credentials,
        worker_timeout=core.server.liveness.timeout,
        limits=Limits(core.concurrency.pools, core.concurrency.namespaces, core.concurrency.labels),
        system_namespace=core.system_flows.namespace,
        flow_path=flow_path,
        watched_flows=tuple(map(Path, watch.paths)) if watch.enabled else (),
        expressions=expression_plan(settings),
        encryption=encryption(settings),
        listeners=core.listeners.enabled,
        templates=core.templates.enabled,
        plugin_configurations=plugin_configurations(settings),
        retention=retention_plan(settings),
        alerts=_alerts(core.alerts),
        admission=core.admission.namespaces,
        metrics=MetricsPlan(core.metrics.prefix, core.metrics.labels),
        plugins=plugin_plan(settings),
        list_timeout=core.lists.timeout,
    )


def _alerts(given: Alerts) -> AlertsPlan | None:
    """Return where alerts go; None where nobody is to be told."""
    if given.url is None or not given.url.get_secret_value():
        return None
    return AlertsPlan(given.url.get_secret_value(), given.of, given.fixed_delay)


def storage_root(settings: Settings, data: Path | None) -> Path:
    """Return the folder of internal storage (OPS-051, OPS-212).

    Raises:
        ConfigurationError: No type of storage is set.
    """
    if settings.kestra.storage.type is None:
        raise ConfigurationError("kestra.storage.type is missing", hint="set it to local")
    if settings.kestra.storage.local.base_path:
        return Path(settings.kestra.storage.local.base_path).expanduser()
    if IMAGE_STORAGE.is_dir() and os.access(IMAGE_STORAGE, os.W_OK):
        return IMAGE_STORAGE
    return (data or Path(".penstock")) / "storage"


def shared_variables(settings: Settings, environment: Mapping[str, str]) -> dict[str, Any]:
    """Return `envs`, `globals` and `kestra` of every expression (EXP-030, EXP-031, OPS-058, OPS-059)."""
    prefix = settings.kestra.variables.env_vars_prefix
    names = [name for name in environment if name.startswith(prefix)]
    instance = {"environment": settings.kestra.environment.name, "url": settings.kestra.url}
    return {
        "envs": {name[len(prefix) :].lower(): environment[name] for name in names},
        "globals": settings.kestra.variables.globals_,
        "kestra": {name: value for name, value in instance.items() if value is not None},
    }


def worker_settings(settings: Settings, threads: int | None, group: str) -> WorkerSettings:
    """Return how a worker behaves."""
    core = settings.kestra
    defaults = WorkerSettings()
    directory = core.tasks.tmp_dir.path
    return WorkerSettings(
        group=group,
        threads=threads or defaults.threads,
        heartbeat_every=core.server.liveness.heartbeat_interval,
        sure_for=core.server.liveness.timeout * 2 // 3,
        grace=core.server.grace_period,
        directory=Path(directory).expanduser() if directory else None,
        allowed_paths=tuple(Path(path) for path in core.local_files.allowed_paths),
    )


def encryption(settings: Settings) -> Encryption | None:
    """Return the encryption with the configured key (OPS-076).

    Raises:
        ConfigurationError: The key is none.
    """
    key = settings.kestra.encryption.secret_key
    if key is None or not key.get_secret_value():
        return None
    try:
        return Encryption.of_text(key.get_secret_value())
    except EncryptionError as error:
        raise ConfigurationError(f"kestra.encryption.secret-key: {error.message}", hint=error.hint) from None


def secret_encryption(settings: Settings) -> Encryption | None:
    """Return what encrypts the secrets of namespaces: with a key of their own, or that of the instance (GOV-231).

    Raises:
        ConfigurationError: The key is none.
    """
    own = settings.kestra.secret.jdbc.secret
    return Encryption.of_phrase(own.get_secret_value()) if own is not None else encryption(settings)


def plugin_configurations(settings: Settings) -> dict[str, dict[str, Any]]:
    """Return what is configured for plugins, by type (OPS-071, SCR-026, BEY-035)."""
    docker = settings.kestra.tasks.scripts.docker
    result: dict[str, dict[str, Any]] = {
        Docker.type_name: {"fallback": docker.fallback, "volume-enabled": docker.volume_enabled}
    }
    for entry in settings.kestra.plugins.configurations:
        result.setdefault(str(entry.get("type")), {}).update(entry.get("values") or {})
    return result


def _http(settings: Settings, management_is_required: bool) -> HttpPlan:
    core, server, management = settings.kestra, settings.micronaut.server, settings.endpoints.all
    path = server.context_path.strip("/")
    return HttpPlan(
        host=server.host,
        port=server.port,
        management_port=management.port if management.enabled else None,
        management_credentials=_credentials(management.basic_auth.username, management.basic_auth.password),
        context_path=f"/{path}" if path else "",
        url=core.url or "",
        open_urls=core.server.basic_auth.open_urls,
        environment=(core.environment.name, core.environment.color),
        worker_tokens=tuple(token.get_secret_value() for token in core.worker.tokens),
        hidden_labels=core.hidden_labels.prefixes,
        cors=server.cors.enabled,
        management_is_required=management_is_required,
        list_range=core.lists.time_range if isinstance(core.lists.time_range, int) else None,
    )


def _secrets(settings: Settings, environment: Mapping[str, str]) -> tuple[ChainedSecrets, ...]:
    sources: list[Any] = [EnvironmentSecrets(environment, settings.kestra.secret.encoding)]
    if MOUNTED_SECRETS.is_dir():
        sources.append(FileSecrets(MOUNTED_SECRETS))
    return (ChainedSecrets(sources),)


def _credentials(username: str | None, password: Any) -> Credentials | None:
    if not username or password is None:
        return None
    return Credentials(username, password.get_secret_value())


def _recovery(configurations: Iterable[Mapping[str, Any]]) -> dict[str, Recovery]:
    """Return what becomes of missed dates by trigger type (OPS-071).

    Raises:
        ConfigurationError: It is none of ALL, LAST, NONE.
    """
    result = {}
    for entry in configurations:
        values = entry.get("values") or {}
        wanted = values.get("recoverMissedSchedules", values.get("recover-missed-schedules"))
        if wanted is None:
            continue
        try:
            result[str(entry.get("type"))] = Recovery(str(wanted).upper())
        except ValueError:
            raise ConfigurationError(
                f"recoverMissedSchedules of {entry.get('type')} is `{wanted}`", hint="write ALL, LAST or NONE"
            ) from None
    return result
