"""`CreateQueue`, `DeclareExchange` and `QueueBind`: what a broker needs before messages are sent."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from penstock.builtin.amqp.connection import Broker, channel
from penstock.sdk import Output, Property, RunContext, Task

ExchangeType = Literal["DIRECT", "FANOUT", "TOPIC", "HEADERS"]
Arguments = Property[dict[str, Any]] | None


class QueueName(Output):
    """A queue's name."""

    queue: str = Field(description="The queue.")


class ExchangeName(Output):
    """An exchange's name."""

    exchange: str = Field(description="The exchange.")


class Binding(Output):
    """What is bound to what."""

    exchange: str = Field(description="The exchange.")
    queue: str = Field(description="The queue.")


class CreateQueue(Broker, Task):
    """Make a queue, unless it is there. Needs `penstock[amqp]`.

    ```yaml
    - id: queue
      type: io.kestra.plugin.amqp.CreateQueue
      host: localhost
      name: orders
    ```
    """

    type_name = "io.kestra.plugin.amqp.CreateQueue"
    output_type: ClassVar[type[Output] | None] = QueueName

    name: Property[str] = Field(description="The queue's name.")
    durability: Property[bool] = Field(Property.of(True), description="Whether it outlives the broker's restart.")
    exclusive: Property[bool] = Field(Property.of(False), description="Whether it is for this connection alone.")
    auto_delete: Property[bool] = Field(Property.of(False), description="Whether it ends with its last consumer.")
    args: Arguments = Field(None, description="Further arguments, as the broker knows them.")

    def run(self, context: RunContext) -> QueueName:
        """Declare it."""
        with channel(self, context) as open_channel:
            found = open_channel.queue_declare(
                context.render(self.name),
                durable=context.render(self.durability),
                exclusive=context.render(self.exclusive),
                auto_delete=context.render(self.auto_delete),
                arguments=context.render(self.args),
            )
        return QueueName(queue=found.method.queue)


class DeclareExchange(Broker, Task):
    """Make an exchange, unless it is there. Needs `penstock[amqp]`.

    ```yaml
    - id: exchange
      type: io.kestra.plugin.amqp.DeclareExchange
      host: localhost
      name: orders
      exchangeType: TOPIC
    ```
    """

    type_name = "io.kestra.plugin.amqp.DeclareExchange"
    output_type: ClassVar[type[Output] | None] = ExchangeName

    name: Property[str] = Field(description="The exchange's name.")
    exchange_type: Property[ExchangeType] = Field(
        Property.of("DIRECT"), description="How it decides which queues get a message."
    )
    durability: Property[bool] = Field(Property.of(True), description="Whether it outlives the broker's restart.")
    auto_delete: Property[bool] = Field(Property.of(False), description="Whether it ends with its last binding.")
    internal: Property[bool] = Field(Property.of(False), description="Whether other exchanges alone send to it.")
    args: Arguments = Field(None, description="Further arguments, as the broker knows them.")

    def run(self, context: RunContext) -> ExchangeName:
        """Declare it."""
        name = context.render(self.name)
        with channel(self, context) as open_channel:
            open_channel.exchange_declare(
                name,
                context.render(self.exchange_type).lower(),
                durable=context.render(self.durability),
                auto_delete=context.render(self.auto_delete),
                internal=context.render(self.internal),
                arguments=context.render(self.args),
            )
        return ExchangeName(exchange=name)


class QueueBind(Broker, Task):
    """Have an exchange's messages go to a queue. Needs `penstock[amqp]`.

    ```yaml
    - id: bind
      type: io.kestra.plugin.amqp.QueueBind
      host: localhost
      exchange: orders
      queue: orders
      routingKey: new.*
    ```
    """

    type_name = "io.kestra.plugin.amqp.QueueBind"
    output_type: ClassVar[type[Output] | None] = Binding

    exchange: Property[str] = Field(description="The exchange.")
    queue: Property[str] = Field(description="The queue.")
    routing_key: Property[str] = Field(Property.of(""), description="The messages that are meant.")
    args: Arguments = Field(None, description="Further arguments, as the broker knows them.")

    def run(self, context: RunContext) -> Binding:
        """Bind."""
        exchange, queue = context.render(self.exchange), context.render(self.queue)
        with channel(self, context) as open_channel:
            open_channel.queue_bind(queue, exchange, context.render(self.routing_key), context.render(self.args))
        return Binding(exchange=exchange, queue=queue)
