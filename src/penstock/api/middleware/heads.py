"""`HEAD` for whatever `GET` answers: status and headers alone, as monitors and load balancers ask for."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_WEBHOOK = "/executions/webhook/"
"""Below it `GET` starts a flow, which a mere look at an address must not do."""


class Heads:
    """Serves `HEAD` as `GET` and keeps the body back; an endless answer is given up once its headers are known.

    Args:
        app: What serves `GET`.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["method"] != "HEAD" or _WEBHOOK in scope["path"]:
            await self._app(scope, receive, send)
            return
        has_begun = False

        async def without_body(message: Message) -> None:
            nonlocal has_begun
            if message["type"] == "http.response.start":
                has_begun = True
                await send(message)
                await send({"type": "http.response.body", "body": b""})

        async def until_begun() -> Message:
            return {"type": "http.disconnect"} if has_begun else await receive()

        await self._app({**scope, "method": "GET"}, until_begun, without_body)
