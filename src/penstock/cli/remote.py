"""A server as commands see it: one tenant of it, one login, errors in words.

Speaks the REST API, which Kestra's servers have too; so whatever is said here holds for both.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any

from penstock.base.errors import InvalidRequestError, NotFoundError, PenstockError, UnauthorizedError, UnavailableError

if TYPE_CHECKING:
    import httpx

PATIENCE = 60.0
_PAGE = 100
YAML = {"Content-Type": "application/x-yaml"}


class RefusedError(PenstockError):
    """A server refuses what it was asked."""

    code = "REFUSED"

    def __init__(self, message: str, *, status: int, body: Mapping[str, Any], hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.body = body


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server is and who asks it.

    Attributes:
        host: Its address, such as `https://flows.example.com`.
        tenant: The tenant whose things are meant; none for paths without one.
        username: The name of a login by password.
        password: Its password.
        token: What logs in instead of name and password.
        headers: What else is sent with each request.
    """

    host: str
    tenant: str = "main"
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    headers: Sequence[tuple[str, str]] = field(default=(), repr=False)

    @classmethod
    def of(cls, host: str, user: str | None, tenant: str) -> Address:
        """Return the address with a login given as `user:password`."""
        name, _, password = (user or "").partition(":")
        return cls(host, tenant, name, password) if user else cls(host, tenant)


class Remote:
    """A client of one server.

    Args:
        address: Where it is and who asks.
        login_hint: What to do when it does not know who asks.
        trace: Told of each request, without its login; nobody is told by default.
    """

    def __init__(self, address: Address, *, login_hint: str = "", trace: Callable[[str], None] | None = None) -> None:
        import httpx

        self.host = checked_host(address.host)
        self.tenant = address.tenant
        self._login_hint = login_hint
        self._trace = trace
        login = {"Authorization": f"Bearer {address.token}"} if address.token else {}
        headers = {"User-Agent": "penstock", **dict(address.headers), **login}
        auth = (address.username, address.password or "") if address.username and not address.token else None
        verify = self.host.startswith("https:")  # where nothing is encrypted, certificates are not worth their loading
        self._client = httpx.Client(base_url=self.host, auth=auth, headers=headers, timeout=PATIENCE, verify=verify)

    def __enter__(self) -> Remote:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._client.close()

    def path(self, rest: str) -> str:
        """Return the path of something of the tenant."""
        return f"/api/v1/{self.tenant}/{rest}" if self.tenant else f"/api/v1/{rest}"

    def ask(
        self, method: str, path: str, *, allow: Collection[int] = (), patience: float | None = PATIENCE, **options: Any
    ) -> httpx.Response:
        """Send a request and return its answer.

        Args:
            method: Its method.
            path: The path from the tenant on, such as `flows/search`; from the root on when it begins with a slash.
            allow: Statuses beyond success that are no error here.
            patience: How long to wait for each part of the answer, in seconds.
            options: What else httpx is to send.

        Raises:
            UnavailableError: It does not answer.
            UnauthorizedError: It does not know who asks, or does not let them.
            NotFoundError: There is no such thing.
            RefusedError: It says no for another reason.
        """
        import httpx

        target = path if path.startswith("/") else self.path(path)
        try:
            answer = self._client.request(method, target, timeout=patience, **options)
        except httpx.HTTPError as error:
            raise self._silent(error) from error
        if self._trace is not None:
            self._trace(f"{method} {answer.request.url} -> {answer.status_code}")
        if not answer.is_success and answer.status_code not in allow:
            raise self._refusal(answer, path)
        return answer

    def get(self, path: str, /, **params: Any) -> Any:
        """Return the JSON at a path; parameters that are None are left out."""
        return json_of(self.ask("GET", path, params=given(params)))

    def find(self, path: str, /, **params: Any) -> Any | None:
        """Return the JSON at a path, or None when there is nothing."""
        answer = self.ask("GET", path, params=given(params), allow=(404,))
        return None if answer.status_code == 404 else json_of(answer)

    def pages(self, path: str, /, **params: Any) -> Iterator[dict[str, Any]]:
        """Yield the results of all pages of a search."""
        seen, page = 0, 1
        while True:
            body = self.get(path, page=page, size=_PAGE, **params)
            yield from body["results"]
            seen += len(body["results"])
            if not body["results"] or seen >= body["total"]:
                return
            page += 1

    def send_yaml(self, method: str, path: str, source: str) -> Any:
        """Send a YAML source and return the JSON answered."""
        return json_of(self.ask(method, path, content=source.encode(), headers=YAML))

    def lines(self, path: str) -> Iterator[str]:
        """Yield the lines of a stream of events; ends quietly when it breaks, since streams are asked for again."""
        import httpx

        target = self.path(path)
        try:
            with self._client.stream("GET", target, timeout=PATIENCE) as answer:
                if not answer.is_success:
                    answer.read()
                    raise self._refusal(answer, path)
                yield from answer.iter_lines()
        except httpx.HTTPError:
            return

    def _silent(self, error: Exception) -> UnavailableError:
        reason = str(error) or type(error).__name__
        return UnavailableError(f"{self.host} does not answer: {reason}", hint="check the address, and that it runs")

    def _refusal(self, answer: httpx.Response, path: str) -> PenstockError:
        status = answer.status_code
        body = _error_body(answer)
        message = _message(body)
        hint = str(body.get("hint") or "")
        if status == 401:
            said = f": {message}" if message else ""
            return UnauthorizedError(f"{self.host} answers 401, it does not know this login{said}",
                                     hint=self._login_hint or hint)  # fmt: skip
        if status == 403:
            return UnauthorizedError(f"{self.host} answers 403{f': {message}' if message else ''}", hint=hint)
        if status == 404:
            return NotFoundError(message or f"{self.host} has nothing at {path}", hint=hint)
        if answer.is_redirect:
            hint = f"use the address it is at: {answer.headers.get('location', '')}"
            return RefusedError(f"{self.host} answers {status}, it is elsewhere", status=status, body=body, hint=hint)
        said = message or f"{self.host} answers {status}"
        if status >= 500:
            said = f"{self.host} answers {status}{f': {message}' if message else ''}"
        return RefusedError(said, status=status, body=body, hint=hint)


