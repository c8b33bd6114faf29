"""The versions of packages that a revision of a flow was given first, which the server keeps beside it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from penstock.sdk import RunContext


@dataclass(frozen=True, slots=True)
class RevisionLock:
    """A lock on the server. Implements BEY-036.

    Args:
        context: The task's.
        key: Tells it from others of the revision.
    """

    context: RunContext
    key: str

    @classmethod
    def of(cls, context: RunContext, place: Sequence[str], dependencies: Sequence[str]) -> RevisionLock:
        """Return the lock of these packages, for a kind of place where they are installed."""
        parts = [*place, *sorted(set(dependencies))]
        return cls(context, hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32])

    def find(self) -> str | None:
        """Return the versions, if they were found before."""
        found = self.context.call("dependencyLock", revision=self._revision, key=self.key)
        return None if found is None else str(found)

    def keep(self, text: str) -> str:
        """Keep versions, unless somebody else has kept others meanwhile; return those that count."""
        return str(self.context.call("keepDependencyLock", revision=self._revision, key=self.key, text=text))

    @property
    def _revision(self) -> int:
        return int(self.context.variables.get("flow", {}).get("revision") or 0)
