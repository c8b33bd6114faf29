"""Messages to send: one, a list of them, or the items of a file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, ClassVar

from pydantic import Field

from penstock.builtin.serdes.files import items
from penstock.sdk import MetricNote, Output, PluginError, Property, RunContext, Task
from penstock.sdk.items import stop_if_killed

_SCHEMES = ("kestra://", "nsfile://", "file://")


class MessageError(PluginError):
    """A message cannot be sent as it is written."""

    code = "MESSAGE_INVALID"


class Published(Output):
    """What sending gives."""

    messages_count: int = Field(description="How many messages were sent.")


class Sending(Task):
    """A task that sends messages."""

    output_type: ClassVar[type[Output] | None] = Published
    type_metrics = (MetricNote("records", "counter", "How many messages were sent."),)

    from_: Property[Any] = Field(
        alias="from", description="The messages: the URI of a file of items, one message, or a list of them."
    )

    def outgoing(self, context: RunContext) -> Iterator[Any]:
        """Yield what is to be sent. Text of a list or a map in JSON counts as that: expressions give text."""
        given = context.render(self.from_)
        if isinstance(given, str):
            if given.startswith(_SCHEMES):
                yield from items(context, given)
                return
            given = _read(given)
        yield from given if isinstance(given, list) else [given]

    def outgoing_fields(self, context: RunContext) -> Iterator[Mapping[str, Any]]:
        """Yield what is to be sent, where a message is a map of fields."""
        return map(_fields, self.outgoing(context))


def sent(context: RunContext, messages: Iterable[Any], send: Callable[[Any], None]) -> int:
    """Send messages one after the other and return how many there were."""
    count = 0
    for message in messages:
        stop_if_killed(context)
        send(message)
        count += 1
    context.counter("records", count)
    return count


def _read(text: str) -> Any:
    if not text.lstrip().startswith(("{", "[")):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def _fields(message: Any) -> Mapping[str, Any]:
    if not isinstance(message, Mapping):
        raise MessageError("a message is no map of fields", hint='write it like {"data": "hello"}')
    return message
