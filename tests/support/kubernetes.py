"""A cluster for the tests: the part of the Kubernetes API that has to do with pods, whose containers really run.

It keeps pods as a cluster does, with versions, watches, deletions in two steps and conditions of containers, and has
podman run their containers: init containers one after the other, then the others, with volumes they share. What it
does not know it refuses. `PENSTOCK_TEST_KUBECONFIG` names a real cluster to test with instead (see CONTRIBUTING.md).
"""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from docker.utils.socket import frames_iter
from fastapi import APIRouter, FastAPI, Request, WebSocket, WebSocketDisconnect
from fastapi.responses import JSONResponse, Response, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.support.certificates import certificate_in
from tests.support.pods import Log, Node, Pod, Pods

TOKEN = "let-me-in"
PODS = "/api/v1/namespaces/{namespace}/pods"


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


class _Door:
    """Lets in who has a token, and is away now and then."""

    def __init__(self, app: ASGIApp, cluster: TestCluster) -> None:
        self._app = app
        self._cluster = cluster

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        given = dict(scope["headers"]).get(b"authorization", b"").decode()
        self._cluster.asked.append(f"{scope.get('method', 'WS')} {scope['path']}")
        faults = self._cluster.faults
        if faults.away and scope["type"] == "http":
            faults.away -= 1
            await _failure(503, "the server is currently unable to handle the request")(scope, receive, send)
        elif given.removeprefix("Bearer ") in self._cluster.tokens:
            await self._app(scope, receive, send)
        else:
            await _failure(401, "Unauthorized")(scope, receive, send)


def _failure(status: int, message: str) -> Response:
    return JSONResponse({"kind": "Status", "status": "Failure", "message": message, "code": status}, status)


def _app(cluster: TestCluster) -> ASGIApp:
    app, pods = FastAPI(), cluster.pods
    app.include_router(_records(pods))

    @app.get(PODS + "/{name}/log", response_model=None)
    def log(namespace: str, name: str, request: Request) -> Any:
        pod, asked = pods.get(namespace, name), request.query_params
        if pod is None:
            return _failure(404, f'pods "{name}" not found')
        lines = pod.log(asked["container"], asked.get("sinceTime"))
        if lines is None:
            return _failure(400, f'container "{asked["container"]}" in pod "{name}" is waiting to start')
        after = cluster.faults.cut_logs.pop(0) if cluster.faults.cut_logs else None
        return StreamingResponse(_cut(lines, after), media_type="text/plain")

    @app.websocket(PODS + "/{name}/exec")
    async def execute(namespace: str, name: str, web_socket: WebSocket) -> None:
        pod, asked = pods.get(namespace, name), web_socket.query_params
        if pod is None:
            await web_socket.close(1011)
            return
        await web_socket.accept(cluster.faults.protocol)
        with suppress(WebSocketDisconnect):
            await _execute(pod, asked["container"], asked.getlist("command"), web_socket)

    return _Door(app, cluster)


def _records(pods: Pods) -> APIRouter:
    """Return what makes, shows and deletes pods."""
    router = APIRouter()

    @router.post(PODS, status_code=201, response_model=None)
    async def create(namespace: str, request: Request) -> Any:
        body = await request.json()
        if pods.get(namespace, body["metadata"]["name"]) is not None:
            return _failure(409, f'pods "{body["metadata"]["name"]}" already exists')
        return (await asyncio.to_thread(pods.create, namespace, body)).seen

    @router.get(PODS, response_model=None)
    def find(namespace: str, request: Request) -> Any:
        asked = request.query_params
        if asked.get("watch") == "true":
            name = asked["fieldSelector"].removeprefix("metadata.name=")
            events = pods.events(namespace, name, int(asked["resourceVersion"]), float(asked["timeoutSeconds"]))
            return StreamingResponse((json.dumps(event) + "\n" for event in events), media_type="application/json")
        key, _, value = asked["labelSelector"].partition("=")
        found = [pod.seen for pod in pods.all(namespace) if pod.seen["metadata"].get("labels", {}).get(key) == value]
        return {"kind": "PodList", "items": found}

    @router.get(PODS + "/{name}", response_model=None)
    def get(namespace: str, name: str) -> Any:
        pod = pods.get(namespace, name)
        return pod.seen if pod else _failure(404, f'pods "{name}" not found')

    @router.delete(PODS + "/{name}", response_model=None)
    async def delete(namespace: str, name: str, request: Request) -> Any:
        pod, options = pods.get(namespace, name), await request.json()
        if pod is None:
            return _failure(404, f'pods "{name}" not found')
        if options.get("preconditions", {}).get("uid", pod.uid) != pod.uid:
            return _failure(409, "the UID in the precondition does not match")
        pod.end(options.get("gracePeriodSeconds"))
        return pod.seen

    return router


def _cut(lines: Log, after: int | None) -> Iterator[bytes]:
    """Give the lines, and break off in the middle of one after some of them."""
    try:
        for number, line in enumerate(lines):
            if number == after:
                yield line[: len(line) // 2]
                raise ConnectionError("cut off")
            yield line
    finally:
        lines.close()


async def _execute(pod: Pod, container: str, command: list[str], web_socket: WebSocket) -> None:
    """Run a command in a container, its streams being channels of a web socket."""
    running, loop = await asyncio.to_thread(pod.execute, container, command), asyncio.get_running_loop()

    async def take() -> None:
        while True:
            message = await web_socket.receive_bytes()
            if message[0] == 0:
                await asyncio.to_thread(running.socket.sendall, message[1:])
            elif message[0] == 255 and web_socket.scope["subprotocols"]:
                running.socket.shutdown(socket.SHUT_WR)

    def give() -> None:
        for number, data in frames_iter(running.stream, tty=False):  # type: ignore[no-untyped-call]
            asyncio.run_coroutine_threadsafe(web_socket.send_bytes(bytes([number]) + data), loop).result()

    taking = asyncio.create_task(take())
    try:
        await asyncio.to_thread(give)
        code = await asyncio.to_thread(running.code)
        causes = {"causes": [{"reason": "ExitCode", "message": str(code)}]}
        status = {"status": "Success"} if code == 0 else {"status": "Failure", "message": "failed", "details": causes}
        await web_socket.send_bytes(b"\3" + json.dumps(status).encode())
        await web_socket.close()
    finally:
        taking.cancel()
        running.close()


@contextmanager
def running_cluster(folder: Path, engine: str) -> Iterator[TestCluster]:
    """Run a cluster with its files in a folder.

    Args:
        folder: Where the volumes of its pods are.
        engine: The address of the container engine.
    """
    pods, certificate = Pods(Node(engine, folder)), certificate_in(folder)
    known = TestCluster("", certificate.read_text(), pods)
    config = uvicorn.Config(
        _app(known),
        host="127.0.0.1",
        port=0,
        log_level="critical",
        ws="wsproto",
        ssl_certfile=str(certificate),
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name="test-cluster")
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        known.url = f"https://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        yield known
    finally:
        pods.close()
        server.should_exit = True
        thread.join()
