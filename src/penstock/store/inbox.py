"""What waits for an executor: messages in inboxes, timers, executions that live."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from sqlalchemy import Connection, select

from penstock.base.clock import Instant
from penstock.engine.decision import Message, Timer
from penstock.engine.states import TERMINAL
from penstock.ports.journal import COUNTED, Occupancy, StoredMessage
from penstock.store import rows
from penstock.store.bulk import KeyedQuery, delete, insert_with, update
from penstock.store.tables import EXECUTIONS, MESSAGES, TIMERS

_INSERT_MESSAGES = insert_with("execution_id", MESSAGES, rows.MESSAGE_COLUMNS)
_DELETE_MESSAGES = delete(MESSAGES, ("id",))
_PUT_TIMERS = insert_with(
    "execution_id",
    TIMERS,
    rows.TIMER_COLUMNS,
    "ON CONFLICT (execution_id, purpose, task_run_id) DO UPDATE SET attempt = excluded.attempt, due = excluded.due",
)
_DELETE_TIMERS = delete(TIMERS, ("execution_id", "purpose", "task_run_id"))
_WAITING = KeyedQuery(
    'SELECT id, execution_id, event, "partition" FROM messages WHERE "partition" {keys} AND id > {value} '
    "ORDER BY id LIMIT {value}"
)
_COUNT = update(EXECUTIONS, ("partition",), ("id",))
_COUNT_TIMERS = update(TIMERS, ("partition",), ("execution_id",))
_OVER = {state.value for state in TERMINAL}
"""States of executions that have ended; they live on all the same while `afterExecution` runs."""

FlowKey = tuple[str, str, str]
TimerKey = tuple[str, str, str | None]


def count_txn(connection: Connection, execution_ids: Collection[str]) -> None:
    """Move executions to the partition in which limits are counted.

    An event that waits for one already is passed on by whoever finds it.
    """
    moved = [(COUNTED, execution_id) for execution_id in execution_ids]
    _COUNT.run(connection, moved)
    _COUNT_TIMERS.run(connection, moved)


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
    return [StoredMessage(row[0], row[1], rows.to_event(row[2]), row[3]) for row in found]


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


def occupancy_txn(connection: Connection, tenant: str, namespace: str, flow_id: str) -> Occupancy:
    """Return the live executions of a flow."""
    columns = EXECUTIONS.c
    query = (
        select(columns.id, columns.state, columns.partition)
        .where(columns.live, columns.tenant == tenant, columns.namespace == namespace, columns.flow_id == flow_id)
        .order_by(columns.created, columns.id)
    )
    found = connection.execute(query).all()
    return Occupancy(
        running=[row.id for row in found if row.state not in _OVER and row.state not in ("CREATED", "QUEUED")],
        queued=[row.id for row in found if row.state == "QUEUED"],
        elsewhere={row.id for row in found if row.partition != COUNTED},
    )


def elsewhere_txn(connection: Connection, flows: Collection[FlowKey]) -> Mapping[str, FlowKey]:
    """Return the executions of these flows that have begun, have not ended and are not where limits are counted."""
    columns = EXECUTIONS.c
    query = select(columns.id, columns.tenant, columns.namespace, columns.flow_id).where(
        columns.live,
        columns.partition < COUNTED,
        columns.state.not_in([*sorted(_OVER), "CREATED", "QUEUED"]),
        columns.flow_id.in_({flow_id for _, _, flow_id in flows}),
    )
    found = {row.id: (row.tenant, row.namespace, row.flow_id) for row in connection.execute(query)}
    return {execution_id: key for execution_id, key in found.items() if key in flows}


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
