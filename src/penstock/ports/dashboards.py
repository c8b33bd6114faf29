"""Where dashboards are kept, and how what their charts show is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from penstock.base.clock import Instant, Micros
from penstock.ports.queries import Page, PageRequest


@dataclass(frozen=True, slots=True)
class StoredDashboard:
    """A dashboard as written."""

    tenant: str
    id: str
    title: str
    description: str | None
    source: str
    created: Instant
    updated: Instant


class DashboardStore(Protocol):
    """Dashboards of tenants."""

    async def get(self, tenant: str, dashboard_id: str) -> StoredDashboard | None:
        """Return a dashboard; None when there is none."""
        ...

    async def search(self, tenant: str, query: str, page: PageRequest) -> Page[StoredDashboard]:
        """Return dashboards whose id or title contains a text, by title unless asked otherwise."""
        ...

    async def save(self, dashboard: StoredDashboard, *, is_new: bool) -> StoredDashboard:
        """Insert a dashboard or replace one, which keeps the date of its creation.

        Raises:
            ConflictError: It is to be new, and is there already.
        """
        ...

    async def delete(self, tenant: str, dashboard_id: str) -> bool:
        """Remove a dashboard; False when there was none."""
        ...


@dataclass(frozen=True, slots=True)
class ChartColumn:
    """One column of the rows a chart wants.

    Args:
        key: Its name in the rows.
        field: The field of the source; None when rows are counted.
        agg: How several values become one; None: rows are grouped by it.
        label_key: Which label a column of labels is about.
        span: Dates are cut to the beginning of spans this long.
    """

    key: str
    field: str | None
    agg: str | None = None
    label_key: str | None = None
    span: Micros | None = None


@dataclass(frozen=True, slots=True)
class ChartFilter:
    """One condition of the rows a chart wants; its values are instants for dates, numbers for numbers, else texts.

    Args:
        type: What is compared how, as dashboards name it; `OR` has alternatives and no field.
    """

    type: str
    field: str | None = None
    values: Sequence[Any] = ()
    label_key: str | None = None
    alternatives: Sequence[ChartFilter] = ()


@dataclass(frozen=True, slots=True)
class ChartQuery:
    """What a chart wants of a source."""

    source: str
    columns: Sequence[ChartColumn]
    where: Sequence[ChartFilter] = ()
    order: Sequence[tuple[str, bool]] = ()
    """(column key, ascending)."""


class ChartReads(Protocol):
    """Reads of what charts show."""

    async def rows(self, tenant: str, query: ChartQuery, page: PageRequest) -> Page[Mapping[str, Any]]:
        """Return a page of rows by column key; dates are instants."""
        ...
