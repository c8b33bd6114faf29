"""What nobody foresaw: answered within the server's own headers, never with a trace."""

from __future__ import annotations

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from penstock.api.errors import unexpected


class Failures:
    """Turns an error that no handler took into an answer with a number."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        has_begun = False

        async def noting(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except ClientDisconnect:
            return  # nobody is there to be answered
        except Exception as error:
            answer = unexpected(scope.get("path", ""), error)
            if has_begun:
                raise  # the answer cannot be changed any more: cut it off
            await answer(scope, receive, send)
