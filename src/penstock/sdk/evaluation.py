"""Triggers that look for events themselves: now and then (polling), or all the time (realtime). Workers run them."""

from __future__ import annotations

import threading
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from penstock.base.clock import Micros
from penstock.base.durations import DurationError, parse_duration
from penstock.sdk.context import RunContext
from penstock.sdk.trigger import TriggerBase


def _nothing() -> None:
    """Acknowledge an event to a source that keeps no account of them."""


@dataclass(frozen=True, slots=True)
class TriggerEvent:
    """Something has happened: the flow is to be started.

    Args:
        variables: What the execution reads as `trigger`.
        key: Names the event within its trigger. An event that its source gives out twice under one key starts one
            execution.
        acknowledge: Called when the execution is stored, or when it is certain that the event starts none. A source
            that forgets an event only then loses none, whatever breaks in between.
        release: Called instead when nobody knows what comes of the event, and the source is to give it out again: for
            what is held open until then, such as a transaction.
    """

    variables: Mapping[str, Any] = field(default_factory=dict)
    key: str | None = None
    acknowledge: Callable[[], None] = _nothing
    release: Callable[[], None] = _nothing


def _interval(text: str) -> str:
    try:
        length = parse_duration(text)
    except DurationError as error:
        raise ValueError(str(error)) from None
    if length <= 0:
        raise ValueError("`interval` must be longer than nothing; write it like PT30S or PT5M")
    return text


class PollingTrigger(TriggerBase):
    """A trigger that looks for events every `interval`.

    The next look comes an interval after the end of the last one, and not while an execution of the trigger runs
    (`allowConcurrent` lifts that).

    Implements ENG-307.
    """

    interval: Annotated[str, AfterValidator(_interval)] = Field(
        "PT1M", description="The time between two looks, as ISO 8601 duration."
    )

    @property
    def pause(self) -> Micros:
        """The time between two looks."""
        return parse_duration(self.interval)

    @abstractmethod
    def poll(self, context: RunContext) -> TriggerEvent | None:
        """Return what has happened since the last look; None when nothing has. Runs in a thread of a worker."""


class RealtimeTrigger(TriggerBase):
    """A trigger with a listener that is always open, on one worker at a time. Each event starts an execution.

    Implements ENG-311, ENG-401.
    """

    @abstractmethod
    def listen(self, context: RunContext, stop: threading.Event) -> Iterator[TriggerEvent]:
        """Yield events as they come, until `stop` is set. Runs in a thread of a worker.

        The next event is asked for when the last one has started its execution and was acknowledged.
        """
