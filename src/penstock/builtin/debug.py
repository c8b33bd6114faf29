"""Showing what an expression gives: `Return`, and its older companion `Echo`."""

from __future__ import annotations

import time
from typing import ClassVar

from pydantic import Field

from penstock.builtin.log import Level
from penstock.sdk import MetricNote, Output, Property, RunContext, Task


class ReturnOutput(Output):
    """What `Return` gives."""

    value: str | None = Field(None, description="The rendered text.")


class Return(Task):
    """Return a rendered text, to be read by later tasks.

    Give other tasks a value:

    ```yaml
    tasks:
      - id: file_name
        type: io.kestra.plugin.core.debug.Return
        format: "orders-{{ execution.startDate | date('yyyy-MM-dd') }}.csv"
      - id: shown
        type: io.kestra.plugin.core.log.Log
        message: "The file is {{ outputs.file_name.value }}"
    ```

    Implements ENG-111, ENG-063.
    """

    type_name = "io.kestra.plugin.core.debug.Return"
    type_metrics = (
        MetricNote("length", "counter", "How many characters the text has."),
        MetricNote("duration", "timer", "How long rendering it took."),
    )
    type_aliases = ("io.kestra.core.tasks.debugs.Return",)
    quick = True
    output_type: ClassVar[type[Output]] = ReturnOutput

    format: Property[str] | None = Field(None, description="The text, usually with expressions.")

    def run(self, context: RunContext) -> ReturnOutput:
        """Render the text."""
        start = time.perf_counter()
        value = context.render(self.format)
        tags = {"format": "" if self.format is None else str(self.format.raw)}
        context.counter("length", len(value or ""), tags)
        context.timer("duration", time.perf_counter() - start, tags)
        return ReturnOutput(value=value)


class Echo(Task):
    """Write a rendered text to the logs. Deprecated: use `Log`.

    Write an input into the log:

    ```yaml
    tasks:
      - id: shown
        type: io.kestra.plugin.core.debug.Echo
        format: "asked for by {{ labels.owner ?? 'nobody' }}"
        level: INFO
    ```
    """

    type_name = "io.kestra.plugin.core.debug.Echo"
    type_aliases = ("io.kestra.core.tasks.debugs.Echo",)
    quick = True

    format: Property[str] | None = Field(None, description="The text.")
    level: Property[Level] = Field(Property.of("INFO"), description="The level of the line.")

    def run(self, context: RunContext) -> None:
        """Write the text."""
        context.logger.log(context.render(self.level), context.render(self.format, ""))
