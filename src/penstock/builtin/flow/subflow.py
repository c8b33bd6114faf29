"""Another flow as a task: `Subflow`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field

from penstock.sdk.flow import FlowEnd, Scope, StartFlow, StateType, Step
from penstock.sdk.task import FlowableTask
from penstock.sdk.values import instant

FAILED = (StateType.FAILED, StateType.KILLED, StateType.CANCELLED)


class Subflow(FlowableTask):
    """Execute another flow, and wait for its end unless told otherwise.

    Execute another flow, wait for it and read its outputs:

    ```yaml
    tasks:
      - id: import
        type: io.kestra.plugin.core.flow.Subflow
        namespace: company.sales
        flowId: import_orders
        inputs:
          day: "{{ execution.startDate | date('yyyy-MM-dd') }}"
        wait: true
        transmitFailed: true
      - id: shown
        type: io.kestra.plugin.core.log.Log
        message: "{{ outputs.import.outputs.row_count }} orders"
    ```

    Implements ENG-101 to ENG-108, ENG-395, ENG-415.
    """

    type_name = "io.kestra.plugin.core.flow.Subflow"
    type_aliases = (
        "io.kestra.plugin.core.flow.Flow",
        "io.kestra.core.tasks.flows.Subflow",
        "io.kestra.core.tasks.flows.Flow",
    )
    calls_flow: ClassVar[bool] = True

    namespace: str = Field(description="Where the flow is; may be an expression.")
    flow_id: str = Field(description="Which flow; may be an expression.")
    revision: int | None = Field(None, description="Which revision; the latest by default.")
    inputs: dict[str, Any] | None = Field(None, description="Values for the flow's inputs.")
    labels: dict[str, Any] | list[dict[str, Any]] | None = Field(None, description="Labels for its execution.")
    inherit_labels: bool = Field(False, description="Hand on the labels of this execution.")
    wait: bool = Field(True, description="Wait for the end of the execution.")
    transmit_failed: bool = Field(True, description="Fail when the execution fails; needs `wait`.")
    schedule_date: str | None = Field(None, description="Execute it at this instant instead of now.")
    outputs: dict[str, Any] | None = Field(
        None,
        json_schema_extra={"deprecated": True},
        description="What to tell of the execution: expressions in its context. Of older flows, and without effect "
        "unless the instance enables it; declare `outputs` on the flow that is executed.",
    )
    restart_behavior: Literal["RETRY_FAILED", "NEW_EXECUTION"] = Field(
        "RETRY_FAILED",
        description="What a restart of this execution does with a failed one: restart it, or begin anew.",
    )

    def lists(self) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """Return nothing: the tasks are those of another execution."""
        return {}

    def start(self, scope: Scope) -> Step:
        """Have the flow executed."""
        return Step(starts=(self._request(scope),))

    def restarted(self, scope: Scope) -> Step:
        """Restart the execution that failed, or begin anew."""
        if self.restart_behavior == "RETRY_FAILED" and scope.flows.letters:
            return Step(restarts=(0,))
        return self.start(scope)

    def flow_started(self, scope: Scope, execution_id: str) -> Step:
        """Go on at once; the flow runs by itself."""
        return Step(outputs={"executionId": execution_id})

    def flow_ended(self, scope: Scope, end: FlowEnd) -> Step:
        """End as the flow did, when failures are to be handed on."""
        outputs = {"executionId": end.execution_id, "state": end.state.value, "outputs": dict(end.outputs or {})}
        if end.state in FAILED:
            state = StateType.FAILED if self.transmit_failed else StateType.SUCCESS
        else:
            state = StateType.WARNING if end.state is StateType.WARNING and self.transmit_failed else StateType.SUCCESS
        return Step(outputs=outputs, state=state)

    def _request(self, scope: Scope) -> StartFlow:
        labels = self.labels or {}
        pairs = labels.items() if isinstance(labels, Mapping) else ((one["key"], one["value"]) for one in labels)
        date = scope.render(self.schedule_date) if self.schedule_date else None
        return StartFlow(
            namespace=scope.render(self.namespace),
            flow_id=scope.render(self.flow_id),
            revision=self.revision,
            inputs={key: self._input(scope, value) for key, value in (self.inputs or {}).items()},
            labels={str(key): scope.render(str(value)) for key, value in pairs},
            inherit_labels=self.inherit_labels,
            schedule_date=instant(date) if date else None,
            wait=self.wait,
            outputs=self.outputs,
        )

    @staticmethod
    def _input(scope: Scope, value: Any) -> Any:
        """Return an input's value: a whole expression keeps its type, so that null stays null."""
        return scope.evaluate(value) if isinstance(value, str) else scope.render_nested(value)
