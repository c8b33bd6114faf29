"""Writing to the execution's logs: `Log`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from penstock.sdk import Property, RunContext, Task

Level = Literal["TRACE", "DEBUG", "INFO", "WARN", "ERROR"]


class Log(Task):
    """Write one line, or several, to the logs of the execution.

    Write several lines:

    ```yaml
    tasks:
      - id: summary
        type: io.kestra.plugin.core.log.Log
        level: WARN
        message:
          - "Started at {{ execution.startDate }}"
          - "of {{ flow.namespace }}.{{ flow.id }}"
    ```

    Implements ENG-110, EXP-013.
    """

    type_name = "io.kestra.plugin.core.log.Log"
    type_aliases = ("io.kestra.core.tasks.log.Log",)
    quick = True

    message: Property[str | list[str]] = Field(description="The text, or a list of texts that give a line each.")
    level: Property[Level] = Field(Property.of("INFO"), description="The level of the lines.")

    def run(self, context: RunContext) -> None:
        """Write the lines."""
        level = context.render(self.level)
        message = context.render(self.message)
        for line in (message,) if isinstance(message, str) else message:
            context.logger.log(level, line)
