"""Whether schedules can tell the time: a zone that is one, the zone database, a clock that is set."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from penstock.wiring.doctor.findings import Finding, Patient, Subject

_SUBJECT = Subject("time zone")
_EARLIEST = datetime(2025, 1, 1, tzinfo=UTC).timestamp()
"""No release is older; a clock that shows less was never set."""


def check_time_zone(patient: Patient) -> Iterator[Finding]:
    """Look at zone, zone database and clock."""
    if not _is_zone("Europe/Berlin"):
        yield _SUBJECT.failure("there is no database of time zones", "python -m pip install --upgrade tzdata")
        return
    name = patient.environment.get("TZ", "").removeprefix(":")
    if name and not name.startswith("/") and not _is_zone(name):
        # The system takes UTC without a word when it does not know a zone.
        yield _SUBJECT.failure(f"TZ is `{name}`, which is no time zone", "export TZ=Etc/UTC")
    else:
        yield _SUBJECT.ok(f"{name or datetime.now(UTC).astimezone().tzname()}")
    if time.time() < _EARLIEST:
        yield _SUBJECT.failure("the clock of this machine is not set", "sudo timedatectl set-ntp true")


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        return False
    return True
