"""The queue of work for workers, and who they are.

A job is a row until its end is stored; `owner` is the worker that has it. A worker that is given up loses its row and
all its jobs in one transaction, after which those are claimed like any other: there is no second path. Once somebody
else has a job, an end that the earlier worker reports counts no more: it is the new one's to bring to its end.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, and_, bindparam, delete, func, select, tuple_, update

from penstock.base.clock import Instant, Micros
from penstock.engine.decision import Job, Killed
from penstock.ports.jobs import Held, JobTaken, QueueKey, WorkerInfo
from penstock.ports.journal import StaleReports
from penstock.store import bulk, rows
from penstock.store.database import Database
from penstock.store.tables import EXECUTIONS, JOBS, WORKERS

_INSERT = bulk.insert(JOBS, rows.JOB_COLUMNS, "ON CONFLICT DO NOTHING")
_DELETE = bulk.delete(JOBS, ("task_run_id", "attempt"))
_DELETE_HELD = bulk.delete(JOBS, ("task_run_id", "attempt"), or_nobody="owner")
_DELETE_UNOWNED = bulk.delete(JOBS, ("task_run_id", "attempt"), only="owner IS NULL")
_OWNERS = bulk.KeyedQuery("SELECT task_run_id, attempt, owner FROM jobs WHERE task_run_id {keys}", lock="FOR UPDATE")

# Asked over and over by every worker, so they are put together once.
_KNOWN = select(WORKERS.c.id).where(WORKERS.c.id == bindparam("worker")).with_for_update(read=True)
_PICKED = (
    select(JOBS.c.task_run_id, JOBS.c.attempt)
    .where(JOBS.c.owner.is_(None), JOBS.c.worker_group == bindparam("group"))
    .order_by(JOBS.c.priority.desc(), JOBS.c.turn, JOBS.c.created)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_STRANGERS = select(JOBS.c.owner).where(JOBS.c.owner.is_not(None), JOBS.c.owner.not_in(select(WORKERS.c.id))).distinct()
_SILENT = select(WORKERS.c.id).where(WORKERS.c.heartbeat < bindparam("before"))
_WITHOUT_WORKERS = select(JOBS.c.body).where(
    JOBS.c.owner.is_(None), JOBS.c.worker_group.not_in(select(WORKERS.c.worker_group))
)
_STRAYS = (
    select(JOBS.c.body, EXECUTIONS.c.state)
    .outerjoin(EXECUTIONS, EXECUTIONS.c.id == JOBS.c.execution_id)
    .where(JOBS.c.owner.is_(None), JOBS.c.created < bindparam("before"), EXECUTIONS.c.live.is_not(True))
)
_TURNS = (
    select(JOBS.c.worker_group, JOBS.c.priority, func.min(JOBS.c.turn))
    .where(JOBS.c.owner.is_(None))
    .group_by(JOBS.c.worker_group, JOBS.c.priority)
)


class SqlJobQueue:
    """The `JobQueue` port on a database. Implements BEY-010's side of the store and OPS-008 (worker groups)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def register(
        self, worker_id: str, group: str, hostname: str, now: Instant, *, is_remote: bool = False
    ) -> None:
        """Make a worker known; jobs can be leased to it from now on."""
        row = {"id": worker_id, "worker_group": group, "hostname": hostname, "started": now, "heartbeat": now}
        await self._database.write(
            lambda connection: register_txn(connection, {**row, "state": "RUNNING", "is_remote": is_remote})
        )

    async def heartbeat(self, worker_id: str, now: Instant) -> bool:
        """Say that the worker lives. False when it has been given up."""
        statement = update(WORKERS).where(WORKERS.c.id == worker_id).values(heartbeat=now)
        return await self._database.write(lambda connection: connection.execute(statement).rowcount == 1)

    async def claim(self, worker_id: str, group: str, limit: int, now: Instant) -> Sequence[Job]:
        """Lease unowned jobs of the group: highest priority first, then by turn; none to a worker that is not known."""
        return await self._database.write(lambda connection: claim_txn(connection, worker_id, group, limit))

    async def release(self, worker_id: str) -> int:
        """Hand back all jobs of the worker and forget it."""
        return await self._database.write(lambda connection: give_up_txn(connection, [worker_id]))

    async def expire(self, timeout: Micros, now: Instant) -> Sequence[str]:
        """Give up silent workers, and free jobs of workers nobody knows; returns the ids of the silent ones."""
        # Looked at first, since there is hardly ever anything to write.
        silent, strangers = await self._database.read(lambda connection: lost_txn(connection, now - timeout))
        if not silent and not strangers:
            return []
        return await self._database.write(lambda connection: expire_txn(connection, now - timeout))

    async def begin_alone(self, now: Instant) -> Sequence[str]:
        """Give up all workers but remote ones, which are as if heard of now."""
        return await self._database.write(lambda connection: begin_alone_txn(connection, now))

    async def owned(self, worker_id: str, known: Container[tuple[str, int]] = ()) -> Sequence[Job]:
        """Return the jobs leased to a worker, but for those that are known."""
        query = select(JOBS.c.task_run_id, JOBS.c.attempt, JOBS.c.body).where(JOBS.c.owner == worker_id)
        found = await self._database.read(lambda connection: connection.execute(query).all())
        return [rows.to_job(text) for run, attempt, text in found if (run, attempt) not in known]

    async def check(self, held: Held) -> None:
        """See that a worker has a job."""
        await self._database.read(lambda connection: held_txn(connection, held, is_writing=False))

    async def drop_strays(self, before: Instant) -> Sequence[tuple[Job, str | None]]:
        """Delete the jobs from before then that nobody has and no live execution needs (BEY-001)."""
        # Looked at first, since there is hardly ever anything to write.
        if not await self._database.read(lambda connection: strays_txn(connection, before)):
            return []
        return await self._database.write(lambda connection: drop_strays_txn(connection, before))

    async def strand(self, owner: str) -> Sequence[Job]:
        """Take the jobs that would not wait for a worker of their group where there is none (ENG-047)."""
        # Looked at first, since there is hardly ever anything to write.
        if not await self._database.read(stranded_txn):
            return []
        return await self._database.write(lambda connection: strand_txn(connection, owner))

    async def unowned(self) -> int:
        """Return how many jobs wait for a worker."""
        query = select(func.count()).select_from(JOBS).where(JOBS.c.owner.is_(None))
        return await self._database.read(lambda connection: int(connection.execute(query).scalar_one()))

    async def turns(self) -> Mapping[QueueKey, int]:
        """Return the lowest turn of the jobs that wait, by group and priority."""
        return await self._database.read(turns_txn)

    async def workers(self) -> Sequence[WorkerInfo]:
        """Return the live workers."""
        return await self._database.read(workers_txn)


