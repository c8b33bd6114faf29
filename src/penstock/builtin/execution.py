"""Tasks that act on an execution: end their own, label it, change its variables; let a paused one go on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from penstock.sdk import (
    PermanentError,
    PluginError,
    PluginModel,
    Property,
    RunContext,
    Task,
    is_truthy,
    json_text,
)


class TaskFailure(PluginError):
    """The flow says that it has failed."""

    code = "FAILED_BY_FLOW"


class Fail(Task):
    """Fail the execution, always or when a condition holds.

    Fail when a download was empty:

    ```yaml
    tasks:
      - id: download
        type: io.kestra.plugin.core.http.Download
        uri: https://example.com/orders.csv
      - id: something_there
        type: io.kestra.plugin.core.execution.Fail
        condition: "{{ fileSize(outputs.download.uri) == 0 }}"
        errorMessage: there are no orders
    ```

    Implements ENG-093.
    """

    type_name = "io.kestra.plugin.core.execution.Fail"
    type_aliases = ("io.kestra.core.tasks.executions.Fail",)
    quick = True

    condition: Property[str | bool] | None = Field(None, description="Fail only when this expression is true.")
    error_message: Property[str] = Field(Property.of("Task failure"), description="What the logs say.")

    def run(self, context: RunContext) -> None:
        """Fail, or let the flow go on."""
        if self.condition is None or is_truthy(context.render(self.condition)):
            raise TaskFailure(context.render(self.error_message))


class FailureChosen(PermanentError):
    """The flow has chosen to end as failed; trying again changes nothing."""

    code = "FAILED_BY_FLOW"


class Exit(Task):
    """End the execution in a state, without what follows.

    Tasks that run beside it go on to their end before the execution ends, unless the state is `KILLED` or `CANCELED`:
    then they are stopped. What only waits, such as a `Pause`, is given up. `errors` run for the state `FAILED`,
    `finally` and `afterExecution` run in any case. An execution that is being killed stays so.

    Leave early when there is nothing to do:

    ```yaml
    inputs:
      - id: orders
        type: INT
        defaults: 0
    tasks:
      - id: nothing_to_do
        type: io.kestra.plugin.core.flow.If
        condition: "{{ inputs.orders == 0 }}"
        then:
          - id: leave
            type: io.kestra.plugin.core.execution.Exit
            state: SUCCESS
      - id: deliver
        type: io.kestra.plugin.core.log.Log
        message: "{{ inputs.orders }} orders are delivered"
    ```
    """

    type_name = "io.kestra.plugin.core.execution.Exit"
    quick = True

    state: Property[Literal["SUCCESS", "WARNING", "KILLED", "FAILED", "CANCELED", "CANCELLED"]] = Field(
        Property.of("SUCCESS"), description="The state in which the execution ends; `CANCELLED` is another spelling."
    )

    def run(self, context: RunContext) -> None:
        """Say in which state the execution is to end."""
        state = context.render(self.state)
        context.end_execution("CANCELLED" if state == "CANCELED" else state)
        if state == "FAILED":
            raise FailureChosen("the flow ends the execution as FAILED")


class Resume(Task):
    """Let a paused execution go on.

    Go on with an execution that waits in a `Pause`, as soon as its report has been approved elsewhere:

    ```yaml
    inputs:
      - id: waiting
        type: STRING
    tasks:
      - id: approve
        type: io.kestra.plugin.core.execution.Resume
        executionId: "{{ inputs.waiting }}"
        inputs:
          approved: true
    ```

    Implements ENG-095.
    """

    type_name = "io.kestra.plugin.core.execution.Resume"
    type_aliases = ("io.kestra.core.tasks.executions.Resume",)

    execution_id: Property[str] | None = Field(None, description="The execution; this one by default.")
    namespace: Property[str] | None = Field(None, description="Its namespace; when given, only one of it is resumed.")
    flow_id: Property[str] | None = Field(None, description="Its flow; when given, only one of it is resumed.")
    inputs: Property[dict[str, Any]] | None = Field(None, description="Values that its `Pause` asks for.")

    def run(self, context: RunContext) -> None:
        """Resume the execution; one that is not paused, or misses a value, fails the task."""
        context.call(
            "resumeExecution",
            executionId=context.render(self.execution_id),
            namespace=context.render(self.namespace),
            flowId=context.render(self.flow_id),
            inputs=context.render(self.inputs),
        )


class Assert(Task):
    """Fail when one of several conditions does not hold.

    Stop unless the inputs make sense:

    ```yaml
    inputs:
      - id: amount
        type: INT
    tasks:
      - id: sensible
        type: io.kestra.plugin.core.execution.Assert
        errorMessage: an order has between 1 and 1000 pieces
        conditions:
          - "{{ inputs.amount >= 1 }}"
          - "{{ inputs.amount <= 1000 }}"
    ```

    Implements ENG-094.
    """

    type_name = "io.kestra.plugin.core.execution.Assert"
    quick = True

    conditions: Property[list[str | bool]] = Field(description="Expressions that must all be true.")
    error_message: Property[str] | None = Field(None, description="What the logs say when one is false.")

    def run(self, context: RunContext) -> None:
        """Look at every condition, and name those that are false."""
        raw = self.conditions.raw
        held = [is_truthy(condition) for condition in context.render(self.conditions)]
        if all(held):
            return
        written = raw if isinstance(raw, list) and len(raw) == len(held) else range(1, len(held) + 1)
        false = [str(condition) for condition, holds in zip(written, held, strict=True) if not holds]
        message = context.render(self.error_message)
        for condition in false:
            context.logger.error(f"condition is false: {condition}")
        raise TaskFailure(message or f"{len(false)} of {len(held)} conditions are false")


class Label(PluginModel):
    """One label of a list of labels."""

    key: str
    value: Any


class Labels(Task):
    """Set labels on the running execution; existing keys are overridden.

    Label the execution with what it is about:

    ```yaml
    inputs:
      - id: customer
        type: STRING
    tasks:
      - id: mark
        type: io.kestra.plugin.core.execution.Labels
        labels:
          customer: "{{ inputs.customer }}"
    ```

    Implements ENG-029.
    """

    type_name = "io.kestra.plugin.core.execution.Labels"
    type_aliases = ("io.kestra.core.tasks.executions.Labels",)
    quick = True

    labels: Property[dict[str, Any] | list[Label]] = Field(description="A map, or a list of `key` and `value`.")

    def run(self, context: RunContext) -> None:
        """Set the labels."""
        labels = context.render(self.labels)
        pairs = labels.items() if isinstance(labels, dict) else ((label.key, label.value) for label in labels)
        found = {key: json_text(value) for key, value in pairs if value is not None}
        fixed = sorted(key for key in found if key.startswith("system."))
        if fixed:
            raise TaskFailure(
                f"labels that begin with `system.` belong to the server: {', '.join(fixed)}",
                hint="choose other keys",
            )
        context.set_labels(found)


class SetVariables(Task):
    """Set variables of the running execution; nested maps are merged.

    Set a variable that later tasks read:

    ```yaml
    variables:
      stage: development
    tasks:
      - id: promote
        type: io.kestra.plugin.core.execution.SetVariables
        variables:
          stage: production
      - id: shown
        type: io.kestra.plugin.core.log.Log
        message: "Now in {{ vars.stage }}"
    ```

    Implements ENG-201, ENG-420.
    """

    type_name = "io.kestra.plugin.core.execution.SetVariables"
    quick = True

    variables: Property[dict[str, Any]] = Field(description="The variables to set.")
    overwrite: Property[bool] = Field(Property.of(True), description="Whether a variable that exists may be replaced.")

    def run(self, context: RunContext) -> None:
        """Merge the variables into those of the execution."""
        present: Mapping[str, Any] = context.variables.get("vars") or {}
        new = context.render(self.variables)
        context.set_variables(_merged(present, new, context.render(self.overwrite), ""))


class UnsetVariables(Task):
    """Remove variables of the running execution.

    Forget a variable that no later task shall read:

    ```yaml
    variables:
      scratch: "42"
    tasks:
      - id: forget
        type: io.kestra.plugin.core.execution.UnsetVariables
        variables:
          - scratch
        ignoreMissing: true
    ```

    Implements ENG-202.
    """

    type_name = "io.kestra.plugin.core.execution.UnsetVariables"
    quick = True

    variables: Property[list[str]] = Field(description="The keys; `a.b` removes only `b` within `a`.")
    ignore_missing: Property[bool] = Field(
        Property.of(False), description="Do not fail when there is no such variable."
    )

    def run(self, context: RunContext) -> None:
        """Remove the variables."""
        variables: Mapping[str, Any] = context.variables.get("vars") or {}
        ignore = context.render(self.ignore_missing)
        for key in context.render(self.variables):
            variables = _without(variables, key.split("."), key, ignore)
        context.set_variables(variables)


def _merged(present: Mapping[str, Any], new: Mapping[str, Any], overwrite: bool, path: str) -> dict[str, Any]:
    result = dict(present)
    for key, value in new.items():
        old = result.get(key)
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            result[key] = _merged(old, value, overwrite, f"{path}{key}.")
        elif key in result and not overwrite:
            raise TaskFailure(
                f"variable `{path}{key}` exists already",
                hint="choose another name, or set `overwrite: true`",
            )
        else:
            result[key] = value
    return result


def _without(variables: Mapping[str, Any], keys: list[str], whole: str, ignore: bool) -> Mapping[str, Any]:
    key, *rest = keys
    if key not in variables or (rest and not isinstance(variables[key], Mapping)):
        if ignore:
            return variables
        raise TaskFailure(f"there is no variable `{whole}`", hint="correct the key, or set `ignoreMissing: true`")
    result = dict(variables)
    if rest:
        result[key] = _without(variables[key], rest, whole, ignore)
    else:
        del result[key]
    return result
