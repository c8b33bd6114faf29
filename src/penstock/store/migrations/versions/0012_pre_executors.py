"""Executors that share the partitions out, and one more partition: of the executions that a limit counts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012_pre_executors"
down_revision = "0011_pre_assets"

NAME = sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")
COUNTED = 64

_EXECUTIONS = sa.table("executions", *(sa.column(name) for name in ("id", "partition", "state", "live")))
_TIMERS = sa.table("timers", *(sa.column(name) for name in ("execution_id", "partition")))
_MESSAGES = sa.table("messages", *(sa.column(name) for name in ("execution_id", "partition")))


def upgrade() -> None:
    """Create table and partition; what waits for a slot belongs there."""
    op.create_table(
        "executors",
        sa.Column("id", NAME, primary_key=True),
        sa.Column("expires", sa.BigInteger(), nullable=False),
    )
    partitions = sa.table("partitions", *(sa.column(name) for name in ("partition", "owner", "token", "expires")))
    op.bulk_insert(partitions, [{"partition": COUNTED, "owner": None, "token": 0, "expires": 0}])
    waiting = sa.select(_EXECUTIONS.c.id).where(_EXECUTIONS.c.live, _EXECUTIONS.c.state == "QUEUED")
    for table in (_TIMERS, _MESSAGES):
        op.execute(sa.update(table).where(table.c.execution_id.in_(waiting)).values(partition=COUNTED))
    op.execute(sa.update(_EXECUTIONS).where(_EXECUTIONS.c.id.in_(waiting)).values(partition=COUNTED))


def downgrade() -> None:
    """Remove both; what was counted goes back to where its id belongs."""
    connection = op.get_bind()
    counted = list(connection.execute(sa.select(_EXECUTIONS.c.id).where(_EXECUTIONS.c.partition == COUNTED)).scalars())
    for execution_id in counted:
        partition = _partition(execution_id)
        for table, column in ((_EXECUTIONS, "id"), (_TIMERS, "execution_id"), (_MESSAGES, "execution_id")):
            connection.execute(sa.update(table).where(table.c[column] == execution_id).values(partition=partition))
    partitions = sa.table("partitions", sa.column("partition"))
    op.execute(sa.delete(partitions).where(partitions.c.partition == COUNTED))
    op.drop_table("executors")


def _partition(execution_id: str) -> int:
    import zlib

    return zlib.crc32(execution_id.encode()) % COUNTED