def register_txn(connection: Connection, row: Mapping[str, Any]) -> None:
    """Insert a worker, or replace what is known of it."""
    connection.execute(delete(WORKERS).where(WORKERS.c.id == row["id"]))
    connection.execute(WORKERS.insert().values(**row))


def workers_txn(connection: Connection) -> Sequence[WorkerInfo]:
    """Return all workers, oldest first."""
    columns = WORKERS.c
    query = select(
        columns.id, columns.worker_group, columns.hostname, columns.started, columns.heartbeat, columns.state
    )
    return [WorkerInfo(*row) for row in connection.execute(query.order_by(columns.started, columns.id))]


def turns_txn(connection: Connection) -> Mapping[QueueKey, int]:
    """Return the lowest turns of unowned jobs, from the index that claims use."""
    return {(group, priority): turn for group, priority, turn in connection.execute(_TURNS)}


def claim_txn(connection: Connection, worker_id: str, group: str, limit: int) -> Sequence[Job]:
    """Lease jobs to a worker; on PostgreSQL past the rows that others are claiming at this moment."""
    # The worker's row is locked, so that it cannot be given up between this look and the lease.
    if connection.execute(_KNOWN, {"worker": worker_id}).first() is None:
        return []
    columns = JOBS.c
    keys = [tuple(row) for row in connection.execute(_PICKED, {"group": group, "most": limit})]
    if not keys:
        return []
    lease = update(JOBS).where(tuple_(columns.task_run_id, columns.attempt).in_(keys)).values(owner=worker_id)
    jobs = [rows.to_job(text) for text in connection.execute(lease.returning(columns.body)).scalars()]
    return sorted(jobs, key=lambda job: (-job.priority, job.turn, job.created))


def stranded_txn(connection: Connection) -> Sequence[Job]:
    """Return unowned jobs whose group has no worker, and which do not wait for one."""
    jobs = (rows.to_job(text) for text in connection.execute(_WITHOUT_WORKERS).scalars())
    return [job for job in jobs if job.fallback != "WAIT"]


def strays_txn(connection: Connection, before: Instant) -> Sequence[tuple[Job, str | None]]:
    """Return unowned jobs whose execution has ended or does not exist, with its state."""
    found = connection.execute(_STRAYS, {"before": before}).all()
    jobs = [(rows.to_job(text), state) for text, state in found]
    return [(job, state) for job, state in jobs if job.trigger_id is None]


