"""Executions and their task runs as rows: written by the journal, loaded as working sets."""

# ruff: noqa: S608 - names come from our own tables, values are parameters

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from sqlalchemy import Connection

from penstock.engine.records import Execution, TaskRun
from penstock.engine.states import TERMINAL, StateType
from penstock.ports.journal import Loaded
from penstock.store import counts, rows
from penstock.store.bulk import KeyedQuery, columns_of, delete, insert, quoted, update
from penstock.store.tables import EXECUTION_LABELS, EXECUTIONS, TASK_RUNS

_INSERT = insert(EXECUTIONS, (*rows.EXECUTION_SET_ONCE, *rows.EXECUTION_CHANGING), "ON CONFLICT DO NOTHING")
_UPDATE = update(EXECUTIONS, rows.EXECUTION_CHANGING, ("id",))
_KNOWN = KeyedQuery("SELECT id, firing_key FROM executions WHERE id {keys}")
_FIRED = KeyedQuery("SELECT id, firing_key FROM executions WHERE firing_key {keys}")
# Locked: what is counted of an execution must be what it was when it changed.
_BEFORE = KeyedQuery(
    "SELECT id, labels, start_date, state, end_date FROM executions WHERE id {keys}", lock="FOR NO KEY UPDATE"
)
_INSERT_LABELS = insert(EXECUTION_LABELS, ("execution_id", "key", "value"), "ON CONFLICT DO NOTHING")
_DELETE_LABELS = delete(EXECUTION_LABELS, ("execution_id",))
_INSERT_RUNS = insert(TASK_RUNS, rows.TASK_RUN_COLUMNS, "ON CONFLICT DO NOTHING")
_UPDATE_RUNS = update(TASK_RUNS, rows.TASK_RUN_CHANGING, ("execution_id", "id"))

_EXECUTION = ", ".join(map(quoted, rows.EXECUTION_READ))
_TASK_RUN_SELECT = f"SELECT {', '.join(map(quoted, rows.TASK_RUN_COLUMNS))} FROM task_runs"
_LOAD = KeyedQuery(f'SELECT {_EXECUTION}, "partition" FROM executions WHERE id {{keys}}')
_LOAD_RUNS = KeyedQuery(f"{_TASK_RUN_SELECT} WHERE execution_id {{keys}}")
_NOBODY: Mapping[str, Execution] = {}

TERMINAL_NAMES = frozenset(state.value for state in TERMINAL)
"""States with an end date, as stored."""
OPEN_NAMES = frozenset(state.value for state in StateType) - TERMINAL_NAMES
"""States without one."""


def insert_txn(connection: Connection, executions: Collection[Execution], share: int = counts.OTHERS) -> set[str]:
    """Insert new executions; returns the ids of those left out because they, or their firing, exist already.

    Args:
        connection: The transaction.
        executions: The new ones.
        share: In whose share those that have ended already are counted.
    """
    if not executions:
        return set()
    wanted = {execution.id: execution for execution in executions}
    if connection.dialect.name == "sqlite":
        for execution_id in _known_txn(connection, executions):
            del wanted[execution_id]
        _INSERT.run(connection, [rows.execution_row(execution) for execution in wanted.values()])
        written = set(wanted)
    else:
        # Another process may insert the same firing at this moment; only the statement itself knows who was first.
        given = columns_of([rows.execution_row(execution) for execution in wanted.values()])
        written = {row[0] for row in connection.exec_driver_sql(f"{_INSERT.postgres} RETURNING id", given)}
    _INSERT_LABELS.run(connection, [row for one in executions if one.id in written for row in rows.label_rows(one)])
    counts.begun_with_txn(connection, [one for one in executions if one.id in written], share)
    return {execution.id for execution in executions if execution.id not in written}


def _known_txn(connection: Connection, executions: Collection[Execution]) -> set[str]:
    known = {row[0] for row in _KNOWN.run(connection, (execution.id for execution in executions))}
    firings = [execution.firing_key for execution in executions if execution.firing_key is not None]
    if firings:
        fired = {row[1] for row in _FIRED.run(connection, firings)}
        for execution in executions:
            if execution.firing_key is None or execution.id in known:
                continue
            if execution.firing_key in fired:
                known.add(execution.id)
            fired.add(execution.firing_key)
    return known


def update_txn(
    connection: Connection,
    executions: Collection[Execution],
    share: int = counts.OTHERS,
    known: Mapping[str, Execution] = _NOBODY,
) -> None:
    """Write the changing columns of executions, their labels where those are others now, and what is counted.

    Args:
        connection: The transaction.
        executions: As they become.
        share: In whose share those that end are counted.
        known: As they are stored, for sure; the others are looked at. So are those that had ended, which may have been
            removed meanwhile.
    """
    if not executions:
        return
    before = {
        one.id: counts.Before(one.labels, rows.start_of(one))
        for one in (known.get(execution.id) for execution in executions)
        if one is not None and one.state.current not in TERMINAL
    }
    before.update(_before_txn(connection, [one.id for one in executions if one.id not in before]))
    stored = [one for one in executions if one.id in before]
    relabelled = [one for one in stored if before[one.id].labels != one.labels]
    _DELETE_LABELS.run(connection, [(execution.id,) for execution in relabelled])
    _INSERT_LABELS.run(connection, [row for execution in relabelled for row in rows.label_rows(execution)])
    _UPDATE.run(connection, [(*rows.execution_changes(execution), execution.id) for execution in executions])
    counts.changed_txn(connection, stored, before, share)


def _before_txn(connection: Connection, execution_ids: Collection[str]) -> dict[str, counts.Before]:
    if not execution_ids:
        return {}
    found = _BEFORE.run(connection, sorted(execution_ids))
    return {row[0]: counts.Before(rows.to_labels(row[1]), *row[2:]) for row in found}


def insert_runs_txn(connection: Connection, runs: Iterable[TaskRun]) -> None:
    """Insert new task runs."""
    _INSERT_RUNS.run(connection, [rows.task_run_row(run) for run in runs])


def update_runs_txn(connection: Connection, runs: Iterable[TaskRun]) -> None:
    """Write the changing columns of task runs."""
    _UPDATE_RUNS.run(connection, [(*rows.task_run_changes(run), run.execution_id, run.id) for run in runs])


def load_txn(connection: Connection, execution_ids: Collection[str]) -> Mapping[str, Loaded]:
    """Return working sets of those executions that exist."""
    found = [(rows.to_execution(row[:-1]), row[-1]) for row in _LOAD.run(connection, execution_ids)]
    runs = task_runs_txn(connection, [execution.id for execution, _ in found])
    return {execution.id: Loaded(execution, runs[execution.id], partition) for execution, partition in found}


def task_runs_txn(connection: Connection, execution_ids: Collection[str]) -> dict[str, Sequence[TaskRun]]:
    """Return the task runs of each execution, in the order of their creation."""
    found: dict[str, list[TaskRun]] = {execution_id: [] for execution_id in execution_ids}
    for row in _LOAD_RUNS.run(connection, execution_ids):
        run = rows.to_task_run(row)
        found[run.execution_id].append(run)
    return {key: sorted(runs, key=lambda run: (run.sequence, run.id)) for key, runs in found.items()}
