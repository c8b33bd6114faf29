"""The plan of `penstock run`: executor and worker in this process, on a database that is thrown away afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from penstock.base.clock import SECOND
from penstock.secrets import EnvironmentSecrets, GivenSecrets
from penstock.services.encryption import Encryption
from penstock.services.worker.settings import task_environment
from penstock.wiring.config import Settings
from penstock.wiring.datasource import MEMORY
from penstock.wiring.expressions import expression_plan
from penstock.wiring.flow_reading import plugin_defaults
from penstock.wiring.local import database_file
from penstock.wiring.plan import Plan, Role
from penstock.wiring.planning import (
    encryption,
    plugin_configurations,
    secret_encryption,
    shared_variables,
    worker_settings,
)

_GRACE = 5 * SECOND


def single_run_plan(
    settings: Settings, scratch: Path, data: Path | None, environment: Mapping[str, str], secrets: Mapping[str, str]
) -> Plan:
    """Return the plan.

    Args:
        settings: What is configured: plugin defaults, globals.
        scratch: A folder that is thrown away.
        data: Keep database and files here instead.
        environment: The environment variables, those of an environment file included.
        secrets: Secrets given by name; they win over all others.
    """
    core = settings.kestra
    worker = worker_settings(settings, None, "")
    return Plan(
        roles=frozenset({Role.EXECUTOR, Role.WORKER}),
        database=database_file(data) if data is not None else MEMORY,
        storage=(data or scratch) / "storage",
        worker=replace(worker, grace=_GRACE, environment=task_environment(environment)),
        secrets=[EnvironmentSecrets(environment, core.secret.encoding)],
        given_secrets=[GivenSecrets(secrets)],
        secret_encryption=secret_encryption(settings),
        shared=shared_variables(settings, environment),
        plugin_defaults=plugin_defaults([*core.tasks.defaults, *core.plugins.defaults]),
        expressions=expression_plan(settings),
        # Without a database that is kept, nobody needs the key again.
        encryption=encryption(settings) or (Encryption.passing() if data is None else None),
        listeners=core.listeners.enabled,
        plugin_configurations=plugin_configurations(settings),
    )
