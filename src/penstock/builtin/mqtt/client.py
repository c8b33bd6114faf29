"""A connection to a broker. What the client library does in its own thread is waited for here."""

from __future__ import annotations

import queue
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from penstock.builtin.messages.payloads import Serde, decoded
from penstock.builtin.messages.receiving import Received
from penstock.builtin.mqtt.address import Address, Broker, MqttError
from penstock.builtin.serdes.files import library
from penstock.sdk import RunContext

if TYPE_CHECKING:
    from paho.mqtt.client import Client, MQTTMessage

_FOR_EVER = 0xFFFFFFFF
_AT_ONCE = 65_535
"""How many messages a broker may give out before the first is acknowledged: as many as the protocol has numbers for."""
_LOOK = 0.5
_NEVER_SUBSCRIBED = "penstock/never-subscribed"
"""What is unsubscribed from for the sake of the answer."""


class Connection:
    """A connection that is open. Whatever ends it is told to whoever uses it next."""

    def __init__(self, broker: Broker, context: RunContext, client_id: str, *, is_kept: bool) -> None:
        self._seconds = context.render(broker.connection_timeout).total_seconds()
        self._is_newest = context.render(broker.mqtt_version) == "V5"
        self._is_kept = is_kept
        self._answers: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._messages: queue.SimpleQueue[MQTTMessage] = queue.SimpleQueue()
        self._end: str | None = None
        self._client = self._made(broker, context, client_id)

    def _made(self, broker: Broker, context: RunContext, client_id: str) -> Client:
        mqtt = library("paho.mqtt.client", "mqtt")
        address = Address.of(context.render(broker.server))
        client: Client = mqtt.Client(
            mqtt.CallbackAPIVersion.VERSION2,
            client_id,
            clean_session=None if self._is_newest else not self._is_kept,
            protocol=mqtt.MQTTProtocolVersion.MQTTv5 if self._is_newest else mqtt.MQTTProtocolVersion.MQTTv311,
            transport="websockets" if address.is_websocket else "tcp",
            reconnect_on_failure=False,
            manual_ack=True,
        )
        client.connect_timeout = self._seconds
        client.username_pw_set(context.render(broker.username), context.render(broker.password))
        if address.is_websocket:
            client.ws_set_options(address.path)
        if address.is_secure:
            client.tls_set_context(broker.encryption(context))
        client.on_connect = lambda _client, _data, _flags, reason, _properties: self._answers.put(_failure(reason))
        client.on_subscribe = lambda _client, _data, _id, reasons, _properties: self._answers.put(
            next(filter(None, map(_failure, reasons)), None)
        )
        client.on_unsubscribe = lambda _client, _data, _id, _reasons, _properties: self._answers.put(None)
        client.on_disconnect = lambda _client, _data, _flags, reason, _properties: self._ended(str(reason))
        client.on_message = lambda _client, _data, message: self._messages.put(message)
        return client

    def open(self, broker: Broker, context: RunContext) -> None:
        """Connect.

        Raises:
            MqttError: The broker does not answer, or does not let us in.
        """
        address, method = Address.of(context.render(broker.server)), context.render(broker.auth_method)
        more: dict[str, Any] = {}
        if self._is_newest:
            more = {"clean_start": not self._is_kept, "properties": self._wishes(method)}
        try:
            self._client.connect(address.host, address.port, **more)
        except (OSError, ValueError) as error:
            raise MqttError(f"the broker cannot be reached: {error}", hint="see whether `server` is right") from None
        self._client.loop_start()
        self._await("the broker does not let us in")

    def close(self) -> None:
        """End the connection, after what is still to be said."""
        self._client.disconnect()
        self._client.loop_stop()

    def publish(self, topic: str, payload: bytes, qos: int, *, retain: bool) -> Any:
        """Send a message; returns what `settle` waits for."""
        try:
            return self._client.publish(topic, payload, qos, retain)
        except ValueError as error:
            raise MqttError(f"the message cannot be sent: {error}", hint="see `topic`") from None

    def settle(self, sent: Sequence[Any]) -> None:
        """Wait until the broker has everything.

        Raises:
            MqttError: It does not take it.
        """
        deadline = time.monotonic() + self._seconds
        for one in sent:
            while not one.is_published():
                self._check()
                if time.monotonic() > deadline:
                    raise MqttError("the broker does not confirm what was sent in `connectionTimeout`")
                try:
                    one.wait_for_publish(_LOOK)
                except (RuntimeError, ValueError) as error:
                    raise MqttError(f"the message cannot be sent: {error}") from None

    def subscribe(self, topics: Sequence[str], qos: int) -> None:
        """Ask for messages. Those that a topic retains come with the first subscription only, where that can be said.

        Raises:
            MqttError: The broker does not want to give them.
        """
        mqtt = library("paho.mqtt.client", "mqtt")
        wish: Any = qos
        if self._is_newest:
            handling = mqtt.SubscribeOptions.RETAIN_SEND_IF_NEW_SUB
            wish = mqtt.SubscribeOptions(qos=qos, retainHandling=handling)
        try:
            self._client.subscribe([(topic, wish) for topic in topics])
        except ValueError as error:
            raise MqttError(f"`topic` is wrong: {error}") from None
        self._await("the broker does not give out the messages of `topic`")

    def receive(self, seconds: float) -> MQTTMessage | None:
        """Return the next message; None when the time was up first."""
        try:
            return self._messages.get(timeout=seconds)
        except queue.Empty:
            self._check()
            return None

    def acknowledge(self, messages: Iterable[MQTTMessage]) -> None:
        """Tell the broker that it may forget messages, and wait until it has heard it.

        The protocol does not answer an acknowledgement, and a connection that is closed while messages are coming in
        may take the last of them with it. But a broker reads in order: once it answers what was asked after them, it
        has read them.

        Raises:
            MqttError: It does not answer.
        """
        self._check()
        for message in messages:
            self._client.ack(message.mid, message.qos)
        self._client.unsubscribe(_NEVER_SUBSCRIBED)
        self._await("the broker does not confirm what was acknowledged")

    def _wishes(self, method: str | None) -> Any:
        packets, properties = library("paho.mqtt.packettypes", "mqtt"), library("paho.mqtt.properties", "mqtt")
        wishes = properties.Properties(packets.PacketTypes.CONNECT)
        wishes.SessionExpiryInterval = _FOR_EVER if self._is_kept else 0
        wishes.ReceiveMaximum = _AT_ONCE
        if method is not None:
            wishes.AuthenticationMethod = method
        return wishes

    def _await(self, otherwise: str) -> None:
        try:
            failure = self._answers.get(timeout=self._seconds)
        except queue.Empty:
            failure = "it does not answer in `connectionTimeout`"
        if failure is not None:
            raise MqttError(f"{otherwise}: {failure}", hint="see `username` and `password`, and the broker's rules")

    def _check(self) -> None:
        if self._end is not None:
            raise MqttError(f"the connection has broken: {self._end}")

    def _ended(self, reason: str) -> None:
        self._end = reason
        self._answers.put(reason)


