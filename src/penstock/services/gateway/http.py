"""`WorkerGateway` over HTTP: for workers that reach the server by outbound connections alone."""

from __future__ import annotations

import asyncio
import base64
import socket
from collections import deque
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx
import msgspec

from penstock.base.clock import SECOND, Instant, Micros
from penstock.base.codec import to_json
from penstock.base.errors import (
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    PenstockError,
    UnauthorizedError,
    UnavailableError,
)
from penstock.engine.decision import Job
from penstock.engine.events import TaskEnded
from penstock.engine.records import LogLine, Metric
from penstock.ports.gateway import Assignment, Evaluated, Report
from penstock.ports.journal import LeaseLost
from penstock.services.gateway.wire import (
    JOB_HEADER,
    PREFIX,
    Called,
    Claim,
    Claimed,
    JobTicket,
    Problem,
    Registration,
    Told,
    ToldEvaluation,
    Waiting,
    Wanted,
    assignment_of,
)

T = TypeVar("T")
_PATIENCE = 30.0
_REMEMBERED = 2_000
_UNSURE = "?"
"""Stands for no answer that a server may have given."""
_KNOWN = {
    kind.code: kind
    for kind in (ConflictError, InvalidRequestError, LeaseLost, NotFoundError, UnauthorizedError, UnavailableError)
}


class TokenRefused(UnavailableError):
    """No server that answers knows the worker's token: it may be one that has another list of tokens already.

    A worker at work goes on asking, as if nobody answered; what it has to report is kept meanwhile.
    """

    code = "TOKEN_REFUSED"
    hint = "start the worker with one of the server's kestra.worker.tokens"


