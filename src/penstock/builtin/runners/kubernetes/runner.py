"""Commands in pods of a Kubernetes cluster: `Kubernetes`."""

from __future__ import annotations

import secrets
import signal
from collections.abc import Mapping
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from penstock.builtin.runners.kubernetes.connection import Connection, access_of
from penstock.builtin.runners.kubernetes.manifest import DIRECTORY, TASK_RUN, PodWish, label, manifest, pod_name
from penstock.builtin.runners.runner import Command, OutputSink, Runner, RunnerError
from penstock.sdk import PluginModel, Property, RunContext, duration

if TYPE_CHECKING:
    from penstock.builtin.runners.kubernetes.cluster import Cluster
    from penstock.builtin.runners.kubernetes.pod_run import Limits
    from penstock.builtin.runners.kubernetes.pod_state import Pod

_SECOND = 1_000_000
_POLICIES = {"ALWAYS": "Always", "IF_NOT_PRESENT": "IfNotPresent", "NEVER": "Never"}

Freely = dict[str, Any]
"""A part of a pod's description, in the cluster's words."""


class Amounts(PluginModel):
    """How much of a node."""

    cpu: Property[str] | None = Field(None, description="The processors, such as `2` or `500m`.")
    memory: Property[str] | None = Field(None, description="The memory, such as `512Mi`.")


class Resources(PluginModel):
    """What a container is given of its node."""

    request: Amounts | None = Field(None, description="What it has for itself.")
    limit: Amounts | None = Field(None, description="What it may take at most.")


class FileSidecar(PluginModel):
    """The containers that move files."""

    image: Property[str] = Field(Property.of("busybox"), description="Their image; it needs `sh`, `tar` and `find`.")
    resources: Freely | None = Field(None, description="Their resources, with `requests` and `limits`.")
    default_spec: Freely | None = Field(
        None, description="Put into their description; wins over `containerDefaultSpec`."
    )


