"""Conditions on dates. The date is the one a schedule is about to start the flow at, unless `date` gives another.

A weekday, a day and a time of day are those of the date's own zone.
"""

from __future__ import annotations

import calendar
from datetime import UTC, date, datetime, time
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from penstock.builtin.conditions.names import TODAY, older
from penstock.sdk import ConditionBase, Property
from penstock.sdk.condition import ConditionContext, ConditionError

Weekday = Literal["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"]
WEEKDAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
_INSTALL = "install it with `pip install 'penstock[holidays]'`"


class DateCondition(ConditionBase):
    """Base of conditions on dates.

    Implements ENG-275, MIG-056.
    """

    date: Property[str] | None = Field(None, description="The date to look at; `{{ trigger.date }}` by default.")

    def moment(self, context: ConditionContext) -> datetime:
        """Return the date to look at.

        Raises:
            ConditionError: There is none.
        """
        text = context.value(self.date).strip() if self.date is not None else ""
        if text:
            return read_moment(text)
        if context.date is not None:
            return context.date
        raise ConditionError("there is no date to look at", hint='set `date`, such as "{{ now() }}"')


class Between(DateCondition):
    """Hold before, after or between something."""

    after: Property[str] | None = Field(None, description="Hold only after this.")
    before: Property[str] | None = Field(None, description="Hold only before this.")

    @model_validator(mode="after")
    def _has_a_bound(self) -> Self:
        if self.after is None and self.before is None:
            raise ValueError("set `after`, `before` or both")
        return self


class DateTimeBetween(Between):
    """Hold between two dates, or before or after one.

    Run hourly, but only until the campaign is over:

    ```yaml
    triggers:
      - id: campaign
        type: io.kestra.plugin.core.trigger.Schedule
        cron: "0 * * * *"
        conditions:
          - type: io.kestra.plugin.core.condition.DateTimeBetween
            date: "{{ trigger.date }}"
            after: "2026-11-23T00:00:00Z"
            before: "2026-12-01T00:00:00Z"
    ```

    Implements ENG-273.
    """

    type_name: ClassVar[str] = f"{TODAY}DateTimeBetween"
    type_aliases: ClassVar[tuple[str, ...]] = older("DateTimeBetween")

    after: Property[str] | None = Field(None, description="Hold only after this date, such as 2026-01-31T10:00:00Z.")
    before: Property[str] | None = Field(None, description="Hold only before this date.")

    def test(self, context: ConditionContext) -> bool:
        """Return whether the date lies between."""
        moment = self.moment(context)
        if self.after is not None and moment <= read_moment(context.value(self.after)):
            return False
        return self.before is None or moment < read_moment(context.value(self.before))


class TimeBetween(Between):
    """Hold between two times of day, or before or after one; from an evening to a morning it holds over night.

    Run every quarter of an hour at night:

    ```yaml
    triggers:
      - id: nightly
        type: io.kestra.plugin.core.trigger.Schedule
        cron: "*/15 * * * *"
        conditions:
          - type: io.kestra.plugin.core.condition.TimeBetween
            date: "{{ trigger.date }}"
            after: "01:00:00Z"
            before: "05:00:00Z"
    ```

    Implements ENG-273.
    """

    type_name: ClassVar[str] = f"{TODAY}TimeBetween"
    type_aliases: ClassVar[tuple[str, ...]] = older("TimeBetween")

    after: Property[str] | None = Field(None, description="Hold only after this time, such as `16:30:00+02:00`.")
    before: Property[str] | None = Field(None, description="Hold only before this time.")

    def test(self, context: ConditionContext) -> bool:
        """Return whether the time of day lies between."""
        moment = self.moment(context)
        after = read_time(context.value(self.after)) if self.after is not None else None
        before = read_time(context.value(self.before)) if self.before is not None else None
        if after is None or before is None:
            bound = after or before
            assert bound is not None
            now = moment.astimezone(bound.tzinfo).time()
            return now > bound.replace(tzinfo=None) if after is not None else now < bound.replace(tzinfo=None)
        now, start = moment.astimezone(after.tzinfo).time(), after.replace(tzinfo=None)
        end = datetime.combine(_SOME_DAY, before).astimezone(after.tzinfo).time()
        return start < now < end if start <= end else now > start or now < end


class DayWeek(DateCondition):
    """Hold on one day of the week.

    Run at nine on Mondays:

    ```yaml
    triggers:
      - id: mondays
        type: io.kestra.plugin.core.trigger.Schedule
        cron: "0 9 * * *"
        conditions:
          - type: io.kestra.plugin.core.condition.DayWeek
            dayOfWeek: MONDAY
    ```

    Implements ENG-275.
    """

    type_name: ClassVar[str] = f"{TODAY}DayWeek"
    type_aliases: ClassVar[tuple[str, ...]] = older("DayWeek")

    day_of_week: Property[Weekday] = Field(description="The day.")

    def test(self, context: ConditionContext) -> bool:
        """Return whether it is that day."""
        return WEEKDAYS[self.moment(context).weekday()] == context.value(self.day_of_week)


