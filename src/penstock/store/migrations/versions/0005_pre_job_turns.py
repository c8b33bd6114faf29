"""Jobs have turns: workers take them by priority and turn."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005_pre_job_turns"
down_revision = "0004_pre_executions_by_end"

NAME = sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")
CHURN = {
    "autovacuum_vacuum_scale_factor": 0,
    "autovacuum_vacuum_threshold": 5000,
    "autovacuum_vacuum_cost_delay": 0,
    "fillfactor": 70,
}
OLD = ("task_run_id", "attempt", "execution_id", "worker_group", "priority", "created", "owner", "body")


def upgrade() -> None:
    """Add the column, and an index for the new order."""
    op.drop_index("jobs_waiting", "jobs")
    turn = sa.Column("turn", sa.BigInteger(), nullable=False, server_default=sa.text("0"))
    if op.get_bind().dialect.name == "sqlite":
        _renew(turn)
    else:
        op.add_column("jobs", turn)
    _index("turn")


def downgrade() -> None:
    """Remove them."""
    op.drop_index("jobs_waiting", "jobs")
    if op.get_bind().dialect.name == "sqlite":
        _renew()
    else:
        op.drop_column("jobs", "turn")
    _index("created")


def _renew(*more: sa.Column[int]) -> None:
    """Make the table anew: SQLite would note an added column in other words than a table that is made with it."""
    op.rename_table("jobs", "old_jobs")
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
        *more,
        sa.PrimaryKeyConstraint("task_run_id", "attempt"),
        postgresql_with=CHURN,
        sqlite_with_rowid=False,
    )
    names = ", ".join(OLD)
    op.execute(f"INSERT INTO jobs ({names}) SELECT {names} FROM old_jobs")  # noqa: S608 - names given above
    op.drop_table("old_jobs")


def _index(last: str) -> None:
    op.create_index(
        "jobs_waiting",
        "jobs",
        ["worker_group", sa.literal_column("priority DESC"), last],
        unique=False,
        sqlite_where=sa.text("owner IS NULL"),
        postgresql_where=sa.text("owner IS NULL"),
    )
