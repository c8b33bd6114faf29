"""Flows, namespaces and triggers of a server."""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import quote

from pydantic import Field

from penstock.builtin.kestra.server import ServerTask
from penstock.sdk import Output, Property, RunContext


class ListedFlows(Output):
    """What `flows.List` gives."""

    flows: list[dict[str, Any]] = Field(description="The flows.")


class Flows(ServerTask):
    """List the flows of a server.

    ```yaml
    tasks:
      - id: flows
        type: io.kestra.plugin.kestra.flows.List
        namespace: company.team
    ```
    """

    type_name = "io.kestra.plugin.kestra.flows.List"
    output_type: ClassVar[type[Output] | None] = ListedFlows

    namespace: Property[str] | None = Field(None, description="Only flows of this namespace.")

    def run(self, context: RunContext) -> ListedFlows:
        """Ask for them."""
        namespace = context.render(self.namespace)
        with self.server(context) as server:
            if namespace:
                return ListedFlows(flows=server.call("GET", f"flows/{quote(namespace, safe='')}"))
            return ListedFlows(flows=list(server.pages("flows/search", {})))


class ListedNamespaces(Output):
    """What `namespaces.List` gives."""

    namespaces: list[dict[str, Any]] = Field(description="The namespaces.")


class Namespaces(ServerTask):
    """List the namespaces of a server.

    ```yaml
    tasks:
      - id: namespaces
        type: io.kestra.plugin.kestra.namespaces.List
        prefix: company
    ```
    """

    type_name = "io.kestra.plugin.kestra.namespaces.List"
    output_type: ClassVar[type[Output] | None] = ListedNamespaces

    prefix: Property[str] | None = Field(None, description="Only namespaces whose name begins so.")
    existing_only: Property[bool] = Field(
        Property.of(False), description="Leave out those that only lie above another one."
    )

    def run(self, context: RunContext) -> ListedNamespaces:
        """Ask for them."""
        prefix = context.render(self.prefix, default="")
        parameters = {"q": prefix, "existing": context.render(self.existing_only)}
        with self.server(context) as server:
            found = [one for one in server.pages("namespaces/search", parameters) if one["id"].startswith(prefix)]
        return ListedNamespaces(namespaces=found)


class Toggle(ServerTask):
    """Switch a trigger of a server off or on.

    ```yaml
    tasks:
      - id: stop
        type: io.kestra.plugin.kestra.triggers.Toggle
        namespace: company.sales
        flowId: campaign
        trigger: hourly
        enabled: false
    ```
    """

    type_name = "io.kestra.plugin.kestra.triggers.Toggle"

    namespace: Property[str] = Field(description="The flow's namespace.")
    flow_id: Property[str] = Field(description="The trigger's flow.")
    trigger: Property[str] = Field(description="The id of the trigger.")
    enabled: Property[bool] = Field(Property.of(False), description="Whether the trigger is to fire.")

    def run(self, context: RunContext) -> None:
        """Switch the trigger."""
        wanted = {
            "namespace": context.render(self.namespace),
            "flowId": context.render(self.flow_id),
            "triggerId": context.render(self.trigger),
            "disabled": not context.render(self.enabled),
        }
        with self.server(context) as server:
            server.call("PUT", "triggers", json=wanted)
