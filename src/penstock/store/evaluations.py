"""Evaluations of triggers: jobs that belong to a trigger's state instead of a task run's."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, delete, select

from penstock.engine.decision import Job, Message
from penstock.engine.events import Created
from penstock.ports.evaluations import Step
from penstock.ports.triggers import Outcome, TriggerState
from penstock.store import executions, inbox, jobs, triggers
from penstock.store.database import Database
from penstock.store.locks import lock_txn
from penstock.store.tables import JOBS

_CHUNK = 500


class SqlEvaluationStore:
    """The `EvaluationStore` port on a database. Implements ENG-264 and BEY-006 for evaluated triggers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take(self, step: Step) -> Outcome:
        """Take a step."""
        return await self._database.write(lambda connection: take_txn(connection, step))

    async def withdraw(self, evaluation: str) -> str | None:
        """Give an evaluation to nobody any more; returns the worker that has it already."""
        return await self._database.write(lambda connection: withdraw_txn(connection, evaluation))

    async def lost(self, evaluations: Collection[str]) -> Collection[str]:
        """Return those that no job stands for."""
        return await self._database.read(lambda connection: lost_txn(connection, evaluations))

    async def end(self, evaluation: str) -> None:
        """Forget an evaluation that nobody wants."""
        statement = delete(JOBS).where(JOBS.c.task_run_id == evaluation)
        await self._database.write(lambda connection: connection.execute(statement))


def lost_txn(connection: Connection, evaluations: Collection[str]) -> Collection[str]:
    """Return those that no job stands for."""
    wanted, there = list(evaluations), set[str]()
    for start in range(0, len(wanted), _CHUNK):
        some = JOBS.c.task_run_id.in_(wanted[start : start + _CHUNK])
        there.update(connection.execute(select(JOBS.c.task_run_id).where(some)).scalars())
    return set(wanted) - there


def withdraw_txn(connection: Connection, evaluation: str) -> str | None:
    """Delete the job unless a worker has it; returns that worker."""
    connection.execute(delete(JOBS).where(JOBS.c.task_run_id == evaluation, JOBS.c.owner.is_(None)))
    return connection.execute(select(JOBS.c.owner).where(JOBS.c.task_run_id == evaluation)).scalar()


def take_txn(connection: Connection, step: Step) -> Outcome:
    """Compare what is stored with what was seen, then write everything; or write nothing."""
    lock_txn(connection, "trigger", *step.before.key)
    # A trigger never stored is as good as one of which nothing is known.
    stored = triggers.get_txn(connection, step.before.key) or TriggerState(*step.before.key)
    if stored != step.before:
        return Outcome.STALE
    if step.held is not None and not _is_held_txn(connection, *step.held):
        return Outcome.LOST
    if step.execution is not None:
        if executions.insert_txn(connection, [step.execution]):
            return Outcome.KNOWN
        inbox.put_messages_txn(connection, [Message(step.execution.id, Created(step.reject))])
    if step.ended is not None:
        jobs.end_jobs_txn(connection, {step.ended.key: None})
    if step.offered is not None:
        jobs.put_jobs_txn(connection, [(step.offered, None)])
    triggers.put_txn(connection, step.after)
    return Outcome.DONE


def _is_held_txn(connection: Connection, job: Job, worker_id: str) -> bool:
    # The row stays locked, so that the lease cannot move to another worker before this transaction ends.
    query = select(JOBS.c.owner).where(JOBS.c.task_run_id == job.task_run_id, JOBS.c.attempt == job.attempt)
    return connection.execute(query.with_for_update()).scalar() == worker_id
