"""The program of a plugin's process: `python -m penstock.services.isolation.program FOLDER`.

It imports the plugins of the distributions in a folder, which stands first on its path, so that they see the libraries
they were installed with. With `--describe` it writes their manifest; otherwise it does one piece of work after another
for the server at the other end of its pipes, and ends when that is gone or has had nothing to do for a while.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import distributions
from typing import IO, Any

import msgspec

from penstock.model.registry import TypeEntry
from penstock.sdk import PollingTrigger, RealtimeTrigger, Task, TriggerEvent
from penstock.sdk.discovery import GROUP, classes_of
from penstock.services.isolation.manifest import manifest_of
from penstock.services.isolation.messages import (
    Answer,
    Done,
    End,
    Event,
    Failed,
    Message,
    Settle,
    Settled,
    Start,
    line_of,
    order_in,
)
from penstock.services.isolation.remote_context import RemoteContext
from penstock.services.outcome import failure_of, plain_outputs

IDLE = 60.0
"""Seconds after which a process that has nothing to do ends."""
_ANY_SIZE = sys.maxsize


class Work:
    """One piece of work: a task, a look of a trigger, or a listener. `run` is called in a thread of its own.

    Args:
        start: What is to be done.
        cls: The class that does it.
        say: Says something to the server.
    """

    def __init__(self, start: Start, cls: type[Any], say: Callable[[Message], None]) -> None:
        self._start = start
        self._cls = cls
        self._say = say
        self._context = RemoteContext(say)
        self._stop = threading.Event()
        self._settling: queue.Queue[Settle] = queue.Queue()

    def take(self, order: Answer | End | Settle) -> None:
        """Take what the server says while the work is being done."""
        if isinstance(order, Answer):
            self._context.take(order)
        elif isinstance(order, Settle):
            self._settling.put(order)
        else:
            self._stop.set()
            self._context.interrupt()

    def run(self) -> None:
        """Do the work; the last word is that it is done, or why it failed."""
        try:
            last: Message = Done(self._outputs())
        except BaseException as error:  # whatever a plugin raises fails its work and nothing else
            last = _failed(error)
        self._say(last)

    def _outputs(self) -> dict[str, Any] | None:
        instance = self._cls.model_validate(self._start.definition)
        self._context.task = instance
        if self._start.action == "run":
            assert isinstance(instance, Task)
            outputs = plain_outputs(instance.run(self._context), _ANY_SIZE)
            return None if outputs is None else dict(outputs)
        for event in self._events(instance):
            self._give(event)
        return None

    def _events(self, trigger: PollingTrigger | RealtimeTrigger) -> Iterator[TriggerEvent]:
        if isinstance(trigger, RealtimeTrigger):
            yield from trigger.listen(self._context, self._stop)
        elif (event := trigger.poll(self._context)) is not None:
            yield event

    def _give(self, event: TriggerEvent) -> None:
        """Give an event to the server, and do with it what becomes of it there."""
        self._say(Event(dict(plain_outputs(event.variables, _ANY_SIZE) or {}), event.key))
        settle = self._settling.get()
        try:
            event.acknowledge() if settle.action == "acknowledge" else event.release()
        except Exception as error:
            self._say(Settled(failure_of(error).message))
        else:
            self._say(Settled())


class Program:
    """Does what the server says, one piece of work at a time.

    Args:
        classes: The plugin's classes by type name.
        words: Where the server listens.
    """

    def __init__(self, classes: Mapping[str, type[Any]], words: IO[bytes]) -> None:
        self._classes = classes
        self._words = words
        self._lock = threading.Lock()
        self._work: Work | None = None
        self._lines: queue.Queue[bytes] = queue.Queue()

    def listen(self, orders: IO[bytes]) -> None:
        """Take what the server says, until it is gone."""
        for line in orders:
            self._lines.put(line)
        self._lines.put(b"")

    def run(self) -> None:
        """Work until the server is gone or has had nothing to do for a while."""
        while line := self._next():
            order = order_in(line)
            if isinstance(order, Start):
                self._work = Work(order, self._classes[order.type], self._say)
                threading.Thread(target=self._work.run, name="work", daemon=True).start()
            elif (work := self._work) is not None:
                work.take(order)

    def _next(self) -> bytes:
        try:
            return self._lines.get(timeout=None if self._work is not None else IDLE)
        except queue.Empty:
            return b""

    def _say(self, message: Message) -> None:
        if isinstance(message, Done | Failed):
            self._work = None
        with self._lock:
            self._words.write(line_of(message))
            self._words.flush()


def _failed(error: BaseException) -> Failed:
    failure = failure_of(error)
    return Failed(failure.message, failure.detail, not failure.retryable)


def entries_in(folder: str) -> list[TypeEntry]:
    """Return the types of the distributions in a folder."""
    found = []
    for distribution in distributions(path=[folder]):
        for point in distribution.entry_points.select(group=GROUP):
            found += [TypeEntry.of(cls, distribution.name) for cls in classes_of(point.load())]
    return found


def main() -> None:
    """Describe the plugins in a folder, or work with them."""
    folder, *rest = sys.argv[1:]
    orders, words = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)  # what plugins print must not come between the messages
    entries = entries_in(folder)
    if rest[:1] == ["--describe"]:
        with words:
            words.write(msgspec.json.encode(manifest_of(entries, rest[1])))
        return
    program = Program({entry.name: entry.cls for entry in entries}, words)
    threading.Thread(target=program.listen, args=(orders,), name="orders", daemon=True).start()
    program.run()
    os._exit(0)  # without waiting for threads of plugins


if __name__ == "__main__":
    main()
