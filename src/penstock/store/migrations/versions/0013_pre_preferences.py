"""Settings and bookmarks of users."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013_pre_preferences"
down_revision = "0012_pre_executors"

NAME = sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "preferences",
        sa.Column("username", NAME, nullable=False),
        sa.Column("name", NAME, nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("username", "name"),
    )
    op.create_table(
        "bookmarks",
        sa.Column("id", NAME, primary_key=True),
        sa.Column("username", NAME, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint("username", "path"),
    )


def downgrade() -> None:
    """Remove the tables."""
    op.drop_table("bookmarks")
    op.drop_table("preferences")
