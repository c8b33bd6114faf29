"""Templates, as older flows use them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006_pre_templates"
down_revision = "0005_pre_job_turns"

NAME = sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "templates",
        sa.Column("tenant", NAME, nullable=False),
        sa.Column("namespace", NAME, nullable=False),
        sa.Column("id", NAME, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "namespace", "id", "revision"),
    )


def downgrade() -> None:
    """Remove the table."""
    op.drop_table("templates")
