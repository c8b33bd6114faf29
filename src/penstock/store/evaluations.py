"""Evaluations of triggers: jobs that belong to a trigger's state instead of a task run's."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, delete, select

from penstock.engine.decision import Job, Message
from penstock.engine.events import Created
from penstock.ports.evaluations import Outcome, Step
from penstock.store import executions, inbox, jobs, triggers
from penstock.store.database import Database
from penstock.store.locks import lock_txn
from penstock.store.tables import JOBS


class SqlEvaluationStore:
    """The `EvaluationStore` port on a database. Implements ENG-264 and BEY-006 for evaluated triggers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take(self, step: Step) -> Outcome:
        """Take a step."""
        return await self._database.write(lambda connection: take_txn(connection, step))

    async def withdraw(self, evaluation: str) -> str | None:
        """Let nobody do an evaluation any more; returns the worker that has it."""
        statement = delete(JOBS).where(JOBS.c.task_run_id == evaluation).returning(JOBS.c.owner)
        return await self._database.write(lambda connection: connection.execute(statement).scalar())

    async def held(self, worker_id: str, evaluations: Collection[str]) -> set[str]:
        """Return those of the evaluations that are the worker's still."""
        query = select(JOBS.c.task_run_id).where(JOBS.c.task_run_id.in_(evaluations), JOBS.c.owner == worker_id)
        return set(await self._database.read(lambda connection: connection.execute(query).scalars().all()))


def take_txn(connection: Connection, step: Step) -> Outcome:
    """Compare what is stored with what was seen, then write everything; or write nothing."""
    lock_txn(connection, "trigger", *step.before.key)
    if triggers.get_txn(connection, step.before.key) != step.before:
        return Outcome.STALE
    if step.held is not None and not _is_held_txn(connection, *step.held):
        return Outcome.LOST
    if step.execution is not None:
        if executions.insert_txn(connection, [step.execution]):
            return Outcome.KNOWN
        inbox.put_messages_txn(connection, [Message(step.execution.id, Created(step.reject))])
    if step.ended is not None:
        jobs.end_jobs_txn(connection, [step.ended.key])
    if step.offered is not None:
        jobs.put_jobs_txn(connection, [(step.offered, None)])
    triggers.put_txn(connection, step.after)
    return Outcome.DONE


def _is_held_txn(connection: Connection, job: Job, worker_id: str) -> bool:
    # The row stays locked, so that the lease cannot move to another worker before this transaction ends.
    query = select(JOBS.c.owner).where(JOBS.c.task_run_id == job.task_run_id, JOBS.c.attempt == job.attempt)
    return connection.execute(query.with_for_update()).scalar() == worker_id
