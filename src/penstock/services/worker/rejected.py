"""The task that stands in for one which cannot be built, so that its failure is told as any other."""

from __future__ import annotations

from typing import NoReturn

from pydantic import PrivateAttr

from penstock.sdk.context import RunContext
from penstock.sdk.task import Task


class RejectedTask(Task):
    """Fails with the error that kept the real task from being built."""

    _error: Exception = PrivateAttr()

    @classmethod
    def because(cls, error: Exception) -> RejectedTask:
        """Return the stand-in for a task that failed to be built with this error."""
        task = cls(id="rejected", type="rejected")
        task._error = error
        return task

    def run(self, context: RunContext) -> NoReturn:
        """Raise the error."""
        raise self._error
