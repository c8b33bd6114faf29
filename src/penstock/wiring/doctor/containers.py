"""Whether a container engine answers, and whether it gets images."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from docker import DockerClient
from docker.errors import DockerException, ImageNotFound, NotFound
from requests.exceptions import RequestException

from penstock.builtin.runners.engine import connect
from penstock.builtin.runners.sockets import DEFAULT_HOST, listens
from penstock.wiring.doctor.findings import Finding, Patient, Subject

_ENGINE, _IMAGES = Subject("containers"), Subject("image pull")
_PATIENCE = 20
"""Seconds a registry may take."""
_UNIX = "unix://"


def check_containers(patient: Patient) -> Iterator[Finding]:
    """Look for the engine as the task runner does, and ask it for an image."""
    address = patient.environment.get("DOCKER_HOST") or DEFAULT_HOST
    # Certificates come with the environment, which is read where no address is given.
    host = None if patient.environment.get("DOCKER_TLS_VERIFY") else address
    client = connect(host) if listens(address) else None
    if client is None:
        yield _absent(address, patient)
        return
    try:
        client.api.timeout = _PATIENCE
        yield _ENGINE.ok(f"engine {client.version().get('Version', 'of unknown version')} answers at {address}")
        yield _image(client, patient.image)
    finally:
        with suppress(DockerException, RequestException):
            client.close()


def _absent(address: str, patient: Patient) -> Finding:
    path = Path(address.removeprefix(_UNIX)) if address.startswith(_UNIX) else None
    message, remedy = f"no container engine answers at {address}", "correct DOCKER_HOST"
    if path is not None and path.exists() and not os.access(path, os.R_OK | os.W_OK):
        message, remedy = f"{path} may not be used by this user", 'sudo usermod -aG docker "$(id -un)" && newgrp docker'
    elif path is not None:
        remedy = _start()
    if patient.configuration.settings.kestra.tasks.scripts.docker.fallback == "error":
        return _ENGINE.failure(message, remedy)
    return _ENGINE.warning(f"{message}; scripts run as processes of the worker", remedy)


def _start() -> str:
    if shutil.which("dockerd"):
        return "sudo systemctl enable --now docker"
    if shutil.which("podman"):
        socket = '"unix://$XDG_RUNTIME_DIR/podman/podman.sock"'
        return f"systemctl --user enable --now podman.socket && export DOCKER_HOST={socket}"
    return "sudo apt-get install docker.io && sudo systemctl enable --now docker"


def _image(client: DockerClient, image: str) -> Finding:
    """Ask for the image's description only: it tells that the registry is reached, without fetching anything."""
    pull = f"docker pull {image}"
    try:
        client.images.get(image)
    except ImageNotFound:
        pass
    else:
        return _IMAGES.ok(f"{image} is on the engine")
    try:
        client.images.get_registry_data(image)
    except NotFound as error:
        return _IMAGES.warning(f"the engine cannot tell whether it gets {image}: {_reason(error)}", pull)
    except (DockerException, RequestException) as error:
        return _IMAGES.failure(f"the engine does not get {image}: {_reason(error)}", f"{pull}  # tells why")
    return _IMAGES.ok(f"{image} can be fetched")


def _reason(error: Exception) -> str:
    return (str(getattr(error, "explanation", None) or error).strip().splitlines() or ["no reason given"])[0][:200]
