"""The executions that ended since a date are found by an index: triggers catch up with them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004_pre_executions_by_end"
down_revision = "0003_pre_namespaces"


def upgrade() -> None:
    """Add the index."""
    op.create_index(
        "executions_by_end",
        "executions",
        ["tenant", "end_date"],
        unique=False,
        sqlite_where=sa.text("end_date IS NOT NULL"),
        postgresql_where=sa.text("end_date IS NOT NULL"),
    )


def downgrade() -> None:
    """Remove the index."""
    op.drop_index("executions_by_end", "executions")
