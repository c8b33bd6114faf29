"""What a pod is made of. Implements SCR-075, SCR-077, SCR-079, SCR-081, SCR-082."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from penstock.builtin.runners.kubernetes.merging import merged, merged_entries

MAIN, GATE, KEEPER = "main", "files-in", "files-out"
"""The containers: of the commands, of the files that go in, of the files that come out."""
DIRECTORY = PurePosixPath("/kestra/working-dir")
SIGNALS = PurePosixPath("/kestra/signals")
OPEN = SIGNALS / "open"
"""The file that lets the commands begin."""
TASK_RUN = "io.penstock.task-run"

_GRACE = 10
"""Seconds that the commands of a killed task have to end."""
_LONGEST_LABEL = 63
_LONGEST_NAME = 50
_WAITING = f'trap "exit 143" TERM; until [ -e {OPEN} ]; do sleep 0.2 & wait $! || sleep 1; done'
"""Lets the commands begin; ends at once when it is asked to. Not every `sleep` knows parts of a second."""
_STAYING = 'trap "exit 0" TERM; while :; do sleep 3600 & wait $!; done'
"""Keeps the files until the pod is deleted."""
_MEMORY = {"medium": "Memory"}

Spec = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PodWish:
    """What a pod is wanted for, and how the flow wants it.

    Args:
        name: Its name.
        labels: What it is found by.
        image: The image of the commands.
        arguments: The program and its arguments.
        environment: The environment variables that the task sets.
        takes_files: Whether files go in before the commands begin.
        keeps_files: Whether files come out after they have ended.
        pull_policy: When images are fetched, in the cluster's words; its own default when there is none.
        service_account: Whom the pod acts as in the cluster.
        resources: What the commands get, in the cluster's words.
        side_image: The image of the containers that move files.
        side_resources: What those get.
        pod: `podSpec`.
        main: `containerSpec`.
        every: `containerDefaultSpec`.
        side: `fileSideCarSpec`.
        side_default: `fileSidecar.defaultSpec`.
    """

    name: str
    labels: Mapping[str, str]
    image: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    takes_files: bool
    keeps_files: bool
    pull_policy: str | None = None
    service_account: str | None = None
    resources: Spec = field(default_factory=dict)
    side_image: str = "busybox"
    side_resources: Spec = field(default_factory=dict)
    pod: Spec = field(default_factory=dict)
    main: Spec = field(default_factory=dict)
    every: Spec = field(default_factory=dict)
    side: Spec = field(default_factory=dict)
    side_default: Spec = field(default_factory=dict)


def manifest(wish: PodWish) -> dict[str, Any]:
    """Return the pod as the cluster takes it."""
    written = list(wish.pod.get("containers") or ())
    gate = [_side(wish, GATE, _WAITING)] if wish.takes_files else []
    keeper = [_side(wish, KEEPER, _STAYING)] if wish.keeps_files else []
    beside = [_beside(wish, one) for one in written if one.get("name") != MAIN]
    # Containers are started in this order, so what keeps the files is there before the commands begin.
    containers = [*keeper, _main(wish, written), *beside]
    first = [merged(wish.every, one) for one in wish.pod.get("initContainers") or ()]
    own: dict[str, Any] = {"restartPolicy": "Never", "containers": containers}
    if gate or first:
        own["initContainers"] = [*gate, *first]
    if wish.service_account:
        own["serviceAccountName"] = wish.service_account
    own["volumes"] = merged_entries(_volumes(wish), wish.pod.get("volumes") or ())
    spec = {"terminationGracePeriodSeconds": _GRACE, **wish.pod, **own}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": wish.name,
            "labels": dict(wish.labels),
            "annotations": {"kubectl.kubernetes.io/default-container": MAIN},
        },
        "spec": spec,
    }


def _main(wish: PodWish, written: Sequence[Spec]) -> dict[str, Any]:
    own: dict[str, Any] = {
        "name": MAIN,
        "image": wish.image,
        "command": [literal(one) for one in wish.arguments],
        "workingDir": str(DIRECTORY),
        "env": [{"name": name, "value": literal(value)} for name, value in wish.environment.items()],
        "volumeMounts": [_files()],
        **_pulled(wish),
    }
    if wish.resources:
        own["resources"] = dict(wish.resources)
    result: Mapping[str, Any] = wish.every
    for closer in (*(one for one in written if one.get("name") == MAIN), wish.main, own):
        result = merged(result, closer)
    return dict(result)


def _beside(wish: PodWish, written: Spec) -> dict[str, Any]:
    return merged(merged(wish.every, {"volumeMounts": [_files()]}), written)


def _side(wish: PodWish, name: str, script: str) -> dict[str, Any]:
    own: dict[str, Any] = {
        "name": name,
        "image": wish.side_image,
        "command": ["/bin/sh", "-c", literal(script)],
        "volumeMounts": [_files(), {"name": "penstock-signals", "mountPath": str(SIGNALS)}],
        **_pulled(wish),
    }
    if wish.side_resources:
        own["resources"] = dict(wish.side_resources)
    result: Mapping[str, Any] = wish.every
    for closer in (wish.side_default, wish.side, own):
        result = merged(result, closer)
    return dict(result)


def _pulled(wish: PodWish) -> dict[str, str]:
    return {"imagePullPolicy": wish.pull_policy} if wish.pull_policy else {}


def _files() -> dict[str, str]:
    return {"name": "penstock-files", "mountPath": str(DIRECTORY)}


def _volumes(wish: PodWish) -> list[dict[str, Any]]:
    """Return the volumes all containers share; a volume of `podSpec` with the same name takes their place."""
    signals = [{"name": "penstock-signals", "emptyDir": _MEMORY}] if wish.takes_files or wish.keeps_files else []
    return [{"name": "penstock-files", "emptyDir": _MEMORY}, *signals]


def literal(text: str) -> str:
    """Return a text that a cluster takes as it stands: it would put variables in for `$(NAME)`, and `$` for `$$`."""
    return text.replace("$", "$$")


def label(text: str) -> str:
    """Return a text as the value of a label may be."""
    return re.sub(r"[^A-Za-z0-9_.-]", "-", text)[:_LONGEST_LABEL].strip("_.-")


def pod_name(*parts: str, suffix: str) -> str:
    """Return a name for a pod that tells what it is about."""
    text = re.sub(r"[^a-z0-9]+", "-", "-".join(parts).lower()).strip("-")
    return f"{text[:_LONGEST_NAME].strip('-') or 'task'}-{suffix}"
