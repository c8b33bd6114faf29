"""Start a flow when schedules do not run as they should: `ScheduleMonitor`."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from penstock.builtin.kestra.server import Auth
from penstock.sdk import PollingTrigger, Property, RunContext, TriggerEvent


class ScheduleMonitor(PollingTrigger):
    """Look for schedules that are stuck or wrong, in all flows, those of a namespace, or one flow.

    Reported are schedules that were due some time ago and did not run, that are locked by an execution which has
    ended, and that have no next date. The flow reads them as `trigger.data`, each with `namespace`, `flowId`,
    `triggerId`, `reason` and, as far as known, `date` and `nextExecutionDate`.

    ```yaml
    triggers:
      - id: stuck_schedules
        type: io.kestra.plugin.kestra.triggers.ScheduleMonitor
        namespace: company.team
        interval: PT1H
    ```

    Implements ENG-289.
    """

    type_name: ClassVar[str] = "io.kestra.plugin.kestra.triggers.ScheduleMonitor"

    namespace: Property[str] | None = Field(None, description="Only flows of this namespace and those below it.")
    flow_id: Property[str] | None = Field(None, description="Only this flow.")
    auth: Auth | None = Field(None, description="Accepted for flows written elsewhere, and not needed.")
    kestra_url: Property[str] | None = Field(None, description="Accepted for flows written elsewhere, and not needed.")
    tenant_id: Property[str] | None = Field(None, description="Accepted for flows written elsewhere, and not needed.")

    def poll(self, context: RunContext) -> TriggerEvent | None:
        """Ask the server."""
        data = context.call(
            "schedulesUnhealthy", namespace=context.render(self.namespace), flowId=context.render(self.flow_id)
        )
        return TriggerEvent({"data": data}) if data else None