def drop_strays_txn(connection: Connection, before: Instant) -> Sequence[tuple[Job, str | None]]:
    """Delete them."""
    strays = strays_txn(connection, before)
    _DELETE_UNOWNED.run(connection, [job.key for job, _ in strays])
    return strays


def held_txn(connection: Connection, held: Held, *, is_writing: bool = True) -> None:
    """See that a worker has a job; in a transaction that writes it keeps it until that is over.

    Raises:
        JobTaken: It has not.
    """
    query = select(JOBS.c.owner).where(JOBS.c.task_run_id == held.task_run_id, JOBS.c.attempt == held.attempt)
    if connection.execute(query.with_for_update(read=True) if is_writing else query).scalar() != held.worker_id:
        raise JobTaken(held)


def strand_txn(connection: Connection, owner: str) -> Sequence[Job]:
    """Lease such jobs to an owner; returns those that nobody was quicker to take."""
    taken = []
    for job in stranded_txn(connection):
        row = and_(JOBS.c.task_run_id == job.task_run_id, JOBS.c.attempt == job.attempt, JOBS.c.owner.is_(None))
        if connection.execute(update(JOBS).where(row).values(owner=owner)).rowcount:
            taken.append(job)
    return taken


def lost_txn(connection: Connection, before: Instant) -> tuple[list[str], list[str]]:
    """Return workers without a heartbeat since then, and owners of jobs that are no workers."""
    silent = list(connection.execute(_SILENT, {"before": before}).scalars())
    return silent, list(connection.execute(_STRANGERS).scalars())


def expire_txn(connection: Connection, before: Instant) -> Sequence[str]:
    """Give up workers without a heartbeat since then, and free jobs whose owner is not known."""
    silent, strangers = lost_txn(connection, before)
    give_up_txn(connection, [*silent, *strangers])
    return silent


def begin_alone_txn(connection: Connection, now: Instant) -> Sequence[str]:
    """Give up workers that were part of a server, free jobs whose owner is not known; others are heard of now."""
    is_inner = WORKERS.c.is_remote.is_not(True)
    inner = list(connection.execute(select(WORKERS.c.id).where(is_inner)).scalars())
    strangers = list(connection.execute(_STRANGERS).scalars())
    give_up_txn(connection, [*inner, *strangers])
    connection.execute(update(WORKERS).values(heartbeat=now))
    return inner


def give_up_txn(connection: Connection, worker_ids: Sequence[str]) -> int:
    """Forget workers and free their jobs; returns how many jobs there were."""
    connection.execute(delete(WORKERS).where(WORKERS.c.id.in_(worker_ids)))
    return connection.execute(update(JOBS).where(JOBS.c.owner.in_(worker_ids)).values(owner=None)).rowcount


# -- within the journal's transaction


def put_jobs_txn(connection: Connection, jobs: Iterable[tuple[Job, str | None]]) -> None:
    """Insert jobs with the workers they are given to; one that exists stays as it is."""
    _INSERT.run(connection, [rows.job_row(job, owner) for job, owner in jobs])


def end_jobs_txn(connection: Connection, ends: Mapping[tuple[str, int], str | None]) -> None:
    """Delete jobs that have ended, where the worker that says so has them, or nobody has (BEY-001).

    Raises:
        StaleReports: Another worker has one of them.
    """
    _DELETE.run(connection, [key for key, worker in ends.items() if worker is None])
    held = [(*key, worker) for key, worker in ends.items() if worker is not None]
    if _DELETE_HELD.run(connection, held) == len(held):
        return
    # Those that were deleted before are reported once more; those that are still there are somebody else's.
    found = _OWNERS.run(connection, sorted({run for run, _, _ in held}))
    left = {(run, attempt): owner for run, attempt, owner in found if ends.get((run, attempt)) is not None}
    if left:
        raise StaleReports(left)


def kill_txn(
    connection: Connection, orders: Collection[Killed]
) -> tuple[Sequence[Killed], Sequence[tuple[Killed, str]]]:
    """Return the orders for jobs that nobody has, and those for jobs that a worker has, with the worker.

    The former stay until the end of their task runs is decided on, or a worker finds out that they may not run: an
    executor that dies in between leaves nobody waiting.
    """
    if not orders:
        return (), ()
    owners: Mapping[tuple[str, int], str | None] = {
        (run, attempt): owner
        for run, attempt, owner in _OWNERS.run(connection, sorted({order.task_run_id for order in orders}))
    }
    known = [(order, owners[(order.task_run_id, order.attempt)]) for order in orders if _key(order) in owners]
    unclaimed = [order for order, owner in known if owner is None]
    return unclaimed, [(order, owner) for order, owner in known if owner is not None]


def _key(order: Killed) -> tuple[str, int]:
    return (order.task_run_id, order.attempt)
