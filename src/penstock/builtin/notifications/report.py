"""What is told of an execution, whoever it is told to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from penstock.sdk import PluginModel, Property, RunContext, json_text


@dataclass(frozen=True, slots=True)
class Report:
    """What there is to say of an execution.

    Args:
        title: A line that says what came of it.
        state: Its state.
        facts: More, by name.
        link: Its page; None where the server does not know its own address.
    """

    title: str
    state: str
    facts: Mapping[str, str]
    link: str | None

    @property
    def color(self) -> str:
        """The colour of its state."""
        return {"SUCCESS": "#2EB67D", "WARNING": "#ECB22E"}.get(self.state, "#E01E5A")


class Reporting(PluginModel):
    """Properties of what tells of an execution."""

    execution_id: Property[str] | None = Field(None, description="Which execution; this one by default.")
    custom_fields: Property[dict[str, Any]] | None = Field(None, description="More to tell of it, by name.")
    custom_message: Property[str] | None = Field(None, description="The first words, instead of what came of it.")

    def report(self, context: RunContext) -> Report:
        """Ask the server for an execution, and put it into words.

        Raises:
            PluginError: There is no such execution.
        """
        found = context.call("executionReport", executionId=context.render(self.execution_id))
        name = f"{found['namespace']}.{found['flowId']}"
        facts: dict[str, Any] = {
            "Namespace": found["namespace"],
            "Flow": found["flowId"],
            "Execution": found["id"],
            "State": found["state"],
            "Started": found["startDate"],
            "Duration": found["duration"],
            "Failed tasks": ", ".join(found["failedTasks"]),
            "Error": found["error"],
        }
        more = context.render(self.custom_fields)
        facts |= more or {}
        told = {name: json_text(value) for name, value in facts.items() if value not in (None, "")}
        title = context.render(self.custom_message) or f"{name}: execution {found['id']} is {found['state']}"
        return Report(title, found["state"], told, _link(context, found))


def _link(context: RunContext, found: Mapping[str, Any]) -> str | None:
    address = context.variables.get("kestra", {}).get("url")
    if not address:
        return None
    return f"{str(address).rstrip('/')}/ui/executions/{found['namespace']}/{found['flowId']}/{found['id']}"
