"""Switches as rows: what reads them, within a transaction."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, select

from penstock.ports.switches import Switch, SwitchState
from penstock.store.bulk import Row
from penstock.store.tables import SWITCHES

C = SWITCHES.c
KEY = ("tenant", "namespace", "flow_id", "trigger_id")
SAID = ("state", "since", "until", "username", "reason")


def query(*conditions: ColumnElement[bool]) -> Select[Any]:
    """Return what asks for switches, by their names."""
    columns = select(*(C[name] for name in (*KEY, *SAID)))
    return columns.where(*conditions).order_by(*(C[name] for name in KEY))


def read_txn(connection: Connection, asked: Select[Any]) -> list[Switch]:
    """Return the switches a query finds."""
    return [_switch(row) for row in connection.execute(asked)]


def said_txn(connection: Connection, trigger: tuple[str, str, str, str]) -> list[Switch]:
    """Return what people say of a trigger and of its flow, be it over or not; the flow's first."""
    tenant, namespace, flow_id, trigger_id = trigger
    of_flow = (C.tenant == tenant, C.namespace == namespace, C.flow_id == flow_id)
    return read_txn(connection, query(*of_flow, C.trigger_id.in_(["", trigger_id])))


def row(switch: Switch) -> Row:
    """Return a switch as a row of `KEY` and `SAID`."""
    return (switch.tenant, *switch.name, switch.state.value, switch.since, switch.until, switch.by, switch.reason)


def _switch(found: Any) -> Switch:
    return Switch(
        found.tenant,
        found.namespace,
        found.flow_id,
        found.trigger_id,
        SwitchState(found.state),
        found.since,
        found.until,
        found.username,
        found.reason,
    )
