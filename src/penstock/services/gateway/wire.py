"""What a worker and a server say to each other over HTTP: addresses, bodies, and what of a context is sent along.

Both sides read and write these structures with msgspec; the server signs every job it gives away, and answers about a
job only to whoever shows its ticket.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any

import msgspec

from penstock.base.clock import Micros
from penstock.base.codec import to_json
from penstock.engine.decision import Job
from penstock.engine.events import TaskEnded, TaskStarted
from penstock.engine.records import Fixtures, LogLine, Metric
from penstock.expressions import ExpressionError, compile_template
from penstock.ports.gateway import Assignment

PREFIX = "/api/v1/worker"
JOB_HEADER = "X-Penstock-Job"
"""Names the job of a file that is sent: base64 of a `JobTicket`."""
_ON_DEMAND = ("outputs", "tasks")
"""Parts of the context that grow with the execution; the rest is small and always sent."""


class Registration(msgspec.Struct, frozen=True):
    """A worker makes itself known."""

    worker_id: str
    group: str
    capacity: int
    hostname: str | None = None
    """Where it runs."""


class Claim(msgspec.Struct, frozen=True):
    """A worker asks for work."""

    worker_id: str
    limit: int
    wait: Micros
    received: str
    """Which answer to a claim reached it last; the server sees from it that one got lost."""
    known: list[tuple[str, int]] | None = None
    """The jobs that reached it, when the server asks for them."""


class Waiting(msgspec.Struct, frozen=True):
    """A worker asks for kill orders, or says that it lives."""

    worker_id: str
    wait: Micros = 0


class JobTicket(msgspec.Struct, frozen=True):
    """A job, and the proof that it was given to whoever shows this."""

    job: Job
    ticket: str


class Given(msgspec.Struct, frozen=True):
    """A job as it is given away, with all that is needed to run it."""

    job: Job
    ticket: str
    definition: dict[str, Any]
    type: str
    variables: dict[str, Any]
    timeout: str | None = None
    log_level: str | None = None
    quick: bool = False
    attempts_count: int = 0
    kind: str = "NORMAL"
    fixtures: Fixtures | None = None
    confidential: tuple[str, ...] = ()


class Claimed(msgspec.Struct, frozen=True):
    """An answer to a claim."""

    name: str
    """Of the answer, to be said in the next claim."""
    given: list[Given]
    asks: bool = False
    """Whether the worker is to claim again and say what reached it: this server does not know the answer before."""


class Told(msgspec.Struct, frozen=True):
    """A report."""

    job: Job
    ticket: str
    event: TaskStarted | TaskEnded
    logs: list[LogLine] = []
    metrics: list[Metric] = []


class ToldEvaluation(msgspec.Struct, frozen=True):
    """What the evaluation of a trigger found."""

    job: Job
    ticket: str
    worker_id: str
    variables: Mapping[str, Any] | None = None
    key: str | None = None
    is_over: bool = True
    error: str | None = None
    log_file: str | None = None


class Called(msgspec.Struct, frozen=True):
    """A call of an expression function."""

    job: Job
    ticket: str
    function: str
    arguments: dict[str, Any]
    worker_id: str | None = None
    """Who has the job by its own account; workers of earlier releases do not say it."""


class Wanted(msgspec.Struct, frozen=True):
    """A stored file is asked for."""

    job: Job
    ticket: str
    uri: str


class Problem(msgspec.Struct, frozen=True):
    """An error as the server tells it."""

    message: str
    code: str = "PENSTOCK"
    hint: str = ""


def ticket_of(key: bytes, job: Job) -> str:
    """Return the proof that the holder of the key has given this job away."""
    return hmac.digest(key, msgspec.json.encode(job), "sha256").hex()


def given_of(key: bytes, assignment: Assignment) -> Given:
    """Return an assignment as it is sent, with no more of the context than its task can read."""
    return Given(
        assignment.job,
        ticket_of(key, assignment.job),
        dict(assignment.definition),
        assignment.type,
        needed_variables(assignment),
        assignment.timeout,
        assignment.log_level,
        assignment.quick,
        assignment.attempts_count,
        assignment.kind,
        assignment.fixtures,
        assignment.confidential,
    )


def assignment_of(given: Given) -> Assignment:
    """Return the assignment that was sent."""
    return Assignment(
        given.job,
        given.definition,
        given.type,
        given.variables,
        given.timeout,
        given.log_level,
        given.quick,
        given.attempts_count,
        given.kind,
        given.fixtures,
        given.confidential,
    )


def needed_variables(assignment: Assignment) -> dict[str, Any]:
    """Return the context without outputs and task states that no template of the task reads."""
    references: set[tuple[str, ...]] = set()
    _collect([assignment.definition, assignment.timeout], references)
    if assignment.fixtures is not None:
        _collect([fixture.outputs for fixture in assignment.fixtures.tasks.values()], references)
    whole = ("*",) in references
    result: dict[str, Any] = {}
    for name, value in assignment.variables.items():
        if name not in _ON_DEMAND or whole:
            result[name] = value
            continue
        read = {path[1] if len(path) > 1 else "*" for path in references if path[0] == name}
        result[name] = value if "*" in read else {step: value[step] for step in sorted(read) if step in value}
    plain: dict[str, Any] = msgspec.json.decode(to_json(result))
    return plain


def _collect(value: Any, references: set[tuple[str, ...]]) -> None:
    if isinstance(value, str):
        if "{" in value:
            try:
                references.update(compile_template(value).references)
            except ExpressionError:
                references.add(("*",))
    elif isinstance(value, Mapping):
        for key, item in value.items():
            _collect(key, references)
            _collect(item, references)
    elif isinstance(value, list | tuple):
        for item in value:
            _collect(item, references)
