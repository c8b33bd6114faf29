"""Commands in containers of a Docker-compatible engine: `Docker`."""

from __future__ import annotations

import math
import signal
import socket
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from penstock.builtin.runners.process import Process
from penstock.builtin.runners.runner import Command, OutputSink, Runner, RunnerError
from penstock.builtin.runners.sockets import listens
from penstock.sdk import PluginModel, Property, RunContext, duration

if TYPE_CHECKING:
    from docker import DockerClient

    from penstock.builtin.runners.container import Container

# The engine's client takes 30 MB and a third of a second to load: what needs it is imported where it is used.

TASK_RUN = "io.penstock.task-run"
DIRECTORY = "io.penstock.directory"
_GRACE = 10
_SECOND = 1_000_000
_NANOS = 1_000_000_000


class Cpu(PluginModel):
    """How much of the processors a container may use."""

    cpus: Property[float] | None = Field(None, description="The number of processors.")


class Memory(PluginModel):
    """How much memory a container may use."""

    memory: Property[str] | None = Field(None, description="The limit, such as `512MB`.")
    memory_swap: Property[str] | None = Field(None, description="The limit of memory and swap together.")
    memory_swappiness: Property[str] | None = Field(None, description="How readily memory is swapped out, up to 100.")
    memory_reservation: Property[str] | None = Field(None, description="A limit that holds when memory runs short.")
    kernel_memory: Property[str] | None = Field(None, description="The limit of the kernel's memory.")
    oom_kill_disable: Property[bool] | None = Field(None, description="Do not kill when memory runs out.")


class Credentials(PluginModel):
    """How to log in to a registry of images."""

    registry: Property[str] | None = Field(None, description="The registry's address.")
    username: Property[str] | None = Field(None, description="The user.")
    password: Property[str] | None = Field(None, description="The password.")
    registry_token: Property[str] | None = Field(None, description="A token for the registry.")
    identity_token: Property[str] | None = Field(None, description="A token for the identity.")
    auth: Property[str] | None = Field(None, description="User and password, encoded.")


class DeviceRequest(PluginModel):
    """Devices of the host, such as graphics processors."""

    driver: Property[str] | None = Field(None, description="The driver.")
    count: Property[int] | None = Field(None, description="How many; -1 is all.")
    device_ids: Property[list[str]] | None = Field(None, description="Which ones.")
    capabilities: Property[list[list[str]]] | None = Field(None, description="What they can do.")
    options: Property[dict[str, str]] | None = Field(None, description="Options of the driver.")


