"""One run of commands in a pod: files in, followed to its end, files out, and gone."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from penstock.builtin.runners.kubernetes.cluster import Cluster
from penstock.builtin.runners.kubernetes.files import PodFiles
from penstock.builtin.runners.kubernetes.log_reader import LogReader
from penstock.builtin.runners.kubernetes.manifest import GATE
from penstock.builtin.runners.kubernetes.pod_state import Pod, PodState
from penstock.builtin.runners.kubernetes.watcher import Watcher
from penstock.builtin.runners.runner import Command, OutputSink, RunnerError
from penstock.sdk import RunContext

T = TypeVar("T")

_CONFIRMATION = 60.0
"""Seconds for which a deletion is waited for, beyond those the commands may take to end."""


class PodGone(RunnerError):
    """The pod is no longer there."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long what may take, in seconds. Implements SCR-056, SCR-080.

    Args:
        beginning: Until the commands begin.
        running: Until they end; the task has a time limit of its own when there is none.
        log: Until the rest of their log has come.
    """

    beginning: float
    running: float | None
    log: float


class PodRun:
    """A run of commands. `end` may be called by any thread.

    Args:
        cluster: The cluster.
        pod: The pod.
        context: The task's.
        limits: How long what may take.
    """

    def __init__(self, cluster: Cluster, pod: Pod, context: RunContext, limits: Limits) -> None:
        self._cluster = cluster
        self._pod = pod
        self._name, self._uid = str(pod["metadata"]["name"]), str(pod["metadata"]["uid"])
        self._context = context
        self._limits = limits
        self._files = PodFiles(cluster, self._name)
        self._watcher = Watcher(cluster, pod, self._warn_of_silence)
        self._told: set[str] = set()
        self.has_ended = False
        """Whether the commands have come to their end."""

    def follow(self, command: Command, sink: OutputSink, *, all_files: bool) -> int | None:
        """Have the commands run, and return their exit code; None when they were killed.

        Raises:
            RunnerError: They could not run, or not to their end.
        """
        self._watcher.start()
        try:
            return self._follow(command, sink, all_files)
        except PodGone:
            if self._context.is_killed:
                return None
            raise

    def end(self) -> None:
        """Order its deletion."""
        try:
            self._cluster.delete(self._name, self._uid)
        except RunnerError as error:
            self._context.logger.warning(f"the pod {self._name} could not be deleted yet: {error.message}")

    def remove(self) -> None:
        """Delete it, and wait until it is known to be gone (BEY-009)."""
        grace = float(self._pod["spec"].get("terminationGracePeriodSeconds") or 0)
        reason = ""
        try:
            self._cluster.delete(self._name, self._uid)
            self._watcher.wait(lambda state: state is None, grace + _CONFIRMATION)
            return
        except TimeoutError:
            pass
        except RunnerError as error:
            reason = f": {error.message}"
        self._context.unconfirmed(
            f"the pod {self._name} in {self._cluster.namespace} is not known to be gone, and may still run{reason}",
            f"pod {self._name} in {self._cluster.namespace}",
        )

    def close(self) -> None:
        """Follow it no longer."""
        self._watcher.stop()

    def _follow(self, command: Command, sink: OutputSink, all_files: bool) -> int | None:
        deadline = time.monotonic() + self._limits.beginning
        late = "the pod did not run in time (`waitUntilRunning`)"
        if self._has(GATE, "initContainers"):
            state = self._until(lambda state: state.takes_files or state.has_begun, deadline, late)
            if not state.has_begun:
                self._transfer(partial(self._files.put, command.directory), deadline)
        self._until(lambda state: state.has_begun, deadline, late)
        reader = LogReader(self._cluster, self._name, sink)
        reader.start()
        try:
            code = self._await_end()
        finally:
            # The log of commands that still run has no end to wait for.
            is_whole = reader.finish(self._limits.log if self.has_ended or self._is_gone() else 0)
            if self.has_ended and not is_whole:
                why = f": {reader.error.message}" if reader.error else " in time (`waitForLogs`)"
                self._context.logger.warning(f"the last lines of the log may be missing: they could not be read{why}")
        if command.keeps is not None or all_files:
            self._fetch(command, all_files)
        return code

    def _await_end(self) -> int | None:
        running = self._limits.running
        deadline = None if running is None else time.monotonic() + running
        late = "the commands did not end in time (`waitUntilCompletion`)"
        state = self._until(lambda state: state.exit_code is not None, deadline, late)
        self.has_ended = True
        if state.ran_out_of_memory:
            self._context.logger.error("the commands were ended since they took more memory than `resources` allow")
        return state.exit_code

    def _fetch(self, command: Command, all_files: bool) -> None:
        deadline = time.monotonic() + self._limits.beginning
        late = "the container that keeps the files did not run in time"
        state = self._until(lambda state: state.keeps_files or state.has_lost_files, deadline, late)
        if state.has_lost_files:
            raise RunnerError("the container that keeps the files has ended early", hint="see `fileSidecar`")
        fetch: Callable[[], None] = partial(self._files.get_all, command.directory)
        if not all_files and command.keeps is not None:
            fetch = partial(self._files.get, command.directory, command.keeps)
        self._transfer(fetch, deadline)

    def _transfer(self, action: Callable[[], T], deadline: float) -> T:
        """Move files; a node may not be ready for that when its container already is."""
        try:
            return self._cluster.patiently(action, deadline - time.monotonic())
        except RunnerError:
            if self._is_gone():
                raise self._gone() from None
            raise

    def _is_gone(self) -> bool:
        try:
            return self._context.is_killed or self._watcher.wait(lambda state: True, 0) is None
        except RunnerError:
            return False

    def _until(self, holds: Callable[[PodState], bool], deadline: float | None, late: str) -> PodState:
        """Return the pod as soon as something holds of it."""

        def is_worth_a_look(state: PodState | None) -> bool:
            return state is None or holds(state) or state.failure is not None or self._is_news(state)

        while True:
            rest = None if deadline is None else max(0.0, deadline - time.monotonic())
            try:
                state = self._watcher.wait(is_worth_a_look, rest)
            except TimeoutError:
                raise RunnerError(late, hint=" ".join(sorted(self._told)) or "see the pod's events") from None
            if state is None:
                raise self._gone()
            if holds(state):
                return state
            if state.failure is not None:
                raise RunnerError(f"the pod {self._name} has failed: {state.failure}", hint="see the pod's events")
            self._tell(state)

    def _is_news(self, state: PodState) -> bool:
        return state.problem is not None and state.problem.text not in self._told

    def _tell(self, state: PodState) -> None:
        problem = state.problem
        if problem is None:
            return
        if problem.is_final:
            raise RunnerError(problem.text, hint=problem.hint)
        self._told.add(problem.text)
        self._context.logger.warning(f"the pod does not start yet: {problem.text} ({problem.hint})")

    def _has(self, name: str, kind: str) -> bool:
        return any(one.get("name") == name for one in self._pod["spec"].get(kind) or ())

    def _gone(self) -> PodGone:
        return PodGone(
            f"the pod {self._name} was deleted while the commands ran",
            hint="see who deletes pods in the namespace, and `retry` of the task",
        )

    def _warn_of_silence(self, why: str) -> None:
        self._context.logger.warning(f"the cluster does not answer, which is waited for; the pod goes on: {why}")
