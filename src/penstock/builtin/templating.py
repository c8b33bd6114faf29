"""A task whose whole definition is rendered: `TemplatedTask`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from penstock.sdk import Output, Property, RunContext, Task


class TemplatedTask(Task):
    """Render a task's definition, and run that task.

    Properties that are not rendered otherwise can depend on inputs and outputs this way. The outputs are those of the
    task that runs. Implements ENG-058, EXP-132.

    Choose the type of a task by an input:

    ```yaml
    inputs:
      - id: kind
        type: STRING
        defaults: log.Log
    tasks:
      - id: chosen
        type: io.kestra.plugin.core.templating.TemplatedTask
        spec: |
          type: io.kestra.plugin.core.{{ inputs.kind }}
          message: Hello
    ```
    """

    type_name = "io.kestra.plugin.core.templating.TemplatedTask"
    type_aliases = ("io.kestra.core.tasks.templating.TemplatedTask",)

    spec: Property[str] = Field(description="The task as YAML, with expressions anywhere in it.")

    def run(self, context: RunContext) -> Output | Mapping[str, Any] | None:
        """Render, read, run."""
        return context.run_instead(context.render(self.spec))
