"""API tokens."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008_pre_api_tokens"
down_revision = "0007_pre_dashboards"

NAME = sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "api_tokens",
        sa.Column("id", NAME, primary_key=True),
        sa.Column("username", NAME, nullable=False),
        sa.Column("name", NAME, nullable=False),
        sa.Column("description", sa.Text()),
        sa.Column("prefix", NAME, nullable=False),
        sa.Column("digest", NAME, nullable=False, unique=True),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("max_age", sa.BigInteger()),
        sa.Column("expires", sa.BigInteger()),
        sa.Column("extended", sa.Boolean(), nullable=False),
        sa.Column("last_used", sa.BigInteger()),
        sa.UniqueConstraint("username", "name"),
    )


def downgrade() -> None:
    """Remove the table."""
    op.drop_table("api_tokens")
