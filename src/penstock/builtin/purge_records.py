"""Old executions and old log lines, removed for good: `PurgeExecutions`, `PurgeLogs`."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from penstock.builtin.purging import Batches
from penstock.sdk import Output, Property, RunContext, Task

Level = Literal["TRACE", "DEBUG", "INFO", "WARN", "ERROR"]
_NAMESPACE = "Only of this namespace and those below it; of this one alone when there is a `flowId`."
_FLOW = "Only of this flow, of the namespace given."


class PurgedExecutions(Output):
    """What `PurgeExecutions` gives."""

    executions_count: int = Field(description="How many executions were removed.")
    logs_count: int = Field(description="How many of their log lines.")
    metrics_count: int = Field(description="How many of their metrics.")
    storages_count: int = Field(description="How many of their files.")


class PurgeExecutions(Task):
    """Remove executions that have ended, with their logs, metrics and files, for good.

    ```yaml
    id: purge
    namespace: system
    tasks:
      - id: executions
        type: io.kestra.plugin.core.execution.PurgeExecutions
        endDate: "{{ now() | dateAdd(-1, 'MONTHS') }}"
        states: [SUCCESS, FAILED]
    triggers:
      - id: daily
        type: io.kestra.plugin.core.trigger.Schedule
        cron: "@daily"
    ```

    Executions that have not ended are never removed.

    Implements OPS-166, OPS-169, OPS-170, ENG-336, USE-084, USE-B098, USE-B145.
    """

    type_name = "io.kestra.plugin.core.execution.PurgeExecutions"
    type_aliases = ("io.kestra.plugin.core.storage.Purge", "io.kestra.core.tasks.storages.Purge")
    output_type: ClassVar[type[Output] | None] = PurgedExecutions

    end_date: Property[str] | None = Field(None, description="Executions that ended after this date stay.")
    start_date: Property[str] | None = Field(None, description="Executions that began before this date stay.")
    namespace: Property[str] | None = Field(None, description=_NAMESPACE)
    flow_id: Property[str] | None = Field(None, description=_FLOW)
    states: Property[list[str]] | None = Field(None, description="Only executions in these states.")
    purge_execution: Property[bool] = Field(Property.of(True), description="Whether the executions go.")
    purge_log: Property[bool] = Field(Property.of(True), description="Whether their log lines go.")
    purge_metric: Property[bool] = Field(Property.of(True), description="Whether their metrics go.")
    purge_storage: Property[bool] = Field(Property.of(True), description="Whether their files go.")
    batch_size: Property[int] = Field(Property.of(100), description="How many executions to look at at a time.")

    def run(self, context: RunContext) -> PurgedExecutions:
        """Remove them, some at a time."""
        wanted = {
            "endDate": context.render(self.end_date),
            "startDate": context.render(self.start_date),
            "namespace": context.render(self.namespace),
            "flowId": context.render(self.flow_id),
            "states": context.render(self.states),
            "purgeExecution": context.render(self.purge_execution),
            "purgeLog": context.render(self.purge_log),
            "purgeMetric": context.render(self.purge_metric),
            "purgeStorage": context.render(self.purge_storage),
            "limit": context.render(self.batch_size),
        }
        if not wanted["endDate"]:
            context.logger.warning("there is no `endDate`: executions go however recent they are")
        batches = Batches(context, "executions")
        counts = {"logs": 0, "metrics": 0, "files": 0}
        removed = context.call("purgeExecutions", **wanted)
        while True:
            for name in counts:
                counts[name] += removed[name]
            batches.add(removed["executions"])
            if removed["position"] is None:
                break
            removed = context.call("purgeExecutions", after=removed["position"], **wanted)
        number = batches.end()
        context.logger.info(f"with {counts['logs']} log lines, {counts['metrics']} metrics and {counts['files']} files")
        return PurgedExecutions(
            executions_count=number,
            logs_count=counts["logs"],
            metrics_count=counts["metrics"],
            storages_count=counts["files"],
        )


class PurgedLogs(Output):
    """What `PurgeLogs` gives."""

    count: int = Field(description="How many log lines were removed.")


class PurgeLogs(Task):
    """Remove log lines of executions and triggers for good.

    ```yaml
    - id: logs
      type: io.kestra.plugin.core.log.PurgeLogs
      endDate: "{{ now() | dateAdd(-1, 'MONTHS') }}"
      logLevels: [TRACE, DEBUG, INFO]
    ```

    Implements OPS-166, OPS-169, USE-084.
    """

    type_name = "io.kestra.plugin.core.log.PurgeLogs"
    output_type: ClassVar[type[Output] | None] = PurgedLogs

    end_date: Property[str] = Field(description="Lines written after this date stay.")
    start_date: Property[str] | None = Field(None, description="Lines written before this date stay.")
    namespace: Property[str] | None = Field(None, description=_NAMESPACE)
    flow_id: Property[str] | None = Field(None, description=_FLOW)
    execution_id: Property[str] | None = Field(None, description="Only lines of this execution.")
    log_levels: Property[list[Level]] | None = Field(None, description="Only lines of these levels.")

    def run(self, context: RunContext) -> PurgedLogs:
        """Remove them, some at a time."""
        wanted = {
            "endDate": context.render(self.end_date),
            "startDate": context.render(self.start_date),
            "namespace": context.render(self.namespace),
            "flowId": context.render(self.flow_id),
            "executionId": context.render(self.execution_id),
            "levels": context.render(self.log_levels),
        }
        batches = Batches(context, "log lines")
        while removed := context.call("purgeLogs", **wanted):
            batches.add(removed)
        return PurgedLogs(count=batches.end())