class Docker(Runner):
    """Run the commands in a container of a Docker-compatible engine.

    The task's files are copied into the container and out of it again, so the engine may be anywhere. The container is
    removed when the commands have ended, however they ended. After the loss of its worker a task run goes on with the
    container it has. Where no engine answers, the commands run as a process of the worker with its tools, and a warning
    in the logs says so; the server's setting `kestra.tasks.scripts.docker.fallback: error` makes the task fail instead.

    The container starts with the commands alone: an image's own entry point is left out unless `entryPoint` names one.

    Run a script in a container with bounded memory:

    ```yaml
    tasks:
      - id: train
        type: io.kestra.plugin.scripts.python.Script
        containerImage: python:3.13-slim
        taskRunner:
          type: io.kestra.plugin.scripts.runner.docker.Docker
          pullPolicy: IF_NOT_PRESENT
          memory:
            memory: 2GB
        script: |
          print("trained")
    ```

    Implements SCR-054, SCR-055, SCR-068 to SCR-070, BEY-009, BEY-035.
    """

    type_name = "io.kestra.plugin.scripts.runner.docker.Docker"
    type_aliases = ("io.kestra.plugin.scripts.runner.docker.DockerTaskRunner",)
    on_worker: ClassVar[bool] = False
    keeps_tools: ClassVar[bool] = False

    host: Property[str] | None = Field(None, description="The address of the engine.")
    config: str | dict[str, Any] | None = Field(None, description="The configuration file of the engine's client.")
    credentials: Credentials | None = Field(None, description="How to log in to the registry.")
    pull_policy: Property[Literal["IF_NOT_PRESENT", "ALWAYS", "NEVER"]] | None = Field(
        None, description="When the image is fetched."
    )
    user: Property[str] | None = Field(None, description="The user in the container.")
    entry_point: Property[list[str]] | None = Field(None, description="The program the container starts with.")
    extra_hosts: Property[list[str]] | None = Field(None, description="More names of hosts, as `name:address`.")
    network_mode: Property[str] | None = Field(None, description="The network.")
    port_bindings: Property[list[str]] | None = Field(None, description="Ports that can be reached from the host.")
    volumes: Property[list[str]] | None = Field(None, description="Folders of the host, as `host:container`.")
    device_requests: list[DeviceRequest] | None = Field(None, description="Devices of the host.")
    cpu: Cpu | None = Field(None, description="The limit of processors.")
    memory: Memory | None = Field(None, description="The limits of memory.")
    shm_size: Property[str] | None = Field(None, description="The size of the shared memory.")
    privileged: Property[bool] | None = Field(None, description="Give the container the rights of the host.")
    file_handling_strategy: Property[Literal["MOUNT", "VOLUME"]] | None = Field(
        None, description="How files get into the container."
    )
    delete: Property[bool] | None = Field(None, description="Remove the container when it has ended.")
    wait: Property[bool] | None = Field(None, description="Wait for its end.")
    resume: Property[bool] | None = Field(None, description="Go on with a container that is there already.")
    kill_grace_period: Property[str] | None = Field(None, description="How long it may take to end when killed.")

    def run(self, context: RunContext, command: Command, sink: OutputSink) -> int:
        """Run a command in a container and return its exit code."""
        host = context.render(self.host)
        client = _connected(host)
        if client is None:
            raise RunnerError(
                f"no container engine answers at {host or 'the usual place'}", hint="start it, or correct `host`"
            )
        try:
            return self._run(context, client, command, sink)
        finally:
            client.close()

    def is_reachable(self, context: RunContext) -> bool:
        """Return whether an engine answers; True where the flow names one, so that its absence is an error."""
        if self.host is not None:
            return True
        client = _connected(None)
        if client is not None:
            client.close()
        return client is not None

    def _run(self, context: RunContext, client: DockerClient, command: Command, sink: OutputSink) -> int:
        from penstock.builtin.runners.container import Container

        container = None
        if context.render(self.resume, True) and _task_run_id(context):
            container = Container.of_task_run(client, _task_run_id(context))
        is_new = container is None
        if container is None:
            container = self._create(context, client, command)
        else:
            context.logger.info(f"going on with container {container.id[:12]}, which an earlier worker started")
        has_ended = False
        try:
            grace = self._grace(context)
            context.on_kill(lambda: container.end(grace))
            if is_new:
                container.put(command.directory)
            if not context.render(self.wait, True):
                container.start()
                return 0
            code = container.run(sink) if is_new else container.resume(sink)
            has_ended = True
            container.get(command.directory)
            return code
        except RunnerError:
            if not context.is_killed:
                raise
            return -signal.SIGKILL  # whatever an engine says while a container dies: that it does was ordered
        finally:
            if not context.render(self.wait, True) and not has_ended:
                context.logger.debug(f"container {container.id[:12]} runs on by itself")
            elif context.render(self.delete, True):
                self._remove(context, container)

    def _remove(self, context: RunContext, container: Container) -> None:
        """Remove a container; one that cannot be removed is named by the attempt (BEY-009)."""
        try:
            container.remove()
        except RunnerError:
            name = f"container {container.id[:12]}"
            context.unconfirmed(f"{name} could not be removed, and may still run", f"{name} on {socket.gethostname()}")
            raise

    def _create(self, context: RunContext, client: DockerClient, command: Command) -> Container:
        from penstock.builtin.runners.container import Container
        from penstock.builtin.runners.engine import have_image

        image = command.image
        if not image:
            raise RunnerError("there is no image", hint="set `containerImage` on the task")
        have_image(client, image, context.render(self.pull_policy, "IF_NOT_PRESENT"), self._login(context, image))
        return Container.create(client, self.options(context, command))

    def options(self, context: RunContext, command: Command) -> dict[str, Any]:
        """Return what the container is made of, in the words of the engine's client."""
        entry = [part for part in context.render(self.entry_point, []) if part]
        arguments = list(command.arguments)
        result: dict[str, Any] = {
            "image": command.image,
            "entrypoint": entry or arguments[:1],
            "command": arguments if entry else arguments[1:],
            "environment": dict(command.given),
            "working_dir": str(command.directory),
            "labels": {**_labels(context), DIRECTORY: str(command.directory)},
            "user": context.render(self.user),
            "network_mode": context.render(self.network_mode),
            "privileged": context.render(self.privileged),
            "shm_size": _size(context.render(self.shm_size)),
            "extra_hosts": dict(_pair(one, "extraHosts") for one in context.render(self.extra_hosts, [])),
            "ports": _ports(context.render(self.port_bindings, [])),
            "volumes": self._volumes(context),
            "device_requests": [self._device(context, one) for one in self.device_requests or ()],
            **self._limits(context),
        }
        return {key: value for key, value in result.items() if value is not None and value not in ({}, [])}

    def _limits(self, context: RunContext) -> dict[str, Any]:
        cpus = context.render(self.cpu.cpus) if self.cpu else None
        memory = self.memory or Memory()
        return {
            "nano_cpus": None if cpus is None else int(float(cpus) * _NANOS),
            "mem_limit": _size(context.render(memory.memory)),
            "memswap_limit": _size(context.render(memory.memory_swap)),
            "mem_swappiness": _number(context.render(memory.memory_swappiness)),
            "mem_reservation": _size(context.render(memory.memory_reservation)),
            "oom_kill_disable": context.render(memory.oom_kill_disable),
        }

    def _volumes(self, context: RunContext) -> list[str]:
        """Return the folders of the host to mount, where the server allows that (SCR-026)."""
        wanted = context.render(self.volumes, [])
        if not wanted:
            return []
        settings = context.call("pluginConfiguration", type=self.type_name)
        if str(settings.get("volume-enabled", settings.get("volumeEnabled", False))).lower() != "true":
            raise RunnerError(
                "`volumes` of the task runner are not enabled on this server",
                hint=f"set `volume-enabled: true` for {self.type_name} in `kestra.plugins.configurations`",
            )
        return list(wanted)

    def _login(self, context: RunContext, image: str) -> Mapping[str, str] | None:
        if self.credentials is not None:
            given = {
                "serveraddress": context.render(self.credentials.registry),
                "username": context.render(self.credentials.username),
                "password": context.render(self.credentials.password),
                "registrytoken": context.render(self.credentials.registry_token),
                "identitytoken": context.render(self.credentials.identity_token),
                "auth": context.render(self.credentials.auth),
            }
            for secret in ("password", "registrytoken", "identitytoken", "auth"):
                if given[secret]:
                    context.mask(str(given[secret]))
            return {key: value for key, value in given.items() if value}
        from penstock.builtin.runners.engine import login_of

        config = context.render_text(self.config) if isinstance(self.config, str) else self.config
        return login_of(config if config is None or isinstance(config, str) else context.render_nested(config), image)

    @staticmethod
    def _device(context: RunContext, request: DeviceRequest) -> dict[str, Any]:
        return {
            "driver": context.render(request.driver, ""),
            "count": context.render(request.count, 0),
            "device_ids": context.render(request.device_ids, []),
            "capabilities": context.render(request.capabilities, []),
            "options": context.render(request.options, {}),
        }

    def _grace(self, context: RunContext) -> int:
        text = context.render(self.kill_grace_period)
        return _GRACE if text is None else math.ceil(duration(text) / _SECOND)


