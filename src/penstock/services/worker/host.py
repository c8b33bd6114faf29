"""What all attempts of a worker share, and the one bridge from their threads to the loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from penstock.base.clock import Clock
from penstock.model.registry import TypeRegistry
from penstock.ports.gateway import WorkerGateway
from penstock.services.masking import Maskers
from penstock.services.worker.machinery import Bridge, Threads
from penstock.services.worker.settings import WorkerSettings

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Host:
    """The surroundings of an attempt."""

    loop: asyncio.AbstractEventLoop
    gateway: WorkerGateway
    settings: WorkerSettings
    clock: Clock
    maskers: Maskers
    registry: TypeRegistry = field(default_factory=lambda: TypeRegistry(()))
    """The task types installed here, for tasks that run others."""
    bridge: Bridge = field(default_factory=Threads)
    """How a task's thread waits for the loop."""

    def wait_for(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the loop and wait for its result; called from a task's thread.

        Raises:
            UnavailableError: The worker is stopping.
        """
        return self.bridge.wait_for(coroutine, self.loop)

    def iterate(self, items: AsyncIterator[T]) -> Iterator[T]:
        """Walk over an asynchronous iterator from a task's thread."""

        async def following() -> tuple[bool, T | None]:
            try:
                return True, await anext(items)
            except StopAsyncIteration:
                return False, None

        while (step := self.wait_for(following()))[0]:
            yield step[1]  # type: ignore[misc]  # there is an item when the flag says so
