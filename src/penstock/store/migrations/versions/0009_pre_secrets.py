"""Secrets of namespaces."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009_pre_secrets"
down_revision = "0008_pre_api_tokens"

NAME = sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "secrets",
        sa.Column("tenant", NAME, nullable=False),
        sa.Column("namespace", NAME, nullable=False),
        sa.Column("key", NAME, nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("description", sa.Text()),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "namespace", "key"),
    )


def downgrade() -> None:
    """Remove the table."""
    op.drop_table("secrets")
