"""Evaluations of triggers as work for workers, and the one transaction in which each step of them is taken.

An evaluation is a job in the queue that task runs wait in too: it is claimed, leased, and given again in the same way.
The trigger's state names the evaluation that is under way; a report about any other changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from penstock.engine.decision import Job
from penstock.engine.records import Execution
from penstock.ports.triggers import Outcome, TriggerState


@dataclass(frozen=True, slots=True)
class Step:
    """A trigger moves on. Everything in it is written in one transaction, or nothing is.

    Args:
        before: The state as it was seen.
        after: The state to store.
        offered: An evaluation for workers.
        ended: The evaluation that is over.
        held: An evaluation that goes on, and the worker that must have it.
        execution: The execution to create, with a `Created` message in its inbox.
        reject: Why the execution fails before its first task.
    """

    before: TriggerState
    after: TriggerState
    offered: Job | None = None
    ended: Job | None = None
    held: tuple[Job, str] | None = None
    execution: Execution | None = None
    reject: str | None = None


class EvaluationStore(Protocol):
    """Steps of triggers that workers evaluate."""

    async def take(self, step: Step) -> Outcome:
        """Take a step."""
        ...

    async def withdraw(self, evaluation: str) -> str | None:
        """Give an evaluation to nobody any more; returns the worker that has it already, and is to be told."""
        ...

    async def lost(self, evaluations: Collection[str]) -> Collection[str]:
        """Return those that no job stands for: nobody will ever do them."""
        ...

    async def end(self, evaluation: str) -> None:
        """Forget an evaluation that nobody wants."""
        ...
