"""A connection to an AMQP broker, such as RabbitMQ."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pydantic import Field

from penstock.builtin.serdes.files import library
from penstock.sdk import PluginError, PluginModel, Property, RunContext

if TYPE_CHECKING:
    from pika.adapters.blocking_connection import BlockingChannel  # type: ignore[import-untyped]
    from pika.connection import Parameters  # type: ignore[import-untyped]

_CONNECT = 10.0


class AmqpError(PluginError):
    """The broker did not do what it was asked for."""

    code = "AMQP_FAILED"


class Broker(PluginModel):
    """Properties of everything that speaks to a broker."""

    url: Property[str] | None = Field(
        None, description="All of the following in one, as in amqp://user:password@host:5672/virtual-host."
    )
    host: Property[str] | None = Field(None, description="The broker's host.")
    port: Property[int] = Field(Property.of(5672), description="The broker's port.")
    username: Property[str] | None = Field(None, description="The user.")
    password: Property[str] | None = Field(None, description="The user's password.")
    virtual_host: Property[str] = Field(Property.of("/"), description="The virtual host.")

    def parameters(self, context: RunContext) -> Parameters:
        """Return where to connect to.

        Raises:
            AmqpError: That cannot be told.
        """
        pika = library("pika", "amqp")
        url, host = context.render(self.url), context.render(self.host)
        found: Parameters
        if url is not None:
            try:
                found = pika.URLParameters(url)
            except (ValueError, TypeError, KeyError):
                hint = "write amqp://user:password@host:5672/virtual-host"
                raise AmqpError("`url` is no address of an AMQP broker", hint=hint) from None
        elif host is not None:
            found = pika.ConnectionParameters(host, context.render(self.port), context.render(self.virtual_host))
            user, password = context.render(self.username), context.render(self.password)
            if user is not None:
                found.credentials = pika.PlainCredentials(user, password or "")
        else:
            raise AmqpError("it is not said which broker", hint="set `host`, or `url`")
        found.heartbeat = 0  # nobody speaks while an execution is stored; a broken connection shows by itself
        found.blocked_connection_timeout = found.socket_timeout = found.stack_timeout = _CONNECT
        return found


@contextmanager
def channel(broker: Broker, context: RunContext) -> Iterator[BlockingChannel]:
    """Give an open channel; whatever the broker complains of is raised as AmqpError."""
    pika = library("pika", "amqp")
    parameters = broker.parameters(context)
    with translated():
        connection = pika.BlockingConnection(parameters)
    try:
        with translated():
            yield connection.channel()
    finally:
        if connection.is_open:
            connection.close()


@contextmanager
def translated() -> Iterator[None]:
    """Raise what the client library complains of as AmqpError."""
    errors = library("pika.exceptions", "amqp")
    try:
        yield
    except errors.ProbableAuthenticationError:
        raise AmqpError("the broker does not let us in", hint="see `username` and `password`") from None
    except (errors.AMQPError, OSError) as error:
        raise AmqpError(f"AMQP failed: {_words(error)}", hint="see whether the broker's address is right") from None


def _words(error: BaseException) -> str:
    text: Any = getattr(error, "reply_text", None) or str(error)
    return str(text) or type(error).__name__
