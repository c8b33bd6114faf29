"""HTTP for plugins: a client whose calls end when the task is killed. Implements PLG-028."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Mapping
from functools import cache
from typing import Any

import httpx

from penstock.sdk.context import RunContext

_CONNECT = 10.0
_IDLE = 300.0


def http_client(context: RunContext, **options: Any) -> httpx.Client:
    """Return a client for the calls of a task; to be closed, best by `with`.

        with http_client(context, base_url="https://api.example.org") as client:
            answer = client.get("/weather").raise_for_status().json()

    Args:
        context: The task's: when it is killed, calls end at once with an `httpx.HTTPError`.
        options: Of `httpx.Client`; redirects are followed, and certificates checked, unless they say otherwise.
    """
    cutter = Cutter()
    context.on_kill(cutter.cut)

    def watch(request: httpx.Request) -> None:
        request.extensions = {**request.extensions, "trace": cutter.trace}

    defaults: dict[str, Any] = {
        "follow_redirects": True,
        "timeout": httpx.Timeout(_IDLE, connect=_CONNECT),
        "verify": known_authorities(),
    }
    hooks = {**options.pop("event_hooks", {})}
    hooks["request"] = [*hooks.get("request", ()), watch]
    return httpx.Client(**{**defaults, **options}, event_hooks=hooks)


class Cutter:
    """Ends the calls of a client from another thread: a blocking read returns only when its socket is shut down."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._streams: list[Any] = []
        self._is_cut = False

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Take note of each connection made; the client calls this."""
        made = info.get("return_value") if event.endswith(("connect_tcp.complete", "start_tls.complete")) else None
        if made is None:
            return
        with self._lock:
            self._streams.append(made)  # TLS takes the socket away from the stream below it: both are kept
            is_cut = self._is_cut
        if is_cut:
            self.cut()

    def cut(self) -> None:
        """Shut all connections down, those to come too."""
        with self._lock:
            self._is_cut = True
            streams = list(self._streams)
        for stream in streams:
            found = stream.get_extra_info("socket")
            if found is not None:
                with contextlib.suppress(OSError):
                    socket.socket.shutdown(found, socket.SHUT_RDWR)  # below TLS, whose own state is another thread's


@cache
def known_authorities() -> ssl.SSLContext:
    """Return what checks certificates; reading all authorities takes long, and contexts may be shared."""
    return httpx.create_ssl_context()
