"""Commands meant for containers, on a worker that has none: `Docker`."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from penstock.builtin.runners.process import Process
from penstock.builtin.runners.runner import Command, OutputSink, Runner, RunnerError
from penstock.sdk import PluginModel, Property, RunContext


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
    """Run the commands in a container.

    No container engine is built in yet: the commands run as a process of the worker, with its tools instead of those of
    the image, and a warning in the logs says so. The server's setting `kestra.tasks.scripts.docker.fallback: error`
    makes the task fail instead. All properties are accepted, none has an effect.

    Implements BEY-035.
    """

    type_name = "io.kestra.plugin.scripts.runner.docker.Docker"
    type_aliases = ("io.kestra.plugin.scripts.runner.docker.DockerTaskRunner",)
    type_warning: ClassVar[str] = (
        "containers are not available in this release: the commands run as a process of the worker, or fail if the "
        "server is set so"
    )

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
        """Run a command as a process, if the server allows it."""
        return process_instead(context, command.image).run(context, command, sink)


def process_instead(context: RunContext, image: str | None) -> Process:
    """Return the runner that takes the place of containers, with a notice in the logs. Implements BEY-035.

    Raises:
        RunnerError: The server is set to run nothing outside of its container.
    """
    meant = f"the image {image}" if image else "their image"
    if context.call("pluginConfiguration", type=Docker.type_name).get("fallback") == "error":
        raise RunnerError(
            f"containers are not available on this worker, and the commands are meant for {meant}",
            hint=f"say `taskRunner: {{type: {Process.type_name}}}`, or have the server set to fall back",
        )
    context.logger.warning(
        f"containers are not available on this worker: the commands run as a process of it, without {meant} "
        f"(say `taskRunner: {{type: {Process.type_name}}}` if that is intended)"
    )
    return Process(type=Process.type_name)
