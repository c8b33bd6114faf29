"""Conditions made of others, and of an expression: `Not`, `Or`, `Expression`, `MultipleCondition`."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field, field_validator

from penstock.builtin.conditions.names import TODAY, older, oldest
from penstock.sdk import ConditionBase, Property, duration, is_truthy
from penstock.sdk.condition import ConditionContext, ConditionDefinition
from penstock.sdk.task import ConditionList


class Not(ConditionBase):
    """Hold when none of several conditions does.

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

    What was met before comes with the context: whoever keeps the window asks `names_met` at each execution.

    Implements ENG-274, USE-B056.
    """

    type_name: ClassVar[str] = f"{TODAY}MultipleCondition"
    type_aliases: ClassVar[tuple[str, ...]] = oldest("MultipleCondition")

    id: str = Field(description="What the window is remembered by; unique within the flow.")
    window: str = Field("P1D", description="The length of the window, as ISO 8601 duration.")
    window_advance: str = Field("P0D", description="How far the window is moved from midnight.")
    conditions: dict[str, ConditionDefinition] = Field(
        description="The conditions by name; all must be met.", min_length=1
    )

    @field_validator("window", "window_advance")
    @classmethod
    def _is_duration(cls, value: Any) -> str:
        try:
            duration(str(value))
        except Exception as error:
            raise ValueError(str(error)) from None
        return str(value)

    def names_met(self, context: ConditionContext) -> frozenset[str]:
        """Return the names of the conditions that hold now."""
        return frozenset(name for name, one in self.conditions.items() if context.make(one).test(context))

    def test(self, context: ConditionContext) -> bool:
        """Return whether all have been met, before or now."""
        before = context.met.get(self.id, frozenset())
        return self.conditions.keys() <= before or self.conditions.keys() <= before | self.names_met(context)
