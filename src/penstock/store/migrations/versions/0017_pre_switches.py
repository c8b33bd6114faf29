"""What people say of flows and triggers on this instance, apart from their sources."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017_pre_switches"
down_revision = "0016_pre_drafts"

NAME = sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "switches",
        sa.Column("tenant", NAME, nullable=False),
        sa.Column("namespace", NAME, nullable=False),
        sa.Column("flow_id", NAME, nullable=False),
        sa.Column("trigger_id", NAME, nullable=False),
        sa.Column("state", NAME, nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("username", NAME, nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "namespace", "flow_id", "trigger_id"),
    )


def downgrade() -> None:
    """Remove the table."""
    op.drop_table("switches")