class DayWeekInMonth(DateCondition):
    """Hold on the first, second, third, fourth or last of a day of the week in its month.

    Run on the first Monday of a month:

    ```yaml
    triggers:
      - id: first_monday
        type: io.kestra.plugin.core.trigger.Schedule
        cron: "0 9 * * *"
        conditions:
          - type: io.kestra.plugin.core.condition.DayWeekInMonth
            dayOfWeek: MONDAY
            dayInMonth: FIRST
    ```

    Implements ENG-275.
    """

    type_name: ClassVar[str] = f"{TODAY}DayWeekInMonth"
    type_aliases: ClassVar[tuple[str, ...]] = older("DayWeekInMonth")

    day_of_week: Property[Weekday] = Field(description="The day.")
    day_in_month: Property[Literal["FIRST", "SECOND", "THIRD", "FOURTH", "LAST"]] = Field(
        description="Which of these days of a month."
    )

    def test(self, context: ConditionContext) -> bool:
        """Return whether it is that day."""
        moment = self.moment(context)
        if WEEKDAYS[moment.weekday()] != context.value(self.day_of_week):
            return False
        which = context.value(self.day_in_month)
        if which == "LAST":
            return moment.day + 7 > calendar.monthrange(moment.year, moment.month)[1]
        return (moment.day - 1) // 7 == ("FIRST", "SECOND", "THIRD", "FOURTH").index(which)


class Weekend(DateCondition):
    """Hold on Saturday and Sunday.

    Run a heavy job at weekends alone:

    ```yaml
    triggers:
      - id: weekends
        type: io.kestra.plugin.core.trigger.Schedule
        cron: "0 3 * * *"
        conditions:
          - type: io.kestra.plugin.core.condition.Weekend
    ```

    Implements ENG-274.
    """

    type_name: ClassVar[str] = f"{TODAY}Weekend"
    type_aliases: ClassVar[tuple[str, ...]] = older("Weekend")

    def test(self, context: ConditionContext) -> bool:
        """Return whether it is a weekend."""
        return self.moment(context).weekday() >= 5


class PublicHoliday(DateCondition):
    """Hold on the public holidays of a country, or of a part of it.

    Run every morning except on public holidays in Berlin:

    ```yaml
    triggers:
      - id: mornings
        type: io.kestra.plugin.core.trigger.Schedule
        cron: "0 7 * * *"
        conditions:
          - type: io.kestra.plugin.core.condition.Not
            conditions:
              - type: io.kestra.plugin.core.condition.PublicHoliday
                country: DE
                subDivision: BE
    ```

    Implements ENG-273.
    """

    type_name: ClassVar[str] = f"{TODAY}PublicHoliday"
    type_aliases: ClassVar[tuple[str, ...]] = older("PublicHoliday")

    country: Property[str] = Field(description="The country, as its two letters of ISO 3166, such as `FR`.")
    sub_division: Property[str] | None = Field(
        None, description="The part of the country, as its letters of ISO 3166-2, such as `BY` for Bavaria."
    )

    def test(self, context: ConditionContext) -> bool:
        """Return whether it is a public holiday."""
        moment = self.moment(context)
        part = context.value(self.sub_division).strip().upper() if self.sub_division is not None else None
        return _is_holiday(moment.date(), context.value(self.country).strip().upper(), part or None)


_SOME_DAY = date(2000, 1, 1)


def _is_holiday(day: date, country: str, part: str | None) -> bool:
    try:
        import holidays  # heavy, and not for everybody
    except ImportError:
        raise ConditionError("public holidays need the extra `holidays`", hint=_INSTALL) from None
    try:
        return day in holidays.country_holidays(country, subdiv=part, years=day.year)
    except NotImplementedError:
        where = f"{country}-{part}" if part else country
        raise ConditionError(
            f"the public holidays of `{where}` are not known", hint="use ISO 3166, such as FR, or DE with BY"
        ) from None


def read_moment(text: str) -> datetime:
    """Return a date-time; a date alone is its midnight, a time alone that of some day, without a zone it is UTC.

    Raises:
        ConditionError: It is none of them.
    """
    plain = text.partition("[")[0].strip()
    try:
        moment = (
            datetime.combine(_SOME_DAY, time.fromisoformat(plain)) if _is_time(plain) else datetime.fromisoformat(plain)
        )
    except ValueError:
        raise ConditionError(f"`{text}` is no date", hint="write ISO 8601, such as 2026-01-31T10:00:00Z") from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def read_time(text: str) -> time:
    """Return a time of day; without a zone it is UTC.

    Raises:
        ConditionError: It is none.
    """
    try:
        found = time.fromisoformat(text.strip())
    except ValueError:
        raise ConditionError(f"`{text}` is no time of day", hint="write one such as 16:30:00+02:00") from None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _is_time(text: str) -> bool:
    return text[2:3] == ":"
