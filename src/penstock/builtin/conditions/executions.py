"""Conditions on executions and flows. Without an execution none of those on executions holds."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field

from penstock.builtin.conditions.names import TODAY, older, oldest
from penstock.builtin.verbatim import Verbatim, VerbatimLabels, without_expression
from penstock.sdk import ConditionBase, PluginModel, Property, is_truthy, json_text
from penstock.sdk.condition import ConditionContext
from penstock.sdk.flow import StateType

_NAMESPACE = "The namespace."


class ExecutionFlow(ConditionBase):
    """Hold for executions of one flow.

    Run after each execution of another flow:

    ```yaml
    triggers:
      - id: after_import
        type: io.kestra.plugin.core.trigger.Flow
        conditions:
          - type: io.kestra.plugin.core.condition.ExecutionFlow
            namespace: company.sales
            flowId: import_orders
    ```

    Implements ENG-274.
    """

    type_name: ClassVar[str] = f"{TODAY}ExecutionFlow"
    type_aliases: ClassVar[tuple[str, ...]] = older("ExecutionFlow")

    namespace: Verbatim = Field(description=_NAMESPACE)
    flow_id: Verbatim = Field(description="The id of the flow.")

    def test(self, context: ConditionContext) -> bool:
        """Return whether the execution is one of the flow."""
        found = context.execution
        return found is not None and (found.namespace, found.flow_id) == (self.namespace, self.flow_id)


class ExecutionNamespace(ConditionBase):
    """Hold for executions of a namespace, or of all whose names begin or end alike.

    Run after each execution of a namespace and those below it:

    ```yaml
    triggers:
      - id: after_sales
        type: io.kestra.plugin.core.trigger.Flow
        conditions:
          - type: io.kestra.plugin.core.condition.ExecutionNamespace
            namespace: company.sales
            comparison: PREFIX
    ```

    Implements ENG-274.
    """

    type_name: ClassVar[str] = f"{TODAY}ExecutionNamespace"
    type_aliases: ClassVar[tuple[str, ...]] = older("ExecutionNamespace")

    namespace: Verbatim = Field(description=_NAMESPACE)
    prefix: bool = Field(False, description="Whether `namespace` is what the name begins with.")
    comparison: Literal["EQUALS", "PREFIX", "SUFFIX"] | None = Field(
        None, description="How the name is compared; takes the place of `prefix`."
    )

    def test(self, context: ConditionContext) -> bool:
        """Return whether the execution's namespace fits."""
        if context.execution is None:
            return False
        name = context.execution.namespace
        how = self.comparison or ("PREFIX" if self.prefix else "EQUALS")
        if how == "PREFIX":
            return name.startswith(self.namespace)
        return name.endswith(self.namespace) if how == "SUFFIX" else name == self.namespace


class ExecutionStatus(ConditionBase):
    """Hold for executions in some states.

    Run after executions that did not end well:

    ```yaml
    triggers:
      - id: after_failure
        type: io.kestra.plugin.core.trigger.Flow
        conditions:
          - type: io.kestra.plugin.core.condition.ExecutionStatus
            in:
              - FAILED
              - WARNING
    ```

    Implements ENG-274.
    """

    type_name: ClassVar[str] = f"{TODAY}ExecutionStatus"
    type_aliases: ClassVar[tuple[str, ...]] = older("ExecutionStatus")

    in_: list[StateType] | None = Field(None, alias="in", description="The states it holds for; all by default.")
    not_in: list[StateType] | None = Field(None, description="The states it does not hold for.")

    def test(self, context: ConditionContext) -> bool:
        """Return whether the execution is in such a state."""
        if context.execution is None:
            return False
        state = context.execution.state
        return (self.in_ is None or state in self.in_) and state not in (self.not_in or ())


class LabelPair(PluginModel):
    """One label of a list of labels."""

    key: Verbatim
    value: Annotated[Any, AfterValidator(without_expression)]


class ExecutionLabels(ConditionBase):
    """Hold for executions that carry some labels.

    Run after executions with the label of production:

    ```yaml
    triggers:
      - id: after_production
        type: io.kestra.plugin.core.trigger.Flow
        conditions:
          - type: io.kestra.plugin.core.condition.ExecutionLabels
            labels:
              environment: production
    ```

    Implements ENG-273.
    """

    type_name: ClassVar[str] = f"{TODAY}ExecutionLabels"
    type_aliases: ClassVar[tuple[str, ...]] = older("ExecutionLabels")

    labels: VerbatimLabels | list[LabelPair] = Field(
        description="The labels, all of which it must carry: a map, or a list of `key` and `value`."
    )

    def test(self, context: ConditionContext) -> bool:
        """Return whether the execution carries all labels."""
        if context.execution is None:
            return False
        carried = context.execution.labels
        wanted = self.labels if isinstance(self.labels, dict) else {label.key: label.value for label in self.labels}
        return all(carried.get(key) == json_text(value) for key, value in wanted.items())


