"""What people say of flows and triggers on this instance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, func, or_, select, tuple_

from penstock.base.clock import Instant
from penstock.ports.switches import Switch, SwitchName, SwitchState
from penstock.store.bulk import insert
from penstock.store.database import Database
from penstock.store.tables import SWITCHES, TRIGGER_STATES

C = SWITCHES.c
_KEY = ("tenant", "namespace", "flow_id", "trigger_id")
_NAME = (C.namespace, C.flow_id, C.trigger_id)
_CHUNK = 500
_SAID = ("state", "since", "until", "username", "reason")
_PUT = insert(
    SWITCHES,
    (*_KEY, *_SAID),
    f"ON CONFLICT ({', '.join(_KEY)}) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in _SAID)}",
)
_READ = select(*(C[name] for name in (*_KEY, *_SAID))).order_by(*(C[name] for name in _KEY))


class SqlSwitchStore:
    """The `SwitchStore` port on a database. Implements the storage of BEY-041."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_flow(self, tenant: str, namespace: str, flow_id: str) -> Sequence[Switch]:
        """Return the switches of a flow and its triggers."""
        return await self.of_flows(tenant, [(namespace, flow_id)])

    async def of_flows(self, tenant: str, flows: Sequence[tuple[str, str]]) -> Sequence[Switch]:
        """Return the switches of several flows and their triggers."""
        query = _READ.where(C.tenant == tenant, tuple_(C.namespace, C.flow_id).in_(flows))
        return await self._database.read(lambda connection: _read_txn(connection, query))

    async def all(self) -> Sequence[Switch]:
        """Return all switches."""
        return await self._database.read(lambda connection: _read_txn(connection, _READ))

    async def put(self, switches: Sequence[Switch]) -> None:
        """Insert or replace switches."""
        rows = [_row(switch) for switch in switches]
        await self._database.write(lambda connection: _PUT.run(connection, rows))

    async def remove(
        self, tenant: str, names: Sequence[SwitchName], states: Sequence[SwitchState] = ()
    ) -> Sequence[SwitchName]:
        """Remove switches, if they say one of these."""
        statement = delete(SWITCHES).where(C.tenant == tenant).returning(*_NAME)
        if states:
            statement = statement.where(C.state.in_([state.value for state in states]))

        def remove_txn(connection: Connection) -> Sequence[SwitchName]:
            found: list[SwitchName] = []
            for start in range(0, len(names), _CHUNK):
                removed = connection.execute(statement.where(tuple_(*_NAME).in_(names[start : start + _CHUNK])))
                found += [(row.namespace, row.flow_id, row.trigger_id) for row in removed]
            return found

        return await self._database.write(remove_txn)

    async def remove_over(self, now: Instant) -> Sequence[Switch]:
        """Remove the switches whose time has come, and return them."""

        def remove_txn(connection: Connection) -> Sequence[Switch]:
            found = _read_txn(connection, _READ.where(C.until <= now))
            if found:
                connection.execute(delete(SWITCHES).where(C.until <= now))
            return found

        return await self._database.write(remove_txn)


def counts_txn(connection: Connection, now: Instant) -> Sequence[tuple[str, int]]:
    """Return how many switches say what."""
    query = select(C.state, func.count()).where(or_(C.until.is_(None), C.until > now)).group_by(C.state)
    return [(state, count) for state, count in connection.execute(query)]


def disables_trigger() -> ColumnElement[bool]:
    """Return the condition that a switch disables a trigger of the table of states."""
    states = TRIGGER_STATES.c
    same = and_(*(C[name] == states[name] for name in _KEY))
    return exists().where(same, C.state != SwitchState.ENABLED.value)


def _read_txn(connection: Connection, query: Any) -> Sequence[Switch]:
    return [_switch(row) for row in connection.execute(query).all()]


def _row(switch: Switch) -> tuple[Any, ...]:
    return (switch.tenant, *switch.name, switch.state.value, switch.since, switch.until, switch.by, switch.reason)


def _switch(row: Any) -> Switch:
    return Switch(
        row.tenant,
        row.namespace,
        row.flow_id,
        row.trigger_id,
        SwitchState(row.state),
        row.since,
        row.until,
        row.username,
        row.reason,
    )
