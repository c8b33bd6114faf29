"""States of triggers, and the one transaction that moves a trigger on and creates its execution."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, delete, exists, or_, select, tuple_

from penstock.base.clock import Instant
from penstock.engine.decision import Message
from penstock.engine.events import Created
from penstock.engine.records import Execution
from penstock.ports.queries import Filter, Page, PageRequest
from penstock.ports.switches import Switch, SwitchState
from penstock.ports.triggers import Outcome, TriggerState
from penstock.store import executions, inbox, rows
from penstock.store import filters as kinds
from penstock.store.bulk import Row, insert
from penstock.store.database import Database
from penstock.store.filters import Condition, Search, page_txn
from penstock.store.locks import lock_txn
from penstock.store.switch_rows import said_txn
from penstock.store.tables import SWITCHES, TRIGGER_STATES

C = TRIGGER_STATES.c
_KEY = ("tenant", "namespace", "flow_id", "trigger_id")
_CHANGING = ("type", "date", "next_date", "disabled", "execution_id", "body")
_PUT = insert(
    TRIGGER_STATES,
    (*_KEY, *_CHANGING),
    f"ON CONFLICT ({', '.join(_KEY)}) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in _CHANGING)}",
)
_STATE = msgspec.json.Decoder(TriggerState)


class SqlTriggerStore:
    """The `TriggerStore` port on a database. Implements API-037's records and BEY-006 (a firing happens once)."""

    def __init__(self, database: Database, system_namespace: str) -> None:
        self._database = database
        self._search = trigger_search(system_namespace)

    async def get(self, tenant: str, namespace: str, flow_id: str, trigger_id: str) -> TriggerState | None:
        """Return one state."""
        key = (tenant, namespace, flow_id, trigger_id)
        return await self._database.read(lambda connection: get_txn(connection, key))

    async def all(self) -> Sequence[TriggerState]:
        """Return every state."""
        query = select(C.body).order_by(C.tenant, C.namespace, C.flow_id, C.trigger_id)
        found = await self._database.read(lambda connection: connection.execute(query).scalars().all())
        return [_STATE.decode(text) for text in found]

    async def of_flows(self, tenant: str, flows: Sequence[tuple[str, str]]) -> Sequence[TriggerState]:
        """Return the states of the triggers of flows."""
        query = select(C.body).where(C.tenant == tenant, tuple_(C.namespace, C.flow_id).in_(flows))
        found = await self._database.read(lambda connection: connection.execute(query).scalars().all())
        return [_STATE.decode(text) for text in found]

    async def search(self, tenant: str, filters: Sequence[Filter], page: PageRequest) -> Page[TriggerState]:
        """Return states, by namespace, flow and trigger unless asked otherwise."""
        conditions = [C.tenant == tenant, *self._search.conditions(filters)]
        order = [*self._search.order(page.sort), C.namespace, C.flow_id, C.trigger_id]
        found, total = await self._database.read(
            lambda connection: page_txn(connection, [C.body], conditions, order, page)
        )
        return Page([_STATE.decode(row[0]) for row in found], total)

    async def save(self, state: TriggerState) -> None:
        """Insert or replace a state."""
        await self._database.write(lambda connection: put_txn(connection, state))

    async def delete(self, tenant: str, namespace: str, flow_id: str, trigger_id: str | None = None) -> int:
        """Forget a trigger's state, or all of a flow's; returns how many there were."""
        statement = delete(TRIGGER_STATES).where(_is(tenant, namespace, flow_id, trigger_id))
        return await self._database.write(lambda connection: connection.execute(statement).rowcount)

    async def fire(
        self,
        before: TriggerState,
        after: TriggerState,
        execution: Execution | None,
        reject: str | None = None,
        said: Sequence[Switch] | None = None,
    ) -> Outcome:
        """Move a trigger on and create its execution, unless somebody else was first or something else is said."""
        return await self._database.write(
            lambda connection: fire_txn(connection, before, after, execution, reject, said)
        )


