"""Conditions made of others, and of an expression: `Not`, `Or`, `Expression`, `MultipleCondition`."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Self

from pydantic import Field, PrivateAttr, model_validator

from penstock.builtin.conditions.names import TODAY, older, oldest
from penstock.builtin.triggers.windows import Length, Span, TimeWindow
from penstock.sdk import ConditionBase, Property, is_truthy
from penstock.sdk.condition import ConditionContext, ConditionDefinition
from penstock.sdk.task import ConditionList


class Not(ConditionBase):
    """Hold when none of several conditions does.

    Run every hour, but not at weekends:

    ```yaml
    triggers:
      - id: working_days
        type: io.kestra.plugin.core.trigger.Schedule
        cron: "0 * * * *"
        conditions:
          - type: io.kestra.plugin.core.condition.Not
            conditions:
              - type: io.kestra.plugin.core.condition.Weekend
    ```

    Implements ENG-274.
    """

    type_name: ClassVar[str] = f"{TODAY}Not"
    type_aliases: ClassVar[tuple[str, ...]] = older("Not")

    conditions: ConditionList = Field(description="The conditions, none of which may hold.", min_length=1)

    def test(self, context: ConditionContext) -> bool:
        """Return whether none holds."""
        return not any(context.make(definition).test(context) for definition in self.conditions)


class Or(ConditionBase):
    """Hold when one of several conditions does.

    Run on Mondays and Thursdays:

    ```yaml
    triggers:
      - id: twice_a_week
        type: io.kestra.plugin.core.trigger.Schedule
        cron: "0 9 * * *"
        conditions:
          - type: io.kestra.plugin.core.condition.Or
            conditions:
              - type: io.kestra.plugin.core.condition.DayWeek
                dayOfWeek: MONDAY
              - type: io.kestra.plugin.core.condition.DayWeek
                dayOfWeek: THURSDAY
    ```

    Implements ENG-274.
    """

    type_name: ClassVar[str] = f"{TODAY}Or"
    type_aliases: ClassVar[tuple[str, ...]] = older("Or")

    conditions: ConditionList = Field(description="The conditions, one of which must hold.", min_length=1)

    def test(self, context: ConditionContext) -> bool:
        """Return whether one holds."""
        return any(context.make(definition).test(context) for definition in self.conditions)


class Expression(ConditionBase):
    """Hold when an expression is true.

    Run on the last day of each month:

    ```yaml
    triggers:
      - id: end_of_month
        type: io.kestra.plugin.core.trigger.Schedule
        cron: "0 18 * * *"
        conditions:
          - type: io.kestra.plugin.core.condition.Expression
            expression: "{{ trigger.date | dateAdd(1, 'DAYS') | date('d') == '1' }}"
    ```

    Implements ENG-273, EXP-179.
    """

    type_name: ClassVar[str] = f"{TODAY}Expression"
    type_aliases: ClassVar[tuple[str, ...]] = (
        *older("Expression"),
        *older("Variable"),
    )

    expression: Property[str | bool] = Field(description="The expression, such as `{{ trigger.date is defined }}`.")

    def test(self, context: ConditionContext) -> bool:
        """Return whether it is true, by the rule of every condition in a flow."""
        value = context.value(self.expression)
        return is_truthy(value.strip() if isinstance(value, str) else value)


class MultipleCondition(ConditionBase):
    """Hold when several conditions have each been met within a window of time; a `Flow` trigger's `preconditions` take
    its place.

    A `Flow` trigger remembers which of them executions have met: it asks `names_met` at each. Everywhere else all must
    hold at once.

    Run once two flows have succeeded within a day:

    ```yaml
    triggers:
      - id: after_both
        type: io.kestra.plugin.core.trigger.Flow
        conditions:
          - id: both
            type: io.kestra.plugin.core.condition.MultipleCondition
            window: P1D
            conditions:
              orders:
                type: io.kestra.plugin.core.condition.ExecutionFlow
                namespace: company.sales
                flowId: import_orders
              stock:
                type: io.kestra.plugin.core.condition.ExecutionFlow
                namespace: company.sales
                flowId: import_stock
    ```

    Implements ENG-274, USE-B056.
    """

    type_name: ClassVar[str] = f"{TODAY}MultipleCondition"
    type_aliases: ClassVar[tuple[str, ...]] = oldest("MultipleCondition")
    remembers: ClassVar[bool] = True

    id: str = Field(description="What the window is remembered by; unique within the flow.")
    window: Length = Field("P1D", description="The length of the window, as ISO 8601 duration.")
    window_advance: Length = Field("P0D", description="How far the window is moved from midnight.")
    conditions: dict[str, ConditionDefinition] = Field(
        description="The conditions by name; all must be met.", min_length=1
    )

    _windows: TimeWindow = PrivateAttr()

    @model_validator(mode="after")
    def _read(self) -> Self:
        self._windows = TimeWindow(type="DURATION_WINDOW", window=self.window, window_advance=self.window_advance)
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the conditions."""
        return tuple(self.conditions)

    def span_around(self, moment: datetime) -> Span | None:
        """Return the window a moment belongs to."""
        return self._windows.around(moment)

    def counts_until(self, moment: datetime) -> datetime:
        """Return the end of the window a moment belongs to."""
        return self._windows.counts_until(moment)

    def names_met(self, context: ConditionContext) -> frozenset[str]:
        """Return the names of the conditions that hold now."""
        return frozenset(name for name, one in self.conditions.items() if context.make(one).test(context))

    def test(self, context: ConditionContext) -> bool:
        """Return whether all hold now."""
        return len(self.names_met(context)) == len(self.conditions)
