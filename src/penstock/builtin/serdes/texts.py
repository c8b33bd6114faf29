"""Values as text, for formats that know nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field

from penstock.builtin.serdes.files import Conversion, FormatError
from penstock.builtin.serdes.json_text import compact
from penstock.sdk import Property, RunContext, patterned_date

_OPTIONAL = re.compile(r"\[[^\]]*\]")


@dataclass(frozen=True, slots=True)
class Formats:
    """How values become text."""

    null: str
    date: str
    time: str
    date_time: str
    zone: tzinfo | None

    def text(self, value: Any) -> str:
        """Return the text of a value; what is made of parts is JSON."""
        if value is None:
            return self.null
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, datetime):
            return self._moment(value)
        if isinstance(value, date):
            return patterned_date(datetime(value.year, value.month, value.day), self.date)  # noqa: DTZ001
        if isinstance(value, time):
            return _patterned(datetime.combine(date(1970, 1, 1), value), self.time)
        if isinstance(value, Mapping | list):
            return compact(value)
        return str(value)

    def _moment(self, value: datetime) -> str:
        return _patterned(value.astimezone(self.zone) if self.zone and value.tzinfo else value, self.date_time)


def _patterned(moment: datetime, pattern: str) -> str:
    """Return a moment's text; one without a zone leaves the optional parts out, which tell of it."""
    return patterned_date(moment, pattern if moment.tzinfo else _OPTIONAL.sub("", pattern))


def zone_of(name: str | None) -> tzinfo | None:
    """Return the zone of a name.

    Raises:
        FormatError: There is no such zone.
    """
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise FormatError(f"there is no time zone `{name}`", hint="use a name such as Europe/Paris") from None


class TextConversion(Conversion):
    """A conversion that writes values as text."""

    null_value: Property[str] = Field(Property.of(""), description="What stands for nothing.")
    date_format: Property[str] = Field(Property.of("yyyy-MM-dd"), description="The pattern of dates.")
    time_format: Property[str] = Field(Property.of("HH:mm:ss[XXX]"), description="The pattern of times.")
    date_time_format: Property[str] = Field(
        Property.of("yyyy-MM-dd'T'HH:mm:ss.SSS[XXX]"), description="The pattern of dates with a time."
    )
    time_zone_id: Property[str] | None = Field(
        None, description="The zone that dates with a time are shown in; each in its own by default."
    )

    def formats(self, context: RunContext) -> Formats:
        """Return how this task writes values."""
        return Formats(
            context.render(self.null_value),
            context.render(self.date_format),
            context.render(self.time_format),
            context.render(self.date_time_format),
            zone_of(context.render(self.time_zone_id)),
        )
