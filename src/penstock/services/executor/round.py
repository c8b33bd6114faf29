"""One round of the executor: deliveries in, one batch and a list of effects out. No I/O but answers to facts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from penstock.base.clock import Instant
from penstock.base.errors import PenstockError
from penstock.engine.decide import decide
from penstock.engine.decision import Decision, Job, Message, Timer
from penstock.engine.events import Event
from penstock.engine.facts import FactNeeded, Facts
from penstock.engine.flow import ResolvedFlow
from penstock.engine.records import Execution
from penstock.engine.working_set import ExecutionState
from penstock.ports.journal import Batch
from penstock.services.executor.delivery import Delivery, of_refused_restart
from penstock.services.executor.fairness import FairShare
from penstock.services.executor.timers import TimerKey

Answer = Callable[[Execution, str, Mapping[str, Any]], Awaitable[Any]]
"""Answers a function that an expression in a decision needs: (execution, function, arguments) -> value."""
Reserve = Callable[[Job], str | None]
"""Reserves a place for a job at a local worker; returns the worker's id or None."""


@dataclass(slots=True)
class Round:
    """What a round has gathered so far."""

    now: Instant
    reserve: Reserve
    fair: FairShare
    tokens: Mapping[int, int]
    """The partitions that are held, with the tokens that fence what is written to them."""
    batch: Batch = field(default_factory=Batch)
    given: list[tuple[Job, ExecutionState, ResolvedFlow]] = field(default_factory=list)
    """Jobs that go to the local worker once the batch is stored."""
    unowned_groups: set[str] = field(default_factory=set)
    may_be_stranded: bool = False
    """Whether one of the jobs nobody has is not to wait when there is no worker for it."""
    timers: list[Timer] = field(default_factory=list)
    cancelled: list[TimerKey] = field(default_factory=list)
    keyed: dict[str, Execution] = field(default_factory=dict)
    """Executions of this round that were started for others under a key."""
    changed: dict[str, ExecutionState] = field(default_factory=dict)
    touched: set[int] = field(default_factory=set)
    """The partitions that something was decided in, or moved out of, or read from."""
    passed: list[Delivery] = field(default_factory=list)
    """What goes to the inboxes of executions that others decide for."""
    elsewhere: set[str] = field(default_factory=set)
    """Executions of which something was passed on: the rest follows, in its order."""
    slots_freed: set[str] = field(default_factory=set)
    """Flows with a limit whose executions have ended outside the partition where limits are counted."""
    decided: list[tuple[Delivery, Execution]] = field(default_factory=list)
    refused: list[tuple[Delivery, BaseException]] = field(default_factory=list)
    taken: list[tuple[Execution, Decision, bool]] = field(default_factory=list)
    """What was decided about which execution, and whether it had begun before."""

    def take(self, delivery: Delivery, state: ExecutionState, flow: ResolvedFlow, decision: Decision) -> None:
        """Add a decision to the batch and apply it to the working set."""
        batch = self.batch
        execution_id = delivery.execution_id
        self._rows(state, decision)
        state.apply(decision)
        begun = len(state.task_runs) > len(decision.created)
        for made in decision.jobs:
            job = self.fair.placed(made, state.execution, begun=begun)
            owner = self.reserve(job)
            batch.jobs[job.key] = (job, owner)
            if owner is None:
                self.unowned_groups.add(job.worker_group)
                self.may_be_stranded |= job.fallback != "WAIT"
            else:
                self.given.append((job, state, flow))
        batch.kills.extend(decision.kills)
        batch.logs.extend(decision.logs)
        batch.messages.extend(decision.messages)
        for purpose, run_id in decision.cancelled_timers:
            key = (execution_id, purpose, run_id)
            batch.timers.pop(key, None)
            batch.cancelled_timers.add(key)
            self.cancelled.append(key)
        for timer in decision.timers:
            batch.timers[(execution_id, timer.purpose, timer.task_run_id)] = timer
            self.timers.append(timer)
        self.changed[execution_id] = state
        self.taken.append((state.execution, decision, begun))
        self.decided.append((delivery, state.execution))

    def _rows(self, state: ExecutionState, decision: Decision) -> None:
        batch = self.batch
        execution = decision.execution
        if execution is not None:
            if state.is_new:
                batch.new_task_runs.update(state.task_runs)
            if state.is_new or execution.id in batch.new_executions:
                batch.new_executions[execution.id] = execution
                state.is_new = False
            else:
                batch.executions[execution.id] = execution
                batch.before.setdefault(execution.id, state.execution)
        for run in decision.created:
            batch.new_task_runs[run.id] = run
        for run in decision.changed:
            if run.id in batch.new_task_runs:
                batch.new_task_runs[run.id] = run
            else:
                batch.task_runs[run.id] = run

    def move(self, execution_id: str, partition: int | None) -> None:
        """Have an execution go on where limits are counted; it leaves a partition, unless it is new."""
        self.batch.counted.add(execution_id)
        if partition is not None:
            self.touched.add(partition)

    def pass_on(self, delivery: Delivery) -> None:
        """Leave a delivery to whoever decides for its execution."""
        self.attach(delivery)
        if delivery.new is not None:
            self.batch.new_executions[delivery.execution_id] = delivery.new
            self.batch.new_task_runs.update({run.id: run for run in delivery.runs})
        self.batch.messages.append(Message(delivery.execution_id, delivery.event))
        self.passed.append(delivery)
        self.elsewhere.add(delivery.execution_id)

    def fences(self) -> dict[int, int]:
        """Return the tokens that hold the batch; a partition that is not held is fenced with 0, which fails."""
        return {partition: self.tokens.get(partition, 0) for partition in self.touched}

    def refuse(self, delivery: Delivery, error: PenstockError) -> list[Delivery]:
        """Take note that an event is refused; returns what follows from that for others."""
        self.refused.append((delivery, error))
        return of_refused_restart(delivery, error)

    def attach(self, delivery: Delivery) -> None:
        """Add what comes with a delivery whatever is decided: logs, metrics, the end of its job, message and timer."""
        batch = self.batch
        batch.logs.extend(delivery.logs)
        batch.metrics.extend(delivery.metrics)
        if delivery.job is not None:
            batch.ended_jobs[delivery.job] = delivery.worker
        if delivery.message_id is not None:
            batch.consumed.append(delivery.message_id)
        if delivery.origin is not None:
            self.touched.add(delivery.origin)
        if delivery.timer is not None:
            timer = delivery.timer
            batch.cancelled_timers.add((timer.execution_id, timer.purpose, timer.task_run_id))


async def decide_with_facts(
    flow: ResolvedFlow, state: ExecutionState, event: Event, now: Instant, shared: Mapping[str, Any], answer: Answer
) -> Decision:
    """Decide, looking up what expressions need from outside in between; nothing happens until all of it is known."""
    facts = Facts()
    while True:
        try:
            return decide(flow, state, event, now, facts=facts, shared=shared)
        except FactNeeded as needed:
            try:
                value = await answer(state.execution, needed.function, needed.arguments)
            except PenstockError as error:
                value = error
            facts = Facts({**facts.answers, needed.key: value})
