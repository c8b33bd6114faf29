"""The tables as they were when versions of the schema began to be counted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001_pre_baseline"
down_revision = None

NAME = sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
PARTITIONS = 64


def upgrade() -> None:
    """Create all tables, and one row per partition."""
    op.create_table(
        "execution_labels",
        sa.Column("execution_id", NAME, nullable=False),
        sa.Column("key", NAME, nullable=False),
        sa.Column("value", NAME, nullable=False),
        sa.PrimaryKeyConstraint("execution_id", "key"),
        sqlite_with_rowid=False,
    )
    op.create_index("execution_labels_by_value", "execution_labels", ["key", "value"], unique=False)
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
        sa.PrimaryKeyConstraint("id"),
        postgresql_with={"fillfactor": 70},
    )
    op.create_index("executions_by_date", "executions", ["tenant", "start_date"], unique=False)
    op.create_index(
        "executions_by_firing",
        "executions",
        ["firing_key"],
        unique=True,
        sqlite_where=sa.text("firing_key IS NOT NULL"),
        postgresql_where=sa.text("firing_key IS NOT NULL"),
    )
    op.create_index("executions_by_flow", "executions", ["tenant", "namespace", "flow_id", "start_date"], unique=False)
    op.create_index(
        "executions_by_parent",
        "executions",
        ["parent_execution_id"],
        unique=False,
        sqlite_where=sa.text("parent_execution_id IS NOT NULL"),
        postgresql_where=sa.text("parent_execution_id IS NOT NULL"),
    )
    op.create_index(
        "executions_by_trigger_execution",
        "executions",
        ["trigger_execution_id"],
        unique=False,
        sqlite_where=sa.text("trigger_execution_id IS NOT NULL"),
        postgresql_where=sa.text("trigger_execution_id IS NOT NULL"),
    )
    op.create_index(
        "executions_ended",
        "executions",
        ["tenant", "state", "start_date"],
        unique=False,
        sqlite_where=sa.text("end_date IS NOT NULL"),
        postgresql_where=sa.text("end_date IS NOT NULL"),
    )
    op.create_index(
        "executions_live",
        "executions",
        ["partition", "id"],
        unique=False,
        sqlite_where=sa.text("live = 1"),
        postgresql_where=sa.text("live"),
    )
    op.create_index(
        "executions_open",
        "executions",
        ["tenant", "state", "start_date"],
        unique=False,
        sqlite_where=sa.text("end_date IS NULL"),
        postgresql_where=sa.text("end_date IS NULL"),
    )
    op.create_table(
        "flows",
        sa.Column("tenant", NAME, nullable=False),
        sa.Column("namespace", NAME, nullable=False),
        sa.Column("id", NAME, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("latest", sa.Boolean(), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("has_triggers", sa.Boolean(), nullable=False),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "namespace", "id", "revision"),
    )
    op.create_index(
        "flows_latest",
        "flows",
        ["tenant", "namespace", "id"],
        unique=True,
        sqlite_where=sa.text("latest = 1"),
        postgresql_where=sa.text("latest"),
    )
    op.create_table(
        "jobs",
        sa.Column("task_run_id", NAME, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("execution_id", NAME, nullable=False),
        sa.Column("worker_group", NAME, nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("owner", NAME, nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("task_run_id", "attempt"),
        postgresql_with={
            "autovacuum_vacuum_scale_factor": 0,
            "autovacuum_vacuum_threshold": 5000,
            "autovacuum_vacuum_cost_delay": 0,
            "fillfactor": 70,
        },
        sqlite_with_rowid=False,
    )
    op.create_index(
        "jobs_waiting",
        "jobs",
        ["worker_group", sa.literal_column("priority DESC"), "created"],
        unique=False,
        sqlite_where=sa.text("owner IS NULL"),
        postgresql_where=sa.text("owner IS NULL"),
    )
    op.create_table(
        "key_values",
        sa.Column("tenant", NAME, nullable=False),
        sa.Column("namespace", NAME, nullable=False),
        sa.Column("key", NAME, nullable=False),
        sa.Column("type", NAME, nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "namespace", "key"),
    )
    op.create_table(
        "logs",
        sa.Column("id", SERIAL, autoincrement=True, nullable=False),
        sa.Column("tenant", NAME, nullable=False),
        sa.Column("namespace", NAME, nullable=False),
        sa.Column("flow_id", NAME, nullable=False),
        sa.Column("execution_id", NAME, nullable=True),
        sa.Column("task_id", NAME, nullable=True),
        sa.Column("task_run_id", NAME, nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=True),
        sa.Column("trigger_id", NAME, nullable=True),
        sa.Column("date", sa.BigInteger(), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("thread", sa.Text(), nullable=True),
        sa.Column("kind", NAME, nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("logs_by_date", "logs", ["tenant", "date"], unique=False)
    op.create_index("logs_by_execution", "logs", ["execution_id", "id"], unique=False)
    op.create_table(
        "messages",
        sa.Column("id", SERIAL, autoincrement=True, nullable=False),
        sa.Column("partition", sa.SmallInteger(), nullable=False),
        sa.Column("execution_id", NAME, nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        postgresql_with={
            "autovacuum_vacuum_scale_factor": 0,
            "autovacuum_vacuum_threshold": 5000,
            "autovacuum_vacuum_cost_delay": 0,
        },
        sqlite_autoincrement=True,
    )
    op.create_table(
        "metrics",
        sa.Column("id", SERIAL, autoincrement=True, nullable=False),
        sa.Column("tenant", NAME, nullable=False),
        sa.Column("namespace", NAME, nullable=False),
        sa.Column("flow_id", NAME, nullable=False),
        sa.Column("execution_id", NAME, nullable=False),
        sa.Column("task_id", NAME, nullable=False),
        sa.Column("task_run_id", NAME, nullable=False),
        sa.Column("type", NAME, nullable=False),
        sa.Column("name", NAME, nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("date", sa.BigInteger(), nullable=False),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("kind", NAME, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("metrics_by_execution", "metrics", ["execution_id"], unique=False)
    op.create_table(
        "partitions",
        sa.Column("partition", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("owner", NAME, nullable=True),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("partition"),
        postgresql_with={"fillfactor": 20},
    )
    op.create_table(
        "settings",
        sa.Column("key", NAME, nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_table(
        "task_runs",
        sa.Column("execution_id", NAME, nullable=False),
        sa.Column("id", NAME, nullable=False),
        sa.Column("task_id", NAME, nullable=False),
        sa.Column("parent_id", NAME, nullable=True),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("iteration", sa.Integer(), nullable=True),
        sa.Column("items", sa.Text(), nullable=True),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("dynamic", sa.Boolean(), nullable=False),
        sa.Column("state", NAME, nullable=False),
        sa.Column("progress", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("execution_id", "id"),
        postgresql_with={"fillfactor": 80},
    )
    op.create_table(
        "timers",
        sa.Column("execution_id", NAME, nullable=False),
        sa.Column("purpose", NAME, nullable=False),
        sa.Column("task_run_id", NAME, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("partition", sa.SmallInteger(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("execution_id", "purpose", "task_run_id"),
        postgresql_with={
            "autovacuum_vacuum_scale_factor": 0,
            "autovacuum_vacuum_threshold": 5000,
            "autovacuum_vacuum_cost_delay": 0,
        },
        sqlite_with_rowid=False,
    )
    op.create_index("timers_by_due", "timers", ["due"], unique=False)
    op.create_table(
        "trigger_states",
        sa.Column("tenant", NAME, nullable=False),
        sa.Column("namespace", NAME, nullable=False),
        sa.Column("flow_id", NAME, nullable=False),
        sa.Column("trigger_id", NAME, nullable=False),
        sa.Column("type", NAME, nullable=False),
        sa.Column("date", sa.BigInteger(), nullable=True),
        sa.Column("next_date", sa.BigInteger(), nullable=True),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("execution_id", NAME, nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "namespace", "flow_id", "trigger_id"),
        postgresql_with={"fillfactor": 70},
    )
    op.create_table(
        "workers",
        sa.Column("id", NAME, nullable=False),
        sa.Column("worker_group", NAME, nullable=False),
        sa.Column("hostname", NAME, nullable=False),
        sa.Column("started", sa.BigInteger(), nullable=False),
        sa.Column("heartbeat", sa.BigInteger(), nullable=False),
        sa.Column("state", NAME, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    partitions = sa.table("partitions", *(sa.column(name) for name in ("partition", "owner", "token", "expires")))
    rows = [{"partition": number, "owner": None, "token": 0, "expires": 0} for number in range(PARTITIONS)]
    op.bulk_insert(partitions, rows)
