"""Schedules of a real server: on time, caught up after it was down, and never twice.

The server is stopped with `kill -9`, so nothing it does at its end can help.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.server import Server, on_postgres, running, wait_until
from tests.support.waiting import PATIENCE

pytestmark = [pytest.mark.acceptance, pytest.mark.chaos]

FLOW = """
id: {name}
namespace: company.team
tasks:
  - id: date
    type: io.kestra.plugin.core.debug.Return
    format: "{{{{ trigger.date }}}}"
triggers:
  - id: every_second
    type: io.kestra.plugin.core.trigger.Schedule
    cron: "* * * * * *"
    withSeconds: true
    {recovery}
"""
LATE = timedelta(seconds=30)
RECOVERIES = ("ALL", "LAST", "NONE")


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    """Return a server that this test may kill."""
    with running(Server(tmp_path)) as started:
        yield started


def _dates(server: Server, flow_id: str) -> list[datetime]:
    """Return the dates that have an execution, one for each execution, in order."""
    return sorted(datetime.fromisoformat(one["scheduleDate"]) for one in server.executions(flow_id))


def _wait_for_dates(server: Server, flow_id: str, after: datetime) -> None:
    """Wait until a date after a moment has its execution."""
    wait_until(
        lambda: any(date > after for date in _dates(server, flow_id)),
        PATIENCE,
        lambda: f"{flow_id} does not fire after {after}",
    )


def _created(execution: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(execution["state"]["startDate"])


def test_schedule_every_second_fires_each_date_once_and_on_time(own_server: Server) -> None:
    own_server.put_flow(FLOW.format(name="ticking", recovery=""))
    wait_until(lambda: len(own_server.executions("ticking")) >= 4, PATIENCE, lambda: "the schedule does not fire")

    found = own_server.executions("ticking")

    for execution in found:
        date = datetime.fromisoformat(execution["scheduleDate"])
        assert date.microsecond == 0
        assert timedelta() <= _created(execution) - date < LATE, "late even for a machine under load"
        ended = own_server.ended(execution["id"])
        assert ended["state"]["current"] == "SUCCESS", ended
        (run,) = ended["taskRunList"]
        assert datetime.fromisoformat(run["outputs"]["value"]) == date
    dates = sorted(datetime.fromisoformat(one["scheduleDate"]) for one in found)
    assert dates == [dates[0] + timedelta(seconds=number) for number in range(len(dates))]


def test_missed_dates_of_a_killed_server_are_caught_up_as_documented(own_server: Server) -> None:
    names = {recovery: f"caught_up_{recovery.lower()}" for recovery in RECOVERIES}
    for recovery, name in names.items():
        own_server.put_flow(FLOW.format(name=name, recovery=f"recoverMissedSchedules: {recovery}"))
    for name in names.values():
        _wait_for_dates(own_server, name, datetime.min.replace(tzinfo=UTC))

    own_server.kill()
    killed = datetime.now(UTC)
    time.sleep(4)
    started = datetime.now(UTC)
    own_server.start()
    up = datetime.now(UTC)
    for name in names.values():
        _wait_for_dates(own_server, name, up + timedelta(seconds=1))

    seconds = int((up - killed).total_seconds()) + 2
    down = [killed.replace(microsecond=0) + timedelta(seconds=number) for number in range(1, seconds)]
    missed = [date for date in down if killed < date <= started]
    found = {recovery: _dates(own_server, name) for recovery, name in names.items()}
    for dates in found.values():
        assert len(dates) == len(set(dates)), "a date was fired twice"
    everything = found["ALL"]
    first = everything[0]
    count = int((everything[-1] - first).total_seconds()) + 1
    assert everything == [first + timedelta(seconds=number) for number in range(count)], "ALL leaves no date out"
    assert set(missed) <= set(everything)
    assert set(missed[:-1]).isdisjoint(found["NONE"])
    assert set(missed[:-1]).isdisjoint(found["LAST"])
    caught_up = [one for one in own_server.executions(names["LAST"]) if _created(one) >= started]
    assert datetime.fromisoformat(caught_up[0]["scheduleDate"]) in [
        *missed[-1:],
        *[d for d in down if started < d <= up],
    ]


def test_two_servers_on_one_database_fire_each_date_once(tmp_path: Path, postgres_dsn: str) -> None:
    """ENG-388: the database is PostgreSQL, as in production."""
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    one, two = (Server(folder, "standalone", on_postgres(postgres_dsn, tmp_path / "storage")) for folder in folders)
    with running(one), running(two):
        one.put_flow(FLOW.format(name="shared", recovery=""))
        wait_until(lambda: len(two.executions("shared")) >= 5, PATIENCE, lambda: "the schedule does not fire")

        dates = _dates(two, "shared")

    assert dates == [dates[0] + timedelta(seconds=number) for number in range(len(dates))]
