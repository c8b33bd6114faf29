"""What a pod's description by its cluster means."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.builtin.runners.kubernetes.pod_state import PodState


def state(**status: Any) -> PodState:
    return PodState({"metadata": {}, "status": status})


def contained(name: str, **what: Any) -> list[dict[str, Any]]:
    return [{"name": name, "image": "i:1", "state": what}]


def test_commands_begin_and_end() -> None:
    """SCR-080."""
    new = state(phase="Pending")
    assert (new.has_begun, new.takes_files, new.exit_code, new.failure, new.problem) == (False, False, None, None, None)
    assert PodState({"metadata": {}}).exit_code is None
    gate = state(phase="Pending", initContainerStatuses=contained("files-in", running={}))
    assert (gate.takes_files, gate.has_begun) == (True, False)
    running = state(phase="Running", containerStatuses=contained("main", running={}))
    assert (running.has_begun, running.exit_code) == (True, None)
    ended = state(containerStatuses=contained("main", terminated={"exitCode": 137, "reason": "OOMKilled"}))
    assert (ended.has_begun, ended.exit_code, ended.ran_out_of_memory) == (True, 137, True)


@pytest.mark.parametrize(
    ("reason", "message", "is_final"),
    [
        ("ImagePullBackOff", 'Back-off pulling image "i:1"', False),
        ("ErrImagePull", "failed to resolve reference: i:1: not found", True),
        ("ErrImagePull", "dial tcp: i/o timeout", False),
        ("InvalidImageName", "invalid reference format", True),
    ],
)
def test_image_that_cannot_be_had_is_final_when_waiting_cannot_help(reason: str, message: str, is_final: bool) -> None:
    """SCR-077, SCR-080."""
    problem = state(containerStatuses=contained("main", waiting={"reason": reason, "message": message})).problem
    assert problem is not None
    assert problem.text == f"the image i:1 cannot be had by the cluster: {message}"
    assert problem.is_final is is_final


def test_container_that_cannot_be_started_is_named() -> None:
    """SCR-080."""
    waiting = {"reason": "CreateContainerConfigError", "message": 'secret "s" not found'}
    problem = state(containerStatuses=contained("main", waiting=waiting)).problem
    assert problem is not None
    assert problem.text == 'the container `main` cannot be started: secret "s" not found'
    assert not problem.is_final
    assert state(containerStatuses=contained("main", waiting={"reason": "ContainerCreating"})).problem is None


def test_pod_that_ends_before_the_commands_says_why() -> None:
    """SCR-080."""
    assert state(phase="Failed", reason="Evicted", message="The node was low on memory.").failure == (
        "Evicted: The node was low on memory."
    )
    broken = state(phase="Failed", initContainerStatuses=contained("first", terminated={"exitCode": 2}))
    assert broken.failure == "its init container `first` ended with exit code 2"
    assert state(phase="Running").failure is None
