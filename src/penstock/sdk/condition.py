"""Conditions: what a trigger asks about a flow, an execution or a date before it starts anything. Implements PLG-037.

A condition is a class with typed properties and a pure `test(context) -> bool`:

    class Longer(ConditionBase):
        type_name = "org.example.Longer"

        than: int

        def test(self, context: ConditionContext) -> bool:
            return len(context.flow.id) > self.than

Whoever has a flow's trigger in hand makes the context and asks `all_hold`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Protocol, TypeVar

from penstock.engine.records import Execution, TaskRun
from penstock.model.markers import Typed
from penstock.model.registry import TypeKind
from penstock.sdk.errors import PluginError
from penstock.sdk.property import Property

T = TypeVar("T")
ConditionDefinition = Annotated[dict[str, Any], Typed(TypeKind.CONDITION)]
"""A property that holds one condition's definition."""


class ConditionError(PluginError):
    """A condition has no answer: a date is missing, an expression gives something else than it should."""

    code = "CONDITION_FAILED"


@dataclass(frozen=True, slots=True)
class FlowFacts:
    """The flow the trigger belongs to."""

    namespace: str
    id: str


@dataclass(frozen=True, slots=True)
class ExecutionFacts:
    """The execution that is looked at."""

    id: str
    namespace: str
    flow_id: str
    state: str
    labels: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, Any] | None = None
    """The flow's outputs."""
    retried_states: frozenset[str] = frozenset()
    """The states of its task runs that took more than one attempt."""

    @classmethod
    def of(cls, execution: Execution, runs: Sequence[TaskRun] = ()) -> ExecutionFacts:
        """Return the facts of an execution with its task runs."""
        return cls(
            id=execution.id,
            namespace=execution.namespace,
            flow_id=execution.flow_id,
            state=execution.state.current,
            labels=dict(execution.labels),
            outputs=execution.outputs,
            retried_states=frozenset(str(run.state.current) for run in runs if len(run.attempts) > 1),
        )


class Condition(Protocol):
    """What every condition can be asked."""

    def test(self, context: ConditionContext) -> bool:
        """Return whether it holds. Reads nothing but the context."""
        ...


@dataclass(frozen=True, slots=True)
class ConditionContext:
    """What conditions see."""

    flow: FlowFacts
    make: Callable[[Mapping[str, Any]], Condition]
    """Returns the condition of a definition; conditions may stand in conditions."""
    renderer: Callable[[str, Mapping[str, Any]], str]
    """Returns the text of a template, with more variables or others than those of the trigger."""
    execution: ExecutionFacts | None = None
    """The execution that ended, for triggers that react to one."""
    date: datetime | None = None
    """The date in question, in its own zone, for triggers that start at dates."""

    def render(self, template: str, extra: Mapping[str, Any] | None = None) -> str:
        """Return a template's text."""
        return self.renderer(template, extra or {})

    def value(self, given: Property[T]) -> T:
        """Return a property's value in its type.

        Raises:
            ConditionError: It renders into something of another type.
        """
        if not isinstance(given.raw, str) or given.static:
            return given.convert(given.raw)
        rendered = self.render(given.raw)
        try:
            return given.convert(rendered)
        except ValueError as error:
            raise ConditionError(f"`{given.raw}` gives `{rendered}`, which cannot be used here") from error


def all_hold(conditions: Iterable[Mapping[str, Any]] | None, context: ConditionContext) -> bool:
    """Return whether all conditions of a list of definitions hold (ENG-272); with none, they do."""
    return all(context.make(definition).test(context) for definition in conditions or ())
