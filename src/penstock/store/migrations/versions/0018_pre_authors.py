"""Revisions of flows tell who saved them, and over which way."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018_pre_authors"
down_revision = "0017_pre_switches"

NAME = sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")
OLD = (
    "tenant",
    "namespace",
    "id",
    "revision",
    "latest",
    "deleted",
    "disabled",
    "has_triggers",
    "updated",
    "description",
    "labels",
    "source",
)


def upgrade() -> None:
    """Add the columns."""
    more = [sa.Column(name, NAME, nullable=True) for name in ("author", "way")]
    if op.get_bind().dialect.name == "sqlite":
        _renew(more)
        return
    for column in more:
        op.add_column("flows", column)


def downgrade() -> None:
    """Remove them."""
    if op.get_bind().dialect.name == "sqlite":
        _renew([])
        return
    op.drop_column("flows", "way")
    op.drop_column("flows", "author")


def _renew(more: list[sa.Column[str]]) -> None:
    """Make the table anew: SQLite would note added columns in other words than a table that is made with them."""
    op.drop_index("flows_latest", "flows")
    op.rename_table("flows", "old_flows")
    op.create_table(
        "flows",
        sa.Column("tenant", NAME, nullable=False),
        sa.Column("namespace", NAME, nullable=False),
        sa.Column("id", NAME, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("latest", sa.Boolean(), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("has_triggers", sa.Boolean(), nullable=False),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        *more,
        sa.PrimaryKeyConstraint("tenant", "namespace", "id", "revision"),
    )
    names = ", ".join(OLD)
    op.execute(f"INSERT INTO flows ({names}) SELECT {names} FROM old_flows")  # noqa: S608 - names given above
    op.drop_table("old_flows")
    op.create_index(
        "flows_latest", "flows", ["tenant", "namespace", "id"], unique=True, sqlite_where=sa.text("latest = 1")
    )
