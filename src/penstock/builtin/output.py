"""Outputs made from expressions: `OutputValues`."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from penstock.sdk import Output, Property, RunContext, Task


class Values(Output):
    """What `OutputValues` gives."""

    values: dict[str, Any] = Field(description="The rendered values by name.")


class OutputValues(Task):
    """Give rendered values as outputs, read as `outputs.<task>.values.<key>`.

    Give other tasks several values:

    ```yaml
    tasks:
      - id: paths
        type: io.kestra.plugin.core.output.OutputValues
        values:
          source: "orders/{{ execution.startDate | date('yyyy/MM') }}"
          target: archive
      - id: shown
        type: io.kestra.plugin.core.log.Log
        message: "{{ outputs.paths.values.source }}"
    ```

    Implements ENG-208.
    """

    type_name = "io.kestra.plugin.core.output.OutputValues"
    quick = True
    output_type: ClassVar[type[Output]] = Values

    values: Property[dict[str, Any]] = Field(description="Values by name; their texts may hold expressions.")

    def run(self, context: RunContext) -> Values:
        """Render the values."""
        return Values(values=context.render(self.values))
