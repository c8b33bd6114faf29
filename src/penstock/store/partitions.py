"""Which executor holds which partition, and the tokens that fence its writes.

A token grows each time a partition changes hands. A commit names the token of every partition it writes to; when one
of them is no longer the stored one, somebody else has taken over and the commit is refused as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, delete, func, or_, select, update

from penstock.base.clock import Instant, Micros
from penstock.ports.journal import PARTITIONS, Lease, LeaseLost
from penstock.store import bulk
from penstock.store.bulk import KeyedQuery
from penstock.store.tables import EXECUTORS
from penstock.store.tables import PARTITIONS_TABLE as TABLE

# FOR SHARE: whoever takes a partition over waits until commits under way are through.
_TOKENS = KeyedQuery(
    'SELECT "partition", token FROM partitions WHERE "partition" {keys} AND owner IS NOT NULL', lock="FOR SHARE"
)
_ENROL = bulk.insert(EXECUTORS, ("id", "expires"), "ON CONFLICT (id) DO UPDATE SET expires = excluded.expires")
_HOLD = bulk.update(TABLE, ("owner", "token", "expires"), ("partition",))


def check_fences_txn(connection: Connection, fences: Mapping[int, int]) -> None:
    """Refuse the transaction when one of the partitions has changed hands (BEY-001).

    Raises:
        LeaseLost: A token is not the stored one.
    """
    if not fences:
        return
    held = dict(map(tuple, _TOKENS.run(connection, fences)))
    lost = sorted(partition for partition, token in fences.items() if held.get(partition) != token)
    if lost:
        raise LeaseLost(f"another executor has taken over partition {', '.join(map(str, lost))}")


def enrol_txn(connection: Connection, owner: str, ttl: Micros, now: Instant) -> int:
    """Note that an executor lives; returns how many do. Who has not said so in time is forgotten."""
    connection.execute(delete(EXECUTORS).where(EXECUTORS.c.expires <= now, EXECUTORS.c.id != owner))
    _ENROL.run(connection, [(owner, now + ttl)])
    return int(connection.execute(select(func.count()).select_from(EXECUTORS)).scalar_one())


def lease_txn(connection: Connection, owner: str, wanted: int, ttl: Micros, now: Instant) -> Sequence[Lease]:
    """Renew, take over or give back partitions so that the owner holds `wanted` of them where possible."""
    columns = TABLE.c
    mine = select(columns.partition, columns.token).where(columns.owner == owner).order_by(columns.partition)
    held = {row.partition: row.token for row in connection.execute(mine.with_for_update())}
    surplus = sorted(held)[: max(0, len(held) - wanted)]
    if surplus:
        connection.execute(update(TABLE).where(columns.partition.in_(surplus)).values(owner=None, expires=0))
        held = {partition: token for partition, token in held.items() if partition not in surplus}
    missing = min(wanted, PARTITIONS) - len(held)
    if missing > 0:
        free = or_(columns.owner.is_(None), columns.expires <= now)
        not_mine = or_(columns.owner.is_(None), columns.owner != owner)
        query = select(columns.partition, columns.token).where(free, not_mine).order_by(columns.partition)
        # SKIP LOCKED: a partition in somebody's hands at this moment is not free.
        for partition, token in connection.execute(query.limit(missing).with_for_update(skip_locked=True)).all():
            held[partition] = token + 1
    expires = now + ttl
    _HOLD.run(connection, [(owner, token, expires, partition) for partition, token in sorted(held.items())])
    return [Lease(partition, token, expires) for partition, token in sorted(held.items())]


def release_txn(connection: Connection, owner: str) -> None:
    """Give back all partitions of an owner, or of everybody when the owner is `*`."""
    freed, gone = update(TABLE).values(owner=None, expires=0), delete(EXECUTORS)
    if owner != "*":
        freed, gone = freed.where(TABLE.c.owner == owner), gone.where(EXECUTORS.c.id == owner)
    connection.execute(freed)
    connection.execute(gone)
