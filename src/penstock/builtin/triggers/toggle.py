"""`Toggle`: switch a trigger off or on."""

from __future__ import annotations

from pydantic import Field

from penstock.sdk import Property, RunContext, Task


class Toggle(Task):
    """Switch a trigger of a flow off or on, without a change of the flow.

    Stop a schedule when the campaign is over:

    ```yaml
    tasks:
      - id: stop
        type: io.kestra.plugin.core.trigger.Toggle
        namespace: company.sales
        flowId: campaign
        trigger: hourly
        enabled: false
    ```

    Implements MIG-020.
    """

    type_name = "io.kestra.plugin.core.trigger.Toggle"
    type_aliases = ("io.kestra.core.tasks.trigger.Toggle",)

    trigger: Property[str] = Field(description="The id of the trigger.")
    flow_id: Property[str] | None = Field(None, description="Its flow; this one by default.")
    namespace: Property[str] | None = Field(None, description="The flow's namespace; this one's by default.")
    enabled: Property[bool] = Field(Property.of(False), description="Whether the trigger is to fire.")

    def run(self, context: RunContext) -> None:
        """Switch the trigger."""
        trigger = context.render(self.trigger)
        is_on = context.call(
            "toggleTrigger",
            trigger=trigger,
            flowId=context.render(self.flow_id),
            namespace=context.render(self.namespace),
            enabled=context.render(self.enabled),
        )
        context.logger.info(f"trigger {trigger} is {'on' if is_on else 'off'}")
