"""Which lines of an execution a request asks for."""

from __future__ import annotations

from starlette.requests import Request

from penstock.api.routes.table import parameter
from penstock.base.errors import InvalidRequestError
from penstock.ports.queries import LogSelection
from penstock.services.log_files import LEVELS
from penstock.services.logs import check_level

LOG_SELECTION = [
    parameter("minLevel", {"type": "string", "enum": list(LEVELS)}),
    parameter("taskRunId"),
    parameter("taskId"),
    parameter("attempt", {"type": "integer"}),
    parameter("ofExecution", {"type": "boolean"}, text="only lines that no task run wrote"),
    parameter("q", text="a part of the message, in any case of letters"),
]
_MOST = 5_000
_COUNT = {"type": "integer", "minimum": 1, "maximum": _MOST, "default": 1000}
LOG_STEP = parameter("step", _COUNT, text="so many lines to a window")
LOG_LIMIT = parameter("limit", _COUNT)


def log_number(request: Request, name: str) -> int:
    """Return how many lines are asked for.

    Raises:
        InvalidRequestError: It is no number, or too large a one.
    """
    text = request.query_params.get(name) or "1000"
    if not text.isdecimal() or not 1 <= int(text) <= _MOST:
        raise InvalidRequestError(f"`{name}` must be a number from 1 to {_MOST}, not `{text}`")
    return int(text)


def log_selection(request: Request) -> LogSelection:
    """Return the lines asked for.

    Raises:
        InvalidRequestError: The level or the attempt is none.
    """
    query = request.query_params
    attempt = query.get("attempt")
    if attempt and not attempt.isdecimal():
        raise InvalidRequestError(f"`attempt` must be a number, not `{attempt}`")
    check_level(query.get("minLevel") or None)
    return LogSelection(
        min_level=query.get("minLevel") or None,
        task_run_id=query.get("taskRunId") or None,
        task_id=query.get("taskId") or None,
        attempt=int(attempt) if attempt else None,
        text=query.get("q") or None,
        of_execution=query.get("ofExecution") == "true",
    )
