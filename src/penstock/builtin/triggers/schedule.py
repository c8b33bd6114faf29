"""`Schedule`: start a flow at the dates of a cron expression."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, PrivateAttr, field_validator, model_validator

from penstock.builtin.triggers import cron
from penstock.sdk import TriggerBase, duration


class Schedule(TriggerBase):
    """Start the flow at the dates of a cron expression.

    ```yaml
    triggers:
      - id: every_morning
        type: io.kestra.plugin.core.trigger.Schedule
        cron: "0 8 * * MON-FRI"
        timezone: Europe/Paris
    ```

    Implements ENG-277 to ENG-282, ENG-287, EXP-028, USE-B051 to USE-B053.
    """

    type_name: ClassVar[str] = "io.kestra.plugin.core.trigger.Schedule"
    type_aliases: ClassVar[tuple[str, ...]] = ("io.kestra.core.models.triggers.types.Schedule",)

    cron: str = Field(
        description="Five fields (minute, hour, day of month, month, day of week), or a shortcut such as `@daily`; "
        "six, seconds first, with `withSeconds`. `L` is the last day of the month."
    )
    timezone: str = Field("UTC", description="The zone the cron expression is read in, such as `America/New_York`.")
    with_seconds: bool = Field(False, description="The cron expression begins with a field for seconds.")
    recover_missed_schedules: Literal["ALL", "LAST", "NONE"] | None = Field(
        None,
        description="Which of the dates missed while no server ran, or while the last execution did, are run late.",
    )
    late_maximum_delay: str | None = Field(
        None, description="How late a date may start, as ISO 8601 duration; one that is later is skipped."
    )
    backfill: dict[str, Any] | None = Field(None, description="Older form of a backfill; start one instead.")

    _expression: str = PrivateAttr("")
    _zone: ZoneInfo = PrivateAttr()

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

    @model_validator(mode="after")
    def _readable(self) -> Self:
        self._expression = cron.check_cron(self.cron, with_seconds=self.with_seconds)
        self._zone = ZoneInfo(self.timezone)
        return self

    @property
    def timing(self) -> str:
        """What the dates follow from."""
        return f"{self._expression} {self.timezone}"

    @property
    def late_maximum(self) -> int | None:
        """How late a date may start, in microseconds."""
        return None if self.late_maximum_delay is None else duration(self.late_maximum_delay)

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the first date after a moment, in the trigger's zone; None when there is none."""
        return cron.next_after(self._expression, self._zone, moment)

    def last_before(self, moment: datetime) -> datetime | None:
        """Return the last date before a moment, in the trigger's zone; None when there is none."""
        return cron.last_before(self._expression, self._zone, moment)
