"""The tasks of another flow inside the same execution: `Call`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from pydantic import Field

from penstock.builtin.flow.sequence import InOrder
from penstock.sdk.flow import ID_PATTERN, NAMESPACE_PATTERN, CallKind, Scope, Step
from penstock.sdk.task import Output


class CallOutput(Output):
    """What `Call` gives."""

    outputs: dict[str, Any] = Field(description="The outputs of the flow that was called.")


class Call(InOrder):
    """Run the tasks of another flow inside this execution.

    They see the inputs, variables and outputs of their own flow, as if it ran by itself; its `errors` and `finally`
    belong to the call. Their task runs are named behind the call: `call.task`. Secrets, keys and namespace files are
    those of the flow that executes. Which revision runs is settled when the execution begins, and stays so.

    Run a flow of the same namespace as a part of this execution:

    ```yaml
    tasks:
      - id: clean
        type: io.kestra.plugin.core.flow.Call
        flowId: clean_orders
        inputs:
          day: "{{ execution.startDate | date('yyyy-MM-dd') }}"
    ```

    Implements BEY-037.
    """

    type_name = "io.kestra.plugin.core.flow.Call"
    brings_in: ClassVar[bool] = True
    calls_flow: ClassVar[bool] = True
    output_type: ClassVar[type[Output] | None] = CallOutput

    namespace: str | None = Field(
        None, pattern=NAMESPACE_PATTERN, description="Where the flow is: the namespace of this flow by default."
    )
    flow_id: str = Field(pattern=ID_PATTERN, description="Which flow; no expression.")
    revision: int | None = Field(None, ge=1, description="Which revision; the latest by default.")
    inputs: dict[str, Any] | None = Field(None, description="Values for the flow's inputs.")

    def lists(self) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """Return nothing: the tasks are those of another flow."""
        return {}

    def target(self) -> tuple[CallKind, str | None, str, int | None]:
        """Return what it runs."""
        return CallKind.FLOW, self.namespace, self.flow_id, self.revision

    def start(self, scope: Scope) -> Step:
        """Read the inputs, and begin with the first task."""
        inputs = {key: self._input(scope, value) for key, value in (self.inputs or {}).items()}
        return replace(super().start(scope), memory=scope.entered(inputs))

    @staticmethod
    def _input(scope: Scope, value: Any) -> Any:
        """Return an input's value: a whole expression keeps its type, so that null stays null."""
        return scope.evaluate(value) if isinstance(value, str) else scope.render_nested(value)
