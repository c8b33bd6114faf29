"""A real HTTP server that answers as a test needs it and keeps what it was sent."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.support.certificates import certificate_in


@dataclass
class Received:
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes


@dataclass
class HttpServer:
    url: str
    received: list[Received] = field(default_factory=list)
    hanging: threading.Event = field(default_factory=threading.Event)
    """Set as soon as a call hangs."""


class Listener(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.state = HttpServer(f"http://127.0.0.1:{self.server_address[1]}")
        self.released = threading.Event()

    def handle_error(self, *_: object) -> None:
        """Say nothing of clients that go away."""


class Handler(BaseHTTPRequestHandler):
    server: Listener

    def log_message(self, *_: object) -> None:
        pass

    def answer(self) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.state.received.append(Received(self.command, parts.path, parts.query, headers, body))
        route, _, argument = parts.path.strip("/").partition("/")
        getattr(self, f"to_{route}")(argument)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = answer

    def give(self, status: int, body: bytes, *headers: tuple[str, str]) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def to_hello(self, _: str) -> None:
        self.give(200, "grüß Gott".encode(), ("Content-Type", "text/plain"), ("X-Two", "1"), ("X-Two", "2"))

    def to_latin(self, _: str) -> None:
        self.give(200, "grüß".encode("latin-1"), ("Content-Type", "text/plain; charset=ISO-8859-1"))

    def to_status(self, code: str) -> None:
        self.give(int(code), b"so\nit is")

    def to_redirect(self, _: str) -> None:
        self.give(302, b"", ("Location", "/hello"))

    def to_empty(self, _: str) -> None:
        self.give(200, b"")

    def to_file(self, name: str) -> None:
        self.give(200, b"a,b\n1,2\n", ("Content-Disposition", f'attachment; filename="{unquote(name)}"'))

    def to_data(self, size: str) -> None:
        self.give(200, b"x" * int(size))

    def to_whoami(self, _: str) -> None:
        given = self.headers.get("Authorization", "")
        self.give(200, json.dumps({"authorization": given}).encode(), ("Content-Type", "application/json"))

    def to_hang(self, _: str) -> None:
        self.server.state.hanging.set()
        self.server.released.wait(30)
        self.close_connection = True

    def to_trickle(self, _: str) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000000")
        self.end_headers()
        try:
            while not self.server.released.is_set():
                self.wfile.write(b"x")
                self.server.state.hanging.set()
                time.sleep(0.02)
        except OSError:
            self.close_connection = True


@pytest.fixture
def http_server() -> Iterator[HttpServer]:
    yield from serve(Listener())


@pytest.fixture
def https_server(tmp_path: Path) -> Iterator[HttpServer]:
    listener = Listener()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate_in(tmp_path))
    listener.socket = tls.wrap_socket(listener.socket, server_side=True)
    listener.state.url = listener.state.url.replace("http://", "https://")
    yield from serve(listener)


def serve(listener: Listener) -> Iterator[HttpServer]:
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield listener.state
    listener.released.set()
    listener.shutdown()
    thread.join()
    listener.server_close()
