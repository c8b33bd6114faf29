"""Reading and removing executions and what belongs to them, for people. Never on the hot path."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, func, select, update

from penstock.base.clock import Instant
from penstock.base.errors import ConflictError
from penstock.engine.records import KINDS, Execution, LogLine, Metric, TaskRun
from penstock.ports.queries import ALL_LINES, Filter, LogCount, LogMarks, LogSelection, Page, PageRequest
from penstock.store import executions, filters, lines, rows
from penstock.store.counts import removed_txn
from penstock.store.database import Database
from penstock.store.filters import Condition, Field, Search, page_txn
from penstock.store.parts import parted_page_txn, parts_of
from penstock.store.tables import EXECUTION_LABELS, EXECUTIONS, JOBS, MESSAGES, TASK_RUNS, TIMERS
from penstock.store.totals import Totals, counts_txn

E = EXECUTIONS.c
_READ = [EXECUTIONS.c[name] for name in rows.EXECUTION_READ]
_HEAD = [EXECUTIONS.c[name] for name in rows.EXECUTION_HEAD]
_RUN_READ = [TASK_RUNS.c[name] for name in rows.TASK_RUN_COLUMNS]


class SqlExecutionQueries:
    """The `ExecutionQueries` port on a database. Implements API-008 to API-010 for executions and logs, API-025."""

    def __init__(self, database: Database, system_namespace: str) -> None:
        self._database = database
        self._search = execution_search(system_namespace)
        self._totals = Totals(self._search, system_namespace)
        self._log_search = lines.log_search(system_namespace)

    async def get(self, tenant: str, execution_id: str) -> tuple[Execution, Sequence[TaskRun]] | None:
        """Return one execution with its task runs in creation order."""

        def work(connection: Connection) -> tuple[Execution, Sequence[TaskRun]] | None:
            found = executions.load_txn(connection, [execution_id]).get(execution_id)
            if found is None or found.execution.tenant != tenant:
                return None
            return found.execution, found.task_runs

        return await self._database.read(work)

    async def head(self, tenant: str, execution_id: str) -> Execution | None:
        """Return one execution without its task runs."""
        return await self._database.read(lambda connection: head_txn(connection, tenant, execution_id))

    async def search(
        self, tenant: str, filters: Sequence[Filter], page: PageRequest, *, bodies: bool = True
    ) -> Page[Execution]:
        """Return executions, newest first unless asked otherwise, with or without what is large about them."""
        read = _READ if bodies else _HEAD
        others = self._search.conditions(filters)
        order = self._search.order(page.sort) or [E.start_date.desc()]
        in_order = order[0].compare(E.start_date.desc())
        parts = parts_of(page.sort)

        def work(connection: Connection) -> tuple[Sequence[Any], int]:
            total = self._totals.total_txn(connection, tenant, filters)
            if parts:
                return parted_page_txn(connection, read, tenant, parts, others, page, total)
            conditions, whole_order = [E.tenant == tenant, *others], [*order, E.id.desc()]
            return page_txn(connection, read, conditions, whole_order, page, in_order=in_order, total=total)

        found, total = await self._database.read(work)
        return Page([rows.to_execution(row) for row in found], total)

    async def task_runs(self, execution_ids: Sequence[str]) -> Mapping[str, Sequence[TaskRun]]:
        """Return the task runs of several executions."""
        return await self._database.read(lambda connection: executions.task_runs_txn(connection, execution_ids))

    async def outputs(self, execution_id: str, task_id: str) -> Sequence[TaskRun]:
        """Return the task runs of one task that have outputs."""
        query = select(*_RUN_READ).where(TASK_RUNS.c.execution_id == execution_id, TASK_RUNS.c.task_id == task_id)
        query = query.order_by(TASK_RUNS.c.sequence)
        found = await self._database.read(lambda connection: connection.execute(query).all())
        return [run for run in map(rows.to_task_run, found) if run.outputs is not None]

    async def latest(self, tenant: str, flows: Sequence[tuple[str, str]], count: int = 1) -> Sequence[Execution]:
        """Return the newest executions of each (namespace, flow id) without bodies, newest first."""

        def newest(connection: Connection, namespace: str, flow_id: str) -> Sequence[Any]:
            query = select(*_HEAD).where(E.tenant == tenant, E.namespace == namespace, E.flow_id == flow_id)
            return connection.execute(query.order_by(E.start_date.desc()).limit(count)).all()

        found = await self._database.read(lambda connection: [newest(connection, *flow) for flow in flows])
        return [rows.to_execution(row) for each in found for row in each]

    async def children(self, tenant: str, execution_id: str) -> Sequence[Execution]:
        """Return the executions whose end an execution waits for, or waited for, oldest first."""
        query = select(*_READ).where(E.tenant == tenant, E.parent_execution_id == execution_id)
        query = query.order_by(E.created, E.id)
        found = await self._database.read(lambda connection: connection.execute(query).all())
        return [rows.to_execution(row) for row in found]

    async def logs(self, tenant: str, filters: Sequence[Filter], page: PageRequest) -> Page[LogLine]:
        """Return log lines; oldest first unless asked otherwise."""
        return await self._database.read(
            lambda connection: lines.logs_txn(connection, self._log_search, tenant, filters, page)
        )

    async def logs_of(
        self,
        execution_id: str,
        wanted: LogSelection = ALL_LINES,
        *,
        after: int = 0,
        limit: int = 10_000,
    ) -> tuple[Sequence[LogLine], int]:
        """Return an execution's lines in order after a position, and the position to go on from."""
        conditions = lines.of_execution(execution_id, wanted)
        return await self._database.read(lambda connection: lines.after_txn(connection, conditions, after, limit))

    async def last_logs(self, execution_id: str, wanted: LogSelection, limit: int) -> Sequence[LogLine]:
        """Return the last lines of an execution, in order."""
        conditions = lines.of_execution(execution_id, wanted)
        return await self._database.read(lambda connection: lines.last_txn(connection, conditions, limit))

    async def log_marks(self, execution_id: str, wanted: LogSelection, *, after: int, step: int) -> LogMarks:
        """Return where the windows of `step` lines behind a position end."""
        conditions = lines.of_execution(execution_id, wanted)
        return await self._database.read(lambda connection: lines.marks_txn(connection, conditions, after, step))

    async def log_counts(self, execution_id: str, wanted: LogSelection) -> Sequence[LogCount]:
        """Return how many lines each task run of an execution wrote, in the order of their first lines."""
        conditions = lines.of_execution(execution_id, wanted)
        return await self._database.read(lambda connection: lines.counts_txn(connection, conditions))

    async def metrics_of(self, execution_id: str) -> Sequence[Metric]:
        """Return the metrics of an execution."""
        return await self._database.read(lambda connection: lines.metrics_txn(connection, execution_id))

    async def fired(self, firing_key: str) -> Execution | None:
        """Return the execution with a firing key."""
        query = select(*_READ).where(E.firing_key == firing_key)
        row = await self._database.read(lambda connection: connection.execute(query).first())
        return None if row is None else rows.to_execution(row)

    async def forget_firing(self, firing_key: str, before: Instant) -> None:
        """Take a firing key off its execution when that was created before then."""
        statement = update(EXECUTIONS).where(E.firing_key == firing_key, E.created < before).values(firing_key=None)
        await self._database.write(lambda connection: connection.execute(statement).rowcount)

    async def delete(self, tenant: str, execution_id: str, *, logs: bool, metrics: bool) -> bool:
        """Remove an ended execution with its task runs, timers and messages.

        Raises:
            ConflictError: It has not ended.
        """
        return await self._database.write(
            lambda connection: delete_txn(connection, tenant, execution_id, logs=logs, metrics=metrics)
        )

    async def delete_logs(
        self, tenant: str, execution_id: str, min_level: str | None = None, task_run_id: str | None = None
    ) -> int:
        """Remove log lines of an execution; returns how many."""
        conditions = lines.of_execution(execution_id, LogSelection(min_level, task_run_id))
        return await self._database.write(lambda connection: lines.delete_logs_txn(connection, tenant, conditions))

    async def delete_trigger_logs(self, tenant: str, namespace: str, flow_id: str, trigger_id: str) -> int:
        """Remove the log lines of a trigger; returns how many."""
        conditions = lines.of_trigger(namespace, flow_id, trigger_id)
        return await self._database.write(lambda connection: lines.delete_logs_txn(connection, tenant, conditions))

    async def counts(self, tenant: str) -> Mapping[str, int]:
        """Return how many executions there are by state."""
        return await self._database.read(lambda connection: counts_txn(connection, tenant))

    async def open_by_namespace(self, tenant: str) -> Mapping[str, int]:
        """Return how many executions have not ended, by namespace."""
        is_open = E.state.in_(sorted(executions.OPEN_NAMES)) & E.end_date.is_(None)
        query = select(E.namespace, func.count()).where(E.tenant == tenant, is_open).group_by(E.namespace)
        found = await self._database.read(lambda connection: connection.execute(query).all())
        return {row[0]: row[1] for row in found}

    async def created_since(self, tenant: str, namespace: str, flow_id: str, since: Instant) -> int:
        """Return how many executions of a flow were created since then."""
        query = select(func.count()).select_from(EXECUTIONS)
        # An execution's history begins when it is created, so the indexed date answers.
        query = query.where(E.tenant == tenant, E.namespace == namespace, E.flow_id == flow_id, E.start_date >= since)
        return await self._database.read(lambda connection: int(connection.execute(query).scalar_one()))


