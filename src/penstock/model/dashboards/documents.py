"""What a dashboard may say (UI-040 to UI-052)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from penstock.base.durations import DurationError, parse_duration
from penstock.model.base import ID_PATTERN, FlowModel

CHART = "io.kestra.plugin.core.dashboard.chart."
Aggregation = Literal["AVG", "COUNT", "MAX", "MIN", "SUM"]
FilterType = Literal[
    "CONTAINS", "ENDS_WITH", "EQUAL_TO", "GREATER_THAN", "GREATER_THAN_OR_EQUAL_TO", "IN", "IS_FALSE", "IS_NOT_NULL",
    "IS_NULL", "IS_TRUE", "LESS_THAN", "LESS_THAN_OR_EQUAL_TO", "NOT_EQUAL_TO", "NOT_IN", "OR", "REGEX", "STARTS_WITH",
]  # fmt: skip
WITHOUT_VALUE = frozenset(("IS_FALSE", "IS_NOT_NULL", "IS_NULL", "IS_TRUE"))
WITH_VALUES = frozenset(("IN", "NOT_IN", "OR"))


class Column(FlowModel):
    """One column of a chart's data; without `agg` it is what rows are grouped by."""

    field: str | None = Field(None, description="What it holds; only a COUNT can do without.")
    display_name: str | None = None
    agg: Aggregation | None = None
    graph_style: Literal["LINES", "BARS", "POINTS"] | None = None
    column_alignment: Literal["LEFT", "RIGHT", "CENTER"] | None = None
    label_key: str | None = Field(None, description="With LABELS: the label whose value is meant.")


class DataFilter(FlowModel):
    """What must hold of what a chart shows."""

    field: str | None = None
    type: FilterType
    value: Any = None
    values: list[Any] | None = None
    label_key: str | None = None

    @model_validator(mode="after")
    def _complete(self) -> DataFilter:
        if self.type in WITH_VALUES and not isinstance(self.values or self.value, list):
            raise ValueError(f"{self.type} needs `values`")
        if self.type not in WITHOUT_VALUE | WITH_VALUES and self.value is None:
            raise ValueError(f"{self.type} needs a `value`")
        if self.type == "OR":
            for one in self.listed:
                DataFilter.model_validate(one)
        elif self.field is None:
            raise ValueError("a filter needs a `field`")
        return self

    @property
    def listed(self) -> list[Any]:
        """The values, however they were given."""
        given = self.values if self.values is not None else self.value
        return given if isinstance(given, list) else [given]

    @property
    def alternatives(self) -> list[DataFilter]:
        """The filters of which one must hold, when this is an OR."""
        return [DataFilter.model_validate(one) for one in self.listed] if self.type == "OR" else []


class Order(FlowModel):
    """A column to sort by."""

    column: str
    order: Literal["ASC", "DESC"] = "ASC"


class Switch(FlowModel):
    """Something that is shown or not."""

    enabled: bool = True


class Options(FlowModel):
    """How a chart is shown."""

    display_name: str = Field(description="The title.")
    description: str | None = Field(None, description="A line below the title.")
    width: int = Field(6, ge=1, le=12, description="Columns of the twelve there are.")


Tooltip = Literal["NONE", "ALL", "SINGLE"]


class GraphOptions(Options):
    """How bars, slices and lines are shown."""

    legend: Switch = Switch()
    tooltip: Tooltip = "ALL"


class BarOptions(GraphOptions):
    """How bars are shown."""

    column: str = Field(description="The column that gives the categories.")


class PieOptions(GraphOptions):
    """How slices are shown."""

    graph_style: Literal["PIE", "DONUT"] = "DONUT"
    color_by_column: str | None = None


class TimeSeriesOptions(GraphOptions):
    """How a course over time is shown."""

    column: str = Field(description="The column that gives the time.")
    color_by_column: str | None = None


class KpiOptions(Options):
    """How one number is shown."""

    number_type: Literal["FLAT", "PERCENTAGE"] = "FLAT"


class TableOptions(Options):
    """How rows are shown."""

    header: Switch = Switch()
    pagination: Switch = Switch()


