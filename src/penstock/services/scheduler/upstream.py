"""What a trigger that listens to other flows remembers, and when it starts its flow. Pure.

An execution counts at each state it comes to: that is an arrival. A trigger may need several; what has arrived is kept
while it lies within the trigger's span of time. All of it is in the memory of the trigger's stored state, whose
`next_date` grows with every change, so that of several schedulers one makes each change.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, Self, runtime_checkable

import msgspec
from msgspec.structs import replace

from penstock.base.clock import SECOND, Instant, Micros, from_datetime, to_datetime
from penstock.engine.flow import ResolvedFlow
from penstock.engine.records import Execution
from penstock.engine.states import StateType
from penstock.ports.triggers import TriggerState
from penstock.sdk import TriggerBase
from penstock.sdk.condition import ConditionContext
from penstock.services.scheduler.agenda import TriggerKey
from penstock.services.scheduler.conditions import Conditions

OVERLAP: Micros = 60 * SECOND
"""An arrival may become visible this much later than one that came after it."""


@runtime_checkable
class Listener(Protocol):
    """A trigger that reacts to executions. Any trigger class with these members is served."""

    @property
    def needs(self) -> tuple[str, ...]:
        """The names of all that must be met."""
        ...

    @property
    def takes_any(self) -> bool:
        """Whether one execution that fits is all it needs."""
        ...

    @property
    def keeps(self) -> bool:
        """Whether what was met stays met after the flow was started."""
        ...

    def wanted(self, need: str) -> Mapping[str, Any]:
        """Return what meets a need, for people."""
        ...

    def met_by(self, upstream: Mapping[str, Any], evaluate: Callable[[str], Any]) -> frozenset[str]:
        """Return the needs an execution meets."""
        ...

    def span_around(self, moment: datetime) -> tuple[datetime, datetime] | None:
        """Return the span of time that a moment belongs to; None when it belongs to none."""
        ...

    def counts_until(self, moment: datetime) -> datetime:
        """Return until when it counts that a need was met at a moment."""
        ...


@runtime_checkable
class Remembering(Protocol):
    """A condition made of several that need not hold at once. Any condition class with these members is served."""

    id: str

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all that must be met."""
        ...

    def names_met(self, context: ConditionContext) -> frozenset[str]:
        """Return the names of those that hold now."""
        ...

    def span_around(self, moment: datetime) -> tuple[datetime, datetime] | None:
        """Return the span of time that a moment belongs to; None when it belongs to none."""
        ...

    def counts_until(self, moment: datetime) -> datetime:
        """Return until when it counts that one was met at a moment."""
        ...


@dataclass(frozen=True, slots=True)
class ListeningTrigger:
    """A trigger that reacts to executions, in its flow."""

    flow: ResolvedFlow
    definition: TriggerBase
    listener: Listener
    conditions: Sequence[Mapping[str, Any]] = ()
    """Conditions that must hold of each execution that counts."""
    remembering: Mapping[str, Remembering] = field(default_factory=dict)
    """Conditions of which parts are met one after the other, by their ids."""

    @classmethod
    def of(cls, flow: ResolvedFlow, definition: TriggerBase, listener: Listener, conditions: Conditions) -> Self:
        """Return a flow's trigger with its conditions told apart."""
        plain, remembering = [], {}
        for one in definition.conditions or ():
            made = conditions.make(one)
            if isinstance(made, Remembering):
                remembering[made.id] = made
            else:
                plain.append(one)
        return cls(flow, definition, listener, plain, remembering)

    @property
    def needs(self) -> tuple[str, ...]:
        """The names of all that must be met."""
        own = () if self.remembering and self.listener.takes_any else self.listener.needs
        return (*own, *(f"{key}.{name}" for key, one in self.remembering.items() for name in one.names))

    def named(self, need: str) -> tuple[Remembering, str] | None:
        """Return the condition that has a need, and what it calls it; None for one of the trigger itself."""
        for key, one in self.remembering.items():
            if need.startswith(f"{key}.") and need not in self.listener.needs:
                return one, need.removeprefix(f"{key}.")
        return None

    def wanted(self, need: str) -> Mapping[str, Any]:
        """Return what meets a need, for people."""
        named = self.named(need)
        return self.listener.wanted(need) if named is None else {"condition": named[0].id, "part": named[1]}

    def span_around(self, need: str, moment: datetime) -> tuple[Instant, Instant] | None:
        """Return the span of time in which a need must be met with the others at a moment."""
        named = self.named(need)
        span = self.listener.span_around(moment) if named is None else named[0].span_around(moment)
        return None if span is None else (from_datetime(span[0]), from_datetime(span[1]))

    def counts_until(self, need: str, moment: datetime) -> Instant:
        """Return until when it counts that a need was met at a moment."""
        named = self.named(need)
        return from_datetime((self.listener if named is None else named[0]).counts_until(moment))

    @property
    def key(self) -> TriggerKey:
        """(tenant, namespace, flow, trigger)."""
        return (self.flow.tenant, self.flow.namespace, self.flow.id, self.definition.id)

    @property
    def is_enabled(self) -> bool:
        """Whether flow and trigger are enabled in the flow's source."""
        return not (self.flow.disabled or self.definition.disabled)


