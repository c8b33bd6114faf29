"""Waiting for a fixed time while holding a worker's slot: `Sleep`."""

from __future__ import annotations

import threading
from datetime import timedelta

from pydantic import Field

from penstock.sdk import Property, RunContext, Task


class Sleep(Task):
    """Do nothing for some time.

    Give another system half a minute:

    ```yaml
    tasks:
      - id: patience
        type: io.kestra.plugin.core.flow.Sleep
        duration: PT30S
    ```

    Implements ENG-112. `Pause` waits without occupying a worker.
    """

    type_name = "io.kestra.plugin.core.flow.Sleep"

    duration: Property[timedelta] = Field(description="How long, as ISO 8601 duration such as `PT10S`.")

    def run(self, context: RunContext) -> None:
        """Wait; a kill ends it at once."""
        awake = threading.Event()
        context.on_kill(awake.set)
        awake.wait(max(0.0, context.render(self.duration).total_seconds()))
