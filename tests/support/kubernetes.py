"""A cluster for the tests: the part of the Kubernetes API that has to do with pods, whose containers really run.

It keeps pods as a cluster does, with versions, watches, deletions in two steps and conditions of containers, and has
podman run their containers: init containers one after the other, then the others, with volumes they share. What it
does not know it refuses. `PENSTOCK_TEST_KUBECONFIG` names a real cluster to test with instead (see CONTRIBUTING.md).
"""

from __future__ import annotations

import base64
import hashlib
import json
import queue
import re
import socket
import ssl
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from docker.utils.socket import frames_iter
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection

from tests.support.certificates import certificate_in
from tests.support.pods import Map, Node, Pod, Pods, Running
from tests.support.serving import serving

TOKEN = "let-me-in"
_PLACE = re.compile(r"/api/v1/namespaces/([^/]+)/pods(?:/([^/]+))?(?:/(log|exec))?")
_HANDSHAKE = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_TURN, _PATIENCE = 0.02, 60.0


@dataclass
class Faults:
    """What goes wrong."""

    cut_logs: list[int] = field(default_factory=list)
    """After how many lines each of the next readings of a log is cut off."""
    away: int = 0
    """How many of the next requests are answered with 503."""
    protocol: str = "v5.channel.k8s.io"
    """The protocol of commands in containers."""


class TestCluster:
    """A cluster that runs.

    Args:
        url: The address of its API.
        authority: The certificate that its own is checked by.
        pods: The pods.
    """

    __test__ = False

    def __init__(self, url: str, authority: str, pods: Pods) -> None:
        self.url = url
        self.authority = authority
        self.pods = pods
        self.tokens = {TOKEN}
        self.faults = Faults()
        self.asked: list[str] = []
        """The requests, as method and path."""

    @property
    def config(self) -> dict[str, Any]:
        """The task runner's `config` for it."""
        return {"masterUrl": self.url, "caCertData": self.authority, "oauthToken": TOKEN}


class _Api(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, cluster: TestCluster, certificate: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.cluster = cluster
        self._tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._tls.load_cert_chain(certificate)

    def get_request(self) -> tuple[socket.socket, Any]:
        """Take a connection; its thread, not this one, waits for the handshake."""
        connection, address = super().get_request()
        return self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False), address

    def handle_error(self, *_: object) -> None:
        """Say nothing of clients that go away."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Api

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self._answer()

    do_POST = do_DELETE = do_GET

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        cluster, parts = self.server.cluster, urlsplit(self.path)
        cluster.asked.append(f"{self.command} {parts.path}")
        found = _PLACE.fullmatch(parts.path)
        if cluster.faults.away and "Upgrade" not in self.headers:
            cluster.faults.away -= 1
            self._refuse(503, "the server is currently unable to handle the request")
        elif self.headers.get("Authorization", "").removeprefix("Bearer ") not in cluster.tokens:
            self._refuse(401, "Unauthorized")
        elif found is None:
            self._refuse(404, f"the server has no {parts.path}")
        else:
            asked = parse_qs(parts.query)
            self._dispatch(found[1], found[2], found[3], asked, json.loads(body) if body else {})

    def _dispatch(self, namespace: str, name: str | None, part: str | None, asked: Any, body: Map) -> None:
        pods = self.server.cluster.pods
        if self.command == "POST":
            self._create(namespace, body)
        elif name is None and asked.get("watch") == ["true"]:
            watched = asked["fieldSelector"][0].removeprefix("metadata.name=")
            version, seconds = int(asked["resourceVersion"][0]), float(asked["timeoutSeconds"][0])
            self._stream(json.dumps(one).encode() + b"\n" for one in pods.events(namespace, watched, version, seconds))
        elif name is None:
            key, _, value = asked["labelSelector"][0].partition("=")
            seen = [pod.seen for pod in pods.all(namespace)]
            self._give(200, {"items": [one for one in seen if one["metadata"]["labels"].get(key) == value]})
        elif (pod := pods.get(namespace, name)) is None:
            self._refuse(404, f'pods "{name}" not found')
        elif self.command == "DELETE":
            self._delete(pod, body)
        elif part == "log":
            self._log(pod, asked)
        elif part == "exec":
            self._execute(pod.execute(asked["container"][0], asked["command"]))
        else:
            self._give(200, pod.seen)

    def _create(self, namespace: str, body: Map) -> None:
        pods, name = self.server.cluster.pods, body["metadata"]["name"]
        if pods.get(namespace, name) is not None:
            self._refuse(409, f'pods "{name}" already exists')
        else:
            self._give(201, pods.create(namespace, body).seen)

    def _delete(self, pod: Pod, options: Map) -> None:
        if options.get("preconditions", {}).get("uid", pod.uid) != pod.uid:
            self._refuse(409, "the UID in the precondition does not match")
        else:
            pod.end(options.get("gracePeriodSeconds"))
            self._give(200, pod.seen)

    def _log(self, pod: Pod, asked: Any) -> None:
        lines = pod.log(asked["container"][0], asked.get("sinceTime", [None])[0])
        if lines is None:
            self._refuse(400, f'container "{asked["container"][0]}" in pod "{pod.name}" is waiting to start')
            return
        faults = self.server.cluster.faults
        try:
            self._stream(lines, faults.cut_logs.pop(0) if faults.cut_logs else None)
        finally:
            lines.close()

    def _stream(self, pieces: Iterable[bytes], cut: int | None = None) -> None:
        """Give pieces as they come, and break off in the middle of one after some of them."""
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for number, piece in enumerate(pieces):
            given = piece[: len(piece) // 2] if number == cut else piece
            self.wfile.write(b"%x\r\n%s\r\n" % (len(given), given))
            if number == cut:
                self.close_connection = True
                return
        self.wfile.write(b"0\r\n\r\n")

    def _refuse(self, status: int, message: str) -> None:
        self._give(status, {"kind": "Status", "status": "Failure", "message": message, "code": status})

    def _give(self, status: int, answer: Map) -> None:
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _execute(self, running: Running) -> None:
        """Let a command's streams be channels of a web socket."""
        self.close_connection = True
        key = self.headers["Sec-WebSocket-Key"] + _HANDSHAKE
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key.encode()).digest()).decode())
        self.send_header("Sec-WebSocket-Protocol", self.server.cluster.faults.protocol)
        self.end_headers()
        try:
            _Channels(self.connection, running).carry()
        finally:
            running.close()


