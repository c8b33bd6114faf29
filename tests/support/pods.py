"""The pods of the cluster for the tests (`tests.support.kubernetes`), and the node that runs them."""

from __future__ import annotations

import copy
import re
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import docker
from docker.errors import DockerException, ImageNotFound, NotFound
from docker.models.containers import Container
from requests.exceptions import RequestException

from tests.support.waiting import PATIENCE

Map = dict[str, Any]
_VARIABLE = re.compile(r"\$(?:(\$)|\(([^)]*)\))")
_KNOWN = frozenset(
    {"containers", "initContainers", "volumes", "restartPolicy", "serviceAccountName", "nodeSelector", "tolerations"}
    | {"terminationGracePeriodSeconds", "affinity", "securityContext"}
)
"""What a pod may say here."""
_REFUSALS = (DockerException, RequestException)
"""What an engine that is told to end a container says to those who wait for it."""


def expanded(text: str, variables: dict[str, str]) -> str:
    """Return a text as a cluster gives it to a container: `$(NAME)` is a variable, and `$$` stands for `$`."""

    def value(found: re.Match[str]) -> str:
        return "$" if found[1] else variables.get(found[2], found[0])

    return _VARIABLE.sub(value, text)


class Log:
    """The lines of a log, as they come."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._stream)

    def close(self) -> None:
        """Read no more of them."""
        with suppress(OSError):
            self._stream.close()
        self._stream._response.close()  # the client keeps it here, and nobody closes it


@dataclass(frozen=True)
class Node:
    """What runs containers."""

    engine: str
    folder: Path


@dataclass
class Running:
    """A command in a container."""

    client: docker.DockerClient
    id: str
    stream: Any

    @property
    def socket(self) -> Any:
        """What it reads goes there."""
        return getattr(self.stream, "_sock", self.stream)

    def code(self) -> int:
        """Return its exit code."""
        return int(self.client.api.exec_inspect(self.id)["ExitCode"])

    def close(self) -> None:
        """Let go of it."""
        answer = getattr(self.stream, "_response", None)
        for one in (answer, self.stream):
            if one is not None:
                with suppress(ValueError, OSError):
                    one.close()


class Pods:
    """All pods, with what has happened to them."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.client = docker.DockerClient(base_url=node.engine, timeout=120)
        self.changed = threading.Condition()
        self._pods: dict[tuple[str, str], Pod] = {}
        self._events: list[tuple[int, str, Map]] = []
        self._is_closed = False

    def create(self, namespace: str, manifest: Map) -> Pod:
        """Make a pod, and have it run."""
        unknown = manifest["spec"].keys() - _KNOWN
        assert not unknown, f"this cluster does not know {unknown}"
        pod = Pod(self, namespace, manifest)
        self._pods[namespace, pod.name] = pod
        self.note("ADDED", pod)
        pod.start()
        return pod

    def get(self, namespace: str, name: str) -> Pod | None:
        """Return a pod."""
        return self._pods.get((namespace, name))

    def all(self, namespace: str) -> list[Pod]:
        """Return the pods of a namespace."""
        return [pod for (where, _), pod in list(self._pods.items()) if where == namespace]

    def note(self, kind: str, pod: Pod) -> None:
        """Keep what has happened to a pod."""
        with self.changed:
            version = len(self._events) + 1
            pod.seen["metadata"]["resourceVersion"] = str(version)
            self._events.append((version, kind, copy.deepcopy(pod.seen)))
            if kind == "DELETED":
                del self._pods[pod.namespace, pod.name]
            self.changed.notify_all()

    def events(self, namespace: str, name: str, version: int, seconds: float) -> Iterator[Map]:
        """Yield what happens to a pod after a version."""
        deadline = time.monotonic() + seconds
        while not self._is_closed:
            with self.changed:
                news = self._events[version:]
                if not news:
                    rest = deadline - time.monotonic()
                    if rest <= 0:
                        return
                    self.changed.wait(min(rest, 1))
            for number, kind, seen in news:
                version = number
                if (seen["metadata"]["namespace"], seen["metadata"]["name"]) == (namespace, name):
                    yield {"type": kind, "object": seen}

    def close(self) -> None:
        """End all pods."""
        for pod in list(self._pods.values()):
            pod.end(0)
        for pod in list(self._pods.values()):
            pod.join(20)
        self._is_closed = True
        with self.changed:
            self.changed.notify_all()
        self.client.close()


