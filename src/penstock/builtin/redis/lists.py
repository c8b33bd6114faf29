"""Start flows by elements of a Redis list: `Trigger` for many at once, `RealtimeTrigger` for each."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import ClassVar

from pydantic import Field

from penstock.builtin.messages.payloads import TextSerde, decoded
from penstock.builtin.redis.source import Source, connected
from penstock.sdk import PluginModel, PollingTrigger, Property, RealtimeTrigger, RunContext, TriggerEvent

_WAIT = 1.0
"""Seconds after which a listener looks whether it is to stop."""


class RedisList(PluginModel):
    """Where the elements are."""

    url: Property[str] = Field(description="The server's address, as in redis://user:password@host:6379/0.")
    key: Property[str] = Field(description="The list's key.")
    serde_type: Property[TextSerde] = Field(Property.of("STRING"), description="What elements are: text or JSON.")


class Trigger(RedisList, PollingTrigger):
    """Look into a Redis list every `interval`, and start the flow with the elements found, taken from the list.

    The flow reads `trigger.uri`, a file with an element on each line as JSON, and `trigger.count`. Elements stay in
    Redis, in a list beside the first, until the execution is stored. Needs Redis 6.2 and `penstock[redis]`.

    ```yaml
    triggers:
      - id: orders
        type: io.kestra.plugin.redis.list.Trigger
        url: "redis://localhost:6379/0"
        key: orders
        maxRecords: 1000
        interval: PT30S
    ```

    Implements ENG-270, ENG-307.
    """

    type_name: ClassVar[str] = "io.kestra.plugin.redis.list.Trigger"
    type_aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.redis.TriggerList",)

    count: Property[int] = Field(Property.of(100), description="How many elements are asked for at once.")
    max_records: Property[int] | None = Field(None, description="The most elements of one execution.")
    max_duration: Property[timedelta] | None = Field(None, description="The longest time to gather elements.")

    def poll(self, context: RunContext) -> TriggerEvent | None:
        """Take what is there, after what an earlier look took and could not hand on."""
        url, serde = context.render(self.url), context.render(self.serde_type)
        with connected(url) as client:
            source = Source(client, context.render(self.key), context)
            name, elements = source.left()
            if name is None or not elements:
                elements = self._gathered(context, source, elements)
                if not elements:
                    return None
                name = source.named()
        text = "".join(json.dumps(decoded(context, one, serde), ensure_ascii=False) + "\n" for one in elements)
        uri = context.put_bytes(text.encode(), "elements.ion")
        batch = name

        def acknowledge() -> None:
            with connected(url) as client:
                Source(client, context.render(self.key), context).forget_all(batch)

        return TriggerEvent({"uri": uri, "count": len(elements)}, batch, acknowledge)

    def _gathered(self, context: RunContext, source: Source, elements: list[str]) -> list[str]:
        most, longest = context.render(self.max_records), context.render(self.max_duration)
        at_once = max(1, context.render(self.count))
        deadline = None if longest is None else time.monotonic() + longest.total_seconds()
        while not context.is_killed and (deadline is None or time.monotonic() < deadline):
            wanted = at_once if most is None else min(at_once, most - len(elements))
            found = source.take(wanted) if wanted > 0 else []
            elements = [*elements, *found]
            if len(found) < max(1, wanted):
                break
        return elements


class ElementTrigger(RedisList, RealtimeTrigger):
    """Start the flow for each element of a Redis list as soon as it comes; it is taken from the list.

    The flow reads `trigger.value`. The element stays in Redis, in a list beside the first, until the execution is
    stored. Needs Redis 6.2 and `penstock[redis]`.

    ```yaml
    triggers:
      - id: order
        type: io.kestra.plugin.redis.list.RealtimeTrigger
        url: "redis://localhost:6379/0"
        key: orders
        serdeType: JSON
    ```

    Implements ENG-311, ENG-312.
    """

    type_name: ClassVar[str] = "io.kestra.plugin.redis.list.RealtimeTrigger"

    def listen(self, context: RunContext, stop: threading.Event) -> Iterator[TriggerEvent]:
        """Wait for elements, one after the other."""
        serde = context.render(self.serde_type)
        with connected(context.render(self.url)) as client:
            source = Source(client, context.render(self.key), context)
            while not stop.is_set():
                name, elements = source.left()
                element = elements[0] if elements else source.wait(_WAIT)
                if element is None:
                    continue
                name = (name if elements else None) or source.named()
                yield TriggerEvent({"value": decoded(context, element, serde)}, name, _Forgetting(source, name))


class _Forgetting:
    """Removes an element once it has been dealt with."""

    def __init__(self, source: Source, name: str) -> None:
        self._source = source
        self._name = name

    def __call__(self) -> None:
        self._source.forget_first(self._name)
