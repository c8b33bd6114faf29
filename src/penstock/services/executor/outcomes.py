"""What follows in this process once a round is stored: jobs go out, deliveries are answered, memory follows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog

from penstock.engine.events import TaskEnded, TaskStarted
from penstock.services.executor.admission import Admission
from penstock.services.executor.assignments import assignment_of
from penstock.services.executor.delivery import DuplicateFiring
from penstock.services.executor.round import Round
from penstock.services.executor.settings import LocalWorker
from penstock.services.executor.working_sets import WorkingSets
from penstock.services.metrics.tallies import ExecutorTally

log = structlog.get_logger(__name__)


class Outcomes:
    """Carries out what a stored round means within the process.

    Args:
        states: What is in memory of executions.
        admission: Limits.
        local: The worker in the same process.
        tally: What is counted of it all.
        shared: Variables the instance adds to every expression.
    """

    def __init__(
        self,
        states: WorkingSets,
        admission: Admission,
        local: LocalWorker | None,
        tally: ExecutorTally,
        shared: Mapping[str, Any],
    ) -> None:
        self._states = states
        self._admission = admission
        self._local = local
        self._tally = tally
        self._shared = shared

    def hand_out(self, current: Round, duplicates: set[str]) -> None:
        """Give the jobs of a stored round to the worker they were placed at."""
        if self._local is None or not current.given:
            return
        assignments = []
        for job, state, flow in current.given:
            if job.execution_id in duplicates:
                self._local.cancel(job)
                continue
            assignments.append(assignment_of(job, state, flow, self._shared))
        self._local.deliver(assignments)

    def answer(self, current: Round, duplicates: set[str]) -> None:
        """Tell whoever delivered something what has become of it."""
        for delivery, execution in current.decided:
            if delivery.job is not None:
                self._tally.results[(execution.tenant, execution.namespace, execution.flow_id)] += 1
            if delivery.receipt is None:
                continue
            if delivery.new is not None and delivery.execution_id in duplicates:
                self._states.drop(delivery.execution_id)
                self._admission.never_was(execution)
                delivery.receipt.refused(DuplicateFiring(delivery.execution_id))
            else:
                delivery.receipt.stored(execution)
        for delivery in current.passed:
            if delivery.receipt is None:
                continue
            if delivery.new is not None and delivery.execution_id in duplicates:
                delivery.receipt.refused(DuplicateFiring(delivery.execution_id))
            else:
                delivery.receipt.stored(None)
        for delivery, error in current.refused:
            if delivery.receipt is None:
                log.warning(
                    "event refused", action="executor.refuse", execution=delivery.execution_id, error=str(error)
                )
            elif isinstance(delivery.event, TaskEnded | TaskStarted):
                delivery.receipt.stored(None)  # a late report about something that is gone; its job row is deleted
            else:
                delivery.receipt.refused(error)

    def keep(self, current: Round) -> None:
        """Keep what goes on in memory, and forget what is done."""
        for execution_id, state in current.changed.items():
            if state.execution.cursor.phase == "done":
                self._states.drop(execution_id)
            else:
                self._states.put(state)
