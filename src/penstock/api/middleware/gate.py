"""The gate: who is asking, and whether a browser was tricked into asking.

Implements API-003, API-004, ENG-130, ENG-413, OPS-077, OPS-181.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from penstock.api.errors import error_answer
from penstock.api.settings import ApiSettings
from penstock.base.errors import PenstockError, UnauthorizedError
from penstock.ports.flows import Author, Way
from penstock.services.auth import AuthService, Identity, LockedOutError, LoginRequiredError

COOKIE = "BASIC_AUTH"
PROGRAM = "penstock"
"""How our own command line calls itself."""
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_OPEN = frozenset(
    {"/", "/ping", "/health", "/health/liveness", "/health/readiness", "/login", "/logout", "/favicon.ico", "/ui",
     "/robots.txt", "/api/v1/configs", "/api/v1/basicAuthValidationErrors", "/api/v1/setup",
     "/api/v1/auths"}
)  # fmt: skip
"""Reached without a login; those that know more tell it only to who is logged in."""


class ForgedRequestError(UnauthorizedError):
    """A browser was asked by another page to change something."""

    code = "FORGED_REQUEST"
    hint = "send the header `X-Requested-With` with requests that a session cookie authenticates"


def username_of(request: Request) -> str | None:
    """Return the name of who is logged in; None when there is no login."""
    identity = identity_of(request)
    return None if identity is None else identity.username


def login_of(request: Request) -> str:
    """Return the name of who is logged in.

    Raises:
        LoginRequiredError: Nobody is, on a server that lets everybody in.
    """
    username = username_of(request)
    if username is None:
        raise LoginRequiredError("this belongs to whoever is logged in")
    return username


def person_of(request: Request) -> str:
    """Return the name of the person who is logged in.

    Raises:
        LoginRequiredError: Nobody is, on a server that lets everybody in.
        UnauthorizedError: It is a program.
    """
    identity = identity_of(request)
    if identity is not None and identity.is_service:
        raise UnauthorizedError(
            f"service account {identity.username} may not do this", hint="accounts and tokens are for people to make"
        )
    return login_of(request)


def identity_of(request: Request) -> Identity | None:
    """Return who sent a request; None where no login is needed and none was given."""
    identity: Identity | None = request.scope.get("penstock.identity")
    return identity


def author_of(request: Request) -> Author:
    """Return who saves something, and over which way (BEY-002)."""
    identity = identity_of(request)
    if identity is not None and identity.is_service:
        return Author(identity.username, Way.SERVICE_ACCOUNT)
    if request.headers.get("user-agent", "").startswith(PROGRAM):
        way = Way.COMMAND_LINE
    else:
        way = Way.INTERFACE if identity is not None and identity.by_cookie else Way.API
    return Author(username_of(request), way)


class Gate:
    """Lets known callers pass, everybody to what is open, nobody else."""

    def __init__(self, app: ASGIApp, auth: AuthService, settings: ApiSettings) -> None:
        self._app = app
        self._auth = auth
        self._open_prefixes = tuple(settings.open_urls)
        self._origin = _host(settings.url) if settings.url else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path: str = scope["path"]
        headers = _wanted_headers(scope)
        try:
            scope["penstock.identity"] = await self._identity(scope, path, headers)
        except PenstockError as error:
            await _refusal(error, path, headers)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    async def _identity(self, scope: Scope, path: str, headers: dict[bytes, str]) -> Identity | None:
        if self._is_keyed(path):
            return None
        is_open = path in _OPEN or path.startswith("/ui/") or _is_setup(path)
        try:
            identity = await self._caller(scope, headers)
        except LoginRequiredError:
            if not is_open:
                raise
            identity = None
        if identity is None and not is_open:
            raise LoginRequiredError("this needs a login")
        if scope["method"] not in _SAFE and (identity is None or identity.by_cookie):
            self._check_origin(headers, by_cookie_alone=identity is not None and not is_open)
        return identity

    def _is_keyed(self, path: str) -> bool:
        """Return whether the path brings its own key: webhooks, workers, what the configuration opens."""
        if path.startswith("/api/v1/worker/"):
            return True
        if "/executions/webhook/" in path:
            parts = path.split("/")  # a namespace may be called `webhook`: only what has a key after it is a webhook
            if len(parts) >= 9 and parts[1:3] == ["api", "v1"] and parts[4:6] == ["executions", "webhook"]:
                return True
        return bool(self._open_prefixes) and path.startswith(self._open_prefixes)

    async def _caller(self, scope: Scope, headers: dict[bytes, str]) -> Identity | None:
        address = scope["client"][0] if scope.get("client") else ""
        authorization = headers.get(b"authorization")
        if authorization is not None:
            return await self._auth.by_header(authorization, address)
        cookie = _cookie(headers.get(b"cookie", ""))
        return None if cookie is None else await self._auth.by_cookie(cookie, address)

    def _check_origin(self, headers: dict[bytes, str], *, by_cookie_alone: bool) -> None:
        """Refuse a change that another page made the browser ask for.

        A page of another origin can neither set `X-Requested-With` nor hide its `Origin`. Whoever sends neither is let
        pass where something else than a cookie is asked for: a login brings the password.
        """
        if b"x-requested-with" in headers:
            return
        origin = headers.get(b"origin")
        if origin is None:
            if by_cookie_alone and headers.get(b"sec-fetch-site") != "same-origin":
                raise ForgedRequestError("the request does not say that it comes from the interface")
            return
        if _host(origin) not in (headers.get(b"host"), self._origin):
            raise ForgedRequestError(f"the request comes from a page of another origin ({origin})")


_WANTED = frozenset(
    {b"authorization", b"cookie", b"origin", b"host", b"x-requested-with", b"sec-fetch-site", b"sec-fetch-mode"}
)


def _wanted_headers(scope: Scope) -> dict[bytes, str]:
    return {name: value.decode("latin-1") for name, value in scope["headers"] if name in _WANTED}


def _is_setup(path: str) -> bool:
    """Return whether the path is the set-up of the first account."""
    parts = path.split("/")
    return len(parts) == 5 and parts[1:3] == ["api", "v1"] and parts[4] == "basicAuth"


def _cookie(header: str) -> str | None:
    for part in header.split(";"):
        name, equals, value = part.strip().partition("=")
        if equals and name == COOKIE:
            return value.strip('"')
    return None


def _host(origin: str) -> str:
    return urlsplit(origin).netloc


def _refusal(error: PenstockError, path: str, headers: dict[bytes, str]) -> Response:
    extra: dict[str, str] = {}
    if isinstance(error, LockedOutError):
        extra["Retry-After"] = str(error.retry_after)
    # Browsers put up their own dialog for this header; the interface has a login page instead.
    asked_by_page = b"x-requested-with" in headers or headers.get(b"sec-fetch-mode", "navigate") != "navigate"
    if isinstance(error, LoginRequiredError) and not asked_by_page:
        extra["WWW-Authenticate"] = 'Basic realm="Penstock", charset="UTF-8"'
    return error_answer(error, path, extra)
