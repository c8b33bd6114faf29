"""Where it is kept how test suites went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from penstock.base.clock import Instant
from penstock.ports.queries import Page, PageRequest

SuiteName = tuple[str, str]
"""(namespace, id of the suite)."""


@dataclass(frozen=True, slots=True)
class KeptResult:
    """One run of a test suite."""

    id: str
    namespace: str
    flow_id: str
    suite_id: str
    state: str
    started: Instant
    ended: Instant
    cases: Sequence[Mapping[str, Any]]


class SuiteResultStore(Protocol):
    """Runs of test suites; of each suite the last ones are kept."""

    async def add(self, tenant: str, result: KeptResult, *, keep: int) -> None:
        """Keep a result, and of the suite no more than so many."""
        ...

    async def get(self, tenant: str, result_id: str) -> KeptResult | None:
        """Return a result; None when there is none."""
        ...

    async def search(
        self, tenant: str, page: PageRequest, *, suite_id: str = "", namespace: str = "", flow_id: str = ""
    ) -> Page[KeptResult]:
        """Return results of one suite, namespace or flow, or all; the latest first unless asked otherwise."""
        ...

    async def latest(self, tenant: str, suites: Sequence[SuiteName]) -> Sequence[KeptResult]:
        """Return the last result of each of these suites that has one, by name."""
        ...

    async def forget(self, tenant: str, suite: SuiteName) -> None:
        """Remove the results of a suite."""
        ...
