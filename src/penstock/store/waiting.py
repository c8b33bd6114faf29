"""What moves executions, read in one snapshot: jobs, timers, inboxes, and the executions they wait for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import Connection, and_, func, or_, select

from penstock.base.clock import Instant
from penstock.engine.decision import Job, Timer
from penstock.engine.states import StateType
from penstock.engine.waiting import DEADLINE, ChildExecution, QueuedJob, Situation
from penstock.ports.journal import Loaded
from penstock.store import executions, rows
from penstock.store.bulk import KeyedQuery
from penstock.store.database import Database
from penstock.store.tables import EXECUTIONS, JOBS, MESSAGES, PARTITIONS_TABLE, TASK_RUNS, TIMERS

WAITING_FOR_PEOPLE = (StateType.QUEUED, StateType.PAUSED, StateType.BREAKPOINT)
"""States of executions that others let go on."""
_JOBS = KeyedQuery("SELECT execution_id, owner, body FROM jobs WHERE execution_id {keys}")
_TIMERS = KeyedQuery("SELECT execution_id, due, purpose, task_run_id, attempt FROM timers WHERE execution_id {keys}")
_EVENTS = KeyedQuery("SELECT execution_id, count(*) FROM messages WHERE execution_id {keys} GROUP BY execution_id")
_CHILDREN = KeyedQuery(
    "SELECT id, original_id, state, live FROM executions WHERE parent_execution_id {keys} ORDER BY created, id"
)


class SqlWaitReads:
    """The `WaitReads` port on a database. Implements BEY-001 and BEY-002's side of the store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def suspects(self, partitions: Collection[int], before: Instant, after: str, limit: int) -> Sequence[str]:
        """Return ids of live executions that have no job, no timer and no event."""
        return await self._database.read(lambda connection: suspects_txn(connection, partitions, before, after, limit))

    async def situations(self, execution_ids: Collection[str]) -> Mapping[str, Situation]:
        """Return the situations of those executions that exist."""
        return await self._database.read(lambda connection: situations_txn(connection, execution_ids))

    async def jobs_before(self, job: Job) -> int:
        """Return how many jobs of its worker group are taken before a job that waits."""
        columns = JOBS.c
        earlier = or_(columns.turn < job.turn, and_(columns.turn == job.turn, columns.created < job.created))
        first = or_(columns.priority > job.priority, and_(columns.priority == job.priority, earlier))
        query = select(func.count()).where(columns.owner.is_(None), columns.worker_group == job.worker_group, first)
        return await self._database.read(lambda connection: int(connection.execute(query).scalar_one()))

    async def job(self, task_run_id: str) -> QueuedJob | None:
        """Return the job of a task run, or of a trigger's evaluation, and who has it."""
        query = select(JOBS.c.owner, JOBS.c.body).where(JOBS.c.task_run_id == task_run_id)
        row = await self._database.read(lambda connection: connection.execute(query).first())
        return QueuedJob(rows.to_job(row.body), row.owner) if row is not None else None

    async def execution_of(self, task_run_id: str) -> str | None:
        """Return the live execution that a task run belongs to."""
        columns = TASK_RUNS.c
        query = (
            select(columns.execution_id)
            .join(EXECUTIONS, EXECUTIONS.c.id == columns.execution_id)
            .where(EXECUTIONS.c.live, columns.id == task_run_id)
        )
        return await self._database.read(lambda connection: connection.execute(query).scalar())

    async def decided_until(self, execution_id: str) -> Instant:
        """Return until when an executor holds an execution's partition."""
        columns = PARTITIONS_TABLE.c
        partition = select(EXECUTIONS.c.partition).where(EXECUTIONS.c.id == execution_id).scalar_subquery()
        query = select(columns.expires).where(columns.partition == partition, columns.owner.is_not(None))
        return await self._database.read(lambda connection: int(connection.execute(query).scalar() or 0))


def suspects_txn(
    connection: Connection, partitions: Collection[int], before: Instant, after: str, limit: int
) -> Sequence[str]:
    """Return ids of live executions without job, timer and event, in order."""
    columns = EXECUTIONS.c
    query = (
        select(columns.id)
        .where(
            columns.live,
            columns.partition.in_(partitions),
            columns.id > after,
            columns.created < before,
            columns.state.not_in([state.value for state in WAITING_FOR_PEOPLE]),
            columns.id.not_in(select(JOBS.c.execution_id)),
            columns.id.not_in(select(MESSAGES.c.execution_id)),
            columns.id.not_in(select(TIMERS.c.execution_id).where(TIMERS.c.purpose != DEADLINE)),
        )
        .order_by(columns.id)
        .limit(limit)
    )
    return list(connection.execute(query).scalars())


def situations_txn(connection: Connection, execution_ids: Collection[str]) -> Mapping[str, Situation]:
    """Return executions with everything that may move them."""
    loaded = executions.load_txn(connection, execution_ids)
    jobs: defaultdict[str, list[QueuedJob]] = defaultdict(list)
    for execution_id, owner, body in _JOBS.run(connection, loaded):
        jobs[execution_id].append(QueuedJob(rows.to_job(body), owner))
    timers: defaultdict[str, list[Timer]] = defaultdict(list)
    for execution_id, due, purpose, run_id, attempt in _TIMERS.run(connection, loaded):
        timers[execution_id].append(Timer(execution_id, due, purpose, run_id or None, attempt))
    events = _events_txn(connection, loaded)
    children = _children_txn(connection, loaded)
    return {
        key: Situation(one.execution, one.task_runs, jobs[key], timers[key], events.get(key, 0), children)
        for key, one in loaded.items()
    }


def _events_txn(connection: Connection, execution_ids: Collection[str]) -> dict[str, int]:
    return dict(map(tuple, _EVENTS.run(connection, execution_ids)))


def _children_txn(connection: Connection, loaded: Mapping[str, Loaded]) -> dict[str, ChildExecution]:
    """Return the executions that task runs wait for, by the id of their first try."""
    parents = [key for key, one in loaded.items() if any(run.cursor and run.cursor.flows for run in one.task_runs)]
    if not parents:
        return {}
    latest = {row[1]: (row[0], StateType(row[2]), bool(row[3])) for row in _CHILDREN.run(connection, parents)}
    events = _events_txn(connection, {*latest, *(one[0] for one in latest.values())})
    return {
        first: ChildExecution(
            last, state, is_live, events.get(first, 0) + (events.get(last, 0) if last != first else 0)
        )
        for first, (last, state, is_live) in latest.items()
    }
