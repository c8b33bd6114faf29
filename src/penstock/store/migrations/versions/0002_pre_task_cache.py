"""Outputs of earlier runs of tasks, kept to be used again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002_pre_task_cache"
down_revision = "0001_pre_baseline"

NAME = sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "task_cache",
        sa.Column("tenant", NAME, nullable=False),
        sa.Column("namespace", NAME, nullable=False),
        sa.Column("flow_id", NAME, nullable=False),
        sa.Column("task_id", NAME, nullable=False),
        sa.Column("digest", NAME, nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=True),
        sa.Column("outputs", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "namespace", "flow_id", "task_id", "digest"),
    )
    op.create_index("task_cache_by_expiry", "task_cache", ["expires"], unique=False)