class ExecutionOutputs(ConditionBase):
    """Hold when an expression over the outputs of the execution is true; without outputs it does not.

    Run after executions that found something:

    ```yaml
    triggers:
      - id: after_findings
        type: io.kestra.plugin.core.trigger.Flow
        conditions:
          - type: io.kestra.plugin.core.condition.ExecutionOutputs
            expression: "{{ trigger.outputs.row_count > 0 }}"
    ```

    Implements ENG-273.
    """

    type_name: ClassVar[str] = f"{TODAY}ExecutionOutputs"
    type_aliases: ClassVar[tuple[str, ...]] = older("ExecutionOutputs")

    expression: Property[str | bool] = Field(
        description="The expression, such as `{{ trigger.outputs.status_code == 200 }}`."
    )

    def test(self, context: ConditionContext) -> bool:
        """Return whether the expression is true."""
        found = context.execution
        if found is None or not found.outputs:
            return False
        trigger = {
            "executionId": found.id,
            "namespace": found.namespace,
            "flowId": found.flow_id,
            "state": found.state,
            "outputs": found.outputs,
        }
        raw = self.expression.raw
        return is_truthy(context.render(raw, {"trigger": trigger}).strip() if isinstance(raw, str) else raw)


class HasRetryAttempt(ConditionBase):
    """Hold for executions of which a task run took more than one attempt.

    Run after executions that succeeded only after a retry:

    ```yaml
    triggers:
      - id: after_retry
        type: io.kestra.plugin.core.trigger.Flow
        conditions:
          - type: io.kestra.plugin.core.condition.HasRetryAttempt
            in:
              - FAILED
    ```

    Implements ENG-273.
    """

    type_name: ClassVar[str] = f"{TODAY}HasRetryAttempt"
    type_aliases: ClassVar[tuple[str, ...]] = older("HasRetryAttempt")

    in_: list[StateType] | None = Field(
        None, alias="in", description="The states of such a task run that count; all by default."
    )

    def test(self, context: ConditionContext) -> bool:
        """Return whether a task run was tried again."""
        if context.execution is None:
            return False
        found = context.execution.retried_states
        return bool(found if self.in_ is None else found.intersection(self.in_))


class FlowCondition(ConditionBase):
    """Hold when the trigger's own flow is a certain one.

    Rebuild an index after each stock-taking:

    ```yaml
    triggers:
      - id: rebuild
        type: io.kestra.plugin.core.trigger.Flow
        inputs:
          because: "{{ trigger.executionId }}"
        conditions:
          - type: io.kestra.plugin.core.condition.FlowCondition
            flowId: stock_taking
            namespace: company.warehouse
    ```

    Implements MIG-020.
    """

    type_name: ClassVar[str] = f"{TODAY}FlowCondition"
    type_aliases: ClassVar[tuple[str, ...]] = oldest("FlowCondition")

    namespace: str = Field(description=_NAMESPACE)
    flow_id: str = Field(description="The id of the flow.")

    def test(self, context: ConditionContext) -> bool:
        """Return whether it is the flow."""
        return (context.flow.namespace, context.flow.id) == (self.namespace, self.flow_id)


class FlowNamespaceCondition(ConditionBase):
    """Hold when the trigger's own flow is of a certain namespace.

    Run after each execution of the flows of a namespace:

    ```yaml
    triggers:
      - id: after_sales
        type: io.kestra.plugin.core.trigger.Flow
        conditions:
          - type: io.kestra.plugin.core.condition.FlowNamespaceCondition
            namespace: company.sales
            prefix: true
    ```

    Implements MIG-020.
    """

    type_name: ClassVar[str] = f"{TODAY}FlowNamespaceCondition"
    type_aliases: ClassVar[tuple[str, ...]] = oldest("FlowNamespaceCondition")

    namespace: str = Field(description=_NAMESPACE)
    prefix: bool = Field(False, description="Whether `namespace` is what the name begins with.")

    def test(self, context: ConditionContext) -> bool:
        """Return whether the flow's namespace fits."""
        name = context.flow.namespace
        return name.startswith(self.namespace) if self.prefix else name == self.namespace
