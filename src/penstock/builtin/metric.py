"""`Publish`: metrics that a flow reports by itself."""

from __future__ import annotations

import math
from typing import Any, Literal

from pydantic import Field

from penstock.sdk import PluginError, PluginModel, Property, RunContext, Task, duration, json_text

_SECOND = 1_000_000


class MetricInvalid(PluginError):
    """A metric has a value that is none."""

    code = "METRIC_INVALID"


class PublishedMetric(PluginModel):
    """One number with its name."""

    type: Literal["counter", "timer", "gauge"] = Field(description="What the number is.")
    name: str = Field(min_length=1, description="What it is called.")
    value: float | str = Field(description="The number; of a timer a duration, or seconds.")
    tags: dict[str, Any] | None = Field(None, description="What it is told apart by.")

    def number(self) -> float:
        """Return the number that is kept; raises MetricInvalid, and what is wrong with a duration."""
        try:
            number = float(self.value)
        except ValueError:
            if self.type == "timer":
                return duration(str(self.value)) / _SECOND
            number = math.nan
        if not math.isfinite(number):
            raise MetricInvalid(f"metric `{self.name}` has the value `{self.value}`", hint="give a number")
        return number


class Publish(Task):
    """Report metrics of the execution.

    Report how many orders there were, and how long it took to read them:

    ```yaml
    tasks:
      - id: report
        type: io.kestra.plugin.core.metric.Publish
        metrics:
          - type: counter
            name: orders
            value: 42
            tags:
              country: France
          - type: timer
            name: reading
            value: PT1M30S
          - type: gauge
            name: stock
            value: "{{ 10 * 2.5 }}"
    ```
    """

    type_name = "io.kestra.plugin.core.metric.Publish"
    quick = True

    metrics: Property[list[PublishedMetric]] = Field(description="The metrics.")

    def run(self, context: RunContext) -> None:
        """Record all of them, or none when one has no number."""
        keep = {"counter": context.counter, "timer": context.timer, "gauge": context.gauge}
        found = [(metric, metric.number()) for metric in context.render(self.metrics)]
        for metric, number in found:
            keep[metric.type](metric.name, number, {key: json_text(tag) for key, tag in (metric.tags or {}).items()})
