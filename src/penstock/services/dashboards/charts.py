"""What a chart shows: its document and what the viewer asks for become one query; the answer, rows by column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from penstock.base.clock import Clock, Instant, Micros, from_iso, to_iso
from penstock.base.durations import parse_duration
from penstock.base.errors import InvalidRequestError
from penstock.model.dashboards import (
    Chart,
    Column,
    DataFilter,
    Kind,
    KpiChart,
    MarkdownChart,
    Source,
    TableChart,
)
from penstock.model.dashboards.documents import Data
from penstock.model.dashboards.sources import source_of
from penstock.ports.dashboards import ChartColumn, ChartFilter, ChartQuery, ChartReads
from penstock.ports.flows import FlowRevisions
from penstock.ports.queries import Page, PageRequest
from penstock.services.dashboards.overrides import Overrides, conditions
from penstock.services.tables import csv_text

_MINUTE: Micros = 60_000_000
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR
_WEEK = 7 * _DAY
_ROWS = 25
_POINTS = 10_000
"""As many points as a graph gets."""
_EXPORTED = 1_000_000
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Window:
    """The span of time a chart is about; without an end it reaches to the present."""

    start: Instant
    end: Instant | None
    now: Instant

    @property
    def step(self) -> Micros:
        """The length of the spans that a course over this time is made of."""
        length = (self.end if self.end is not None else self.now) - self.start
        if length <= 6 * _HOUR:
            return _MINUTE
        if length <= 3 * _DAY:
            return _HOUR
        return _DAY if length <= 180 * _DAY else _WEEK


class ChartData:
    """Reads what charts show. Implements UI-043 to UI-052, UI-162.

    Args:
        reads: The rows.
        flows: Descriptions for Markdown charts.
        clock: The present.
    """

    def __init__(self, reads: ChartReads, flows: FlowRevisions, clock: Clock) -> None:
        self._reads = reads
        self._flows = flows
        self._clock = clock

    async def rows(
        self, tenant: str, chart: Chart, overrides: Overrides, *, usual: str = "P7D", longest: str | None = None
    ) -> Page[Row]:
        """Return a page of what a chart shows.

        Args:
            tenant: Whose data it is.
            chart: The chart.
            overrides: What the viewer asks for.
            usual: How much of the past is shown when no one asks for another span.
            longest: How much of it may be asked for.

        Raises:
            InvalidRequestError: A filter is not known, or the span is too long.
        """
        window = self._window(overrides, usual, longest)
        if isinstance(chart, MarkdownChart):
            return await self._text(tenant, chart)
        if isinstance(chart, KpiChart):
            return await self._number(tenant, chart, overrides, window)
        data = getattr(chart, "data", None)
        assert isinstance(data, Data)
        source = source_of(data.type)
        assert source is not None
        query = ChartQuery(
            source.name,
            _columns(data.columns, source, window),
            [*_where(data.where, source), *_narrowing(overrides, source, window)],
            [(one.column, one.order == "ASC") for one in data.order_by],
        )
        usual_size = _ROWS if isinstance(chart, TableChart) else _POINTS
        page = await self._reads.rows(tenant, query, PageRequest(overrides.page, overrides.size or usual_size))
        return Page([_shown(query.columns, source, row) for row in page.results], page.total)

    async def csv(
        self, tenant: str, chart: Chart, overrides: Overrides, *, usual: str = "P7D", longest: str | None = None
    ) -> str:
        """Return all that a chart shows, with a line of titles (UI-033)."""
        everything = replace(overrides, page=1, size=_EXPORTED)
        page = await self.rows(tenant, chart, everything, usual=usual, longest=longest)
        columns = _titles(chart)
        return csv_text([list(columns.values()), *([row.get(key) for key in columns] for row in page.results)])

    def _window(self, overrides: Overrides, usual: str, longest: str | None) -> Window:
        now = self._clock.now()
        end = overrides.end
        start = overrides.start if overrides.start is not None else (end or now) - parse_duration(usual)
        if longest is not None and (end or now) - start > parse_duration(longest):
            raise InvalidRequestError(
                f"the dashboard shows at most {longest}", hint="ask for less, or change its `timeWindow.max`"
            )
        return Window(start, end, now)

    async def _text(self, tenant: str, chart: MarkdownChart) -> Page[Row]:
        if chart.source is None or chart.source.type == "Text":
            return Page([{"content": chart.content if chart.source is None else chart.source.content}], 1)
        flow = await self._flows.get(tenant, chart.source.namespace or "", chart.source.flow_id or "")
        if flow is None or not flow.description:
            return Page([], 0)
        return Page([{"content": flow.description}], 1)

    async def _number(self, tenant: str, chart: KpiChart, overrides: Overrides, window: Window) -> Page[Row]:
        """Return one row with the number; none when there is nothing to make it of."""
        source = source_of(chart.data.type)
        assert source is not None
        column = _column("value", chart.data.columns, source, None)
        among = [*_where(chart.data.where, source), *_narrowing(overrides, source, window)]
        chosen = [*among, *_where(chart.data.numerator, source)]
        value = await self._value(tenant, ChartQuery(source.name, [column], chosen))
        if chart.chart_options.number_type == "PERCENTAGE":
            whole = await self._value(tenant, ChartQuery(source.name, [column], among))
            value = 100 * (value or 0) / whole if whole else None
        return Page([], 0) if value is None else Page([{"value": value}], 1)

    async def _value(self, tenant: str, query: ChartQuery) -> Any:
        page = await self._reads.rows(tenant, query, PageRequest(1, 1))
        return page.results[0]["value"] if page.results else None


def _columns(columns: Mapping[str, Column], source: Source, window: Window) -> list[ChartColumn]:
    # Single instants are no groups: what is counted over time is counted by spans.
    span = window.step if any(column.agg for column in columns.values()) else None
    return [_column(key, column, source, span) for key, column in columns.items()]


def _column(key: str, column: Column, source: Source, span: Micros | None) -> ChartColumn:
    is_date = column.field is not None and source.fields[column.field] is Kind.DATE
    return ChartColumn(
        key, column.field, column.agg, column.label_key, span if is_date and column.agg is None else None
    )


def _narrowing(overrides: Overrides, source: Source, window: Window) -> list[ChartFilter]:
    found = conditions(overrides, source)
    if source.date is not None:
        found.append(ChartFilter("GREATER_THAN_OR_EQUAL_TO", source.date, (window.start,)))
        if window.end is not None:
            found.append(ChartFilter("LESS_THAN_OR_EQUAL_TO", source.date, (window.end,)))
    return found


def _where(filters: Sequence[DataFilter], source: Source) -> list[ChartFilter]:
    return [_filter(one, source) for one in filters]


def _filter(one: DataFilter, source: Source) -> ChartFilter:
    if one.type == "OR":
        return ChartFilter("OR", alternatives=[_filter(other, source) for other in one.alternatives])
    assert one.field is not None
    values = [] if one.value is None and one.values is None else one.listed
    kind = source.fields[one.field]
    return ChartFilter(one.type, one.field, [_typed(kind, one, value) for value in values], one.label_key)


def _typed(kind: Kind, one: DataFilter, value: Any) -> Any:
    if kind not in (Kind.DATE, Kind.NUMBER):
        return str(value)
    try:
        return from_iso(str(value)) if kind is Kind.DATE else float(value)
    except (TypeError, ValueError) as error:
        wanted = "a date such as 2026-01-31T10:00:00Z" if kind is Kind.DATE else "a number"
        raise InvalidRequestError(f"`{value}`, which {one.field} is compared with, is not {wanted}") from error


def _shown(columns: Sequence[ChartColumn], source: Source, row: Row) -> Row:
    """Return a row with its dates as people exchange them."""
    dates = {
        column.key
        for column in columns
        if column.field is not None and source.fields[column.field] is Kind.DATE and column.agg != "COUNT"
    }
    return {key: to_iso(int(value)) if key in dates and value is not None else value for key, value in row.items()}


def _titles(chart: Chart) -> Mapping[str, str]:
    if isinstance(chart, KpiChart):
        return {"value": chart.chart_options.display_name}
    data = getattr(chart, "data", None)
    if not isinstance(data, Data):
        return {"content": "content"}
    return {key: column.display_name or key for key, column in data.columns.items()}
