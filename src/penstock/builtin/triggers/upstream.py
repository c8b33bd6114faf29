"""`Flow`: start a flow when executions of other flows have come to a state.

What an execution looks like comes in as a map with `namespace`, `flowId`, `state` (the one it came to), `labels` and
`executionId`; what is remembered between executions is the scheduler's business.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, Literal, Self

import regex
from pydantic import Field, ValidationInfo, field_validator, model_validator

from penstock.builtin.triggers.windows import Span, TimeWindow
from penstock.builtin.verbatim import Verbatim, VerbatimLabels, VerbatimState, without_expression
from penstock.sdk import PluginModel, TriggerBase, is_truthy

Upstream = Mapping[str, Any]
Evaluate = Callable[[str], Any]
DEFAULT_STATES = ("SUCCESS", "WARNING", "FAILED", "KILLED", "CANCELLED", "RETRIED", "SKIPPED", "PAUSED")
ANY = "any"
"""The only need of a trigger that does not name flows."""
_PATTERN_SECONDS = 0.5
_IS = ("IS_TRUE", "IS_FALSE", "IS_NULL", "IS_NOT_NULL")
Operator = Literal[
    "EQUAL_TO", "NOT_EQUAL_TO", "IN", "NOT_IN", "STARTS_WITH", "ENDS_WITH", "CONTAINS", "REGEX",
    "IS_TRUE", "IS_FALSE", "IS_NULL", "IS_NOT_NULL",
]  # fmt: skip


_FIELDS = {"FLOW_ID": "flowId", "NAMESPACE": "namespace", "STATE": "state"}
_OPERATORS: Mapping[str, Callable[[Any, Sequence[str]], bool]] = {
    "EQUAL_TO": lambda actual, wanted: str(actual) == wanted[0],
    "NOT_EQUAL_TO": lambda actual, wanted: str(actual) != wanted[0],
    "IN": lambda actual, wanted: str(actual) in wanted,
    "NOT_IN": lambda actual, wanted: str(actual) not in wanted,
    "STARTS_WITH": lambda actual, wanted: str(actual).startswith(wanted[0]),
    "ENDS_WITH": lambda actual, wanted: str(actual).endswith(wanted[0]),
    "CONTAINS": lambda actual, wanted: wanted[0] in str(actual),
    "REGEX": lambda actual, wanted: regex.fullmatch(wanted[0], str(actual), timeout=_PATTERN_SECONDS) is not None,
    "IS_TRUE": lambda actual, wanted: is_truthy(actual),
    "IS_FALSE": lambda actual, wanted: not is_truthy(actual),
    "IS_NULL": lambda actual, wanted: actual is None,
    "IS_NOT_NULL": lambda actual, wanted: actual is not None,
}
"""What an operator makes of a value and the values it is compared with."""


class FlowFilter(PluginModel):
    """A flow to wait for."""

    namespace: Verbatim
    flow_id: Verbatim | None = Field(None, description="Any flow of the namespace when left out.")
    states: list[VerbatimState] | None = Field(
        None, description="The states that count; those of the trigger by default."
    )
    labels: VerbatimLabels | None = None

    def fits(self, upstream: Upstream) -> bool:
        """Whether an execution is one of this flow with these labels."""
        fits_flow = upstream["namespace"] == self.namespace and self.flow_id in (None, upstream["flowId"])
        return fits_flow and _has_labels(upstream, self.labels)


class Filter(PluginModel):
    """One thing that must hold of an execution. Implements ENG-412."""

    field: Literal["FLOW_ID", "NAMESPACE", "STATE", "EXPRESSION"]
    type: Operator
    value: Any = None
    values: list[Any] | None = None

    @field_validator("value", "values")
    @classmethod
    def _verbatim(cls, value: Any, info: ValidationInfo) -> Any:
        if info.data.get("field") != "EXPRESSION":
            for one in _listed(value):
                without_expression(one)
        return value

    @model_validator(mode="after")
    def _complete(self) -> Filter:
        if self.field == "EXPRESSION":
            if self.type not in _IS or not isinstance(self.value, str):
                raise ValueError(f"EXPRESSION has an expression as `value` and one of the types {', '.join(_IS)}")
        elif self.type in ("IN", "NOT_IN"):
            if self.values is None and not isinstance(self.value, list):
                raise ValueError(f"{self.type} needs `values`")
        elif self.type not in _IS and self.value is None:
            raise ValueError(f"{self.type} needs a `value`")
        if self.type == "REGEX":
            try:
                regex.compile(str(self.value))
            except (regex.error, RecursionError) as error:
                raise ValueError(f"`{self.value}` is no regular expression: {error}") from None
        return self

    def holds(self, upstream: Upstream, evaluate: Evaluate) -> bool:
        """Whether it holds of an execution."""
        actual = evaluate(str(self.value)) if self.field == "EXPRESSION" else upstream[_FIELDS[self.field]]
        wanted = _listed(self.value) if self.values is None else self.values
        return _OPERATORS[self.type](actual, [str(one) for one in wanted])


class Where(PluginModel):
    """Filters of which all must hold."""

    id: str
    filters: list[Filter]


class Preconditions(PluginModel):
    """What must have happened, and within which span of time. Implements ENG-292, ENG-293."""

    id: Verbatim
    time_window: TimeWindow = Field(default_factory=lambda: TimeWindow.model_validate({}))
    flows: list[FlowFilter] | None = Field(None, description="Flows that must all have come to one of their states.")
    where: list[Where] | None = Field(None, description="What must hold of each execution that counts.")
    reset_on_success: bool = Field(True, description="Wait for all anew after the flow was started.")


class Flow(TriggerBase):
    """Start the flow when executions of other flows have ended or paused.

    The flow reads `trigger.executionId`, `trigger.namespace`, `trigger.flowId`, `trigger.flowRevision`, `trigger.state`
    and `trigger.outputs` of the execution that completed the set.

    ```yaml
    triggers:
      - id: after_extraction
        type: io.kestra.plugin.core.trigger.Flow
        preconditions:
          id: extraction
          flows:
            - namespace: company.team
              flowId: extract
              states: [SUCCESS]
    ```

    Implements ENG-290 to ENG-300, ENG-396, ENG-411, ENG-412, BEY-050.
    """

    type_name: ClassVar[str] = "io.kestra.plugin.core.trigger.Flow"
    type_aliases: ClassVar[tuple[str, ...]] = ("io.kestra.core.models.triggers.types.Flow",)

    variable_names: ClassVar[frozenset[str] | None] = frozenset(
        ("executionId", "namespace", "flowId", "flowRevision", "state", "outputs")
    )

    states: list[VerbatimState] | None = Field(
        None, description="The states that count; all ends and PAUSED by default."
    )
    preconditions: Preconditions | None = Field(None, description="Several executions that must come together.")
    depends_on: list[FlowFilter] | None = Field(
        None, description="The `flows` of `preconditions` with the usual window, written shorter.", min_length=1
    )
    labels: VerbatimLabels | list[VerbatimLabels] | None = Field(
        None, description="Labels that the other flow's execution must have."
    )

    @field_validator("labels")
    @classmethod
    def _as_map(cls, value: Any) -> Any:
        return {str(one["key"]): one["value"] for one in value} if isinstance(value, list) else value

    @model_validator(mode="after")
    def _said_once(self) -> Self:
        if self.depends_on is not None and self.preconditions is not None:
            raise ValueError("`dependsOn` is a short form of `preconditions`: write one of the two")
        return self

    @property
    def needs(self) -> tuple[str, ...]:
        """Return the names of all that must be met."""
        return tuple(self._flows) or (ANY,)

    @property
    def takes_any(self) -> bool:
        """Whether one execution that fits is all it needs."""
        return not self._flows

    def wanted(self, need: str) -> Mapping[str, Any]:
        """Return the flow and the states that meet a need; the states alone when any flow does."""
        flow = self._flows.get(need)
        if flow is None:
            return {"states": [*self._usual_states]}
        return {
            "namespace": flow.namespace,
            **({"flowId": flow.flow_id} if flow.flow_id is not None else {}),
            "states": [*(self._usual_states if flow.states is None else flow.states)],
        }

    @property
    def _flows(self) -> Mapping[str, FlowFilter]:
        """The flows to wait for, by names that stay the same when the list is put into another order."""
        listed = self.depends_on or (self.preconditions.flows if self.preconditions is not None else None)
        named: dict[str, FlowFilter] = {}
        for one in listed or ():
            name = f"{one.namespace}.{one.flow_id or '*'}"
            again = sum(known.partition("#")[0] == name for known in named)
            named[f"{name}#{again + 1}" if again else name] = one
        return named

    @property
    def _window(self) -> TimeWindow | None:
        if self.depends_on is not None:
            return TimeWindow.model_validate({})
        return self.preconditions.time_window if self.preconditions is not None else None

    @property
    def _usual_states(self) -> Sequence[str]:
        return self.states or DEFAULT_STATES

    @property
    def keeps(self) -> bool:
        """Whether what was met stays met after the flow was started."""
        return self.preconditions is not None and not self.preconditions.reset_on_success

    def met_by(self, upstream: Upstream, evaluate: Evaluate) -> frozenset[str]:
        """Return the needs an execution meets, apart from `conditions`."""
        conditions = self.preconditions
        labels = self.labels if isinstance(self.labels, dict) else None
        state = str(upstream["state"])
        if not _has_labels(upstream, labels) or (self.states is not None and state not in self.states):
            return frozenset()
        usual = self._usual_states
        if flows := self._flows:
            met = {
                name
                for name, one in flows.items()
                if one.fits(upstream) and state in (one.states if one.states is not None else usual)
            }
        else:
            met = {ANY} if state in usual else set()
        if not met or conditions is None:
            return frozenset(met)
        holds = all(one.holds(upstream, evaluate) for where in conditions.where or () for one in where.filters)
        return frozenset(met) if holds else frozenset()

    def span_around(self, moment: datetime) -> Span | None:
        """Return the span of time that a moment belongs to; None when it belongs to none."""
        return (moment, moment) if self._window is None else self._window.around(moment)

    def counts_until(self, moment: datetime) -> datetime:
        """Return until when it counts that a need was met at a moment."""
        return moment if self._window is None else self._window.counts_until(moment)


def _has_labels(upstream: Upstream, labels: Mapping[str, Any] | None) -> bool:
    actual: Mapping[str, str] = upstream["labels"]
    return all(actual.get(key) == str(value) for key, value in (labels or {}).items())


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
