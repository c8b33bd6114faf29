"""A container engine that speaks Docker's protocol: reaching it, and having an image there."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Literal

import docker
from docker import DockerClient, auth, utils
from docker.errors import DockerException, ImageNotFound, NotFound
from requests.exceptions import RequestException

from penstock.builtin.runners.runner import RunnerError

PullPolicy = Literal["IF_NOT_PRESENT", "ALWAYS", "NEVER"]
_PATIENCE = 20
"""Seconds after which an engine that does not answer counts as absent."""
_SILENCE = 2_000_000
"""Seconds a container may say nothing: in effect without limit; the task's `timeout` is the limit."""


def connect(host: str | None) -> DockerClient | None:
    """Return a client of the engine at an address, or of the one the environment names; None when none answers.

    Args:
        host: Such as `unix:///var/run/docker.sock` or `tcp://engine:2375`; `DOCKER_HOST` or the socket by default.
    """
    address = host or os.environ.get("DOCKER_HOST") or None
    probe = None
    try:
        with_tls = address is not None and bool(os.environ.get("DOCKER_TLS_VERIFY")) and host is None
        options: dict[str, Any] = {**utils.kwargs_from_env()} if with_tls else {"base_url": address}
        probe = docker.DockerClient(timeout=_PATIENCE, **options)
        probe.ping()
        return docker.DockerClient(timeout=_SILENCE, version=probe.api.api_version, **options)
    except (DockerException, RequestException, ValueError, OSError):
        return None
    finally:
        if probe is not None:
            with suppress(DockerException, RequestException):
                probe.close()


def have_image(client: DockerClient, image: str, policy: PullPolicy, login: Mapping[str, str] | None) -> None:
    """Have an image on the engine, fetching it as the policy says (SCR-069).

    Raises:
        RunnerError: It is not there and cannot, or may not, be fetched.
    """
    if policy != "ALWAYS":
        try:
            client.images.get(image)
        except ImageNotFound:
            if policy == "NEVER":
                raise RunnerError(
                    f"the image {image} is not on the container engine, and `pullPolicy: NEVER` forbids to fetch it",
                    hint="load it there, or use `pullPolicy: IF_NOT_PRESENT`",
                ) from None
        else:
            return
    try:
        repository, tag = utils.parse_repository_tag(image)
        client.images.pull(repository, tag=tag or "latest", auth_config=dict(login) if login else None)
    except (ImageNotFound, NotFound) as error:
        raise RunnerError(
            f"there is no image {image}: {_reason(error)}", hint="check its name and tag, and `credentials`"
        ) from None
    except (DockerException, RequestException) as error:
        raise RunnerError(
            f"the image {image} cannot be fetched: {_reason(error)}",
            hint="check that the engine reaches the registry, and `credentials`",
        ) from None


def login_of(config: str | Mapping[str, Any] | None, image: str) -> dict[str, str] | None:
    """Return the login for an image's registry that a configuration file of the engine's client holds."""
    if not config:
        return None
    try:
        body = config if isinstance(config, Mapping) else json.loads(config)
    except ValueError:
        raise RunnerError(
            "`config` of the task runner is no JSON", hint="give the content of a `config.json`"
        ) from None
    registry, _ = auth.resolve_repository_name(image)
    found = auth.AuthConfig(auth.parse_auth(dict(body.get("auths") or {}))).get(registry)
    return None if found is None else {key: value for key, value in found.items() if value}


def _reason(error: Exception) -> str:
    return str(getattr(error, "explanation", None) or error).strip().splitlines()[0][:300]
