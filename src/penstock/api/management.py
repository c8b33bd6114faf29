"""The management port: health and metrics, apart from what users reach (OPS-093, OPS-094, OPS-136, OPS-137)."""

from __future__ import annotations

import base64
import hmac

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from penstock.api.errors import error_answer, install_error_handlers
from penstock.api.middleware import Failures, Heads
from penstock.api.routes.health import HealthRoutes
from penstock.services.auth import Credentials, LoginRequiredError
from penstock.services.health import HealthService
from penstock.services.metrics import Published


class _Guard:
    """Asks for the management credentials, if there are any."""

    def __init__(self, app: ASGIApp, credentials: Credentials) -> None:
        self._app = app
        pair = f"{credentials.username}:{credentials.password}".encode()
        self._expected = b"Basic " + base64.b64encode(pair)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http":
            given = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
            if not hmac.compare_digest(given, self._expected):
                error = LoginRequiredError("this needs the credentials of the management endpoints")
                answer = error_answer(error, scope["path"], {"WWW-Authenticate": 'Basic realm="Penstock management"'})
                await answer(scope, receive, send)
                return
        await self._app(scope, receive, send)


def create_management(health: HealthService, metrics: Published, *, credentials: Credentials | None = None) -> FastAPI:
    """Return the application of the management port.

    Args:
        health: The checks.
        metrics: What is measured.
        credentials: Who may ask (`endpoints.all.basic-auth`); everybody by default.
    """
    app = FastAPI(title="Penstock management", docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(HealthRoutes(health, metrics, details=True).router())
    install_error_handlers(app)
    app.add_middleware(Heads)
    app.add_middleware(Failures)
    if credentials is not None:
        app.add_middleware(_Guard, credentials=credentials)
    return app
