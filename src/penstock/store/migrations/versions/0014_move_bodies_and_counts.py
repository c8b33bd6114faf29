"""What is large about executions goes to columns at the end of their rows; counts of what has ended are kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import sqlalchemy as sa
from alembic import op

revision = "0014_move_bodies_and_counts"
down_revision = "0013_pre_preferences"

NAME = sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")
BATCH = 1000
CHURN = {
    "autovacuum_vacuum_scale_factor": 0,
    "autovacuum_vacuum_threshold": 5000,
    "autovacuum_vacuum_cost_delay": 0,
    "fillfactor": 50,
}
RECEIVED = ("inputs", "parent_outputs", "fixtures", "edits")
PRODUCED = ("variables", "outputs")
_COUNT = """
INSERT INTO execution_counts (tenant, hour, namespace, flow_id, kind, state, share, number, duration)
SELECT tenant, start_date - start_date % 3600000000, namespace, flow_id, kind, state, -1, count(*),
    sum(end_date - start_date)
FROM executions WHERE end_date IS NOT NULL GROUP BY 1, 2, 3, 4, 5, 6
"""
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
"""Values stay as they were written, to the letter."""


def upgrade() -> None:
    """Add columns and table, move and count what is there."""
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        _renew(connection, received, produced, birth_without, progress_without)
    else:
        op.add_column("executions", sa.Column("received", sa.Text()))
        op.add_column("executions", sa.Column("produced", sa.Text()))
        _rewrite(connection, apart)
    op.create_table(
        "execution_counts",
        sa.Column("tenant", NAME, nullable=False),
        sa.Column("hour", sa.BigInteger(), nullable=False),
        sa.Column("namespace", NAME, nullable=False),
        sa.Column("flow_id", NAME, nullable=False),
        sa.Column("kind", NAME, nullable=False),
        sa.Column("state", NAME, nullable=False),
        sa.Column("share", sa.SmallInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("duration", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "hour", "namespace", "flow_id", "kind", "state", "share"),
        postgresql_with=CHURN,
        sqlite_with_rowid=False,
    )
    op.create_index(
        "execution_counts_by_flow", "execution_counts", ["tenant", "namespace", "flow_id", "hour"], unique=False
    )
    op.execute(_COUNT)


def downgrade() -> None:
    """Bring what was moved back, and forget the counts."""
    connection = op.get_bind()
    op.drop_table("execution_counts")
    if connection.dialect.name == "sqlite":
        _renew(connection, None, None, birth_with, progress_with)
        return
    _rewrite(connection, together)
    op.drop_column("executions", "produced")
    op.drop_column("executions", "received")


# -- texts


def received(birth: str) -> str | None:
    """Return what is large of a birth."""
    fields = _OBJECT.decode(birth)
    found = {name: fields[name] for name in RECEIVED if name in fields}
    variables = _OBJECT.decode(fields["trigger"]).get("variables") if "trigger" in fields else None
    if variables is not None:
        found["trigger_variables"] = variables
    return _text(found)


def birth_without(birth: str, _: str | None = None) -> str:
    """Return a birth without what is large."""
    fields = {name: value for name, value in _OBJECT.decode(birth).items() if name not in RECEIVED}
    if "trigger" in fields:
        trigger = {name: value for name, value in _OBJECT.decode(fields["trigger"]).items() if name != "variables"}
        fields["trigger"] = msgspec.Raw(msgspec.json.encode(trigger))
    return _text(fields) or "{}"


def birth_with(birth: str, given: str | None) -> str:
    """Return a birth with what is large."""
    fields, more = _OBJECT.decode(birth), _OBJECT.decode(given or "{}")
    variables = more.pop("trigger_variables", None)
    if variables is not None and "trigger" in fields:
        trigger = {**_OBJECT.decode(fields["trigger"]), "variables": variables}
        fields["trigger"] = msgspec.Raw(msgspec.json.encode(trigger))
    return _text({**fields, **more}) or "{}"


def produced(progress: str) -> str | None:
    """Return what is large of a progress."""
    fields = _OBJECT.decode(progress)
    return _text({name: fields[name] for name in PRODUCED if name in fields})


def progress_without(progress: str, _: str | None = None) -> str:
    """Return a progress without what is large."""
    return _text({name: one for name, one in _OBJECT.decode(progress).items() if name not in PRODUCED}) or "{}"


def progress_with(progress: str, made: str | None) -> str:
    """Return a progress with what is large."""
    return _text({**_OBJECT.decode(progress), **_OBJECT.decode(made or "{}")}) or "{}"


def _text(fields: dict[str, msgspec.Raw]) -> str | None:
    return msgspec.json.encode(fields).decode() if fields else None


def apart(row: Any) -> dict[str, str | None]:
    """Return the columns of a row, with what is large by itself."""
    return {
        "birth": birth_without(row.birth),
        "progress": progress_without(row.progress),
        "received": received(row.birth),
        "produced": produced(row.progress),
    }


def together(row: Any) -> dict[str, str | None]:
    """Return the columns of a row as they were."""
    return {
        "birth": birth_with(row.birth, row.received),
        "progress": progress_with(row.progress, row.produced),
    }


# -- rows


def _rewrite(connection: sa.Connection, change: Callable[[Any], dict[str, str | None]]) -> None:
    """Change all rows, some at a time."""
    names = ("id", "birth", "progress", "received", "produced")
    table = sa.table("executions", *(sa.column(name) for name in names))
    query = sa.select(*(table.c[name] for name in names)).order_by(table.c.id).limit(BATCH)
    found = connection.execute(query).all()
    while found:
        changed = [{"key": row.id, **change(row)} for row in found]
        setting: dict[str, Any] = {name: sa.bindparam(name) for name in changed[0] if name != "key"}
        connection.execute(sa.update(table).where(table.c.id == sa.bindparam("key")).values(setting), changed)
        found = connection.execute(query.where(table.c.id > found[-1].id)).all()


COLUMNS = (
    "id",
    "tenant",
    "namespace",
    "flow_id",
    "flow_revision",
    "created",
    "start_date",
    "partition",
    "original_id",
    "parent_execution_id",
    "trigger_id",
    "trigger_execution_id",
    "schedule_date",
    "kind",
    "firing_key",
    "birth",
    "state",
    "end_date",
    "live",
    "version",
    "labels",
    "progress",
)


def _renew(
    connection: sa.Connection,
    taken: Callable[[str], str | None] | None,
    made: Callable[[str], str | None] | None,
    birth: Callable[[str, str | None], str],
    progress: Callable[[str, str | None], str],
) -> None:
    """Make the table anew: SQLite would note added columns in other words than a table that is made with them."""
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.create_function("birth_of", 2, birth, deterministic=True)
    driver.create_function("progress_of", 2, progress, deterministic=True)
    more: list[sa.Column[str]] = []
    for name, function in (("received", taken), ("produced", made)):
        if function is not None:
            driver.create_function(f"{name}_of", 1, function, deterministic=True)
            more.append(sa.Column(name, sa.Text(), nullable=True))
    known = "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'executions' AND sql IS NOT NULL"
    indexes = [(row[0], row[1]) for row in connection.exec_driver_sql(known)]
    for name, _ in indexes:
        op.drop_index(name, "executions")
    op.rename_table("executions", "old_executions")
    _create(more)
    values = {
        "birth": f"birth_of(birth, {'NULL' if more else 'received'})",
        "progress": f"progress_of(progress, {'NULL' if more else 'produced'})",
        "received": "received_of(birth)",
        "produced": "produced_of(progress)",
    }
    wanted = [*COLUMNS, *(column.name for column in more)]
    given = ", ".join(values.get(name, quoted(name)) for name in wanted)
    into = ", ".join(map(quoted, wanted))
    connection.exec_driver_sql(f"INSERT INTO executions ({into}) SELECT {given} FROM old_executions")  # noqa: S608
    op.drop_table("old_executions")
    for _, statement in indexes:
        connection.exec_driver_sql(statement)


def quoted(name: str) -> str:
    """Return a column's name as SQL: `partition` is a word of the language."""
    return f'"{name}"'


def _create(more: list[sa.Column[str]]) -> None:
    op.create_table(
        "executions",
        sa.Column("id", NAME, nullable=False),
        sa.Column("tenant", NAME, nullable=False),
        sa.Column("namespace", NAME, nullable=False),
        sa.Column("flow_id", NAME, nullable=False),
        sa.Column("flow_revision", sa.Integer(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("start_date", sa.BigInteger(), nullable=False),
        sa.Column("partition", sa.SmallInteger(), nullable=False),
        sa.Column("original_id", NAME, nullable=False),
        sa.Column("parent_execution_id", NAME, nullable=True),
        sa.Column("trigger_id", NAME, nullable=True),
        sa.Column("trigger_execution_id", NAME, nullable=True),
        sa.Column("schedule_date", sa.BigInteger(), nullable=True),
        sa.Column("kind", NAME, nullable=False),
        sa.Column("firing_key", NAME, nullable=True),
        sa.Column("birth", sa.Text(), nullable=False),
        sa.Column("state", NAME, nullable=False),
        sa.Column("end_date", sa.BigInteger(), nullable=True),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.Column("progress", sa.Text(), nullable=False),
        *more,
        sa.PrimaryKeyConstraint("id"),
    )
