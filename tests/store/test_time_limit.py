"""Reads for people end in time, on both databases."""

from __future__ import annotations

import pytest

from penstock.api.errors import status_of
from penstock.base.clock import SystemClock
from penstock.store import open_store
from penstock.store.time_limit import TimeLimited, TooSlow
from penstock.testing.store import records

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


async def test_question_that_takes_too_long_is_broken_off_and_others_are_answered(url: str) -> None:
    """BEY-022: the caller learns what to do about it, by status 503."""
    store = await open_store(url, SystemClock(), list_seconds=0.2)
    await records.stored(store.journal, records.execution())
    lists = TimeLimited(store.database, 0.2)
    with pytest.raises(TooSlow, match=r"longer than 0\.2 s") as caught:
        await lists.read(lambda connection: connection.exec_driver_sql(ENDLESS).scalar())
    assert (status_of(caught.value), caught.value.code) == (503, "QUERY_TOO_SLOW")
    assert "shorter time" in str(caught.value.hint)
    assert lists.name == store.database.name
    assert lists.figures().most == store.database.figures().most
    await store.close()


@pytest.mark.parametrize("part", ["queries", "charts", "triggers", "assets", "suite_results"])
async def test_lists_of_a_store_are_limited(sqlite_url: str, part: str) -> None:
    """BEY-022: executions, logs, metrics, charts and triggers."""
    store = await open_store(sqlite_url, SystemClock())
    assert isinstance(getattr(store, part)._database, TimeLimited)
    await store.close()
