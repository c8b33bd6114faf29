"""The contract every `PurgeStore` keeps."""
# ruff: noqa: D102  # names of contract tests are sentences

from __future__ import annotations

from penstock.engine.records import Execution, Metric
from penstock.engine.states import StateType
from penstock.ports.purging import BEGINNING, FIRST_LINE
from penstock.ports.queries import Filter, PageRequest
from penstock.testing.store import records
from penstock.testing.store.ports import StorePorts
from penstock.testing.store.records import NOW, SECOND, SUCCESS


def metric(owner: Execution) -> Metric:
    """Return a metric of an execution."""
    return Metric("main", owner.namespace, owner.flow_id, owner.id, "t", "run", "counter", "rows", 1.0, NOW)


async def ended(store: StorePorts, number: int, **changes: object) -> list[Execution]:
    """Store executions that have ended, each with two task runs, three lines and a metric."""
    executions = [
        records.execution(id=f"id-{index}", state=SUCCESS, labels=(("a", "1"),), **changes) for index in range(number)
    ]
    runs = [records.task_run(one) for one in executions for _ in range(2)]
    await records.stored(
        store.journal,
        *executions,
        new_task_runs={run.id: run for run in runs},
        logs=[records.line(one) for one in executions for _ in range(3)],
        metrics=[metric(one) for one in executions],
    )
    return executions


