"""How the connections to a database are used."""

from __future__ import annotations

from dataclasses import dataclass, field

from penstock.base.measures import Summary


@dataclass(frozen=True, slots=True)
class PoolFigures:
    """The connections of one process.

    Args:
        open: How many there are.
        active: How many are in a transaction.
        most: How many there may be.
        least: How many there are at any time.
        pending: How many transactions wait for one.
        timeouts: How many transactions have waited in vain.
        acquired: How long transactions waited for a connection.
        created: How long it took to connect.
        used: How long transactions took.
    """

    open: int = 0
    active: int = 0
    most: int = 0
    least: int = 0
    pending: int = 0
    timeouts: int = 0
    acquired: Summary = field(default_factory=Summary)
    created: Summary = field(default_factory=Summary)
    used: Summary = field(default_factory=Summary)