class _Channels:
    """A command's streams, as channels of a web socket. One thread alone uses the connection: TLS wants it so."""

    def __init__(self, connection: socket.socket, running: Running) -> None:
        self._connection = connection
        self._running = running
        self._frames = Connection(ConnectionType.SERVER)
        self._written: queue.Queue[tuple[int, bytes] | None] = queue.Queue()
        self._message = b""

    def carry(self) -> None:
        """Carry all there is, until the command has ended."""
        reading = threading.Thread(target=self._read, daemon=True)
        reading.start()
        while True:
            self._take()
            with suppress(queue.Empty):
                while (piece := self._written.get_nowait()) is not None:
                    self._send(bytes([piece[0]]) + piece[1])
                break
        reading.join()
        code = self._running.code()
        causes = {"causes": [{"reason": "ExitCode", "message": str(code)}]}
        status = {"status": "Success"} if code == 0 else {"status": "Failure", "message": "failed", "details": causes}
        self._send(b"\3" + json.dumps(status).encode())
        self._connection.sendall(self._frames.send(CloseConnection(code=1000)))

    def _read(self) -> None:
        try:
            with suppress(OSError, ValueError):  # whoever asked has gone, and the connection was closed meanwhile
                for number, data in frames_iter(self._running.stream, tty=False):  # type: ignore[no-untyped-call]
                    self._written.put((number, data))
        finally:
            self._written.put(None)

    def _take(self) -> None:
        """Hand on what the command reads."""
        self._connection.settimeout(_TURN)
        try:
            data = self._connection.recv(65_536)
        except TimeoutError:
            return
        self._frames.receive_data(data or None)
        for event in self._frames.events():
            if not isinstance(event, BytesMessage):
                raise ConnectionError("the client has gone")
            self._message += event.data
            if event.message_finished:
                message, self._message = self._message, b""
                if message[0] == 0:
                    self._running.socket.sendall(message[1:])
                elif message[0] == 255:
                    self._running.socket.shutdown(socket.SHUT_WR)

    def _send(self, message: bytes) -> None:
        self._connection.settimeout(_PATIENCE)
        self._connection.sendall(self._frames.send(BytesMessage(data=message)))


@contextmanager
def running_cluster(folder: Path, engine: str) -> Iterator[TestCluster]:
    """Run a cluster with its files in a folder.

    Args:
        folder: Where the volumes of its pods are.
        engine: The address of the container engine.
    """
    pods, certificate = Pods(Node(engine, folder)), certificate_in(folder)
    known = TestCluster("", certificate.read_text(), pods)
    with serving(_Api(known, certificate)) as server:
        known.url = f"https://127.0.0.1:{server.server_port}"
        try:
            yield known
        finally:
            pods.close()
