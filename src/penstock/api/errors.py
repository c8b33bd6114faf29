"""Errors as answers: message, code and hint for everything Penstock raises on purpose; a number for the rest.

Implements API-007. No stack trace and no secret leaves the server.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from penstock.api.answers import JsonAnswer
from penstock.base.errors import (
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    PenstockError,
    UnauthorizedError,
    UnavailableError,
)
from penstock.base.ids import new_id
from penstock.expressions import ExpressionError
from penstock.model.problems import InvalidFlow, Problem
from penstock.services.auth import LockedOutError, LoginRequiredError
from penstock.services.executions import BulkError, TooManyExecutionsError

log = structlog.get_logger(__name__)

_STATUS: tuple[tuple[type[PenstockError], int], ...] = (
    (LoginRequiredError, 401),
    (LockedOutError, 429),
    (TooManyExecutionsError, 429),
    (NotFoundError, 404),
    (ConflictError, 409),
    (InvalidRequestError, 422),
    (ExpressionError, 422),  # a flow's own expression, such as its idempotency key, has no value for this request
    (UnauthorizedError, 403),
    (UnavailableError, 503),
)


class MalformedBodyError(InvalidRequestError):
    """The body of a request cannot be read at all; answered with 400."""

    code = "MALFORMED_BODY"


class TooLargeError(InvalidRequestError):
    """The body of a request is larger than allowed; answered with 413."""

    code = "BODY_TOO_LARGE"


def status_of(error: PenstockError) -> int:
    """Return the HTTP status of an error."""
    if isinstance(error, MalformedBodyError):
        return 400
    if isinstance(error, TooLargeError):
        return 413
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def error_body(error: PenstockError, path: str | None = None) -> dict[str, Any]:
    """Return the body of an error's answer."""
    body: dict[str, Any] = {"message": error.message, "code": error.code}
    if error.hint:
        body["hint"] = error.hint
    if path:
        body["path"] = path
    problems = getattr(error, "problems", None)
    if problems:
        body["problems"] = [problem_body(problem) for problem in problems]
    if isinstance(error, InvalidFlow):
        body["message"] = f"Invalid flow: {error.message}"
    if isinstance(error, BulkError):
        body["invalids"] = invalid_ids(error.invalids)
    return body


def invalid_ids(invalids: Mapping[str, str]) -> list[dict[str, str]]:
    """Return ids that could not be dealt with, each with the reason."""
    return [{"id": execution_id, "message": message} for execution_id, message in invalids.items()]


def problem_body(problem: Any) -> dict[str, Any]:
    """Return one finding of a flow, or of the values given for its inputs."""
    if isinstance(problem, Problem):
        body: dict[str, Any] = {
            "severity": problem.severity.value,
            "path": problem.path,
            "message": problem.message,
            "code": problem.code,
        }
        if problem.hint:
            body["hint"] = problem.hint
        if problem.line:
            body.update(line=problem.line, column=problem.column)
        return body
    return {"input": problem.id, "message": problem.message, **({"hint": problem.hint} if problem.hint else {})}


def error_answer(error: PenstockError, path: str | None = None, headers: dict[str, str] | None = None) -> Response:
    """Return the answer to an error."""
    retry_after = getattr(error, "retry_after", None)
    given = {**({} if retry_after is None else {"Retry-After": str(retry_after)}), **(headers or {})}
    return JsonAnswer(error_body(error, path), status_code=status_of(error), headers=given)


async def _deliberate(request: Request, error: Exception) -> Response:
    assert isinstance(error, PenstockError)
    if status_of(error) >= 500:
        log.warning("request failed", action="request_failed", path=request.url.path, code=error.code, error=str(error))
    return error_answer(error, request.url.path)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    problems = [
        {"path": ".".join(str(part) for part in problem["loc"]), "message": problem["msg"]}
        for problem in error.errors()
    ]
    message = "; ".join(f"{problem['path']}: {problem['message']}" for problem in problems)
    body = {"message": message, "code": "INVALID_REQUEST", "path": request.url.path, "problems": problems}
    return JsonAnswer(body, status_code=422)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    message = f"there is no {request.url.path}" if error.status_code == 404 else str(error.detail)
    body = {"message": message, "code": f"HTTP_{error.status_code}", "path": request.url.path}
    return JsonAnswer(body, status_code=error.status_code, headers=error.headers)


def unexpected(path: str, error: Exception) -> Response:
    """Log an error nobody foresaw under a number, and return an answer with the number alone."""
    number = new_id()
    log.error("unexpected error", action="request_crashed", path=path, request_id=number, exc_info=error)
    body = {
        "message": f"something went wrong on the server (request {number})",
        "code": "INTERNAL",
        "hint": "the server's log tells more under this number",
        "path": path,
    }
    return JsonAnswer(body, status_code=500)


def install_error_handlers(app: FastAPI) -> None:
    """Have every error of the application rendered here."""
    app.add_exception_handler(PenstockError, _deliberate)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