class Pod(threading.Thread):
    """A pod; the thread is what runs its containers, one after the other or side by side."""

    def __init__(self, pods: Pods, namespace: str, manifest: Map) -> None:
        super().__init__(daemon=True)
        self._pods = pods
        self.namespace = namespace
        self.name = str(manifest["metadata"]["name"])
        self.uid = str(uuid4())
        self.spec: Map = manifest["spec"]
        self._folder = pods.node.folder / self.uid[:8]
        self._containers: dict[str, Container] = {}
        self._opened: list[Log | Running] = []
        """Connections to the engine: whoever asked for one may have gone before it was used."""
        self._ordered = threading.Event()
        self._grace = int(self.spec.get("terminationGracePeriodSeconds", 30))
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        metadata = {**manifest["metadata"], "namespace": namespace, "uid": self.uid, "creationTimestamp": now}
        self.seen: Map = {"kind": "Pod", "metadata": metadata, "spec": self.spec, "status": {"phase": "Pending"}}

    # -- what is asked of it

    def end(self, grace: int | None = None) -> None:
        """Order its deletion."""
        if grace is not None:
            self._grace = grace
        if not self._ordered.is_set():
            self.seen["metadata"]["deletionTimestamp"] = datetime.now(UTC).isoformat()
            self._pods.note("MODIFIED", self)
            self._ordered.set()

    def log(self, container: str, since: str | None) -> Log | None:
        """Return the lines of a container's log, with times; None when it has not begun."""
        found = self._containers.get(container)
        if found is None:
            return None
        after = None if since is None else int(datetime.fromisoformat(since).timestamp())
        options: Map = {} if after is None else {"since": after}
        lines = Log(self._pods.client.api.logs(str(found.id), stream=True, follow=True, timestamps=True, **options))
        self._opened.append(lines)
        return lines

    def execute(self, container: str, command: list[str]) -> Running:
        """Start a command in a container."""
        client = self._pods.client
        made = client.api.exec_create(str(self._containers[container].id), command, stdin=True)
        running = Running(client, made["Id"], client.api.exec_start(made["Id"], socket=True))
        self._opened.append(running)
        return running

    # -- its life

    def run(self) -> None:
        """Live."""
        try:
            if self.spec.get("nodeSelector"):
                self._status(conditions=[_unschedulable(self.spec["nodeSelector"])])
            elif self._initialize() and not self._ordered.is_set():
                self._work()
            self._ordered.wait()
        finally:
            self._remove()

    def _initialize(self) -> bool:
        for one in self.spec.get("initContainers", ()):
            if not self._launch(one, "initContainerStatuses"):
                return False
            if self._await_end(one["name"], "initContainerStatuses") != 0:
                self._status(phase="Failed")
                return False
        return True

    def _work(self) -> None:
        for one in self.spec["containers"]:
            if not self._launch(one, "containerStatuses"):
                return
        self._status(phase="Running")
        codes: list[int] = []

        def wait(name: str) -> None:
            codes.append(self._await_end(name, "containerStatuses"))

        waiting = [threading.Thread(target=wait, args=(one["name"],), daemon=True) for one in self.spec["containers"]]
        for thread in waiting:
            thread.start()
        for thread in waiting:
            while thread.is_alive() and not self._ordered.is_set():
                thread.join(0.05)
        if not self._ordered.is_set():
            self._status(phase="Failed" if any(codes) else "Succeeded")

    def _launch(self, wish: Map, kind: str) -> bool:
        """Start a container; return whether that worked."""
        variables: dict[str, str] = {}
        for one in wish.get("env", ()):
            variables[one["name"]] = expanded(str(one["value"]), variables)
        options: Map = {
            "image": wish["image"],
            "entrypoint": [expanded(part, variables) for part in wish.get("command", ())],
            "command": [expanded(part, variables) for part in wish.get("args", ())],
            "environment": variables,
            "working_dir": wish.get("workingDir"),
            "volumes": self._mounts(wish),
            "user": str((wish.get("securityContext") or {}).get("runAsUser", "")) or None,
            "network_mode": "none",
        }
        try:
            container = self._pods.client.containers.create(**{key: value for key, value in options.items() if value})
        except ImageNotFound:
            said = f'failed to pull image "{wish["image"]}": {wish["image"]}: not found'
            while not self._ordered.is_set():
                for reason, message in (("ErrImagePull", said), ("ImagePullBackOff", "Back-off pulling image")):
                    self._contain(wish, kind, {"waiting": {"reason": reason, "message": message}})
                    self._ordered.wait(0.3)
            return False
        self._containers[wish["name"]] = container
        container.start()
        self._contain(wish, kind, {"running": {}})
        return True

    def _mounts(self, wish: Map) -> dict[str, Map]:
        volumes = {one["name"]: one for one in self.spec.get("volumes", ())}
        result: dict[str, Map] = {}
        for mount in wish.get("volumeMounts", ()):
            volume = volumes[mount["name"]]
            if "hostPath" in volume:
                place = Path(volume["hostPath"]["path"])
            else:
                place = self._folder / volume["name"]
                place.mkdir(parents=True, exist_ok=True)
                place.chmod(0o777)
            result[str(place)] = {"bind": mount["mountPath"], "mode": "rw"}
        return result

    def _await_end(self, name: str, kind: str) -> int:
        try:
            code = int(self._containers[name].wait()["StatusCode"])
        except _REFUSALS:  # it was removed
            return 137
        self._contain({"name": name}, kind, {"terminated": {"exitCode": code, "reason": "Completed"}})
        return code

    def _remove(self) -> None:
        def remove(container: Container) -> None:
            with suppress(*_REFUSALS):
                container.stop(timeout=self._grace)
            deadline = time.monotonic() + PATIENCE
            while time.monotonic() < deadline:  # the engine refuses while it still stops or removes it
                try:
                    container.remove(force=True)
                except NotFound:
                    return
                except _REFUSALS:
                    time.sleep(0.1)

        removing = [threading.Thread(target=remove, args=(one,)) for one in self._containers.values()]
        for thread in removing:
            thread.start()
        for thread in removing:
            thread.join()
        for one in self._opened:
            one.close()
        shutil.rmtree(self._folder, ignore_errors=True)
        self._pods.note("DELETED", self)

    def _contain(self, wish: Map, kind: str, state: Map) -> None:
        """Note what a container is like."""
        with self._pods.changed:
            statuses = [one for one in self.seen["status"].get(kind, ()) if one["name"] != wish["name"]]
            before: Map = next((one for one in self.seen["status"].get(kind, ()) if one["name"] == wish["name"]), {})
            status = {"name": wish["name"], "image": wish.get("image", before.get("image")), "state": state}
            self._status(**{kind: [*statuses, status]})

    def _status(self, **changes: Any) -> None:
        with self._pods.changed:
            self.seen["status"] = {**self.seen["status"], **changes}
            self._pods.note("MODIFIED", self)


def _unschedulable(selector: Map) -> Map:
    message = f"0/1 nodes are available: 1 node(s) didn't match the node selector {selector}."
    return {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