class PurgeStoreContract:
    """What holds for purges of every store. A subclass gives the fixture `store`."""

    async def test_ended_executions_come_by_their_end_from_behind_a_position(self, store: StorePorts) -> None:
        await ended(store, 5)
        later = records.state(StateType.CREATED, StateType.RUNNING, StateType.FAILED, at=NOW + SECOND)
        await records.stored(store.journal, records.execution(id="a", state=later), records.execution(id="id-9"))
        first = await store.purging.ended("main", [], None, BEGINNING, 3)
        assert [one.id for one in first] == ["id-0", "id-1", "id-2"]
        assert (first[0].namespace, first[0].flow_id, first[0].end) == ("company.team", "hello", NOW + 2 * SECOND)
        rest = await store.purging.ended("main", [], None, first[-1].position, 9)
        assert [one.id for one in rest] == ["id-3", "id-4", "a"]
        assert list(await store.purging.ended("main", [], None, rest[-1].position, 9)) == []
        assert list(await store.purging.ended("other", [], None, BEGINNING, 3)) == []

    async def test_size_of_an_execution_is_told_by_kind_of_record(self, store: StorePorts) -> None:
        """BEY-021."""
        (one,) = await ended(store, 1)
        parts = {part.name: part for part in await store.sizes.of(one.id)}
        counts = {name: part.count for name, part in parts.items()}
        assert counts.items() >= {"executions": 1, "task_runs": 2, "logs": 3, "metrics": 1}.items()
        assert all(part.bytes > 0 for part in parts.values())
        assert [part.bytes for part in await store.sizes.of(one.id)] == sorted(
            (part.bytes for part in parts.values()), reverse=True
        )
        assert list(await store.sizes.of("nobody")) == []

    async def test_ended_executions_are_those_that_fit(self, store: StorePorts) -> None:
        await ended(store, 1)
        place = Filter("namespace", "PREFIX", "company")
        for until, filters, number in (
            (NOW + 2 * SECOND, [place], 1),
            (NOW + 2 * SECOND - 1, [place], 0),
            (None, [place, Filter("state", "IN", ["FAILED"])], 0),
            (None, [place, Filter("startDate", "GREATER_THAN_OR_EQUAL_TO", NOW + 1)], 0),
        ):
            assert len(await store.purging.ended("main", filters, until, BEGINNING, 10)) == number

    async def test_what_belongs_to_executions_is_removed_some_at_a_time(self, store: StorePorts) -> None:
        ids = [one.id for one in await ended(store, 3)]
        doomed = ids[:2]
        assert [await store.purging.remove_logs_of(doomed, 4) for _ in range(3)] == [4, 2, 0]
        assert [await store.purging.remove_metrics_of(doomed, 4) for _ in range(2)] == [2, 0]
        assert [await store.purging.remove_task_runs_of(doomed, 3) for _ in range(3)] == [3, 1, 0]
        assert len((await store.queries.logs_of(ids[2]))[0]) == 3
        assert len(await store.queries.metrics_of(ids[2])) == 1
        assert {key: len(runs) for key, runs in (await store.queries.task_runs(ids)).items()} == {
            "id-0": 0,
            "id-1": 0,
            "id-2": 2,
        }

    async def test_executions_are_removed_with_their_labels(self, store: StorePorts) -> None:
        await ended(store, 3)
        assert await store.purging.remove("other", ["id-0"]) == 0
        assert await store.purging.remove("main", ["id-0", "id-1", "never"]) == 2
        found = await store.queries.search("main", [Filter("labels", "EQUALS", {"a": "1"})], PageRequest())
        assert [one.id for one in found.results] == ["id-2"]
        assert await store.queries.task_runs(["id-0"]) == {"id-0": []}

    async def test_executions_that_run_stay_with_their_task_runs(self, store: StorePorts) -> None:
        one = records.execution()
        run = records.task_run(one)
        await records.stored(store.journal, one, new_task_runs={run.id: run})
        assert await store.purging.remove_task_runs_of([one.id], 10) == 0
        assert await store.purging.remove("main", [one.id]) == 0
        assert await store.queries.get("main", one.id) == (one, [run])

    async def test_log_lines_that_fit_are_removed_some_at_a_time(self, store: StorePorts) -> None:
        await ended(store, 2)
        one = records.execution(id="other", namespace="system")
        kept = records.line(one, level="ERROR", trigger_id="daily")
        await store.journal.send((), logs=[kept])
        filters = [Filter("namespace", "PREFIX", "company"), Filter("level", "IN", ["INFO"])]
        assert [await store.purging.remove_logs("main", filters, 4) for _ in range(3)] == [4, 2, 0]
        assert (await store.queries.logs("main", [], PageRequest())).results == [kept]
        assert await store.purging.remove_logs("other", [], 10) == 0
        assert await store.purging.remove_logs("main", [Filter("endDate", "LESS_THAN_OR_EQUAL_TO", NOW)], 10) == 1

    async def test_ended_executions_of_an_exception_are_left_out(self, store: StorePorts) -> None:
        await ended(store, 1)
        failed = records.execution(id="bad", state=records.FAILED, labels=(("keep", "yes"),))
        await records.stored(store.journal, failed)
        labelled = [Filter("state", "IN", ["FAILED"]), Filter("labels", "EQUALS", {"keep": "yes"})]
        elsewhere = [Filter("namespace", "PREFIX", "other")]
        found = await store.purging.ended("main", [], None, BEGINNING, 10, [elsewhere, labelled])
        assert [one.id for one in found] == ["id-0"]
        # Each exception is meant as a whole: what fits half of it is no exception.
        half = [Filter("state", "IN", ["FAILED"]), Filter("labels", "EQUALS", {"keep": "no"})]
        assert len(await store.purging.ended("main", [], None, BEGINNING, 10, [half])) == 2

    async def test_old_lines_come_by_their_date_from_behind_a_position(self, store: StorePorts) -> None:
        one = records.execution(id="one", state=SUCCESS)
        dates = (NOW + 1, NOW, NOW, NOW + 2)
        await records.stored(store.journal, one, logs=[records.line(one, date=date) for date in dates])
        first = await store.purging.old_lines("main", [], NOW + 1, FIRST_LINE, 2)
        assert [date for date, _ in first] == [NOW, NOW]
        rest = await store.purging.old_lines("main", [], NOW + 1, first[-1], 2)
        assert [date for date, _ in rest] == [NOW + 1]
        assert await store.purging.remove_lines([number for _, number in [*first, *rest]]) == 3
        assert [line.date for line in (await store.queries.logs_of("one"))[0]] == [NOW + 2]
        assert await store.purging.old_lines("other", [], NOW + 9, FIRST_LINE, 9) == []

    async def test_old_lines_fit_by_namespace_and_by_their_execution(self, store: StorePorts) -> None:
        good, bad = (records.execution(id=name, state=state) for name, state in (("g", SUCCESS), ("b", records.FAILED)))
        of_trigger = records.line(good, execution_id=None, trigger_id="daily")
        await records.stored(store.journal, good, bad, logs=[records.line(good), records.line(bad), of_trigger])

        async def number(filters: list[Filter], *unless: list[Filter]) -> int:
            return len(await store.purging.old_lines("main", filters, NOW, FIRST_LINE, 10, unless))

        failed, company = [Filter("state", "IN", ["FAILED"])], [Filter("namespace", "PREFIX", "company")]
        assert await number([]) == await number(company) == 3
        assert await number(failed) == await number([*company, *failed]) == 1
        assert await number([], failed) == await number([], [*company, *failed]) == 2
        assert await number([], company) == await number([Filter("namespace", "PREFIX", "other")]) == 0

    async def test_known_executions_are_told_from_others(self, store: StorePorts) -> None:
        await records.stored(store.journal, records.execution(id="one"))
        assert await store.purging.known("main", ["one", "two"]) == {"one"}
        assert await store.purging.known("other", ["one"]) == set()

    async def test_sizes_count_rows_and_what_is_old(self, store: StorePorts) -> None:
        assert await store.sizes.oldest() is None
        await ended(store, 2)
        await records.stored(store.journal, records.execution(id="open"))
        tables = {table.name: table for table in await store.sizes.tables()}
        assert (tables["executions"].rows, tables["logs"].rows, tables["task_runs"].rows) == (3, 6, 4)
        assert (tables["executions"].bytes or 0) > 0
        assert await store.sizes.total() > sum(table.bytes or 0 for table in tables.values()) / 2
        assert await store.sizes.oldest() == NOW
        assert await store.sizes.created_since(NOW) == (3, 6)
        assert await store.sizes.created_since(NOW + 1) == (0, 0)
        late = NOW + 2 * SECOND
        assert await store.sizes.ended_until("main", [], late, ()) == 2
        assert await store.sizes.ended_until("main", [], late - 1, ()) == 0
        assert await store.sizes.ended_until("main", [], late, [[Filter("state", "IN", ["SUCCESS"])]]) == 0
        assert await store.sizes.lines_until("main", [Filter("state", "IN", ["SUCCESS"])], NOW, ()) == 6