def process_instead(context: RunContext, image: str | None) -> Process:
    """Return the runner that takes the place of containers, with a notice in the logs. Implements BEY-035.

    Raises:
        RunnerError: The server is set to run nothing outside of its container.
    """
    meant = f"the image {image}" if image else "their image"
    if context.call("pluginConfiguration", type=Docker.type_name).get("fallback") == "error":
        raise RunnerError(
            f"no container engine answers on this worker, and the commands are meant for {meant}",
            hint=f"say `taskRunner: {{type: {Process.type_name}}}`, or have the server set to fall back",
        )
    context.logger.warning(
        f"no container engine answers on this worker: the commands run as a process of it, without {meant} "
        f"(say `taskRunner: {{type: {Process.type_name}}}` if that is intended)"
    )
    return Process(type=Process.type_name)


def _connected(host: str | None) -> DockerClient | None:
    """Return a client of the engine at an address; None when none answers there."""
    if not listens(host):
        return None
    from penstock.builtin.runners.engine import connect

    return connect(host)


def _task_run_id(context: RunContext) -> str:
    return str(context.task_run.get("id", ""))


def _labels(context: RunContext) -> dict[str, str]:
    """Return what a container is found and recognised by (SCR-055)."""
    flow, execution = context.variables.get("flow", {}), context.variables.get("execution", {})
    return {
        TASK_RUN: _task_run_id(context),
        "io.penstock.namespace": str(flow.get("namespace", "")),
        "io.penstock.flow": str(flow.get("id", "")),
        "io.penstock.execution": str(execution.get("id", "")),
    }


def _size(text: str | None) -> str | None:
    """Return a size as engines read it: `512Mi`, `512MB` and `512m` are the same."""
    if text is None:
        return None
    return str(text).strip().lower().replace(" ", "").removesuffix("b").removesuffix("i")


def _number(text: Any) -> int | None:
    return None if text is None else int(text)


def _pair(text: str, name: str) -> tuple[str, str]:
    first, colon, second = text.partition(":")
    if not colon:
        raise RunnerError(f"`{text}` in `{name}` is no pair", hint="write `name:address`")
    return first, second


def _ports(bindings: list[str]) -> dict[str, Any]:
    """Return the container's ports with the host's: `8080:80`, `127.0.0.1:8080:80/udp`."""
    result: dict[str, Any] = {}
    for binding in bindings:
        *host, inner = binding.split(":")
        if not host:
            raise RunnerError(f"`{binding}` in `portBindings` names no port of the host", hint="write `8080:80`")
        outer: Any = int(host[-1]) if len(host) == 1 else (host[0], int(host[-1]))
        result[inner if "/" in inner else f"{inner}/tcp"] = outer
    return result
