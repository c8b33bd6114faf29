"""Cron expressions: which instants they mean, in which zone.

Five fields, or six with seconds first; names, ranges, lists, steps, `L`, and the usual shortcuts. Around changes of
the clock a job at a fixed hour runs once: a time that is skipped moves to the end of the gap, a time that comes twice
counts the first time.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

SHORTCUTS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_SOME_DAY = datetime(2024, 1, 1, tzinfo=UTC)
_CHANGE = timedelta(hours=3)
"""Longer than any change of the clock."""


def check_cron(text: str, *, with_seconds: bool = False) -> str:
    """Return the expression with its shortcut written out.

    Implements ENG-278, ENG-279, USE-B053.

    Raises:
        ValueError: It is no cron expression of the wanted number of fields.
    """
    expression = SHORTCUTS.get(text.strip().lower())
    if expression is not None:
        return f"0 {expression}" if with_seconds else expression
    if text.strip().startswith("@"):
        raise ValueError(f"`{text}` is no cron shortcut; there are {', '.join(SHORTCUTS)}")
    fields, wanted = len(text.split()), 6 if with_seconds else 5
    if fields != wanted:
        hint = "a sixth, for seconds, needs withSeconds: true" if fields == 6 else "minute hour day month weekday"
        raise ValueError(f"`{text}` has {fields} fields where a cron expression has {wanted}: {hint}")
    try:
        CronSim(text, _SOME_DAY)
    except CronSimError as error:
        problem = str(error).replace("Bad", "wrong").lower()
        raise ValueError(f"`{text}` is no cron expression: {problem}") from None
    return text


def next_after(expression: str, zone: ZoneInfo, moment: datetime) -> datetime | None:
    """Return the first date after a moment; None when there is none (any more)."""
    return _step(expression, zone, moment, reverse=False)


def last_before(expression: str, zone: ZoneInfo, moment: datetime) -> datetime | None:
    """Return the last date before a moment; None when there is none."""
    return _step(expression, zone, moment, reverse=True)


def _step(expression: str, zone: ZoneInfo, moment: datetime, *, reverse: bool) -> datetime | None:
    """Walk to the nearest date on the wanted side.

    The walk is made on the wall clock. In the hours around a change of the clock it therefore begins a little early,
    and passes over dates that lie on the wrong side of the moment.
    """
    start = moment.astimezone(zone)
    if reverse and start.utcoffset() != (start.astimezone(UTC) - _CHANGE).astimezone(zone).utcoffset():
        start = (start.astimezone(UTC) + _CHANGE).astimezone(zone)
    limit = moment.astimezone(UTC)
    for date in CronSim(expression, start, reverse=reverse):
        found = date.astimezone(UTC)
        if (found < limit) if reverse else (found > limit):
            return date
    return None
