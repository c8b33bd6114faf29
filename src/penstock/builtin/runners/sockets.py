"""Whether a container engine listens, told without its client."""

from __future__ import annotations

import os
import socket

DEFAULT_HOST = "unix:///var/run/docker.sock"


def listens(address: str | None) -> bool:
    """Return whether somebody listens at a socket of this machine; where nobody does, the client leaks a socket."""
    kind, separator, path = (address or os.environ.get("DOCKER_HOST") or DEFAULT_HOST).partition("://")
    if kind != "unix" or not separator:
        return True
    try:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.connect(path if path.startswith("/") else f"/{path}")
    except OSError:
        return False
    return True
