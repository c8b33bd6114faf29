"""The root of all errors Penstock raises on purpose.

Every error carries three parts that the API, the command line and the interface render alike: a stable `code` for
machines, a `message` that says what is wrong and where, and a `hint` that says what to do about it.
"""

from __future__ import annotations


class PenstockError(Exception):
    """Base of every deliberate error.

    Args:
        message: What is wrong, and where. Never holds a secret.
        hint: What the reader can do about it; empty when the message says it already.
    """

    code = "PENSTOCK"
    hint = ""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if hint is not None:
            self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class NotFoundError(PenstockError):
    """What was asked for does not exist. Rendered as HTTP 404."""

    code = "NOT_FOUND"


class ConflictError(PenstockError):
    """The thing is not in a state that allows the request. Rendered as HTTP 409."""

    code = "CONFLICT"


class InvalidRequestError(PenstockError):
    """The request itself is wrong: a value, a name, a combination. Rendered as HTTP 422 (400 for malformed bodies)."""

    code = "INVALID_REQUEST"


class UnauthorizedError(PenstockError):
    """The caller may not do this. Rendered as HTTP 401 or 403."""

    code = "UNAUTHORIZED"


class UnavailableError(PenstockError):
    """Something Penstock depends on does not answer (database, storage, disk full); trying again later may work."""

    code = "UNAVAILABLE"
