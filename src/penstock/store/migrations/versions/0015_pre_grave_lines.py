"""Warnings and errors are found by date without walking past all other log lines."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015_pre_grave_lines"
down_revision = "0014_move_bodies_and_counts"


def upgrade() -> None:
    """Add the index."""
    op.create_index(
        "logs_grave",
        "logs",
        ["tenant", "date"],
        unique=False,
        sqlite_where=sa.text("level >= 4"),
        postgresql_where=sa.text("level >= 4"),
    )


def downgrade() -> None:
    """Remove the index."""
    op.drop_index("logs_grave", "logs")
