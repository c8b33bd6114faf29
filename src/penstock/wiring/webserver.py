"""uvicorn inside the server's own loop: sockets opened here, so that a taken port is an ordinary error."""

from __future__ import annotations

import contextlib
import errno
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

from penstock.base.errors import PenstockError

_BACKLOG = 2048


class PortTaken(PenstockError):
    """The web server cannot listen where it should."""

    code = "PORT_TAKEN"


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket.

    Raises:
        PortTaken: Another process listens there, or the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((host, port))
        found.listen(_BACKLOG)
    except OSError as error:
        found.close()
        if error.errno == errno.EADDRINUSE:
            hint = "stop the other process, or choose another port with --port"
            raise PortTaken(f"port {port} is in use by another process", hint=hint) from error
        raise PortTaken(f"cannot listen on {host}:{port}: {error.strerror or error}") from error
    found.setblocking(False)
    return found


class _Server(uvicorn.Server):
    """A uvicorn server that leaves signals to the application."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class WebServer:
    """Serves an ASGI application on a socket.

    Args:
        app: What answers.
        listening: Where; see `listen`.
        patience: Seconds that running requests get when the server stops.
    """

    def __init__(self, app: ASGIApp, listening: socket.socket, *, patience: int = 5) -> None:
        self._socket = listening
        self.port: int = listening.getsockname()[1]
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=patience,
            ws="none",
        )
        self._server = _Server(config)

    async def run(self) -> None:
        """Serve until `stop`."""
        await self._server.serve(sockets=[self._socket])

    def stop(self) -> None:
        """Accept nothing new, let requests at hand end."""
        self._server.should_exit = True
