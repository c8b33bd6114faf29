"""Assets, their uses, and the task runs that used or made them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011_pre_assets"
down_revision = "0010_pre_documents"

NAME = sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "assets",
        sa.Column("tenant", NAME, nullable=False),
        sa.Column("id", NAME, nullable=False),
        sa.Column("type", NAME, nullable=False),
        sa.Column("namespace", NAME, nullable=False),
        sa.Column("display_name", sa.Text()),
        sa.Column("description", sa.Text()),
        sa.Column("metadata", sa.Text(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "id"),
    )
    op.create_table(
        "asset_uses",
        sa.Column("tenant", NAME, nullable=False),
        sa.Column("asset_id", NAME, nullable=False),
        sa.Column("namespace", NAME, nullable=False),
        sa.Column("flow_id", NAME, nullable=False),
        sa.Column("flow_revision", sa.Integer(), nullable=False),
        sa.Column("execution_id", NAME, nullable=False),
        sa.Column("task_id", NAME, nullable=False),
        sa.Column("task_run_id", NAME, nullable=False),
        sa.Column("is_output", sa.Boolean(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "asset_id", "task_run_id", "is_output"),
    )
    op.create_index("asset_uses_by_task_run", "asset_uses", ["tenant", "task_run_id"])
    op.create_index("asset_uses_by_date", "asset_uses", ["tenant", "created"])
    op.create_table(
        "asset_events",
        sa.Column("tenant", NAME, nullable=False),
        sa.Column("task_run_id", NAME, nullable=False),
        sa.Column("namespace", NAME, nullable=False),
        sa.Column("flow_id", NAME, nullable=False),
        sa.Column("flow_revision", sa.Integer(), nullable=False),
        sa.Column("execution_id", NAME, nullable=False),
        sa.Column("task_id", NAME, nullable=False),
        sa.Column("state", NAME, nullable=False),
        sa.Column("inputs", sa.Text(), nullable=False),
        sa.Column("outputs", sa.Text(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("started", sa.BigInteger(), nullable=False),
        sa.Column("ended", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "task_run_id"),
    )
    op.create_index("asset_events_by_date", "asset_events", ["tenant", "created"])


def downgrade() -> None:
    """Remove the tables."""
    for table in ("asset_events", "asset_uses", "assets"):
        op.drop_table(table)
