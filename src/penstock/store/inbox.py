"""What waits for an executor: messages in inboxes, timers, executions that live."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import Connection, select

from penstock.base.clock import Instant
from penstock.engine.decision import Message, Timer
from penstock.engine.states import TERMINAL
from penstock.ports.journal import StoredMessage
from penstock.store import rows
from penstock.store.bulk import KeyedQuery, delete, insert
from penstock.store.tables import EXECUTIONS, MESSAGES, TIMERS

_INSERT_MESSAGES = insert(MESSAGES, rows.MESSAGE_COLUMNS)
_DELETE_MESSAGES = delete(MESSAGES, ("id",))
_PUT_TIMERS = insert(
    TIMERS,
    rows.TIMER_COLUMNS,
    "ON CONFLICT (execution_id, purpose, task_run_id) DO UPDATE SET attempt = excluded.attempt, due = excluded.due",
)
_DELETE_TIMERS = delete(TIMERS, ("execution_id", "purpose", "task_run_id"))
_WAITING = KeyedQuery(
    'SELECT id, execution_id, event FROM messages WHERE "partition" {keys} AND id > {value} ORDER BY id LIMIT {value}'
)

TimerKey = tuple[str, str, str | None]


def put_messages_txn(connection: Connection, messages: Iterable[Message]) -> None:
    """Put events into inboxes."""
    _INSERT_MESSAGES.run(connection, [rows.message_row(message.execution_id, message.event) for message in messages])


def consume_txn(connection: Connection, ids: Iterable[int]) -> None:
    """Delete messages that have been dealt with."""
    _DELETE_MESSAGES.run(connection, [(message_id,) for message_id in ids])


def put_timers_txn(connection: Connection, timers: Iterable[Timer]) -> None:
    """Set timers; one that exists is moved."""
    _PUT_TIMERS.run(connection, [rows.timer_row(timer) for timer in timers])


def cancel_timers_txn(connection: Connection, keys: Iterable[TimerKey]) -> None:
    """Delete timers."""
    _DELETE_TIMERS.run(connection, [(execution, purpose, run or "") for execution, purpose, run in keys])


def messages_txn(
    connection: Connection, partitions: Collection[int], after: int, limit: int
) -> Sequence[StoredMessage]:
    """Return waiting messages, oldest first."""
    found = _WAITING.run(connection, partitions, after, limit)
    return [StoredMessage(row[0], row[1], rows.to_event(row[2])) for row in found]


def timers_txn(connection: Connection, partitions: Collection[int], until: Instant, limit: int) -> Sequence[Timer]:
    """Return timers due until then, soonest first."""
    columns = TIMERS.c
    query = select(columns.execution_id, columns.due, columns.purpose, columns.task_run_id, columns.attempt)
    query = query.where(columns.due <= until, columns.partition.in_(partitions)).order_by(columns.due).limit(limit)
    return [Timer(row[0], row[1], row[2], row[3] or None, row[4]) for row in connection.execute(query)]


def live_txn(connection: Connection, partitions: Collection[int], after: str, limit: int) -> Sequence[str]:
    """Return ids of executions that have not ended, in order."""
    columns = EXECUTIONS.c
    query = select(columns.id).where(columns.live, columns.partition.in_(partitions), columns.id > after)
    return list(connection.execute(query.order_by(columns.id).limit(limit)).scalars())


def occupancy_txn(
    connection: Connection, tenant: str, namespace: str, flow_id: str
) -> tuple[Sequence[str], Sequence[str]]:
    """Return ids of a flow's executions that have begun and not ended, and of those that are queued, oldest first."""
    columns = EXECUTIONS.c
    query = (
        select(columns.id, columns.state)
        .where(columns.live, columns.tenant == tenant, columns.namespace == namespace, columns.flow_id == flow_id)
        .order_by(columns.created, columns.id)
    )
    found = [(row.id, row.state) for row in connection.execute(query)]
    ended = {state.value for state in TERMINAL}  # live all the same while `afterExecution` runs
    running = [one for one, state in found if state not in ended and state not in ("CREATED", "QUEUED")]
    return running, [one for one, state in found if state == "QUEUED"]


def busy_txn(connection: Connection) -> Sequence[tuple[str, str, str]]:
    """Return (tenant, namespace, flow id) of the flows that have executions which have not ended."""
    columns = EXECUTIONS.c
    query = select(columns.tenant, columns.namespace, columns.flow_id).where(columns.live).distinct()
    return [(row.tenant, row.namespace, row.flow_id) for row in connection.execute(query)]


def queued_txn(connection: Connection) -> Sequence[tuple[str, str, str]]:
    """Return (tenant, namespace, flow id) of the flows that have queued executions."""
    columns = EXECUTIONS.c
    query = (
        select(columns.tenant, columns.namespace, columns.flow_id)
        .where(columns.live, columns.state == "QUEUED")
        .distinct()
    )
    return [(row.tenant, row.namespace, row.flow_id) for row in connection.execute(query)]