@contextmanager
def connected(broker: Broker, context: RunContext, client_id: str, *, is_kept: bool = False) -> Iterator[Connection]:
    """Give a connection.

    Args:
        broker: Where to.
        context: Of the task or trigger.
        client_id: The name at the broker.
        is_kept: Whether the broker goes on gathering messages under that name when the connection is closed.
    """
    connection = Connection(broker, context, client_id, is_kept=is_kept)
    try:
        connection.open(broker, context)
        yield connection
    finally:
        connection.close()


class TopicSource:
    """Messages of a subscription."""

    def __init__(self, connection: Connection, context: RunContext, serde: Serde) -> None:
        self._connection = connection
        self._context = context
        self._serde = serde

    def receive(self, seconds: float) -> Received | None:
        """Return the next message."""
        message = self._connection.receive(seconds)
        if message is None:
            return None
        given = dict(getattr(message.properties, "UserProperty", ())) if message.properties else {}
        fields = {
            "id": message.mid,
            "topic": message.topic,
            "qos": message.qos,
            "retain": bool(message.retain),
            "properties": given,
            "payload": decoded(self._context, bytes(message.payload), self._serde),
        }
        return Received(fields, message)

    def acknowledge(self, messages: Sequence[Received]) -> None:
        """Let the broker forget messages."""
        self._connection.acknowledge(message.token for message in messages)


def _failure(reason: Any) -> str | None:
    """Return what is wrong; None when all is well."""
    return str(reason) if reason.is_failure else None
