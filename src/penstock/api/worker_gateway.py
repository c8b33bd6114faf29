"""The server's side of workers that speak HTTP: every method of a `WorkerGateway` as a request.

Who knows a worker token is a worker. It may ask about jobs it was given, which it proves by their tickets, and about no
others; so a token alone opens neither secrets nor files.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import functools
import hmac
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from fastapi import APIRouter, Request
from starlette.requests import ClientDisconnect
from starlette.responses import Response, StreamingResponse

from penstock.base.clock import SECOND, Micros
from penstock.base.codec import to_json
from penstock.base.errors import (
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    PenstockError,
    UnauthorizedError,
    UnavailableError,
)
from penstock.base.ids import new_id
from penstock.engine.decision import Job
from penstock.engine.records import LogLine, Metric
from penstock.ports.gateway import Assignment, Evaluated, Report, WorkerGateway
from penstock.ports.journal import LeaseLost
from penstock.services.gateway.wire import (
    JOB_HEADER,
    PREFIX,
    Called,
    Claim,
    Claimed,
    JobTicket,
    Registration,
    Told,
    ToldEvaluation,
    Waiting,
    Wanted,
    given_of,
    ticket_of,
)

T = TypeVar("T")
Handler = Callable[[Request], Awaitable[Response]]
_LONGEST_WAIT = 60 * SECOND
_STATUS: tuple[tuple[type[PenstockError], int], ...] = (
    (LeaseLost, 409),
    (NotFoundError, 404),
    (ConflictError, 409),
    (InvalidRequestError, 422),
    (UnauthorizedError, 403),
    (UnavailableError, 503),
)


class WrongToken(UnauthorizedError):
    """The request shows no worker token this server knows."""

    code = "WRONG_WORKER_TOKEN"
    hint = "start the worker with a token of the server's configuration"


@dataclass(frozen=True, slots=True)
class WorkerAccess:
    """Who may be a worker.

    Args:
        tokens: The worker tokens; with none, nobody may.
        signing_key: Signs the tickets of jobs; the same in all servers that share a database.
    """

    tokens: Sequence[str]
    signing_key: bytes

    def check(self, request: Request) -> None:
        """Raise unless the request shows a worker token. Every token is compared, in constant time."""
        scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
        right = [hmac.compare_digest(shown.encode(), token.encode()) for token in self.tokens]
        if scheme.lower() != "bearer" or not any(right):
            raise WrongToken("the worker token is missing or wrong")

    def check_job(self, job: Job, ticket: str) -> None:
        """Raise unless the job was given away by this server."""
        if not hmac.compare_digest(ticket_of(self.signing_key, job), ticket):
            raise UnauthorizedError("the job was not given to this worker")


@dataclass(slots=True)
class _Conversation:
    """Which answer a worker was given last by this server."""

    name: str = ""
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class _Server:
    """The requests of workers."""

    def __init__(self, gateway: WorkerGateway, access: WorkerAccess) -> None:
        self._gateway = gateway
        self._access = access
        self._conversations: dict[str, _Conversation] = {}

    async def register(self, request: Request) -> Response:
        body = await _body(request, Registration)
        await self._gateway.register(body.worker_id, body.group, body.capacity, body.hostname)
        self._conversations[body.worker_id] = _Conversation()
        return _answer(None)

    async def claim(self, request: Request) -> Response:
        body = await _body(request, Claim)
        talk = self._conversations.setdefault(body.worker_id, _Conversation(new_id()))
        async with talk.lock:
            if body.received != talk.name:  # an answer got lost, or came from another server
                return _answer(Claimed(talk.name, [], asks=True))
            wait = min(body.wait, _LONGEST_WAIT)
            claimed = await _unless_gone(request, self._claimed(body, wait))
            talk.name = new_id()
            given = [given_of(self._access.signing_key, one) for one in claimed or ()]
            return _answer(Claimed(talk.name, given))

    async def _claimed(self, body: Claim, wait: Micros) -> Sequence[Assignment]:
        if body.known is not None:
            lost = await self._gateway.lost(body.worker_id, set(body.known))
            if lost:
                return lost
        return await self._gateway.claim(body.worker_id, body.limit, wait)

    async def heartbeat(self, request: Request) -> Response:
        body = await _body(request, Waiting)
        return _answer(await self._gateway.heartbeat(body.worker_id))

    async def kills(self, request: Request) -> Response:
        body = await _body(request, Waiting)
        wait = min(body.wait, _LONGEST_WAIT)
        return _answer(await _unless_gone(request, self._gateway.kills(body.worker_id, wait)) or [])

    async def reports(self, request: Request) -> Response:
        told = await _body(request, list[Told])
        for one in told:
            self._access.check_job(one.job, one.ticket)
            if (one.event.task_run_id, one.event.attempt) != one.job.key:
                raise InvalidRequestError("a report speaks of another job than its own")
        await self._gateway.report([Report(one.job, one.event, one.logs, one.metrics) for one in told])
        return _answer(None)

    async def evaluations(self, request: Request) -> Response:
        told = await _body(request, ToldEvaluation)
        self._access.check_job(told.job, told.ticket)
        about = (told.variables, told.key, told.is_over, told.error, told.log_file)
        found = Evaluated(told.job, told.worker_id, *about)
        return _answer(await self._gateway.evaluated(found))

    async def logs(self, request: Request) -> Response:
        await self._gateway.logs(await _body(request, list[LogLine]))
        return _answer(None)

    async def metrics(self, request: Request) -> Response:
        await self._gateway.metrics(await _body(request, list[Metric]))
        return _answer(None)

    async def release(self, request: Request) -> Response:
        body = await _body(request, Waiting)
        self._conversations.pop(body.worker_id, None)
        await self._gateway.release(body.worker_id)
        return _answer(None)

    async def call(self, request: Request) -> Response:
        body = await _body(request, Called)
        self._access.check_job(body.job, body.ticket)
        return _answer(await self._gateway.call(body.job, body.function, body.arguments, body.worker_id))

    async def now(self, request: Request) -> Response:
        return _answer(await self._gateway.now())

    async def put_file(self, request: Request) -> Response:
        try:
            shown = msgspec.json.decode(base64.b64decode(request.headers.get(JOB_HEADER, "")), type=JobTicket)
        except (msgspec.DecodeError, binascii.Error):
            raise InvalidRequestError(f"header {JOB_HEADER} names no job") from None
        self._access.check_job(shown.job, shown.ticket)
        with tempfile.NamedTemporaryFile(prefix="penstock-upload-") as file:
            async for piece in request.stream():
                await asyncio.to_thread(file.write, piece)
            file.flush()
            uri = await self._gateway.put_file(shown.job, request.query_params.get("name", ""), Path(file.name))
        return _answer(uri)

    async def read_file(self, request: Request) -> Response:
        body = await _body(request, Wanted)
        self._access.check_job(body.job, body.ticket)
        pieces = self._gateway.stream_file(body.job, body.uri)
        first = await anext(pieces, b"")  # errors show up here, while the answer can still say so

        async def content() -> AsyncIterator[bytes]:
            yield first
            async for piece in pieces:
                yield piece

        return StreamingResponse(content(), media_type="application/octet-stream")


def create_worker_router(gateway: WorkerGateway, access: WorkerAccess) -> APIRouter:
    """Return the routes under `/api/v1/worker`. Implements BEY-010 over HTTP."""
    server = _Server(gateway, access)
    router = APIRouter(prefix=PREFIX, include_in_schema=False)
    routes: Mapping[str, Handler] = {
        "/register": server.register,
        "/claim": server.claim,
        "/heartbeat": server.heartbeat,
        "/kills": server.kills,
        "/reports": server.reports,
        "/evaluations": server.evaluations,
        "/logs": server.logs,
        "/metrics": server.metrics,
        "/release": server.release,
        "/call": server.call,
        "/now": server.now,
        "/files/read": server.read_file,
    }
    for path, handler in routes.items():
        router.add_api_route(path, _guarded(handler, access), methods=["POST"])
    router.add_api_route("/files", _guarded(server.put_file, access), methods=["PUT"])
    return router


def _guarded(handler: Handler, access: WorkerAccess) -> Handler:
    """Return the handler behind the token check, its errors told as the worker understands them."""

    @functools.wraps(handler)
    async def guarded(request: Request) -> Response:
        try:
            access.check(request)
            return await handler(request)
        except ClientDisconnect:
            return Response(status_code=499)
        except PenstockError as error:
            status = next((status for kind, status in _STATUS if isinstance(error, kind)), 500)
            if isinstance(error, WrongToken):
                status = 401
            body = {"message": error.message, "code": error.code, "hint": error.hint}
            return Response(to_json(body), status_code=status, media_type="application/json")

    return guarded


async def _body(request: Request, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(await request.body(), type=kind)
    except msgspec.DecodeError as error:
        raise InvalidRequestError(f"the request cannot be read: {error}", hint="run the server's version") from None


def _answer(value: Any) -> Response:
    return Response(to_json(value), media_type="application/json")


async def _unless_gone(request: Request, work: Awaitable[T]) -> T | None:
    """Return what long work gives, or None as soon as nobody waits for it any more."""
    working = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait([working, gone], return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        return None
    finally:
        for task in (working, gone):
            task.cancel()


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
