"""Workers tell whether they are servers of their own, which the end of another server does not concern."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019_pre_remote_workers"
down_revision = "0018_pre_authors"

NAME = sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")
OLD = ("id", "worker_group", "hostname", "started", "heartbeat", "state")


def upgrade() -> None:
    """Add the column; older servers leave it empty."""
    column: sa.Column[bool] = sa.Column("is_remote", sa.Boolean(), nullable=True)
    if op.get_bind().dialect.name == "sqlite":
        _renew([column])
    else:
        op.add_column("workers", column)


def downgrade() -> None:
    """Remove it."""
    if op.get_bind().dialect.name == "sqlite":
        _renew([])
    else:
        op.drop_column("workers", "is_remote")


def _renew(more: list[sa.Column[bool]]) -> None:
    """Make the table anew: SQLite would note added columns in other words than a table that is made with them."""
    op.rename_table("workers", "old_workers")
    op.create_table(
        "workers",
        sa.Column("id", NAME, nullable=False),
        sa.Column("worker_group", NAME, nullable=False),
        sa.Column("hostname", NAME, nullable=False),
        sa.Column("started", sa.BigInteger(), nullable=False),
        sa.Column("heartbeat", sa.BigInteger(), nullable=False),
        sa.Column("state", NAME, nullable=False),
        *more,
        sa.PrimaryKeyConstraint("id"),
    )
    names = ", ".join(OLD)
    op.execute(f"INSERT INTO workers ({names}) SELECT {names} FROM old_workers")  # noqa: S608 - names given above
    op.drop_table("old_workers")
