"""The contract every `ExecutionQueries` keeps about log lines and metrics."""
# ruff: noqa: D102  # names of contract tests are sentences

from __future__ import annotations

from typing import Any

import pytest

from penstock.base.errors import InvalidRequestError
from penstock.ports.queries import Filter, LogCount, LogMarks, LogSelection, PageRequest
from penstock.testing.store import records
from penstock.testing.store.ports import StorePorts
from penstock.testing.store.records import NOW, SECOND

ONE = records.execution(id="one")
TWO = records.execution(id="two", namespace="system", flow_id="purge")
LINES = (
    records.line(ONE, "begin", task_id="a", task_run_id="run-a", attempt=1, thread="worker-1"),
    records.line(ONE, "Careful", level="WARN", task_id="b", task_run_id="run-b", date=NOW + SECOND),
    records.line(TWO, "broken", level="ERROR", trigger_id="daily", date=NOW + 2 * SECOND, kind="TEST"),
    records.line(ONE, "detail", level="DEBUG", task_id="a", task_run_id="run-a", attempt=2, date=NOW + 3 * SECOND),
    records.line(ONE, "noise", level="TRACE", date=NOW + 3 * SECOND),
)


class LinesContract:
    """What holds for log lines of every store. A subclass gives the fixture `store`."""

    async def test_logs_without_filters_return_the_same_records_oldest_first(self, store: StorePorts) -> None:
        await store.journal.send((), logs=LINES)
        found = await store.queries.logs("main", [], PageRequest(size=10))
        assert tuple(found.results) == LINES
        assert found.total == len(LINES)
        assert (await store.queries.logs("other", [], PageRequest())).total == 0

    async def test_logs_newest_first_reverse_even_those_of_one_instant(self, store: StorePorts) -> None:
        await store.journal.send((), logs=LINES)
        found = await store.queries.logs("main", [], PageRequest(size=10, sort=(("timestamp", False),)))
        assert tuple(found.results) == LINES[::-1]

    @pytest.mark.parametrize(
        ("field", "operation", "value", "expected"),
        [
            ("executionId", "EQUALS", "two", "broken"),
            ("level", "EQUALS", "WARN", "Careful broken"),
            ("minLevel", "GREATER_THAN_OR_EQUAL_TO", "info", "begin Careful broken"),
            ("level", "IN", "DEBUG,TRACE", "detail noise"),
            ("taskId", "EQUALS", "a", "begin detail"),
            ("taskRunId", "EQUALS", "run-b", "Careful"),
            ("triggerId", "EQUALS", "daily", "broken"),
            ("namespace", "PREFIX", "company", "begin Careful detail noise"),
            ("flowId", "NOT_EQUALS", "purge", "begin Careful detail noise"),
            ("scope", "EQUALS", "USER", "begin Careful detail noise"),
            ("kind", "EQUALS", "TEST", "broken"),
            ("q", "EQUALS", "CARE", "Careful"),
            ("startDate", "GREATER_THAN_OR_EQUAL_TO", NOW + 3 * SECOND, "detail noise"),
            ("endDate", "LESS_THAN", NOW + SECOND, "begin"),
            ("timeRange", "EQUALS", NOW + 2 * SECOND, "broken detail noise"),
        ],
    )
    async def test_logs_with_a_filter_return_what_fits(
        self, store: StorePorts, field: str, operation: str, value: Any, expected: str
    ) -> None:
        await store.journal.send((), logs=LINES)
        found = await store.queries.logs("main", [Filter(field, operation, value)], PageRequest(size=10))
        assert [one.message for one in found.results] == expected.split()
        assert found.total == len(expected.split())

    async def test_logs_by_a_level_that_is_none_say_which_there_are(self, store: StorePorts) -> None:
        with pytest.raises(InvalidRequestError, match=r"LOUD.*WARN"):
            await store.queries.logs("main", [Filter("level", "EQUALS", "LOUD")], PageRequest())

    async def test_logs_of_an_execution_followed_come_in_order_and_once(self, store: StorePorts) -> None:
        await store.journal.send((), logs=LINES[:2])
        first, position = await store.queries.logs_of("one")
        assert tuple(first) == LINES[:2]
        assert await store.queries.logs_of("one", after=position) == ([], position)
        await store.journal.send((), logs=LINES[2:])
        second, _ = await store.queries.logs_of("one", after=position)
        assert tuple(second) == LINES[3:]

    async def test_logs_of_an_execution_few_at_a_time_page(self, store: StorePorts) -> None:
        lines = [records.line(ONE, str(number)) for number in range(5)]
        await store.journal.send((), logs=lines)
        found, position = await store.queries.logs_of("one", limit=3)
        rest, _ = await store.queries.logs_of("one", after=position, limit=3)
        assert [*found, *rest] == lines

    @pytest.mark.parametrize(
        ("arguments", "expected"),
        [
            ({"min_level": "WARN"}, "Careful"),
            ({"task_id": "a"}, "begin detail"),
            ({"task_run_id": "run-b"}, "Careful"),
            ({"task_id": "a", "attempt": 2}, "detail"),
            ({"text": "CARE"}, "Careful"),
            ({"text": "%"}, ""),
            ({"of_execution": True}, "noise"),
        ],
    )
    async def test_logs_of_an_execution_narrowed_return_what_fits(
        self, store: StorePorts, arguments: dict[str, Any], expected: str
    ) -> None:
        await store.journal.send((), logs=LINES)
        found, _ = await store.queries.logs_of("one", LogSelection(**arguments))
        assert [one.message for one in found] == expected.split()

    async def test_log_marks_lie_behind_every_so_many_lines(self, store: StorePorts) -> None:
        """Windows between marks hold all lines once, whatever lines of other executions lie between them."""
        lines = [records.line(one, str(number)) for number in range(7) for one in (ONE, TWO)]
        await store.journal.send((), logs=lines)
        every = LogSelection(text="")
        marks = await store.queries.log_marks("one", every, after=0, step=3)
        assert (marks.total, len(marks.positions)) == (7, 2)
        windows = [(await store.queries.logs_of("one", after=mark, limit=3))[0] for mark in (0, *marks.positions)]
        assert [[line.message for line in one] for one in windows] == [list("012"), list("345"), ["6"]]
        assert await store.queries.log_marks("one", every, after=marks.end, step=3) == LogMarks(0, [], marks.end)
        behind = await store.queries.log_marks("one", every, after=marks.positions[1], step=3)
        assert behind == LogMarks(1, [], marks.end)

    async def test_last_logs_come_in_order(self, store: StorePorts) -> None:
        await store.journal.send((), logs=LINES)
        found = await store.queries.last_logs("one", LogSelection(min_level="INFO"), 5)
        assert [line.message for line in found] == ["begin", "Careful"]
        assert [line.message for line in await store.queries.last_logs("one", LogSelection(), 1)] == ["noise"]

    async def test_log_counts_tell_how_much_each_task_run_wrote(self, store: StorePorts) -> None:
        await store.journal.send((), logs=LINES)
        counts = await store.queries.log_counts("one", LogSelection())
        assert counts == [LogCount("run-a", "a", 2), LogCount("run-b", "b", 1), LogCount(None, None, 1)]

    async def test_delete_logs_removes_what_fits_and_counts(self, store: StorePorts) -> None:
        await store.journal.send((), logs=LINES)
        assert await store.queries.delete_logs("other", "one") == 0
        assert await store.queries.delete_logs("main", "one", min_level="WARN") == 1
        assert await store.queries.delete_logs("main", "one", task_run_id="run-a") == 2
        assert await store.queries.delete_logs("main", "one") == 1
        assert (await store.queries.logs("main", [], PageRequest())).results == [LINES[2]]

    async def test_log_positions_after_lines_were_deleted_are_not_given_again(self, store: StorePorts) -> None:
        await store.journal.send((), logs=LINES[:1])
        _, position = await store.queries.logs_of("one")
        await store.queries.delete_logs("main", "one")
        await store.journal.send((), logs=LINES[1:2])
        found, _ = await store.queries.logs_of("one", after=position)
        assert tuple(found) == LINES[1:2]
