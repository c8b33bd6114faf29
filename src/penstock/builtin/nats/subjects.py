"""`Produce`, `Consume`, `Request`, and the triggers on subjects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, PositiveInt

from penstock.builtin.messages.payloads import encoded
from penstock.builtin.messages.receiving import (
    BatchTrigger,
    Consumed,
    ConsumeTask,
    MessageTrigger,
    Received,
    Subscribing,
)
from penstock.builtin.messages.sending import Published, Sending, sent
from penstock.builtin.nats.connection import Connection, NatsError, Server, connected
from penstock.builtin.serdes.files import library
from penstock.sdk import Output, Property, RunContext

if TYPE_CHECKING:
    from nats.aio.msg import Msg
    from nats.js.client import JetStreamContext

DeliverPolicy = Literal["All", "Last", "New", "ByStartSequence", "ByStartTime", "LastPerSubject"]
_POLICIES: Mapping[DeliverPolicy, str] = {
    "All": "all",
    "Last": "last",
    "New": "new",
    "ByStartSequence": "by_start_sequence",
    "ByStartTime": "by_start_time",
    "LastPerSubject": "last_per_subject",
}


class Produce(Server, Sending):
    """Send messages to a NATS subject. Needs `penstock[nats]`.

    A message is text, or a map with `data` and `headers`.

    ```yaml
    - id: order
      type: io.kestra.plugin.nats.core.Produce
      url: nats://localhost:4222
      subject: orders.new
      from:
        headers:
          origin: shop
        data: '{"number": 7}'
    ```

    Implements ENG-312.
    """

    type_name = "io.kestra.plugin.nats.core.Produce"
    type_aliases = ("io.kestra.plugin.nats.Produce",)

    subject: Property[str] = Field(description="Where the messages go.")

    def run(self, context: RunContext) -> Published:
        """Send, and wait until the server has everything."""
        subject = context.render(self.subject)
        with connected(self, context) as connection:

            def send(message: Any) -> None:
                data, headers = _content(message)
                connection.wait(connection.client.publish(subject, data, headers=headers))

            count = sent(context, self.outgoing(context), send)
            connection.wait(connection.client.flush())
        return Published(messages_count=count)


class Answer(Output):
    """What `Request` gives."""

    response: str | None = Field(None, description="What the answer carries.")


class Request(Server, Sending):
    """Send a message to a NATS subject and wait for the answer. Needs `penstock[nats]`.

    ```yaml
    - id: price
      type: io.kestra.plugin.nats.core.Request
      url: nats://localhost:4222
      subject: prices.ask
      from: "7"
      requestTimeout: PT2S
    ```
    """

    type_name = "io.kestra.plugin.nats.core.Request"
    type_aliases = ("io.kestra.plugin.nats.Request",)
    output_type: ClassVar[type[Output] | None] = Answer

    subject: Property[str] = Field(description="Who is asked.")
    request_timeout: Property[timedelta] = Field(
        Property.of(timedelta(seconds=5)), description="The longest time to wait for the answer."
    )

    def run(self, context: RunContext) -> Answer:
        """Ask."""
        messages = list(self.outgoing(context))
        if len(messages) != 1:
            raise NatsError(f"`from` has {len(messages)} messages", hint="a request is a single one")
        data, headers = _content(messages[0])
        seconds = context.render(self.request_timeout).total_seconds()
        with connected(self, context) as connection:
            asking = connection.client.request(context.render(self.subject), data, seconds, headers=headers)
            found = connection.wait(asking, seconds + 1)
        return Answer(response=found.data.decode(errors="replace"))


class Subject(Server, Subscribing):
    """A subject whose messages a stream keeps."""

    subject: Property[str] = Field(description="The subject; `*` and `>` are wildcards. A stream has to keep it.")
    durable_id: Property[str] | None = Field(
        None, description="The name under which the server remembers what was read; a trigger has one by default."
    )
    since: Property[datetime] | None = Field(
        None, description="With `deliverPolicy: ByStartTime`, or without one: begin with messages of this time."
    )
    deliver_policy: Property[DeliverPolicy] = Field(
        Property.of("All"), description="Where to begin, when the server does not yet remember."
    )
    batch_size: Property[PositiveInt] = Field(Property.of(10), description="How many messages are asked for at once.")
    poll_duration: Property[timedelta] = Field(
        Property.of(timedelta(seconds=2)), description="The longest time to wait for messages that were asked for."
    )

    @contextmanager
    def subscription(self, context: RunContext) -> Iterator[StreamSource]:
        """Subscribe."""
        api = library("nats.js.api", "nats")
        since, policy = context.render(self.since), context.render(self.deliver_policy)
        if since is not None:
            policy, since = "ByStartTime", since if since.tzinfo else since.replace(tzinfo=UTC)
        begin = api.DeliverPolicy(_POLICIES[policy])
        wish = api.ConsumerConfig(deliver_policy=begin, opt_start_time=since, max_ack_pending=-1)
        durable = context.render(self.durable_id) or self.kept_as(context)
        most = context.render(self.poll_duration).total_seconds()
        with connected(self, context) as connection:
            subject = context.render(self.subject)
            wanted = connection.jetstream.pull_subscribe(subject, durable, config=wish)
            source = StreamSource(connection, connection.wait(wanted), context.render(self.batch_size), most)
            try:
                yield source
            finally:
                source.leave()


class StreamSource:
    """Messages of a stream, a few of them asked for at once."""

    def __init__(
        self, connection: Connection, stream: JetStreamContext.PullSubscription, together: int, longest: float
    ) -> None:
        self._connection = connection
        self._stream = stream
        self._together = together
        self._longest = longest
        self._ready: list[Msg] = []
        self._held: dict[str, Msg] = {}

    def receive(self, seconds: float) -> Received | None:
        """Return the next message."""
        if not self._ready:
            self._ready = self._connection.wait(self._asked(min(seconds, self._longest)))
        if not self._ready:
            return None
        message = self._ready.pop(0)
        self._held[message.reply] = message
        known = message.metadata
        fields = {
            "subject": message.subject,
            "headers": {name: [value] for name, value in (message.headers or {}).items()},
            "data": message.data.decode(errors="replace"),
            "timestamp": known.timestamp,
        }
        return Received(fields, message, f"{known.stream}:{known.sequence.stream}:{known.timestamp.isoformat()}")

    def acknowledge(self, messages: Sequence[Received]) -> None:
        """Let the server forget messages."""
        for message in messages:
            self._connection.wait(message.token.ack_sync())
            del self._held[message.token.reply]

    def leave(self) -> None:
        """Give back what was not dealt with; the server would wait for it otherwise before it gives it to others."""
        if self._connection.client.is_connected:
            for message in (*self._held.values(), *self._ready):
                self._connection.wait(message.nak())

    async def _asked(self, seconds: float) -> list[Msg]:
        errors = library("nats.errors", "nats")
        try:
            return await self._stream.fetch(self._together, timeout=max(seconds, 0.05))
        except errors.TimeoutError:
            return []


class Consume(Subject, ConsumeTask):
    """Write the messages of a NATS subject to a file. Needs `penstock[nats]` and a stream that keeps the subject.

    Set `maxRecords` or `maxDuration`; with neither it ends when no more come.

    ```yaml
    - id: orders
      type: io.kestra.plugin.nats.core.Consume
      url: nats://localhost:4222
      subject: orders.>
      durableId: penstock
      maxRecords: 100
      maxDuration: PT10S
    ```

    Implements ENG-312.
    """

    type_name = "io.kestra.plugin.nats.core.Consume"
    type_aliases = ("io.kestra.plugin.nats.Consume",)
    output_type: ClassVar[type[Output] | None] = Consumed


class Trigger(Subject, BatchTrigger):
    """Look for messages of a NATS subject every `interval`, and start the flow with them. Needs `penstock[nats]`.

    The flow reads `trigger.uri`, a file of messages, and `trigger.messagesCount`. A stream has to keep the subject.

    ```yaml
    triggers:
      - id: orders
        type: io.kestra.plugin.nats.core.Trigger
        url: nats://localhost:4222
        subject: orders.>
        maxRecords: 1000
        interval: PT30S
    ```

    Implements ENG-270, ENG-307, ENG-309.
    """

    type_name = "io.kestra.plugin.nats.core.Trigger"
    type_aliases = ("io.kestra.plugin.nats.Trigger",)
    variable_names: ClassVar[frozenset[str] | None] = frozenset({"messagesCount", "uri"})


class SubjectTrigger(Subject, MessageTrigger):
    """Start the flow for each message of a NATS subject as soon as it comes. Needs `penstock[nats]`.

    The flow reads `trigger.data`, `trigger.headers`, `trigger.subject` and `trigger.timestamp`. A stream has to keep
    the subject.

    ```yaml
    triggers:
      - id: order
        type: io.kestra.plugin.nats.core.RealtimeTrigger
        url: nats://localhost:4222
        subject: orders.>
    ```

    Implements ENG-311, ENG-312.
    """

    type_name = "io.kestra.plugin.nats.core.RealtimeTrigger"
    type_aliases = ("io.kestra.plugin.nats.RealtimeTrigger",)
    variable_names: ClassVar[frozenset[str] | None] = frozenset({"subject", "headers", "data", "timestamp"})


def _content(message: Any) -> tuple[bytes, dict[str, Any] | None]:
    """Return a message's data and headers."""
    if not isinstance(message, Mapping) or not message.keys() <= {"data", "headers", "subject", "timestamp"}:
        return encoded(message, "STRING"), None
    headers = message.get("headers") or {}
    return encoded(message.get("data", ""), "STRING"), {name: _header(value) for name, value in headers.items()}


def _header(value: Any) -> str:
    """Return a header's value; one that was read is a list."""
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
