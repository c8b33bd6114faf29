"""Dashboards, and metrics by date for their charts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007_pre_dashboards"
down_revision = "0006_pre_templates"

NAME = sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the table and the index."""
    op.create_table(
        "dashboards",
        sa.Column("tenant", NAME, nullable=False),
        sa.Column("id", NAME, nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text()),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "id"),
    )
    op.create_index("metrics_by_date", "metrics", ["tenant", "date"])


def downgrade() -> None:
    """Remove both."""
    op.drop_index("metrics_by_date", "metrics")
    op.drop_table("dashboards")
