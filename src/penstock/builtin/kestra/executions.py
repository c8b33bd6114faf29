"""Executions of a server: found, counted, killed, resumed, deleted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal
from urllib.parse import quote

from pydantic import Field, PositiveInt

from penstock.builtin.kestra.server import Server, ServerTask
from penstock.builtin.serdes.files import store_items
from penstock.sdk import Output, Property, RunContext, json_text

FetchType = Literal["NONE", "FETCH", "FETCH_ONE", "STORE"]
_EVER = "1970-01-01T00:00:00Z"
_SEARCH = "executions/search"


class FoundExecutions(Output):
    """What `Query` gives; what was not asked for is not there."""

    row: dict[str, Any] | None = Field(None, description="The first execution, with FETCH_ONE.")
    rows: list[dict[str, Any]] | None = Field(None, description="All executions, with FETCH.")
    uri: str | None = Field(None, description="A file with an execution on each line as Ion, with STORE.")
    size: int | None = Field(None, description="How many were fetched.")


class Query(ServerTask):
    """Find executions of a server.

    Store what has failed in a namespace during the last day:

    ```yaml
    tasks:
      - id: failures
        type: io.kestra.plugin.kestra.executions.Query
        kestraUrl: https://penstock.example.com
        auth:
          apiToken: "{{ secret('API_TOKEN') }}"
        namespace: company.team
        states: [FAILED]
        timeRange: P1D
        fetchType: STORE
    ```
    """

    type_name = "io.kestra.plugin.kestra.executions.Query"
    output_type: ClassVar[type[Output] | None] = FoundExecutions

    namespace: Property[str] | None = Field(None, description="Only executions of this namespace.")
    flow_id: Property[str] | None = Field(None, description="Only executions of flows with this id.")
    states: Property[list[str]] | None = Field(None, description="Only executions in one of these states.")
    labels: Property[dict[str, Any]] | None = Field(None, description="Only executions with these labels.")
    start_date: Property[str] | None = Field(None, description="Only executions that began from this date on.")
    end_date: Property[str] | None = Field(None, description="Only executions that began up to this date.")
    time_range: Property[str] | None = Field(None, description="Only executions of so long ago at most: `PT1H`.")
    flow_scopes: Property[list[Literal["USER", "SYSTEM"]]] | None = Field(
        None, description="Only executions of flows of users, or of those of the system."
    )
    trigger_execution_id: Property[str] | None = Field(
        None, description="Only executions that this execution has started."
    )
    child_filter: Property[Literal["CHILD", "MAIN"]] | None = Field(
        None, description="Only executions that another one has started, or only the others."
    )
    page: Property[PositiveInt] | None = Field(None, description="Only this page, first is 1; all by default.")
    size: Property[PositiveInt] = Field(Property.of(10), description="How many there are on a page.")
    fetch_type: Property[FetchType] = Field(
        Property.of("STORE"),
        description="FETCH: all as output `rows`; FETCH_ONE: the first as `row`; STORE: a file as `uri`; NONE.",
    )

    def run(self, context: RunContext) -> FoundExecutions:
        """Fetch the pages that are wanted."""
        kind = context.render(self.fetch_type)
        with self.server(context) as server:
            if kind == "NONE":
                return FoundExecutions()
            found = self._found(context, server)
            if kind == "STORE":
                uri, size = store_items(context, found, "executions.ion")
                return FoundExecutions(uri=uri, size=size)
            if kind == "FETCH":
                rows = list(found)
                return FoundExecutions(rows=rows, size=len(rows))
            first = next(found, None)
            return FoundExecutions(row=first, size=0 if first is None else 1)

    def _found(self, context: RunContext, server: Server) -> Iterator[Any]:
        page, size = context.render(self.page), context.render(self.size)
        filters = self._filters(context)
        return (
            server.pages(_SEARCH, filters, size) if page is None else iter(server.page(_SEARCH, filters, page, size)[0])
        )

    def _filters(self, context: RunContext) -> dict[str, Any]:
        wanted = {
            "filters[namespace][EQUALS]": context.render(self.namespace),
            "filters[flowId][EQUALS]": context.render(self.flow_id),
            "filters[state][IN]": _joined(context.render(self.states)),
            "filters[scope][EQUALS]": _joined(context.render(self.flow_scopes)),
            "filters[triggerExecutionId][EQUALS]": context.render(self.trigger_execution_id),
            "filters[childFilter][EQUALS]": context.render(self.child_filter),
            **_times(context.render(self.start_date), context.render(self.end_date), context.render(self.time_range)),
        }
        labels = context.render(self.labels, default={})
        named = {f"filters[labels][EQUALS][{key}]": json_text(value) for key, value in labels.items()}
        return {name: value for name, value in {**wanted, **named}.items() if value}


class CountedExecutions(Output):
    """What `Count` gives."""

    count: int = Field(description="How many there are.")


class Count(ServerTask):
    """Count executions of a server.

    ```yaml
    tasks:
      - id: failures
        type: io.kestra.plugin.kestra.executions.Count
        namespaces: [company.team, company.sales]
        states: [FAILED]
        startDate: "{{ now() | dateAdd(-1, 'MONTHS') }}"
    ```
    """

    type_name = "io.kestra.plugin.kestra.executions.Count"
    output_type: ClassVar[type[Output] | None] = CountedExecutions

    namespaces: Property[list[str]] | None = Field(None, description="Only executions of these namespaces.")
    flow_id: Property[str] | None = Field(None, description="Only executions of flows with this id.")
    states: Property[list[str]] | None = Field(None, description="Only executions in one of these states.")
    start_date: Property[str] | None = Field(None, description="Only executions that began from this date on.")
    end_date: Property[str] | None = Field(None, description="Only executions that began up to this date.")

    def run(self, context: RunContext) -> CountedExecutions:
        """Ask for each namespace how many there are."""
        wanted = {
            "filters[flowId][EQUALS]": context.render(self.flow_id),
            "filters[state][IN]": _joined(context.render(self.states)),
            **_times(context.render(self.start_date), context.render(self.end_date), None),
        }
        filters = {name: value for name, value in wanted.items() if value}
        namespaces = context.render(self.namespaces) or []
        places = [{"filters[namespace][EQUALS]": namespace} for namespace in dict.fromkeys(namespaces)] or [{}]
        with self.server(context) as server:
            return CountedExecutions(count=sum(server.page(_SEARCH, {**filters, **one}, 1, 1)[1] for one in places))


def _joined(values: list[Any] | None) -> str | None:
    return ",".join(str(value) for value in values) if values else None


def _times(start: str | None, end: str | None, reach: str | None) -> Mapping[str, str | None]:
    """Return the filters of a span of time: without any, a server may look at the latest executions alone."""
    since = start or (None if reach else _EVER)
    return {
        "filters[startDate][GREATER_THAN_OR_EQUAL_TO]": since,
        "filters[startDate][LESS_THAN_OR_EQUAL_TO]": end,
        "filters[timeRange][EQUALS]": reach,
    }


class OneExecution(ServerTask):
    """What tasks have in common that are about one execution."""

    execution_id: Property[str] = Field(description="The execution.")

    def path(self, context: RunContext) -> str:
        """Return its address below that of the tenant."""
        return f"executions/{quote(context.render(self.execution_id), safe='')}"


class Kill(OneExecution):
    """Kill an execution of a server.

    ```yaml
    tasks:
      - id: stop
        type: io.kestra.plugin.kestra.executions.Kill
        executionId: 4IvqSmwBUkyWKzEJ
        propagateKill: true
    ```
    """

    type_name = "io.kestra.plugin.kestra.executions.Kill"

    propagate_kill: Property[bool] = Field(
        Property.of(True), description="Whether the executions that it waits for are killed with it."
    )

    def run(self, context: RunContext) -> None:
        """Order the kill; it may take a while until the execution has ended."""
        cascade = context.render(self.propagate_kill)
        with self.server(context) as server:
            server.call("DELETE", f"{self.path(context)}/kill", params={"isOnKillCascade": cascade})


class Resume(OneExecution):
    """Let a paused execution of a server go on.

    ```yaml
    tasks:
      - id: approve
        type: io.kestra.plugin.kestra.executions.Resume
        executionId: 4IvqSmwBUkyWKzEJ
        inputs:
          approved: true
    ```
    """

    type_name = "io.kestra.plugin.kestra.executions.Resume"

    inputs: Property[dict[str, Any]] | None = Field(None, description="Values that its `Pause` asks for.")

    def run(self, context: RunContext) -> None:
        """Resume it."""
        inputs = context.render(self.inputs, default={})
        parts = {name: (None, json_text(value)) for name, value in inputs.items() if value is not None}
        with self.server(context) as server:
            server.call("POST", f"{self.path(context)}/resume", files=parts or None)


class Delete(OneExecution):
    """Delete an execution of a server, with what belongs to it.

    ```yaml
    tasks:
      - id: forget
        type: io.kestra.plugin.kestra.executions.Delete
        executionId: 4IvqSmwBUkyWKzEJ
        deleteLogs: false
    ```
    """

    type_name = "io.kestra.plugin.kestra.executions.Delete"

    delete_logs: Property[bool] = Field(Property.of(True), description="Whether its log lines go too.")
    delete_metrics: Property[bool] = Field(Property.of(True), description="Whether its metrics go too.")
    delete_storage: Property[bool] = Field(Property.of(True), description="Whether its files go too.")

    def run(self, context: RunContext) -> None:
        """Delete it."""
        what = {
            "deleteLogs": context.render(self.delete_logs),
            "deleteMetrics": context.render(self.delete_metrics),
            "deleteStorage": context.render(self.delete_storage),
        }
        with self.server(context) as server:
            server.call("DELETE", self.path(context), params=what)
