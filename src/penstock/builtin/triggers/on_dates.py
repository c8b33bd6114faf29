"""`ScheduleOnDates`: start a flow at dates that are given one by one."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from datetime import datetime
from typing import ClassVar, Self
from zoneinfo import ZoneInfo

from pydantic import Field, PrivateAttr, field_validator, model_validator

from penstock.builtin.triggers.dated import DatedTrigger


class ScheduleOnDates(DatedTrigger):
    """Start the flow at given dates.

    ```yaml
    triggers:
      - id: releases
        type: io.kestra.plugin.core.trigger.ScheduleOnDates
        timezone: Europe/Paris
        dates:
          - "2026-01-01T08:00:00"
          - "2026-07-14T08:00:00+02:00"
    ```

    Implements ENG-277, ENG-280, ENG-282.
    """

    type_name: ClassVar[str] = "io.kestra.plugin.core.trigger.ScheduleOnDates"
    type_aliases: ClassVar[tuple[str, ...]] = ("io.kestra.core.models.triggers.types.ScheduleOnDates",)

    dates: list[str] = Field(
        description="The dates as ISO 8601 date-times, in any order; those without an offset are in `timezone`.",
        min_length=1,
    )

    _moments: list[datetime] = PrivateAttr(default_factory=list)

    @field_validator("dates")
    @classmethod
    def _are_dates(cls, values: list[str]) -> list[str]:
        for value in values:
            try:
                datetime.fromisoformat(value)
            except ValueError:
                raise ValueError(f"`{value}` is no date-time; write one such as 2026-01-01T08:00:00Z") from None
        return values

    @model_validator(mode="after")
    def _read(self) -> Self:
        zone = ZoneInfo(self.timezone)
        moments = (datetime.fromisoformat(one) for one in self.dates)
        self._moments = sorted({(one if one.tzinfo else one.replace(tzinfo=zone)).astimezone(zone) for one in moments})
        return self

    @property
    def timing(self) -> str:
        """What the dates follow from."""
        return " ".join(one.isoformat() for one in self._moments)

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the first date after a moment, in the trigger's zone; None after the last."""
        place = bisect_right(self._moments, moment)
        return self._moments[place] if place < len(self._moments) else None

    def last_before(self, moment: datetime) -> datetime | None:
        """Return the last date before a moment, in the trigger's zone; None before the first."""
        place = bisect_left(self._moments, moment)
        return self._moments[place - 1] if place else None