@dataclass(frozen=True, slots=True)
class Arrival:
    """An execution that has come to a state."""

    execution: Execution
    state: str
    at: Instant

    @property
    def id(self) -> str:
        """What tells it from other arrivals, of the same execution too."""
        return f"{self.execution.id}@{self.at}"

    @property
    def variables(self) -> dict[str, Any]:
        """`trigger` of the expression context (ENG-291)."""
        execution = self.execution
        return {
            "executionId": execution.id,
            "namespace": execution.namespace,
            "flowId": execution.flow_id,
            "flowRevision": execution.flow_revision,
            "state": self.state,
            "outputs": dict(execution.outputs or {}),
        }


class Met(msgspec.Struct, frozen=True):
    """A need that is met, by which execution, since when, until when (BEY-006)."""

    execution: str
    at: Instant
    until: Instant


class Start(msgspec.Struct, frozen=True):
    """A start of the flow that is due: the execution that completed the set, and the key of the firing."""

    execution: str
    state: str
    at: Instant
    key: str


class Memory(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is remembered of a listening trigger."""

    since: Instant = 0
    """What arrived before does not count."""
    position: Instant = 0
    """Up to here arrivals were looked at."""
    met: Mapping[str, Met] = {}
    seen: Mapping[str, Instant] = {}
    """Arrivals that counted, as long as they may be looked at again."""
    starts: Sequence[Start] = ()
    running: Sequence[str] = ()
    """Executions whose end matters to `stopAfter`."""

    @classmethod
    def of(cls, state: TriggerState) -> Memory:
        """Return a trigger's memory."""
        return msgspec.convert(state.memory, cls)

    def is_new(self, arrival: Arrival) -> bool:
        """Return whether an arrival counts and has not been looked at before."""
        return arrival.id not in self.seen and arrival.at >= max(self.since, self._horizon)

    def having_seen(self, arrival: Arrival) -> Memory:
        """Return the memory after an arrival was looked at."""
        seen = {one: at for one, at in self.seen.items() if at >= self._horizon} | {arrival.id: arrival.at}
        return msgspec.structs.replace(self, seen=seen)

    @property
    def _horizon(self) -> Instant:
        return self.position - OVERLAP

    def kept_in(self, state: TriggerState, now: Instant) -> TriggerState:
        """Return the state with this memory, told from the one before."""
        version = max(now, (state.next_date or 0) + 1)
        return replace(state, memory=msgspec.to_builtins(self), next_date=version, updated=now)


def arrivals(execution: Execution) -> Iterator[Arrival]:
    """Yield all states an execution came to; a resume counts as RESTARTED too (ENG-417)."""
    before: StateType | None = None
    for change in execution.state.histories:
        yield Arrival(execution, change.state.value, change.date)
        if before is StateType.PAUSED and change.state is StateType.RUNNING:
            yield Arrival(execution, StateType.RESTARTED.value, change.date)
        before = change.state


def noted(trigger: ListeningTrigger, memory: Memory, arrival: Arrival, met: frozenset[str]) -> Memory:
    """Return the memory after an arrival that meets needs: with one more start when all are met.

    Implements ENG-274, ENG-295 to ENG-299, BEY-006.
    """
    if not met or not memory.is_new(arrival):
        return memory
    latest = to_datetime(max([arrival.at, *(one.at for one in memory.met.values())]))
    spans = {need: span for need in trigger.needs if (span := trigger.span_around(need, latest)) is not None}
    if not met & spans.keys():
        return memory
    came = to_datetime(arrival.at)
    here = {need: Met(arrival.execution.id, arrival.at, trigger.counts_until(need, came)) for need in met}
    candidates = {**memory.met, **here}
    within = {need: candidates[need] for need, span in spans.items() if _is_within(candidates.get(need), span)}
    memory = memory.having_seen(arrival)
    if len(within) < len(trigger.needs):
        return msgspec.structs.replace(memory, met=within)
    start = Start(arrival.execution.id, arrival.state, arrival.at, _key(trigger, spans, within))
    return msgspec.structs.replace(
        memory,
        met=within if trigger.listener.keeps else {},
        starts=[*memory.starts, start],
    )


def failure_key(trigger: ListeningTrigger, arrival: Arrival) -> str:
    """Return the key of the execution that stands for an arrival the trigger cannot judge."""
    return "/".join(("upstream", *trigger.key, "failed", arrival.id, arrival.state))


def _is_within(met: Met | None, span: tuple[Instant, Instant]) -> bool:
    return met is not None and span[0] <= met.at <= span[1]


def _key(trigger: ListeningTrigger, spans: Mapping[str, tuple[Instant, Instant]], met: Mapping[str, Met]) -> str:
    """Return the key of a firing: one for a trigger, its spans of time and a set of executions (BEY-006)."""
    parts = [*trigger.key, *sorted(f"{spans[need][0]}/{one.execution}@{one.at}" for need, one in met.items())]
    return "upstream/" + hashlib.blake2b("/".join(parts).encode(), digest_size=20).hexdigest()
