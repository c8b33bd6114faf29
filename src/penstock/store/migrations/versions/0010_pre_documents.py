"""Texts that people write beside flows, and how test suites went."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010_pre_documents"
down_revision = "0009_pre_secrets"

NAME = sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "documents",
        sa.Column("tenant", NAME, nullable=False),
        sa.Column("kind", NAME, nullable=False),
        sa.Column("namespace", NAME, nullable=False),
        sa.Column("id", NAME, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "kind", "namespace", "id"),
    )
    op.create_table(
        "suite_results",
        sa.Column("tenant", NAME, nullable=False),
        sa.Column("id", NAME, nullable=False),
        sa.Column("namespace", NAME, nullable=False),
        sa.Column("flow_id", NAME, nullable=False),
        sa.Column("suite_id", NAME, nullable=False),
        sa.Column("state", NAME, nullable=False),
        sa.Column("started", sa.BigInteger(), nullable=False),
        sa.Column("ended", sa.BigInteger(), nullable=False),
        sa.Column("cases", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "id"),
    )
    op.create_index("suite_results_by_suite", "suite_results", ["tenant", "namespace", "suite_id", "ended"])


def downgrade() -> None:
    """Remove the tables."""
    op.drop_table("suite_results")
    op.drop_table("documents")
