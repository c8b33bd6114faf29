"""Messages as a source that loses none: tasks and triggers that read them, whatever the broker.

A message is acknowledged to its broker when it has been dealt with: by a task when its file is stored, by a trigger
when its execution is. Until then the connection stays open; when it breaks, the broker gives the message out again.
"""

from __future__ import annotations

import hashlib
import math
import threading
import time
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain, islice
from typing import Any, ClassVar, Protocol

from pydantic import Field

from penstock.builtin.serdes.files import store_items
from penstock.sdk import (
    Output,
    PluginModel,
    PollingTrigger,
    Property,
    RealtimeTrigger,
    RunContext,
    Task,
    TriggerEvent,
)

_WAIT = 1.0
"""Seconds after which one who waits looks whether it is to stop, and after which a source counts as empty."""


@dataclass(frozen=True, slots=True)
class Received:
    """A message.

    Args:
        fields: What a flow reads of it.
        token: What its broker knows it by while the connection lasts.
        key: What its broker knows it by for ever, if there is such a thing.
    """

    fields: Mapping[str, Any]
    token: Any
    key: str | None = None


class Subscription(Protocol):
    """An open connection that messages come from."""

    def receive(self, seconds: float) -> Received | None:
        """Return the next message; None when none has come in that time."""
        ...

    def acknowledge(self, messages: Sequence[Received]) -> None:
        """Tell the broker that it may forget messages."""
        ...


class Subscribing(PluginModel):
    """Something that messages come from."""

    @abstractmethod
    def subscription(self, context: RunContext) -> AbstractContextManager[Subscription]:
        """Open a connection, closed at the end. What has not been acknowledged by then, the broker keeps."""

    def kept_as(self, context: RunContext) -> str | None:
        """Return a name under which the broker may keep a place between two connections; None for a task."""
        return None


class Gathering(Subscribing):
    """Many messages at once."""

    count_name: ClassVar[str] = "messagesCount"
    """How the number of messages is called where the flow reads it."""
    row_field: ClassVar[str | None] = None
    """The field of a message that a row of the file holds; all of them by default."""

    max_records: Property[int] | None = Field(None, description="The most messages to take.")
    max_duration: Property[timedelta] | None = Field(None, description="The longest time to gather messages.")

    def quiet_for(self, context: RunContext) -> timedelta | None:
        """Return after how long without a message no more are waited for, if that does not depend on the rest."""
        return None

    def may_end(self, last: Received) -> bool:
        """Return whether no more need be taken after a message when all that were asked for are there."""
        return True

    def stored(self, context: RunContext, found: Iterator[Any]) -> Mapping[str, Any]:
        """Store what messages hold, and return what a flow reads of it."""
        uri, count = store_items(context, found, "messages.ion")
        return {self.count_name: count, "uri": uri}

    def gathered(
        self, context: RunContext, source: Subscription, taken: list[Received], *, waits: bool
    ) -> Iterator[Any]:
        """Yield what messages hold, and note them in a list.

        Args:
            context: Of the task or trigger.
            source: Where they come from.
            taken: What has been received.
            waits: Whether to wait for all that were asked for. Else it ends as soon as no more come.
        """
        most, longest, quiet = (
            context.render(self.max_records),
            context.render(self.max_duration),
            self.quiet_for(context),
        )
        last = time.monotonic()
        is_enough = most is not None and most <= 0
        deadline = math.inf if longest is None else last + longest.total_seconds()
        quiet = self.quiet_for(context)
        patience, wait = math.inf if waits or longest is not None else 0.0, _WAIT
        if quiet is not None:
            patience = quiet.total_seconds()
            wait = min(wait, patience)
        while not context.is_killed and not is_enough:
            message = source.receive(max(min(wait, deadline - time.monotonic()), 0.0))
            now = time.monotonic()
            if message is not None:
                last = now
                taken.append(Received({}, message.token, message.key))  # there may be many, and large ones
                is_enough = most is not None and len(taken) >= most and self.may_end(message)
                yield message.fields if self.row_field is None else message.fields[self.row_field]
            elif now >= deadline or now - last >= patience:
                return


class ConsumeTask(Gathering, Task):
    """Writes messages to a file.

    It ends with the `maxRecords`th message or after `maxDuration`; without both, when no more come.
    """

    def run(self, context: RunContext) -> Mapping[str, Any]:
        """Gather, store, and only then acknowledge."""
        taken: list[Received] = []
        with self.subscription(context) as source:
            found = self.gathered(context, source, taken, waits=self.max_records is not None)
            outputs = self.stored(context, found)
            source.acknowledge(taken)
        return outputs


class BatchTrigger(Gathering, PollingTrigger):
    """Starts the flow with the messages that have come.

    A look ends with the `maxRecords`th message, or after `maxDuration`; without the latter, when no more come.
    """

    def kept_as(self, context: RunContext) -> str | None:
        """Return the trigger's name, as the broker sees it."""
        return _trigger_name(context)

    def poll(self, context: RunContext) -> TriggerEvent | None:
        """Gather what there is; the connection stays open until that is dealt with."""
        taken: list[Received] = []
        with ExitStack() as stack:
            source = stack.enter_context(self.subscription(context))
            found = self.gathered(context, source, taken, waits=False)
            first = list(islice(found, 1))
            if not first:
                return None
            variables = self.stored(context, chain(first, found))
            held = stack.pop_all()

        def acknowledge() -> None:
            with held:
                source.acknowledge(taken)

        return TriggerEvent(variables, _key(taken), acknowledge, held.close)


class MessageTrigger(Subscribing, RealtimeTrigger):
    """Starts the flow for each message."""

    wait: ClassVar[float] = _WAIT
    """Seconds after which it looks whether it is to stop."""

    def kept_as(self, context: RunContext) -> str | None:
        """Return the trigger's name, as the broker sees it."""
        return _trigger_name(context)

    def listen(self, context: RunContext, stop: threading.Event) -> Iterator[TriggerEvent]:
        """Wait for messages, one after the other."""
        with self.subscription(context) as source:
            while not stop.is_set():
                message = source.receive(self.wait)
                if message is not None:
                    yield TriggerEvent(message.fields, message.key, _Acknowledging(source, message))


class Consumed(Output):
    """What receiving gives, with most brokers."""

    messages_count: int = Field(description="How many messages were received.")
    uri: str = Field(description="The file of messages in internal storage.")


class ConsumedCount(Output):
    """What receiving gives where the number of messages is called `count`."""

    count: int = Field(description="How many messages were received.")
    uri: str = Field(description="The file of messages in internal storage.")


class _Acknowledging:
    """Acknowledges a message once it has been dealt with."""

    def __init__(self, source: Subscription, message: Received) -> None:
        self._source = source
        self._message = message

    def __call__(self) -> None:
        self._source.acknowledge([self._message])


def _key(taken: Sequence[Received]) -> str | None:
    """Return the name of messages together, if each has one."""
    keys = [message.key for message in taken]
    known = [key for key in keys if key is not None]
    return hashlib.sha256("\n".join(known).encode()).hexdigest() if known and len(known) == len(keys) else None


def _trigger_name(context: RunContext) -> str:
    flow, trigger = context.variables["flow"], context.variables["trigger"]
    return f"penstock-{flow['namespace']}-{flow['id']}-{trigger['id']}".replace(".", "-")
