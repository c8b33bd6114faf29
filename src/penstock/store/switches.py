"""What people say of flows and triggers on this instance."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, delete, func, or_, select, tuple_

from penstock.base.clock import Instant
from penstock.ports.switches import Resumed, Switch, SwitchName, SwitchState, unchanged
from penstock.store.bulk import insert
from penstock.store.database import Database
from penstock.store.switch_rows import KEY, SAID, query, read_txn, row
from penstock.store.tables import SWITCHES
from penstock.store.triggers import change_txn, keys_txn

C = SWITCHES.c
_NAME = (C.namespace, C.flow_id, C.trigger_id)
_CHUNK = 500
_PUT = insert(
    SWITCHES,
    (*KEY, *SAID),
    f"ON CONFLICT ({', '.join(KEY)}) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in SAID)}",
)


class SqlSwitchStore:
    """The `SwitchStore` port on a database. Implements the storage of BEY-041."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_flow(self, tenant: str, namespace: str, flow_id: str) -> Sequence[Switch]:
        """Return the switches of a flow and its triggers."""
        return await self.of_flows(tenant, [(namespace, flow_id)])

    async def of_flows(self, tenant: str, flows: Sequence[tuple[str, str]]) -> Sequence[Switch]:
        """Return the switches of several flows and their triggers."""
        asked = query(C.tenant == tenant, tuple_(C.namespace, C.flow_id).in_(flows))
        return await self._database.read(lambda connection: read_txn(connection, asked))

    async def all(self) -> Sequence[Switch]:
        """Return all switches."""
        return await self._database.read(lambda connection: read_txn(connection, query()))

    async def put(self, switches: Sequence[Switch], resumed: Resumed = unchanged) -> None:
        """Insert or replace switches, and resume what they enable."""
        rows = [row(switch) for switch in switches]
        enabled = [(one.tenant, *one.name) for one in switches if not one.disables]

        def put_txn(connection: Connection) -> None:
            for key in enabled:
                _resume_txn(connection, [C[name] == value for name, value in zip(KEY, key, strict=True)], resumed)
            _PUT.run(connection, rows)

        await self._database.write(put_txn)

    async def remove(
        self,
        tenant: str,
        names: Sequence[SwitchName],
        states: Sequence[SwitchState] = (),
        resumed: Resumed = unchanged,
    ) -> Sequence[SwitchName]:
        """Remove switches, if they say one of these, and resume what they have stopped."""
        about = [C.tenant == tenant]
        if states:
            about.append(C.state.in_([state.value for state in states]))

        def remove_txn(connection: Connection) -> Sequence[SwitchName]:
            found: list[SwitchName] = []
            for start in range(0, len(names), _CHUNK):
                some = [*about, tuple_(*_NAME).in_(names[start : start + _CHUNK])]
                _resume_txn(connection, some, resumed)
                removed = connection.execute(delete(SWITCHES).where(*some).returning(*_NAME))
                found += [(row.namespace, row.flow_id, row.trigger_id) for row in removed]
            return found

        return await self._database.write(remove_txn)

    async def remove_over(self, now: Instant, resumed: Resumed = unchanged) -> Sequence[Switch]:
        """Remove the switches whose time has come, resume what they have stopped, and return them."""

        def remove_txn(connection: Connection) -> Sequence[Switch]:
            found = _resume_txn(connection, [C.until <= now], resumed)
            if found:
                connection.execute(delete(SWITCHES).where(C.until <= now))
            return found

        return await self._database.write(remove_txn)


def counts_txn(connection: Connection, now: Instant) -> Sequence[tuple[str, int]]:
    """Return how many switches say what."""
    counted = select(C.state, func.count()).where(or_(C.until.is_(None), C.until > now)).group_by(C.state)
    return [(state, count) for state, count in connection.execute(counted)]


def _resume_txn(
    connection: Connection, conditions: Sequence[ColumnElement[bool]], resumed: Resumed
) -> Sequence[Switch]:
    """Resume the triggers that some switches stop; returns these. They are held, so that no two orders mix."""
    found = read_txn(connection, query(*conditions).with_for_update())
    stopping = [switch for switch in found if switch.disables]
    for switch in stopping if resumed is not unchanged else ():
        for key in keys_txn(connection, (switch.tenant, *switch.name)):
            change_txn(connection, key, lambda state, gone=switch: resumed(state, gone))  # type: ignore[misc]
    return stopping
