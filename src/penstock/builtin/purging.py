"""What all purges share: they go batch by batch, say how far they are, and stop between two when they are killed."""

from __future__ import annotations

from penstock.sdk import PluginError, RunContext

_STEP = 10_000


class PurgeStopped(PluginError):
    """A purge was killed before its end."""

    code = "PURGE_STOPPED"


class Batches:
    """Counts what is removed.

    Args:
        context: The task's.
        what: What is removed, in the plural.
    """

    def __init__(self, context: RunContext, what: str) -> None:
        self._context = context
        self._what = what
        self._told = 0
        self.total = 0

    def add(self, removed: int) -> None:
        """Count a batch; now and then say how many there were.

        Raises:
            PurgeStopped: The task is to end.
        """
        self.total += removed
        if self._context.is_killed:
            raise PurgeStopped(f"stopped after {self.total} {self._what}", hint="run it again to go on")
        if self.total >= self._told + _STEP:
            self._told = self.total
            self._context.logger.info(f"{self.total} {self._what} removed so far")

    def end(self) -> int:
        """Say how many there were in all, and return it."""
        self._context.logger.info(f"{self.total} {self._what} removed")
        return self.total
