"""Log lines and metrics."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from penstock.api.schemas.base import Shape
from penstock.model.policies import LogLevel


class LogEntry(Shape):
    """One log line."""

    namespace: str
    flow_id: str
    task_id: str | None = None
    execution_id: str | None = None
    task_run_id: str | None = None
    attempt_number: int | None = None
    trigger_id: str | None = None
    timestamp: datetime | None = None
    level: LogLevel | None = None
    thread: str | None = None
    message: str | None = None
    execution_kind: str | None = None


class PagedLogs(Shape):
    """A page of log lines."""

    results: list[LogEntry]
    total: int
    total_is_exact: bool = Field(description="False where there may be more lines than `total` says.")


class LogMark(Shape):
    """Where a window of lines begins."""

    before: int
    after: str


class LogOutline(Shape):
    """How many lines there are, where each window of them begins, and the position behind the last one."""

    total: int
    marks: list[LogMark]
    end: str


class LogCount(Shape):
    """How many lines a task run wrote; those of none belong to the execution itself."""

    task_run_id: str | None = None
    task_id: str | None = None
    count: int


class MetricEntry(Shape):
    """One number a task reported."""

    namespace: str
    flow_id: str
    task_id: str | None = None
    execution_id: str | None = None
    task_run_id: str | None = None
    type: str
    name: str
    value: float
    timestamp: datetime
    tags: dict[str, str] | None = None


class PagedMetrics(Shape):
    """A page of metrics."""

    results: list[MetricEntry]
    total: int


class MetricAggregation(Shape):
    """The value of a metric in one step of time."""

    name: str
    value: float | None = None
    date: datetime


class MetricAggregations(Shape):
    """A metric over time."""

    group_by: Literal["minute", "hour", "day", "week"]
    aggregations: list[MetricAggregation]