def fire_txn(
    connection: Connection,
    before: TriggerState,
    after: TriggerState,
    execution: Execution | None,
    reject: str | None,
    said: Sequence[Switch] | None,
) -> Outcome:
    """Compare what is stored with what was seen, then write state, execution and message; or write nothing."""
    lock_txn(connection, "trigger", *before.key)
    if (get_txn(connection, before.key) or TriggerState(*before.key)) != before:
        return Outcome.STALE
    if said is not None and said_txn(connection, before.key) != list(said):
        return Outcome.SWITCHED
    if execution is not None:
        if executions.insert_txn(connection, [execution]):
            return Outcome.KNOWN
        inbox.put_messages_txn(connection, [Message(execution.id, Created(reject))])
    put_txn(connection, after)
    return Outcome.DONE


def change_txn(
    connection: Connection, key: tuple[str, str, str, str], change: Callable[[TriggerState], TriggerState]
) -> None:
    """Change a state as it is stored at present."""
    lock_txn(connection, "trigger", *key)
    before = get_txn(connection, key)
    after = None if before is None else change(before)
    if after is not None and after != before:
        put_txn(connection, after)


def keys_txn(connection: Connection, key: tuple[str, str, str, str]) -> Sequence[tuple[str, str, str, str]]:
    """Return which states there are of a trigger, or of a flow when none is named."""
    tenant, namespace, flow_id, trigger_id = key
    query = select(*(C[name] for name in _KEY)).where(_is(tenant, namespace, flow_id, trigger_id or None))
    return [(row[0], row[1], row[2], row[3]) for row in connection.execute(query.order_by(C.trigger_id))]


def disables_trigger() -> ColumnElement[bool]:
    """Return the condition that a switch disables a trigger of the table of states."""
    same = and_(*(SWITCHES.c[name] == C[name] for name in _KEY))
    return exists().where(same, SWITCHES.c.state != SwitchState.ENABLED.value)


def get_txn(connection: Connection, key: tuple[str, str, str, str]) -> TriggerState | None:
    """Return one state."""
    text = connection.execute(select(C.body).where(_is(*key))).scalar()
    return None if text is None else _STATE.decode(text)


def due_triggers_txn(connection: Connection, now: Instant) -> Sequence[TriggerState]:
    """Return the states whose date has passed."""
    query = select(C.body).where(C.next_date <= now, C.disabled.is_(False))
    return [_STATE.decode(text) for text in connection.execute(query).scalars()]


def put_txn(connection: Connection, state: TriggerState) -> None:
    """Insert or replace a state."""
    _PUT.run(connection, [_row(state)])


def trigger_search(system_namespace: str) -> Search:
    """Return what triggers can be filtered and sorted by."""
    return Search(
        "triggers",
        {
            "q": kinds.query(C.trigger_id, C.flow_id, C.namespace),
            "scope": kinds.scope(C.namespace, system_namespace),
            "namespace": kinds.namespace(C.namespace),
            "flowId": kinds.name(C.flow_id),
            "triggerId": kinds.name(C.trigger_id),
            "id": kinds.name(C.trigger_id),
            "type": kinds.name(C.type),
            "executionId": kinds.name(C.execution_id),
            "triggerExecutionId": kinds.name(C.execution_id),
            "triggerState": kinds.flag(or_(C.disabled.is_(True), disables_trigger()), "DISABLED", "ENABLED"),
            "startDate": kinds.instant(C.next_date),
            "endDate": kinds.instant(C.next_date),
            "timeRange": kinds.since(C.next_date),
        },
        {
            "namespace": C.namespace,
            "flowId": C.flow_id,
            "triggerId": C.trigger_id,
            "type": C.type,
            "date": C.date,
            "nextExecutionDate": C.next_date,
            "disabled": C.disabled,
            "executionId": C.execution_id,
        },
    )


def _row(state: TriggerState) -> Row:
    return (
        *state.key,
        state.type,
        state.date,
        state.next_date,
        state.disabled,
        state.execution_id,
        rows.body(state),
    )


def _is(tenant: str, namespace: str, flow_id: str, trigger_id: str | None) -> Condition:
    conditions: list[Any] = [C.tenant == tenant, C.namespace == namespace, C.flow_id == flow_id]
    if trigger_id is not None:
        conditions.append(C.trigger_id == trigger_id)
    return and_(*conditions)
