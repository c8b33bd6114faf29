"""A connection to NATS servers. The client library is asynchronous; it has a thread of its own, which is waited for."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import TimeoutError as NoAnswer
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import Field

from penstock.builtin.nats.credentials import UserCredentials
from penstock.builtin.serdes.files import library
from penstock.sdk import PluginError, PluginModel, Property, RunContext

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.js.client import JetStreamContext

T = TypeVar("T")
_CONNECT, _ANSWER = 10.0, 30.0


class NatsError(PluginError):
    """The server did not do what it was asked for."""

    code = "NATS_FAILED"


def _user(credentials: str) -> UserCredentials:
    try:
        return UserCredentials.parsed(credentials)
    except ValueError:  # whose text might show a part of the key
        message = "`creds` is not the text of a credentials file"
        raise NatsError(message, hint="give all of the file's text") from None


class Server(PluginModel):
    """Properties of everything that speaks to a server."""

    url: Property[str] = Field(description="The server's address, as in nats://host:4222; several with commas.")
    username: Property[str] | None = Field(None, description="The user.")
    password: Property[str] | None = Field(None, description="The user's password.")
    token: Property[str] | None = Field(None, description="A token in place of user and password.")
    creds: Property[str] | None = Field(None, description="The text of a credentials file.")


class Connection:
    """An open connection. What it is asked for is done in its own thread."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="nats", daemon=True)
        self._thread.start()
        self.client: Client = library("nats.aio.client", "nats").Client()

    def open(self, server: Server, context: RunContext) -> None:
        """Connect.

        Raises:
            NatsError: The server does not answer, or does not let us in.
        """
        credentials = context.render(server.creds)
        options: dict[str, Any] = {
            "user": context.render(server.username),
            "password": context.render(server.password),
            "token": context.render(server.token),
        }
        if credentials is not None:
            user = _user(credentials)
            options |= {"user_jwt_cb": user.shown, "signature_cb": user.signed}
        self.wait(
            self.client.connect(
                [_address(one) for one in context.render(server.url).split(",")],
                error_cb=_ignored,  # what fails is raised where it is waited for
                allow_reconnect=False,
                max_reconnect_attempts=1,  # fewer would be as many as there may be
                reconnect_time_wait=0,
                connect_timeout=int(_CONNECT),
                **options,
            ),
            _CONNECT + 1,
        )

    def close(self) -> None:
        """End the connection, after what is still to be said."""
        try:
            self.wait(self._left())
            self.wait(_settled())
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    async def _left(self) -> None:
        transport: Any = self.client._transport
        if transport is None:
            return
        if self.client.is_connected:
            await self.client.flush()
        await self.client.close()
        transport.close()  # which the library forgets when it is not let in

    @property
    def jetstream(self) -> JetStreamContext:
        """The part of the server that keeps messages."""
        return self.client.jetstream()

    def wait(self, action: Coroutine[Any, Any, T], seconds: float = _ANSWER) -> T:
        """Have something done.

        Raises:
            NatsError: It does not succeed.
        """
        errors = library("nats.errors", "nats")
        done = asyncio.run_coroutine_threadsafe(action, self._loop)
        try:
            return done.result(seconds)
        except NoAnswer:
            done.cancel()
            raise NatsError("the server does not answer in time", hint="see whether `url` is right") from None
        except (errors.Error, OSError, ValueError) as error:
            raise NatsError(f"NATS failed: {str(error) or type(error).__name__}", hint=_hint(error)) from None


@contextmanager
def connected(server: Server, context: RunContext) -> Iterator[Connection]:
    """Give a connection."""
    connection = Connection()
    try:
        connection.open(server, context)
        yield connection
    finally:
        connection.close()


async def _ignored(error: Exception) -> None:
    """Say nothing."""


async def _settled() -> None:
    """Wait for the end of what the client library still does."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for one in others:
        one.cancel()
    await asyncio.gather(*others, return_exceptions=True)


def _address(text: str) -> str:
    return text.strip() if "://" in text else f"nats://{text.strip()}"


def _hint(error: BaseException) -> str:
    name = type(error).__name__
    if "NotFound" in name or "ServiceUnavailable" in name or "NoStreamResponse" in name:
        return "the server needs JetStream, and a stream with the subject: nats stream add"
    return "see whether `url` is right, and who may do what on the server"
