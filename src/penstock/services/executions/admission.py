"""How many executions may be open at a time before no more are taken: back-pressure for whoever asks for them.

Unlike a concurrency limit, which lets executions wait in state QUEUED, a full namespace answers at once that it is.
What is asked for by dates, flows and events is always taken: nobody is there to ask again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Protocol

from penstock.base.clock import SECOND, Clock, Instant, Micros
from penstock.base.errors import PenstockError

_RETRY_AFTER = 5
_LOOK_EVERY: Micros = SECOND
_SHARE_OF_TIME = 20
"""Counting may take one part in so many of the time."""


class TooManyExecutionsError(PenstockError):
    """A namespace has as many open executions as it may have. Rendered as HTTP 429."""

    code = "TOO_MANY_EXECUTIONS"

    def __init__(self, namespace: str, limit: int) -> None:
        self.retry_after = _RETRY_AFTER
        super().__init__(
            f"namespace {namespace} has {limit} executions that have not ended, as many as it may have",
            hint=f"try again in {self.retry_after} seconds, or raise the limit in kestra.admission.namespaces",
        )


class OpenExecutions(Protocol):
    """Counts what is open."""

    async def open_by_namespace(self, tenant: str) -> Mapping[str, int]:
        """Return how many executions have not ended, by namespace; those without any are left out."""
        ...


class Admission:
    """Refuses executions of namespaces that are full. Implements BEY-011.

    The count is at most a second old; what was admitted here since then is added to it.

    Args:
        store: Counts the executions.
        clock: Tells how old a count is.
        limits: The most open executions of a namespace and those below it, by namespace.
    """

    def __init__(self, store: OpenExecutions, clock: Clock, limits: Mapping[str, int]) -> None:
        self._store = store
        self._clock = clock
        self._limits = limits
        self._counts: dict[str, Counter[str]] = {}
        self._due: dict[str, Instant] = {}

    async def admit(self, tenant: str, namespace: str) -> None:
        """Let one more execution in.

        Raises:
            TooManyExecutionsError: Its namespace, or one above it, is full.
        """
        gates = [gate for gate in self._limits if namespace == gate or namespace.startswith(f"{gate}.")]
        if not gates:
            return
        if self._clock.now() >= self._due.get(tenant, 0):
            await self._count(tenant)
        counts = self._counts[tenant]
        for gate in gates:
            if counts[gate] >= self._limits[gate]:
                raise TooManyExecutionsError(gate, self._limits[gate])
        counts.update(gates)

    async def _count(self, tenant: str) -> None:
        began = self._clock.now()
        self._due[tenant] = began + _LOOK_EVERY  # whoever comes meanwhile takes the count before
        self._counts.setdefault(tenant, Counter())
        found = await self._store.open_by_namespace(tenant)
        counts = Counter[str]()
        for namespace, number in found.items():
            for gate in self._limits:
                if namespace == gate or namespace.startswith(f"{gate}."):
                    counts[gate] += number
        self._counts[tenant] = counts
        now = self._clock.now()
        self._due[tenant] = now + max(_LOOK_EVERY, _SHARE_OF_TIME * (now - began))
