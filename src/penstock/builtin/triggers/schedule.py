"""`Schedule`: start a flow at the dates of a cron expression."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Self
from zoneinfo import ZoneInfo

from pydantic import Field, PrivateAttr, ValidationInfo, field_validator, model_validator

from penstock.builtin.triggers import cron
from penstock.builtin.triggers.dated import DatedTrigger
from penstock.sdk import PluginModel, instant


class PastDates(PluginModel):
    """Dates to run when the trigger is new: the older way to order a backfill."""

    start: str = Field(description="From when on dates are run, such as `2026-01-01T00:00:00Z`.")
    end: str | None = Field(None, description="Until when; until now by default.")

    @field_validator("start", "end")
    @classmethod
    def _is_date(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                instant(value)
            except ValueError:
                raise ValueError(f"`{value}` is no date-time; write one such as 2026-01-01T00:00:00Z") from None
        return value


class Schedule(DatedTrigger):
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

    with_seconds: bool = Field(False, description="The cron expression begins with a field for seconds.")
    cron: str = Field(
        description="Five fields (minute, hour, day of month, month, day of week), or a shortcut such as `@daily`; "
        "six, seconds first, with `withSeconds`. `L` is the last day of the month."
    )
    backfill: PastDates | None = Field(None, description="Older form of a backfill; order one instead.")

    _expression: str = PrivateAttr("")
    _zone: ZoneInfo = PrivateAttr()

    @field_validator("cron")
    @classmethod
    def _readable(cls, value: str, info: ValidationInfo) -> str:
        cron.check_cron(value, with_seconds=bool(info.data.get("with_seconds")))
        return value

    @model_validator(mode="after")
    def _read(self) -> Self:
        self._expression = cron.check_cron(self.cron, with_seconds=self.with_seconds)
        self._zone = ZoneInfo(self.timezone)
        return self

    @property
    def timing(self) -> str:
        """What the dates follow from."""
        return f"{self._expression} {self.timezone}"

    @property
    def past(self) -> tuple[str, str | None] | None:
        """Start and end of the dates to run when the trigger is new."""
        return None if self.backfill is None else (self.backfill.start, self.backfill.end)

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the first date after a moment, in the trigger's zone; None when there is none."""
        return cron.next_after(self._expression, self._zone, moment)

    def last_before(self, moment: datetime) -> datetime | None:
        """Return the last date before a moment, in the trigger's zone; None when there is none."""
        return cron.last_before(self._expression, self._zone, moment)
