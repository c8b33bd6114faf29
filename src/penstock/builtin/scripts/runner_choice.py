"""Which task runner runs a script, from what the flow says in today's words or older ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penstock.builtin.runners.docker import Docker, process_instead
from penstock.builtin.runners.kubernetes.runner import Kubernetes
from penstock.builtin.runners.process import Process
from penstock.builtin.runners.runner import Runner
from penstock.builtin.runners.ssh import Ssh
from penstock.sdk import PermanentError, RunContext

_DOCKER_NAMES = frozenset({Docker.type_name, *Docker.type_aliases})
_BUILT_IN: tuple[type[Runner], ...] = (Process, Ssh, Kubernetes)


class TaskRunnerMissing(PermanentError):
    """The task runner is not installed."""

    code = "TASK_RUNNER_MISSING"


def choose_runner(
    context: RunContext,
    definition: Mapping[str, Any] | None,
    older: str | None,
    options: Mapping[str, Any] | None,
    image: str | None,
) -> Runner:
    """Return the runner of a script task. Implements SCR-012, ENG-342, BEY-035.

    Args:
        context: Told when the commands run elsewhere than the flow says.
        definition: The property `taskRunner`.
        older: The property `runner`, `PROCESS` or `DOCKER`.
        options: The property `docker`, the older form of the Docker runner's properties.
        image: The container image the commands are meant for.

    Raises:
        TaskRunnerMissing: There is no such runner here.
        RunnerError: The commands are meant for a container, and the server allows nothing else.
    """
    wanted = definition["type"] if definition else Process.type_name if older == "PROCESS" else Docker.type_name
    if wanted in _DOCKER_NAMES:
        properties = definition or {key: value for key, value in (options or {}).items() if key != "image"}
        runner = Docker.model_validate({**properties, "type": Docker.type_name})
        return runner if runner.is_reachable(context) else process_instead(context, image)
    for known in _BUILT_IN:
        if wanted == known.type_name or wanted in known.type_aliases:
            return known.model_validate({**(definition or {}), "type": known.type_name})
    raise TaskRunnerMissing(
        f"there is no task runner {wanted} on this worker", hint=f"use {Process.type_name}, which runs on the worker"
    )