class Kubernetes(Runner):
    """Run the commands in a pod of a Kubernetes cluster.

    The task's files are copied into the pod before the commands begin, by an init container, and those to keep out of
    it when they have ended, by a container beside them; all share a volume in memory. The pod does not need the worker
    while the commands run: when it is lost, the next one goes on with the same pod. A kill deletes the pod. What the
    commands write to standard error comes with their standard output, since clusters keep one log.

    ```yaml
    containerImage: python:3.13-slim
    taskRunner:
      type: io.kestra.plugin.ee.kubernetes.runner.Kubernetes
      namespace: jobs
      config:
        masterUrl: https://cluster.example.com:6443
        caCertData: "{{ secret('K8S_CA_CERT_DATA') }}"
        oauthToken: "{{ secret('K8S_TOKEN') }}"
      resources:
        request:
          cpu: 500m
          memory: 256Mi
    ```

    Implements SCR-050, SCR-051, SCR-054 to SCR-056, SCR-075 to SCR-083, BEY-009.
    """

    type_name = "io.kestra.plugin.ee.kubernetes.runner.Kubernetes"
    type_aliases = (
        "io.kestra.plugin.ee.kubernetes.runner.KubernetesTaskRunner",
        "io.kestra.plugin.kubernetes.runner.Kubernetes",
        "io.kestra.plugin.kubernetes.runner.KubernetesTaskRunner",
    )
    on_worker: ClassVar[bool] = False
    keeps_tools: ClassVar[bool] = False
    names_output_folder: ClassVar[bool] = True

    config: Connection | None = Field(
        None, description="The cluster; by default that of the worker's kubeconfig, or the one the worker runs in."
    )
    namespace: Property[str] | None = Field(None, description="The namespace of the pod.")
    pull_policy: Property[Literal["ALWAYS", "IF_NOT_PRESENT", "NEVER"]] | None = Field(
        None, description="When images are fetched; the cluster's own default when left out."
    )
    service_account_name: Property[str] | None = Field(
        None, description="The service account of the pod; the namespace's default one when left out."
    )
    resources: Resources | None = Field(None, description="What the commands are given of their node.")
    delete: Property[bool] = Field(
        Property.of(True), description="Delete the pod when the commands have ended; a kill deletes it always."
    )
    resume: Property[bool] = Field(
        Property.of(True), description="Go on with a pod of the same task run that an earlier worker has started."
    )
    sync_working_directory: Property[bool] = Field(
        Property.of(False), description="Fetch the whole working directory instead of the output files alone."
    )
    wait_until_running: Property[str] = Field(
        Property.of("PT10M"), description="How long the pod may take to be placed, to fetch its images, and to begin."
    )
    wait_until_completion: Property[str] = Field(
        Property.of("PT1H"), description="How long the commands may run where the task has no `timeout`."
    )
    wait_for_logs: Property[str] = Field(
        Property.of("PT30S"), description="How long the rest of the log is waited for when the commands have ended."
    )
    pod_spec: Freely | None = Field(
        None,
        description="Merged into the pod's `spec`: tolerations, volumes and the like. Of its containers, the one named "
        "`main` gives defaults to that of the commands, and others run beside it.",
    )
    container_spec: Freely | None = Field(None, description="Merged into the container of the commands.")
    container_default_spec: Freely | None = Field(
        None, description="Merged into every container; what a container says itself wins."
    )
    file_side_car_spec: Freely | None = Field(None, description="Merged into the containers that move files.")
    file_sidecar: FileSidecar | None = Field(None, description="The containers that move files.")

    def place(self, context: RunContext) -> PurePath:
        """Return where the commands find the working directory: in the pod."""
        return DIRECTORY

    def run(self, context: RunContext, command: Command, sink: OutputSink) -> int:
        """Run a command in a pod and return its exit code."""
        from penstock.builtin.runners.kubernetes.cluster import Cluster

        cluster = Cluster(access_of(context, self.config), context.render(self.namespace))
        try:
            code = self._run(context, cluster, command, sink)
            return -signal.SIGTERM if code is None else code
        finally:
            cluster.close()

    def _run(self, context: RunContext, cluster: Cluster, command: Command, sink: OutputSink) -> int | None:
        from penstock.builtin.runners.kubernetes.pod_run import PodRun

        all_files = context.render(self.sync_working_directory)
        limits, deletes = self._limits(context, command), context.render(self.delete)
        pod = self._earlier(context, cluster)
        if pod is None:
            pod = cluster.create(manifest(self._wish(context, command, all_files)))
        run = PodRun(cluster, pod, context, limits)
        try:
            context.on_kill(run.end)
            return run.follow(command, sink, all_files=all_files)
        finally:
            if deletes or not run.has_ended:
                run.remove()
            run.close()

    def _earlier(self, context: RunContext, cluster: Cluster) -> Pod | None:
        """Return the pod to go on with; those that are in the way are deleted (SCR-054)."""
        from penstock.builtin.runners.kubernetes.pod_state import PodState

        task_run = label(str(context.task_run.get("id", "")))
        found = map(PodState, cluster.find(TASK_RUN, task_run) if task_run else ())
        there = [state for state in found if not state.is_leaving]
        resumes = context.render(self.resume)
        if there and resumes:
            latest = max(there, key=lambda state: str(state.pod["metadata"].get("creationTimestamp")))
            context.logger.info(f"going on with pod {latest.pod['metadata']['name']}, which an earlier worker started")
            return latest.pod
        for state in there:
            if state.exit_code is None:  # nobody follows it any more
                cluster.delete(state.pod["metadata"]["name"], state.pod["metadata"]["uid"])
        return None

    def _limits(self, context: RunContext, command: Command) -> Limits:
        from penstock.builtin.runners.kubernetes.pod_run import Limits

        def seconds(value: Property[str]) -> float:
            return duration(context.render(value)) / _SECOND

        return Limits(
            beginning=seconds(self.wait_until_running),
            running=None if command.is_limited else seconds(self.wait_until_completion),
            log=seconds(self.wait_for_logs),
        )

    def _wish(self, context: RunContext, command: Command, all_files: bool) -> PodWish:
        if not command.image:
            raise RunnerError("there is no image", hint="set `containerImage` on the task")
        places = {"workingDir": str(DIRECTORY), "outputDir": command.given.get("OUTPUT_DIR", "")}

        def rendered(part: Freely | None) -> Mapping[str, Any]:
            found: Mapping[str, Any] = context.render_nested(part, places) if part else {}
            return found

        labels = _labels(context)
        side = self.file_sidecar or FileSidecar()
        return PodWish(
            name=pod_name(labels["io.penstock.flow"], labels["io.penstock.task"], suffix=secrets.token_hex(4)),
            labels={name: value for name, value in labels.items() if value},
            image=command.image,
            arguments=command.arguments,
            environment=command.given,
            takes_files=any(command.directory.iterdir()),
            keeps_files=all_files or command.keeps is not None,
            pull_policy=_POLICIES.get(context.render(self.pull_policy, "")),
            service_account=context.render(self.service_account_name),
            resources=self._resources(context),
            side_image=context.render(side.image),
            side_resources=rendered(side.resources),
            pod=rendered(self.pod_spec),
            main=rendered(self.container_spec),
            every=rendered(self.container_default_spec),
            side=rendered(self.file_side_car_spec),
            side_default=rendered(side.default_spec),
        )

    def _resources(self, context: RunContext) -> dict[str, dict[str, str]]:
        resources = self.resources or Resources()
        result: dict[str, dict[str, str]] = {}
        for name, amounts in (("requests", resources.request), ("limits", resources.limit)):
            if amounts is not None:
                given = {"cpu": context.render(amounts.cpu), "memory": context.render(amounts.memory)}
                result[name] = {key: value for key, value in given.items() if value}
        return result


def _labels(context: RunContext) -> dict[str, str]:
    """Return what a pod is found and recognised by (SCR-055)."""
    flow, execution = context.variables.get("flow", {}), context.variables.get("execution", {})
    task, task_run = context.variables.get("task", {}), context.task_run
    return {
        TASK_RUN: label(str(task_run.get("id", ""))),
        "io.penstock.namespace": label(str(flow.get("namespace", ""))),
        "io.penstock.flow": label(str(flow.get("id", ""))),
        "io.penstock.task": label(str(task.get("id", ""))),
        "io.penstock.execution": label(str(execution.get("id", ""))),
        "io.penstock.attempt": str(int(task_run.get("attemptsCount") or 0) + 1),
    }