def head_txn(connection: Connection, tenant: str, execution_id: str) -> Execution | None:
    """Return one execution."""
    row = connection.execute(select(*_READ).where(E.id == execution_id, E.tenant == tenant)).first()
    return None if row is None else rows.to_execution(row)


def delete_txn(connection: Connection, tenant: str, execution_id: str, *, logs: bool, metrics: bool) -> bool:
    """Remove an execution that has ended."""
    found = connection.execute(select(E.live).where(E.id == execution_id, E.tenant == tenant).with_for_update()).first()
    if found is None:
        return False
    if found[0]:
        raise ConflictError(f"execution {execution_id} has not ended", hint="kill it first, then delete it")
    removed_txn(connection, [execution_id])
    for table in (EXECUTION_LABELS, TASK_RUNS, JOBS, TIMERS, MESSAGES):
        connection.execute(delete(table).where(table.c.execution_id == execution_id))
    lines.forget_txn(connection, execution_id, logs=logs, metrics=metrics)
    connection.execute(delete(EXECUTIONS).where(E.id == execution_id))
    return True


def execution_search(system_namespace: str) -> Search:
    """Return what executions can be filtered and sorted by."""
    is_child = E.trigger_execution_id.is_not(None) | E.parent_execution_id.is_not(None)
    duration = E.end_date - E.start_date
    return Search(
        "executions",
        {
            "q": filters.query(E.id, E.flow_id, E.namespace),
            "scope": filters.scope(E.namespace, system_namespace),
            "namespace": filters.namespace(E.namespace),
            "flowId": filters.name(E.flow_id),
            "flowRevision": filters.number(E.flow_revision),
            "id": filters.name(E.id),
            "executionId": filters.name(E.id),
            "originalId": filters.name(E.original_id),
            "kind": filters.choice(E.kind, KINDS),
            "state": state_field(),
            "labels": filters.labels(has_label),
            "created": filters.instant(E.created),
            "startDate": filters.instant(E.start_date),
            "endDate": filters.instant(E.end_date),
            "timeRange": filters.since(E.start_date),
            "triggerId": filters.name(E.trigger_id),
            "triggerExecutionId": filters.name(E.trigger_execution_id),
            "parentId": filters.name(E.parent_execution_id),
            "childFilter": filters.flag(is_child, "CHILD", "MAIN"),
        },
        {
            "id": E.id,
            "namespace": E.namespace,
            "flowId": E.flow_id,
            "flowRevision": E.flow_revision,
            "kind": E.kind,
            "state": E.state,
            "state.current": E.state,
            "state.startDate": E.start_date,
            "startDate": E.start_date,
            "state.endDate": E.end_date,
            "endDate": E.end_date,
            "state.duration": duration,
            "duration": duration,
            "trigger.id": E.trigger_id,
        },
    )


def state_field() -> Field:
    """Return the field of an execution's state; it says which of the two partial indexes has the answer."""
    plain = filters.choice(E.state, filters.STATES)

    def among(value: Any) -> Condition:
        wanted = filters.chosen_of(filters.STATES, value)
        condition = E.state.in_(wanted)
        if all(state in executions.TERMINAL_NAMES for state in wanted):
            return condition & E.end_date.is_not(None)
        if all(state in executions.OPEN_NAMES for state in wanted):
            return condition & E.end_date.is_(None)
        return condition

    return Field({**plain.operations, "EQUALS": among, "IN": among})


def has_label(key: str, value: Callable[[ColumnElement[Any]], Condition] | str) -> Condition:
    """Return the condition that an execution has a label."""
    columns = EXECUTION_LABELS.c
    fits = value(columns.value) if callable(value) else columns.value == value
    # Not EXISTS: the databases would ask it of every execution instead of beginning with the label.
    return E.id.in_(select(columns.execution_id).where(columns.key == key, fits))
