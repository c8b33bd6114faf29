"""Reading dashboards and charts: every problem at once, each with its place (UI-162, API-039)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from penstock.model.complaints import Complaint
from penstock.model.dashboards.documents import CHARTS, Chart, Column, DashboardDocument, Data, DataFilter, KpiData
from penstock.model.dashboards.sources import KPI_TYPES, PLAIN_TYPES, Kind, Source, source_of
from penstock.model.definitions import make_model
from penstock.model.problems import Path, Problem, Severity, path_text
from penstock.model.wanted import Wanted, settle
from penstock.model.yaml import YamlDocument, read_yaml

_CODE = "INVALID_DASHBOARD"


@dataclass(frozen=True, slots=True)
class ParsedDashboard:
    """A dashboard that has been read."""

    source: str
    document: DashboardDocument | None
    """None when there are errors."""
    charts: Sequence[Chart]
    problems: Sequence[Problem]
    data: Mapping[str, Any]
    """What the text says, as far as it is a map."""


@dataclass(frozen=True, slots=True)
class ParsedChart:
    """A chart by itself that has been read."""

    chart: Chart | None
    """None when there are errors."""
    problems: Sequence[Problem]


def parse_dashboard(source: str) -> ParsedDashboard:
    """Return what a dashboard says and every problem in it. Implements UI-040 to UI-052."""
    yaml = read_yaml(source)
    if not isinstance(yaml.data, dict):
        return ParsedDashboard(source, None, (), yaml.problems or (_no_map("dashboard"),), {})
    document, found = make_model(DashboardDocument, settle(yaml.data, Wanted(model=DashboardDocument)))
    wrong = list(found)
    charts: list[Chart] = []
    given = yaml.data.get("charts")
    for index, one in enumerate(given if isinstance(given, list) else ()):
        if not isinstance(one, dict):
            continue  # the document's own complaint tells
        chart, complaints = _chart(one, ("charts", index))
        wrong += complaints
        if chart is not None:
            if any(chart.id == other.id for other in charts):
                wrong.append(Complaint(("charts", index, "id"), f"there is a chart `{chart.id}` already"))
            charts.append(chart)
    problems = _problems(yaml, wrong)
    if problems or not isinstance(document, DashboardDocument):
        return ParsedDashboard(source, None, (), problems, yaml.data)
    return ParsedDashboard(source, document, tuple(charts), (), yaml.data)


def parse_chart(source: str) -> ParsedChart:
    """Return what the source of one chart says and every problem in it."""
    yaml = read_yaml(source)
    if not isinstance(yaml.data, dict):
        return ParsedChart(None, yaml.problems or (_no_map("chart"),))
    chart, wrong = _chart(yaml.data, ())
    problems = _problems(yaml, wrong)
    return ParsedChart(None if problems else chart, problems)


def _chart(data: dict[str, Any], path: Path) -> tuple[Chart | None, list[Complaint]]:
    model = CHARTS.get(str(data.get("type")))
    if model is None:
        message = f"`{data['type']}` is no type of chart" if "type" in data else "a chart needs a `type`"
        return None, [Complaint((*path, "type"), message, f"use one of {', '.join(CHARTS)}")]
    chart, found = make_model(model, settle(data, Wanted(model=model)))
    if not isinstance(chart, Chart):
        return None, [_below(path, one) for one in found]
    return chart, [_below(path, one) for one in _rules(chart)]


def _rules(chart: Chart) -> Iterator[Complaint]:
    """Yield what is wrong with a chart whose properties are each right."""
    data = getattr(chart, "data", None)
    if not isinstance(data, Data | KpiData):
        return
    types = PLAIN_TYPES if isinstance(data, Data) else KPI_TYPES
    source = source_of(data.type)
    if source is None or data.type not in types:
        hint = f"use one of {', '.join(types)}"
        yield Complaint(("data", "type"), f"`{data.type}` is no data for this chart", hint)
        return
    for place, filters in (("where", data.where), ("numerator", getattr(data, "numerator", ()))):
        for index, one in enumerate(filters):
            yield from _filter(source, one, ("data", place, index))
    if isinstance(data, KpiData):
        yield from _column(source, data.columns, ("data", "columns"))
        if data.columns.agg is None:
            yield Complaint(("data", "columns", "agg"), "the column of a KPI needs an `agg`", "such as COUNT")
        return
    for key, column in data.columns.items():
        yield from _column(source, column, ("data", "columns", key))
    yield from _references(chart, data)
    yield from _amount(chart, data)


def _references(chart: Chart, data: Data) -> Iterator[Complaint]:
    options = getattr(chart, "chart_options", None)
    known = ", ".join(data.columns)
    for name, key in (("column", "column"), ("color_by_column", "colorByColumn")):
        wanted = getattr(options, name, None)
        if wanted is not None and wanted not in data.columns:
            yield Complaint(("chartOptions", key), f"there is no column `{wanted}`", f"the columns are {known}")
    for index, order in enumerate(data.order_by):
        if order.column not in data.columns:
            place = ("data", "orderBy", index, "column")
            yield Complaint(place, f"there is no column `{order.column}`", f"the columns are {known}")


def _amount(chart: Chart, data: Data) -> Iterator[Complaint]:
    if chart.aggregated is None:
        return
    least, most = chart.aggregated
    count = sum(column.agg is not None for column in data.columns.values())
    if not least <= count <= most:
        wanted = "exactly one column" if most == 1 else "one or two columns"
        kind = chart.type.rpartition(".")[2]
        yield Complaint(("data", "columns"), f"a {kind} chart has {wanted} with an `agg`, not {count}")


def _column(source: Source, column: Column, path: Path) -> Iterator[Complaint]:
    if column.field is None:
        if column.agg != "COUNT":
            yield Complaint((*path, "field"), "only a column with `agg: COUNT` can do without a `field`")
        return
    kind = source.fields.get(column.field)
    if kind is None:
        yield _unknown(source, column.field, (*path, "field"))
    elif column.agg in ("AVG", "SUM") and kind is not Kind.NUMBER:
        numbers = [name for name, one in source.fields.items() if one is Kind.NUMBER]
        hint = f"numbers are {', '.join(numbers)}" if numbers else "use COUNT"
        yield Complaint((*path, "agg"), f"{column.field} is no number: it has no {column.agg}", hint)
    elif column.agg is not None and kind is Kind.PROSE:
        yield Complaint((*path, "agg"), f"{column.field} cannot be aggregated")
    elif column.agg in ("MAX", "MIN") and kind is Kind.LABELS and column.label_key is None:
        yield Complaint((*path, "agg"), f"LABELS have no {column.agg}", "name one by `labelKey`")


def _filter(source: Source, one: DataFilter, path: Path) -> Iterator[Complaint]:
    for alternative in one.alternatives:
        yield from _filter(source, alternative, path)
    if one.field is None:
        return
    if one.field not in source.fields:
        yield _unknown(source, one.field, (*path, "field"))
    elif source.fields[one.field] is Kind.LABELS and one.label_key is None:
        yield Complaint((*path, "labelKey"), "a filter by LABELS needs a `labelKey`")


def _unknown(source: Source, field: str, path: Path) -> Complaint:
    return Complaint(path, f"{source.name} has no field `{field}`", f"the fields are {', '.join(source.fields)}")


def _no_map(what: str) -> Problem:
    return Problem(Severity.ERROR, "", f"a {what} is a map", "", 1, 1, _CODE)


def _below(path: Path, complaint: Complaint) -> Complaint:
    return Complaint((*path, *complaint.path), complaint.message, complaint.hint, complaint.code)


def _problems(yaml: YamlDocument, wrong: Sequence[Complaint]) -> tuple[Problem, ...]:
    found = [*yaml.problems]
    for one in wrong:
        place = yaml.position(one.path)
        found.append(
            Problem(Severity.ERROR, path_text(one.path), one.message, one.hint, place.line, place.column, _CODE)
        )
    return tuple(sorted(found, key=lambda problem: (problem.line, problem.column)))
