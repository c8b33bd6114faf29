"""Within which span of time the executions that a Flow trigger waits for must have come together. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from penstock.sdk import PluginModel, duration

_DAY = timedelta(days=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Span = tuple[datetime, datetime]
"""Begin and end; both within."""


def _length(text: str) -> str:
    try:
        length = duration(text)
    except Exception as error:
        raise ValueError(str(error)) from None
    if length < 0:
        raise ValueError(f"`{text}` is negative")
    return text


def read_time(text: str) -> time:
    """Return a time of day with its offset, UTC when it has none; raises ValueError."""
    try:
        found = time.fromisoformat(re.sub(r"\.(\d+)", lambda part: f".{part[1]:0<6.6}", text))
    except ValueError:
        raise ValueError(f"`{text}` is no time of day; write it like 09:00:00 or 09:00:00+01:00") from None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _time(text: str) -> str:
    read_time(text)
    return text


Length = Annotated[str, AfterValidator(_length)]
TimeOfDay = Annotated[str, AfterValidator(_time)]


class TimeWindow(PluginModel):
    """A span of time around a moment. Implements ENG-296 to ENG-299."""

    type: Literal["DURATION_WINDOW", "SLIDING_WINDOW", "DAILY_TIME_DEADLINE", "DAILY_TIME_WINDOW"] = Field(
        "DURATION_WINDOW", description="How spans follow each other."
    )
    window: Length | None = Field(None, description="The length of a span, as ISO 8601 duration; a day by default.")
    window_advance: Length | None = Field(None, description="By how much the beginnings are shifted from midnight.")
    deadline: TimeOfDay | None = Field(None, description="The time of day until which all must have come.")
    start_time: TimeOfDay | None = Field(None, description="The time of day at which the span begins.")
    end_time: TimeOfDay | None = Field(None, description="The time of day at which the span ends.")

    @model_validator(mode="after")
    def _complete(self) -> TimeWindow:
        if self.window is not None and duration(self.window) == 0:
            raise ValueError("`window` must be longer than nothing")
        if self.type == "DAILY_TIME_DEADLINE" and self.deadline is None:
            raise ValueError("DAILY_TIME_DEADLINE needs a `deadline`")
        if self.type == "DAILY_TIME_WINDOW" and (self.start_time is None or self.end_time is None):
            raise ValueError("DAILY_TIME_WINDOW needs `startTime` and `endTime`")
        return self

    def around(self, moment: datetime) -> Span | None:
        """Return the span a moment belongs to; None when it belongs to none."""
        if self.type == "SLIDING_WINDOW":
            return moment - self._length, moment
        if self.type == "DURATION_WINDOW":
            shift = _span(self.window_advance, timedelta())
            begin = moment - (moment - _EPOCH - shift) % self._length
            return begin, begin + self._length - timedelta(microseconds=1)
        if self.type == "DAILY_TIME_DEADLINE":
            end = read_time(self.deadline or "")
            return self._daily(moment, end.replace(hour=0, minute=0, second=0, microsecond=0), end)
        return self._daily(moment, read_time(self.start_time or ""), read_time(self.end_time or ""))

    def counts_until(self, moment: datetime) -> datetime:
        """Return until when something that came at a moment counts."""
        if self.type == "SLIDING_WINDOW":
            return moment + self._length
        span = self.around(moment)
        return moment if span is None else span[1]

    @property
    def _length(self) -> timedelta:
        return _span(self.window, _DAY)

    @staticmethod
    def _daily(moment: datetime, start: time, end: time) -> Span | None:
        """Return the day's span, which may reach over midnight."""
        local = moment.astimezone(start.tzinfo)
        for day in (local.date(), local.date() - _DAY):
            begin, until = datetime.combine(day, start), datetime.combine(day, end)
            if until < begin:
                until += _DAY
            if begin <= moment <= until:
                return begin, until
        return None


def _span(text: str | None, default: timedelta) -> timedelta:
    return default if text is None else timedelta(microseconds=duration(text))
