"""How long requests take, by the route that served them."""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter

from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from penstock.services.metrics import HttpTally

_UNMATCHED = "UNMATCHED_URI"
_REDIRECTED = "REDIRECTION"
_GONE = 499
"""The status of a request whose client did not wait for the answer."""


class Timing:
    """Measures each request until its answer has been sent. Implements the measuring of OPS-150.

    Args:
        app: What serves them.
        tally: Where they are counted.
    """

    def __init__(self, app: ASGIApp, tally: HttpTally) -> None:
        self._app = app
        self._tally = tally
        self._paths: dict[object, str] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = perf_counter(), 0

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            labels = (_uri(scope, status, self._known(scope)), scope["method"], str(status or _GONE))
            self._tally.requests[labels].add(perf_counter() - began)

    def _known(self, scope: Scope) -> Mapping[object, str]:
        """Return the templates of the plain routes by what serves them; the others say which they are."""
        if not self._paths and "app" in scope:
            routes = (route for route in scope["app"].routes if isinstance(route, Route))
            self._paths.update({route.endpoint: route.path for route in routes})
        return self._paths


def _uri(scope: Scope, status: int, paths: Mapping[object, str]) -> str:
    """Return the route's template, so that there are as many names as routes and not as paths."""
    if 300 <= status < 400:
        return _REDIRECTED
    route = scope.get("route")
    return paths.get(scope.get("endpoint"), _UNMATCHED) if route is None else str(route.path)
