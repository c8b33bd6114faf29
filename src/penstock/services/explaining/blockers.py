"""What keeps something from going on, in words; and how long an execution has waited so far, by reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from penstock.base.clock import SECOND, Instant, Micros, to_datetime
from penstock.engine.records import Execution, TaskRun
from penstock.engine.states import State, StateType


@dataclass(frozen=True, slots=True)
class Blocker:
    """One thing that is waited for."""

    reason: str
    sentence: str
    action: str = ""
    """What removes it; empty where waiting is all there is to do."""
    since: Instant | None = None
    until: Instant | None = None
    task_id: str | None = None
    task_run_id: str | None = None
    executions: Sequence[str] = ()
    """The executions that hold what is waited for."""
    because: Sequence[Blocker] = ()
    """What these wait for in turn."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why something is where it is."""

    kind: str
    """`execution`, `taskrun` or `trigger`."""
    id: str
    state: str
    sentence: str
    blockers: Sequence[Blocker] = ()
    waited: Mapping[str, Micros] = field(default_factory=dict)
    """How long it has waited, by what for: `slot`, `worker`, `pause`, `retry`."""


def waited(execution: Execution, runs: Sequence[TaskRun], now: Instant) -> dict[str, Micros]:
    """Return how long an execution has waited; time in which several task runs waited for the same counts once."""
    whole = [execution.state]
    all_runs = [run.state for run in runs]
    lengths = {
        "slot": _length(_spans(whole, StateType.QUEUED, now)),
        "worker": _length(_spans(all_runs, StateType.SUBMITTED, now)),
        "pause": _length([*_spans(whole, StateType.PAUSED, now), *_spans(whole, StateType.BREAKPOINT, now)]),
        "retry": _length(_spans(all_runs, StateType.RETRYING, now)),
    }
    return {reason: length for reason, length in lengths.items() if length > 0}


def waited_in_words(lengths: Mapping[str, Micros]) -> str:
    """Return how long something waited, such as `waited 14 min: 12 min for a slot, 2 min for a worker`."""
    words = {"slot": "for a slot", "worker": "for a worker", "pause": "for somebody", "retry": "for the next attempt"}
    told = {reason: length for reason, length in lengths.items() if length >= SECOND}
    if not told:
        return ""
    parts = [
        f"{in_words(length)} {words[reason]}" for reason, length in sorted(told.items(), key=lambda pair: -pair[1])
    ]
    return f"waited {in_words(sum(told.values()))}: {', '.join(parts)}" if len(parts) > 1 else f"waited {parts[0]}"


def in_words(length: Micros) -> str:
    """Return a span of time as people say it, such as `3 h 20 min`."""
    seconds = length // SECOND
    minutes, hours = seconds // 60, seconds // 3600
    if hours >= 48:
        return f"{hours // 24} days"
    if hours:
        return f"{hours} h {minutes % 60} min" if minutes % 60 else f"{hours} h"
    return f"{minutes} min" if minutes else f"{seconds} s"


def at(instant: Instant) -> str:
    """Return an instant as people read it."""
    return to_datetime(instant).strftime("%Y-%m-%d %H:%M:%S UTC")


def _spans(states: Iterable[State], wanted: StateType, now: Instant) -> list[tuple[Instant, Instant]]:
    found = []
    for state in states:
        ends = [change.date for change in state.histories[1:]]
        for change, end in zip(state.histories, [*ends, now], strict=True):
            if change.state is wanted:
                found.append((change.date, end))
    return found


def _length(spans: Iterable[tuple[Instant, Instant]]) -> Micros:
    """Return how long at least one of the spans lasts."""
    total, reached = 0, 0
    for start, end in sorted(spans):
        total += max(0, end - max(start, reached))
        reached = max(reached, end)
    return total
