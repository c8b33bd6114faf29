"""What a pod's description by its cluster means for the commands in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from penstock.builtin.runners.kubernetes.manifest import GATE, KEEPER, MAIN

_HOPELESS = frozenset({"InvalidImageName", "ErrImageNeverPull"})
_PULLING = frozenset({"ErrImagePull", "ImagePullBackOff", "ImageInspectError", "RegistryUnavailable"})
_STARTING = frozenset({"CreateContainerConfigError", "CreateContainerError", "RunContainerError", "CrashLoopBackOff"})
_ABSENT = ("not found", "manifest unknown", "name unknown", "does not exist", "no such image", "access denied")
"""What registries say of an image that waiting will not bring."""

Pod = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a pod does not start."""

    text: str
    hint: str
    is_final: bool
    """Whether waiting cannot help."""


@dataclass(frozen=True, slots=True)
class PodState:
    """A pod at an instant."""

    pod: Pod

    @property
    def takes_files(self) -> bool:
        """Whether the container for files that go in runs."""
        return self._is_running(GATE, "initContainerStatuses")

    @property
    def keeps_files(self) -> bool:
        """Whether the container for files that come out runs."""
        return self._is_running(KEEPER)

    @property
    def has_lost_files(self) -> bool:
        """Whether that container has ended."""
        return self._state(KEEPER).get("terminated") is not None

    @property
    def has_begun(self) -> bool:
        """Whether the commands run, or have run."""
        return self.exit_code is not None or self._is_running(MAIN)

    @property
    def exit_code(self) -> int | None:
        """How the commands have ended, if they have."""
        ended = self._state(MAIN).get("terminated")
        return None if ended is None else int(ended.get("exitCode", 0))

    @property
    def ran_out_of_memory(self) -> bool:
        """Whether the commands were ended since they took too much memory."""
        return (self._state(MAIN).get("terminated") or {}).get("reason") == "OOMKilled"

    @property
    def is_leaving(self) -> bool:
        """Whether somebody has ordered its deletion."""
        return bool(self.pod["metadata"].get("deletionTimestamp"))

    @property
    def failure(self) -> str | None:
        """Why the pod as a whole has ended, such as an eviction, when it has."""
        status = self.pod.get("status") or {}
        if status.get("phase") not in ("Failed", "Succeeded"):
            return None
        said = ": ".join(str(status[key]) for key in ("reason", "message") if status.get(key))
        for one in self._statuses("initContainerStatuses"):
            ended = (one.get("state") or {}).get("terminated") or {}
            if ended.get("exitCode"):
                said = said or f"its init container `{one.get('name')}` ended with exit code {ended['exitCode']}"
        return said or f"it is {status['phase']}"

    @property
    def problem(self) -> Problem | None:
        """Why it does not start, if there is a reason."""
        for condition in (self.pod.get("status") or {}).get("conditions") or ():
            if condition.get("type") == "PodScheduled" and condition.get("reason") == "Unschedulable":
                return Problem(
                    f"no node of the cluster can take the pod: {condition.get('message', 'no reason given')}",
                    "see `resources`, and the tolerations and the affinity in `podSpec`",
                    is_final=False,
                )
        for status in (*self._statuses("initContainerStatuses"), *self._statuses("containerStatuses")):
            waiting = (status.get("state") or {}).get("waiting") or {}
            found = _problem_of(status, str(waiting.get("reason", "")), str(waiting.get("message", "")))
            if found is not None:
                return found
        return None

    def _is_running(self, name: str, kind: str = "containerStatuses") -> bool:
        return self._state(name, kind).get("running") is not None

    def _state(self, name: str, kind: str = "containerStatuses") -> Mapping[str, Any]:
        for status in self._statuses(kind):
            if status.get("name") == name:
                return status.get("state") or {}
        return {}

    def _statuses(self, kind: str) -> Iterator[Mapping[str, Any]]:
        yield from (self.pod.get("status") or {}).get(kind) or ()


def _problem_of(status: Mapping[str, Any], reason: str, message: str) -> Problem | None:
    said = message or reason
    if reason in _HOPELESS or reason in _PULLING:
        is_final = reason in _HOPELESS or any(sign in message.lower() for sign in _ABSENT)
        return Problem(
            f"the image {status.get('image')} cannot be had by the cluster: {said}",
            "check its name and tag, `pullPolicy`, and `imagePullSecrets` in `podSpec`",
            is_final,
        )
    if reason in _STARTING:
        name = status.get("name")
        hint = "see the parts of the task runner that describe this container"
        return Problem(f"the container `{name}` cannot be started: {said}", hint, is_final=False)
    return None
