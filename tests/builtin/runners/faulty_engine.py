"""A way to a container engine on which requests are refused and connections are reset, as tests say."""

from __future__ import annotations

import re
import select
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import Any

_PIECE = 65_536
_LOOK = 0.02
_AT_ONCE = struct.pack("ii", 1, 0)
"""What a socket lingers for when its end is to be a reset."""

RESET = 0
"""The answer that is none."""


@dataclass
class Faults:
    """What happens to requests on their way.

    Args:
        answers: What the first requests that match are answered with, instead of by the engine: statuses, or `RESET`.
        before: What is called before a request that matches is handed on.
    """

    answers: dict[str, list[int]] = field(default_factory=dict)
    before: dict[str, Callable[[], object]] = field(default_factory=dict)
    streams_end: threading.Event = field(default_factory=threading.Event)
    """Set to reset the connections on which the output of containers comes."""

    def answer_to(self, request: str) -> int | None:
        """Return what a request is answered with, None when it is handed on."""
        for pattern, action in self.before.items():
            if re.match(pattern, request):
                action()
        for pattern, answers in self.answers.items():
            if answers and re.match(pattern, request):
                return answers.pop(0)
        return None


@contextmanager
def faulty(engine: str, faults: Faults) -> Iterator[str]:
    """Run a way to the engine at an address; gives the address to use."""
    with _Server(("127.0.0.1", 0), _Way) as server:
        server.engine, server.faults = engine.removeprefix("unix://"), faults
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"tcp://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
            server.is_over.set()


class _Server(ThreadingTCPServer):
    engine: str
    faults: Faults

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.is_over = threading.Event()


class _Way(BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        with socket.socket(socket.AF_UNIX) as engine:
            engine.connect(self.server.engine)
            self._pass(self.request, engine)

    def _pass(self, client: socket.socket, engine: socket.socket) -> None:
        is_stream = False
        while not self.server.is_over.is_set():
            ready, _, _ = select.select([client, engine], [], [], _LOOK)
            if is_stream and self.server.faults.streams_end.is_set():
                return self._reset(client)
            for side in ready:
                piece = side.recv(_PIECE)
                if not piece:
                    return None
                if side is engine:
                    client.sendall(piece)
                    continue
                request = piece.partition(b"\r\n")[0].decode("latin-1")
                is_stream = is_stream or "/attach" in request
                status = self.server.faults.answer_to(request)
                if status == RESET:
                    return self._reset(client)
                if status is None:
                    engine.sendall(piece)
                else:
                    client.sendall(_answer(status))
        return None

    @staticmethod
    def _reset(client: socket.socket) -> None:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        client.close()


def _answer(status: int) -> bytes:
    body = b'{"message": "the engine is busy"}'
    head = f"HTTP/1.1 {status} No\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body
