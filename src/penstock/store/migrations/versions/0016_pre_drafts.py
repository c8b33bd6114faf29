"""Texts that users have not saved yet."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016_pre_drafts"
down_revision = "0015_pre_grave_lines"

NAME = sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "drafts",
        sa.Column("username", NAME, nullable=False),
        sa.Column("name", NAME, nullable=False),
        sa.Column("version", NAME, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=True),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("username", "name"),
    )


def downgrade() -> None:
    """Remove the table."""
    op.drop_table("drafts")
