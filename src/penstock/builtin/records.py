"""Looking at executions from within a flow: their log lines as a file (`Fetch`), how many there are (`Count`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from penstock.builtin.serdes.files import store_items
from penstock.sdk import Output, PluginError, PluginModel, Property, RunContext, Task, is_truthy
from penstock.sdk.task import Literally


class FetchedLogs(Output):
    """What `Fetch` gives."""

    uri: str = Field(description="The file with the lines, as items.")
    size: int = Field(description="How many lines it has.")


class Fetch(Task):
    """Store log lines of an execution as a file of items.

    Collect the warnings of this execution in a file:

    ```yaml
    tasks:
      - id: warnings
        type: io.kestra.plugin.core.log.Fetch
        executionId: "{{ execution.id }}"
        level: WARN
    ```

    Implements MIG-020.
    """

    type_name = "io.kestra.plugin.core.log.Fetch"
    type_aliases = ("io.kestra.core.tasks.log.Fetch",)
    output_type: ClassVar[type[Output] | None] = FetchedLogs

    execution_id: Property[str] | None = Field(None, description="The execution; this one by default.")
    tasks_id: Property[list[str]] | None = Field(None, description="Only lines of these tasks.")
    level: Property[Literal["TRACE", "DEBUG", "INFO", "WARN", "ERROR"]] = Field(
        Property.of("INFO"), description="The lowest level of lines."
    )

    def run(self, context: RunContext) -> FetchedLogs:
        """Store the lines, some at a time."""
        uri, size = store_items(context, self._lines(context), "logs.ion")
        return FetchedLogs(uri=uri, size=size)

    def _lines(self, context: RunContext) -> Iterator[Any]:
        wanted = {
            "executionId": context.render(self.execution_id),
            "tasks": context.render(self.tasks_id),
            "level": context.render(self.level),
        }
        position: int | None = 0
        while position is not None:
            found = context.call("fetchLogs", after=position, **wanted)
            yield from found["rows"]
            position = found["position"]


class NothingToCount(PluginError):
    """A count names neither flows nor namespaces."""

    code = "COUNT_UNBOUNDED"


class CountedFlow(PluginModel):
    """A flow whose executions are counted."""

    namespace: Property[str] = Field(description="Its namespace.")
    flow_id: Property[str] = Field(description="Its id.")


class Counted(Output):
    """What `Count` gives."""

    results: list[dict[str, Any]] = Field(description="`namespace`, `flowId` and `count` of each.")
    total: int = Field(description="How many there are in all of them.")


class Count(Task):
    """Count executions of flows, or of whole namespaces.

    ```yaml
    - id: yesterday
      type: io.kestra.plugin.core.execution.Count
      flows:
        - namespace: company.team
          flowId: etl
      states: [SUCCESS]
      startDate: "{{ now() | dateAdd(-1, 'DAYS') }}"
      expression: "{{ count == 0 }}"
    ```

    Implements MIG-020.
    """

    type_name = "io.kestra.plugin.core.execution.Count"
    type_aliases = ("io.kestra.core.tasks.executions.Counts",)
    output_type: ClassVar[type[Output] | None] = Counted

    flows: list[CountedFlow] | None = Field(None, description="The flows.")
    namespaces: Property[list[str]] | None = Field(None, description="The namespaces, without those below them.")
    states: Property[list[str]] | None = Field(None, description="Only executions in these states.")
    start_date: Property[str] | None = Field(None, description="Only executions that began from this date on.")
    end_date: Property[str] | None = Field(None, description="Only executions that began up to this date.")
    expression: Annotated[str | None, Literally()] = Field(
        None, description="Keep a result only if this holds, which sees its `namespace`, `flowId` and `count`."
    )

    def run(self, context: RunContext) -> Counted:
        """Count one by one."""
        places = [
            {"namespace": context.render(flow.namespace), "flowId": context.render(flow.flow_id)}
            for flow in self.flows or ()
        ]
        places += [{"namespace": namespace} for namespace in context.render(self.namespaces, default=[])]
        if not places:
            raise NothingToCount("there is nothing to count", hint="give `flows` or `namespaces`")
        results = context.call(
            "countExecutions",
            places=places,
            states=context.render(self.states),
            startDate=context.render(self.start_date),
            endDate=context.render(self.end_date),
        )
        kept = [result for result in results if self._holds(context, result)]
        return Counted(results=kept, total=sum(result["count"] for result in kept))

    def _holds(self, context: RunContext, result: Mapping[str, Any]) -> bool:
        return self.expression is None or is_truthy(context.render_text(self.expression, result))
