"""Ports for servers that have to be told theirs."""

from __future__ import annotations

import secrets
import socket
from contextlib import suppress

_PORTS = range(15_000, 32_000)
"""Below those that systems give to whoever connects somewhere or asks for any port: none of them is taken by chance
between its choice and the start of the server it is for."""


def free_port() -> int:
    """Return a port nobody listens on."""
    while True:
        port = secrets.choice(_PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