class Data(FlowModel):
    """What a chart shows."""

    type: str
    columns: dict[str, Column] = Field(min_length=1)
    where: list[DataFilter] = Field(default_factory=list)
    order_by: list[Order] = Field(default_factory=list)

    @field_validator("where", "order_by", mode="before")
    @classmethod
    def _none(cls, value: Any) -> Any:
        return [] if value is None else value


class KpiData(FlowModel):
    """What one number is made of."""

    type: str
    columns: Column
    where: list[DataFilter] = Field(default_factory=list)
    numerator: list[DataFilter] = Field(default_factory=list)

    @field_validator("where", "numerator", mode="before")
    @classmethod
    def _none(cls, value: Any) -> Any:
        return [] if value is None else value


class Text(FlowModel):
    """Where the text of a Markdown chart comes from."""

    type: Literal["Text", "FlowDescription"]
    content: str | None = None
    namespace: str | None = None
    flow_id: str | None = None

    @model_validator(mode="after")
    def _complete(self) -> Text:
        if self.type == "Text" and self.content is None:
            raise ValueError("a source of type Text needs `content`")
        if self.type == "FlowDescription" and (self.namespace is None or self.flow_id is None):
            raise ValueError("a source of type FlowDescription needs `namespace` and `flowId`")
        return self


class Chart(FlowModel):
    """One chart; the type says which."""

    type_name: ClassVar[str]
    aggregated: ClassVar[tuple[int, int] | None] = None
    """How many columns must and may have an `agg`; None when it does not matter."""

    id: str = Field(pattern=ID_PATTERN)
    type: str


class BarChart(Chart):
    """Bars by category."""

    type_name: ClassVar[str] = f"{CHART}Bar"
    aggregated: ClassVar[tuple[int, int] | None] = (1, 1)
    chart_options: BarOptions
    data: Data


class PieChart(Chart):
    """Shares of a whole."""

    type_name: ClassVar[str] = f"{CHART}Pie"
    aggregated: ClassVar[tuple[int, int] | None] = (1, 1)
    chart_options: PieOptions
    data: Data


class TimeSeriesChart(Chart):
    """One or two courses over time."""

    type_name: ClassVar[str] = f"{CHART}TimeSeries"
    aggregated: ClassVar[tuple[int, int] | None] = (1, 2)
    chart_options: TimeSeriesOptions
    data: Data


class TableChart(Chart):
    """Rows and columns."""

    type_name: ClassVar[str] = f"{CHART}Table"
    chart_options: TableOptions
    data: Data


class KpiChart(Chart):
    """One number, or a share in percent."""

    type_name: ClassVar[str] = f"{CHART}KPI"
    chart_options: KpiOptions
    data: KpiData


class MarkdownChart(Chart):
    """A text."""

    type_name: ClassVar[str] = f"{CHART}Markdown"
    chart_options: Options | None = None
    content: str | None = None
    source: Text | None = None

    @model_validator(mode="after")
    def _complete(self) -> MarkdownChart:
        if (self.content is None) == (self.source is None):
            raise ValueError("a Markdown chart has either `content` or a `source`")
        return self


CHARTS: Mapping[str, type[Chart]] = {
    one.type_name: one for one in (BarChart, PieChart, TimeSeriesChart, TableChart, KpiChart, MarkdownChart)
}
"""The kinds of charts by type."""


class TimeWindow(FlowModel):
    """How much of the past is shown."""

    default: str = "P7D"
    max: str = "P365D"

    @field_validator("default", "max")
    @classmethod
    def _duration(cls, value: str) -> str:
        try:
            parse_duration(value)
        except DurationError as error:
            raise ValueError(error.message) from error
        return value


class DashboardDocument(FlowModel):
    """A dashboard; its charts are read one by one."""

    id: str | None = Field(None, pattern=ID_PATTERN)
    title: str = Field(min_length=1)
    description: str | None = None
    time_window: TimeWindow = TimeWindow()
    charts: list[dict[str, Any]] = Field(default_factory=list)

    @field_validator("charts", mode="before")
    @classmethod
    def _none(cls, value: Any) -> Any:
        return [] if value is None else value
