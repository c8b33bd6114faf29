"""A real container engine for the tests: podman behind its Docker-compatible socket, with an image of busybox.

It has a folder of its own, so nothing of the machine's containers is seen or touched. The image is made here: no
registry is needed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import docker
from docker.models.containers import Container

from penstock.builtin.runners.docker import DIRECTORY
from tests.support.waiting import PATIENCE

IMAGE = "localhost/busybox:latest"
PROGRAMS = (
    *("sh", "cat", "echo", "env", "false", "head", "id", "kill", "ln", "ls", "mkdir", "printf", "pwd", "rm", "seq"),
    *("sleep", "test", "touch", "true", "tr", "trap", "wc", "yes"),
)
USERS = "root:x:0:0:root:/:/bin/sh\nada:x:1000:1000:Ada:/:/bin/sh\n"
SETTINGS = """[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
[containers]
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
"""


class EngineMissingError(Exception):
    """There is no container engine on this machine that works."""


@dataclass(frozen=True, slots=True)
class Engine:
    """A running engine."""

    host: str

    def containers(self) -> list[str]:
        """Return the names of all containers of task runs."""
        with self._client() as client:
            return [str(one.id) for one in _of_task_runs(client)]

    def clear(self) -> None:
        """Remove what containers a failed test has left, which ends their tasks too."""
        with self._client() as client:
            for one in _of_task_runs(client):
                with suppress(docker.errors.APIError):
                    one.remove(force=True, v=True)

    @contextmanager
    def _client(self) -> Iterator[docker.DockerClient]:
        client = docker.DockerClient(base_url=self.host)
        try:
            yield client
        finally:
            client.close()


def _of_task_runs(client: docker.DockerClient) -> list[Container]:
    """Return the containers that are no part of the tests' cluster, whose pods may end later than its tests."""
    return list(client.containers.list(all=True, ignore_removed=True, filters={"label": DIRECTORY}))


@contextmanager
def container_engine(folder: Path) -> Iterator[Engine]:
    """Run an engine with its files in a folder.

    Raises:
        EngineMissingError: podman, runc or a static busybox is missing, or containers cannot run here.
    """
    podman, busybox = shutil.which("podman"), Path("/bin/busybox")
    if podman is None or shutil.which("runc") is None or not busybox.exists():
        raise EngineMissingError("podman, runc or busybox-static is not installed")
    settings = folder / "containers.conf"
    settings.write_text(SETTINGS)
    environment = {**os.environ, "CONTAINERS_CONF": str(settings)}
    places = [podman, "--root", str(folder / "root"), "--runroot", str(folder / "run"), "--storage-driver", "vfs"]
    image = _image(folder, busybox)
    _checked([*places, "import", str(image), IMAGE], environment)
    _checked([*places, "run", "--rm", "--network", "none", IMAGE, "true"], environment)
    socket = folder / "engine.sock"
    command = [*places, "system", "service", "--time=0", f"unix://{socket}"]
    log = (folder / "engine.log").open("wb")
    service = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        _await(socket, service)
        yield Engine(f"unix://{socket}")
    finally:
        remove = [*places, "rm", "--all", "--force", "--time", "0"]
        subprocess.run(remove, env=environment, capture_output=True, check=False)
        service.terminate()
        service.wait(PATIENCE)
        log.close()


def _image(folder: Path, busybox: Path) -> Path:
    root = folder / "image"
    (root / "bin").mkdir(parents=True)
    shutil.copy(busybox, root / "bin" / "busybox")
    for name in PROGRAMS:
        (root / "bin" / name).symlink_to("busybox")
    (root / "etc").mkdir()
    (root / "etc" / "passwd").write_text(USERS)
    (root / "tmp").mkdir(mode=0o777)
    packed = folder / "image.tar"
    with tarfile.open(packed, "w") as archive:
        archive.add(root, arcname=".")
    return packed


def _checked(command: list[str], environment: dict[str, str]) -> None:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False)
    if done.returncode != 0:
        raise EngineMissingError(f"containers do not work here: {done.stderr.strip()[-500:]}")


def _await(socket: Path, service: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and service.poll() is None:
        if socket.exists():
            return
        time.sleep(0.05)
    raise EngineMissingError("podman's service did not start")