@dataclass(slots=True)
class _Talk:
    """Remembers what reached a worker, so that what gets lost on the way is sent again."""

    received: str = ""
    held: set[tuple[str, int]] = field(default_factory=set)
    ended: deque[tuple[str, int]] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    """Ended lately: the server may not have decided on their ends yet."""
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class HttpGateway:
    """The worker's side of the gateway. Implements BEY-010.

    Args:
        client: Its base URL is the server's, as in `https://penstock.example.com`.
        token: The worker token.
    """

    def __init__(self, client: httpx.AsyncClient, token: str) -> None:
        self._client = client
        self._headers = {"Authorization": f"Bearer {token}"}
        self._tickets: dict[tuple[str, int], str] = {}
        self._talks: dict[str, _Talk] = {}

    async def register(self, worker_id: str, group: str, capacity: int, hostname: str | None = None) -> None:
        """Make the worker known."""
        self._talks[worker_id] = _Talk()
        await self._ask("register", Registration(worker_id, group, capacity, hostname or socket.gethostname()), None)

    async def claim(self, worker_id: str, limit: int, wait: Micros) -> Sequence[Assignment]:
        """Return jobs, waiting for the first; one long request."""
        talk = self._talks.setdefault(worker_id, _Talk())
        async with talk.lock:
            claim = Claim(worker_id, limit, wait, talk.received)
            answer = await self._ask("claim", claim, Claimed, wait)
            if answer.asks:
                claim = Claim(worker_id, limit, wait, answer.name, [*talk.held, *talk.ended])
                answer = await self._ask("claim", claim, Claimed, wait)
            talk.received = answer.name
            talk.held.update(given.job.key for given in answer.given)
        for given in answer.given:
            self._tickets[given.job.key] = given.ticket
        return [assignment_of(given) for given in answer.given]

    async def heartbeat(self, worker_id: str) -> Sequence[tuple[str, int]]:
        """Say that the worker lives."""
        return await self._ask("heartbeat", Waiting(worker_id), list[tuple[str, int]])

    async def kills(self, worker_id: str, wait: Micros) -> Sequence[tuple[str, int]]:
        """Return kill orders, waiting for the first; one long request."""
        return await self._ask("kills", Waiting(worker_id, wait), list[tuple[str, int]], wait)

    async def report(self, reports: Sequence[Report]) -> None:
        """Hand in starts and ends."""
        told = [
            Told(report.job, self._ticket(report.job), report.event, list(report.logs), list(report.metrics))
            for report in reports
        ]
        await self._ask("reports", told, None)
        for report in reports:
            if isinstance(report.event, TaskEnded):
                self._forget(report.event.worker_id or "", report.job.key)

    def _forget(self, worker_id: str, key: tuple[str, int]) -> None:
        """Let go of a job, unless it has been given anew, as to a worker that had to take another name."""
        talk = self._talks.get(worker_id)
        if talk is not None and key in talk.held:
            talk.held.discard(key)
            talk.ended.append(key)
        if not any(key in other.held for other in self._talks.values()):
            self._tickets.pop(key, None)

    async def lost(self, worker_id: str, known: Collection[tuple[str, int]]) -> Sequence[Assignment]:
        """Return nothing, but have the next claim say what is known: it brings what got lost on the way.

        Which answer came last does not tell by itself: another server's may have got lost since.
        """
        self._talks.setdefault(worker_id, _Talk()).received = _UNSURE
        return ()

    async def evaluated(self, told: Evaluated) -> bool:
        """Hand in what the evaluation of a trigger found."""
        job = told.job
        body = ToldEvaluation(
            job,
            self._ticket(job),
            told.worker_id,
            told.variables,
            told.key,
            told.is_over,
            told.error,
            told.log_file,
        )
        is_awaited: bool = await self._ask("evaluations", body, bool)
        if told.is_over or not is_awaited:
            self._forget(told.worker_id, job.key)
        return is_awaited

    async def logs(self, lines: Sequence[LogLine]) -> None:
        """Store log lines of running jobs."""
        await self._ask("logs", list(lines), None)

    async def metrics(self, metrics: Sequence[Metric]) -> None:
        """Store metrics of running jobs."""
        await self._ask("metrics", list(metrics), None)

    async def release(self, worker_id: str) -> None:
        """Hand back everything the worker holds."""
        await self._ask("release", Waiting(worker_id), None)
        self._talks.pop(worker_id, None)

    async def put_file(self, job: Job, name: str, content: bytes | Path) -> str:
        """Send a file and return its URI."""
        ticket = base64.b64encode(to_json(JobTicket(job, self._ticket(job)))).decode()
        headers = {**self._headers, JOB_HEADER: ticket, "Content-Type": "application/octet-stream"}
        body = content if isinstance(content, bytes) else _pieces(content)
        try:
            response = await self._client.put(
                f"{PREFIX}/files", params={"name": name}, content=body, headers=headers, timeout=_PATIENCE
            )
        except httpx.HTTPError as error:
            raise _unreachable(error) from None
        uri: str = _read(response, str)
        return uri

    async def get_file(self, job: Job, uri: str, target: Path) -> None:
        """Copy a stored file to the local disk."""
        with target.open("wb") as file:
            async for piece in self.stream_file(job, uri):
                file.write(piece)

    async def stream_file(self, job: Job, uri: str) -> AsyncIterator[bytes]:
        """Return a stored file's bytes in pieces."""
        body = to_json(Wanted(job, self._ticket(job), uri))
        try:
            async with self._client.stream(
                "POST", f"{PREFIX}/files/read", content=body, headers=self._headers, timeout=_PATIENCE
            ) as response:
                if response.is_error:
                    await response.aread()
                    raise _problem(response)
                async for piece in response.aiter_raw(65_536):
                    yield piece
        except httpx.HTTPError as error:
            raise _unreachable(error) from None

    async def call(self, job: Job, function: str, arguments: Mapping[str, Any], worker_id: str | None = None) -> Any:
        """Answer an expression function."""
        return await self._ask("call", Called(job, self._ticket(job), function, dict(arguments), worker_id), Any)

    async def now(self) -> Instant:
        """Return the server's time."""
        return await self._ask("now", None, int)

    def _ticket(self, job: Job) -> str:
        return self._tickets.get(job.key, "")

    async def _ask(self, what: str, body: object, answer: type[T] | Any, wait: Micros = 0) -> T | Any:
        try:
            response = await self._client.post(
                f"{PREFIX}/{what}", content=to_json(body), headers=self._headers, timeout=_PATIENCE + wait / SECOND
            )
        except httpx.HTTPError as error:
            raise _unreachable(error) from None
        return _read(response, answer)


def _read(response: httpx.Response, kind: Any) -> Any:
    if response.is_error:
        raise _problem(response)
    try:
        return None if kind is None else msgspec.json.decode(response.content, type=kind)
    except msgspec.DecodeError:
        raise UnavailableError(f"{response.url} does not answer as a Penstock server does") from None


def _problem(response: httpx.Response) -> PenstockError:
    """Return the error an answer tells of."""
    try:
        told = msgspec.json.decode(response.content, type=Problem)
    except msgspec.DecodeError:
        return UnavailableError(f"{response.url} answers with status {response.status_code}")
    known = _KNOWN.get(told.code)
    if known is not None:
        return known(told.message, hint=told.hint)
    if response.status_code == httpx.codes.UNAUTHORIZED:
        return TokenRefused(told.message)
    error = PenstockError(told.message, hint=told.hint)
    error.code = told.code
    return error


def _unreachable(error: httpx.HTTPError) -> UnavailableError:
    return UnavailableError(
        f"the server cannot be reached: {type(error).__name__} {error}".rstrip(),
        hint="see that it runs, and that its address is right",
    )


async def _pieces(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(1024 * 1024):
            yield piece