def path_of(*names: str) -> str:
    """Return the path that names make, whatever characters they have."""
    from urllib.parse import quote

    return "/".join(quote(name, safe="") for name in names)


def given(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters that have a value."""
    return {name: value for name, value in params.items() if value is not None}


def json_of(answer: httpx.Response) -> Any:
    """Return what an answer holds.

    Raises:
        RefusedError: It is no JSON, so that something else than the API answers.
    """
    try:
        return answer.json()
    except ValueError:
        message = f"{answer.request.url.copy_with(query=None)} answers with something that is no JSON"
        raise RefusedError(
            message, status=answer.status_code, body={}, hint="check the address; another program seems to answer there"
        ) from None


def checked_host(host: str) -> str:
    """Return the address of a server as it is used.

    Raises:
        InvalidRequestError: It is none, or holds a login.
    """
    from urllib.parse import urlsplit

    parts = urlsplit(host)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidRequestError(
            f"`{parts.path if '@' in host else host}` is no address of a server",
            hint="write it like http://localhost:8080",
        )
    if parts.username or parts.password:
        raise InvalidRequestError(
            "the address of the server holds a user name or a password", hint="give them apart from the address"
        )
    return host.rstrip("/").removesuffix("/api/v1")


def _error_body(answer: httpx.Response) -> dict[str, Any]:
    try:
        body = answer.json()
    except (json.JSONDecodeError, UnicodeDecodeError):
        return {}
    return body if isinstance(body, dict) else {}


def _message(body: Mapping[str, Any]) -> str:
    """Return what an error says; some servers put the details of it into `_embedded`."""
    message = str(body.get("message") or "")
    embedded = body.get("_embedded")
    errors = embedded.get("errors") if isinstance(embedded, dict) else None
    if isinstance(errors, list):
        details = "; ".join(str(one["message"]) for one in errors if isinstance(one, dict) and one.get("message"))
        return details or message
    return message
