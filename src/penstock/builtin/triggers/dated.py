"""What all triggers with dates have: a zone, and what becomes of dates that are missed or late."""

from __future__ import annotations

from typing import ClassVar, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AliasChoices, Field, field_validator

from penstock.sdk import TriggerBase, duration
from penstock.sdk.task import ConditionList


class DatedTrigger(TriggerBase):
    """Base of triggers with dates. Implements ENG-277, ENG-282, MIG-025, USE-B052."""

    variable_names: ClassVar[frozenset[str] | None] = frozenset(("date", "next", "previous"))

    conditions: ConditionList | None = Field(
        None,
        validation_alias=AliasChoices("conditions", "scheduleConditions"),
        description="All must hold of a date for it to count.",
    )
    timezone: str = Field("UTC", description="The zone of the dates, such as `America/New_York`.")
    recover_missed_schedules: Literal["ALL", "LAST", "NONE"] | None = Field(
        None,
        description="Which of the dates missed while no server ran, or while the last execution did, are run late.",
    )
    late_maximum_delay: str | None = Field(
        None, description="How late a date may start, as ISO 8601 duration; one that is later is skipped."
    )

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"`{value}` is no time zone; write a name such as Europe/Paris or UTC") from None
        return value

    @field_validator("late_maximum_delay")
    @classmethod
    def _is_duration(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                duration(value)
            except Exception as error:
                raise ValueError(str(error)) from None
        return value

    @property
    def late_maximum(self) -> int | None:
        """How late a date may start, in microseconds."""
        return None if self.late_maximum_delay is None else duration(self.late_maximum_delay)

    @property
    def past(self) -> tuple[str, str | None] | None:
        """Start and end of dates to run when the trigger is new; none."""
        return None
