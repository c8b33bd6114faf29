"""Counts kept while working: plain numbers in plain dictionaries, since some of them change with every task run."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from penstock.base.clock import SECOND, Instant
from penstock.base.measures import Summary
from penstock.engine.decision import Decision, Job
from penstock.engine.events import TaskEnded
from penstock.engine.records import Execution
from penstock.engine.states import TERMINAL, State
from penstock.ports.gateway import Report

Labels = tuple[str, ...]
"""(tenant, namespace, flow id), then the state of what has ended, then the values of the configured labels."""
NO_VALUE = "__none__"
"""Stands for a label that an execution does not have."""


class ExecutorTally:
    """What an executor decided on and stored. Implements the counting of OPS-142 to OPS-144.

    Args:
        labels: Keys of the labels by which ended executions are told apart.
    """

    def __init__(self, labels: tuple[str, ...] = ()) -> None:
        self.labels = labels
        self.started: Counter[Labels] = Counter()
        self.ended: Counter[Labels] = Counter()
        self.durations: defaultdict[Labels, Summary] = defaultdict(Summary)
        self.runs_created: Counter[Labels] = Counter()
        self.runs_ended: Counter[Labels] = Counter()
        self.run_durations: defaultdict[Labels, Summary] = defaultdict(Summary)
        self.queued: Counter[Labels] = Counter()
        self.popped: Counter[Labels] = Counter()
        """Executions that began after they had waited for a slot."""
        self.results: Counter[Labels] = Counter()
        """Ends of task runs that workers reported."""
        self.lost_workers = 0
        self.rounds = Summary()

    def decided(self, execution: Execution, decision: Decision, begun: bool) -> None:
        """Count what was decided about an execution, once it is stored.

        Args:
            execution: As it is now.
            decision: What changed.
            begun: Whether it had task runs before.
        """
        flow = (execution.tenant, execution.namespace, execution.flow_id)
        if decision.created:
            self.runs_created[flow] += len(decision.created)
            if not begun:
                self.started[flow] += 1
                if any(change.state == "QUEUED" for change in execution.state.histories):
                    self.popped[flow] += 1
        for run in decision.changed:
            if run.state.current in TERMINAL:
                self.runs_ended[(*flow, run.state.current.value)] += 1
                self.run_durations[flow].add(_seconds(run.state))
        if decision.ended is not None:
            self.ended[(*flow, decision.ended.value, *self._values(execution))] += 1
            self.durations[flow].add(_seconds(execution.state))
        elif decision.execution is not None and execution.state.current == "QUEUED":
            self.queued[flow] += 1

    def _values(self, execution: Execution) -> tuple[str, ...]:
        if not self.labels:
            return ()
        known = dict(execution.labels)
        return tuple(known.get(key, NO_VALUE) for key in self.labels)


class WorkerTally:
    """What a worker does. Implements the counting of OPS-147."""

    def __init__(self) -> None:
        self.threads = 0
        self.started: Counter[Labels] = Counter()
        self.retried: Counter[Labels] = Counter()
        self.ended: Counter[Labels] = Counter()
        self.durations: defaultdict[Labels, Summary] = defaultdict(Summary)
        self.waits: defaultdict[Labels, Summary] = defaultdict(Summary)
        self.in_hand = 0
        """Jobs that have come and not ended, those that wait for a thread included."""
        self.running = 0
        """Jobs that have a thread."""

    def taken(self, job: Job, now: Instant) -> None:
        """Count a job that has come."""
        flow = (job.tenant, job.namespace, job.flow_id)
        self.started[flow] += 1
        if job.attempt > 1:
            self.retried[flow] += 1
        self.waits[flow].add(max(0, now - job.created) / SECOND)

    def reported(self, reports: Iterable[Report]) -> None:
        """Count jobs that have ended."""
        for report in reports:
            event, job = report.event, report.job
            if isinstance(event, TaskEnded):
                flow = (job.tenant, job.namespace, job.flow_id)
                self.ended[(*flow, event.state.value)] += 1
                self.durations[flow].add((event.ended - event.started) / SECOND)


class SchedulerTally:
    """What a scheduler does. Implements the counting of OPS-146."""

    def __init__(self) -> None:
        self.loops = Summary()
        self.evaluations = 0
        self.looks = 0
        """Rounds in which triggers that react to executions have looked at what changed."""


class HttpTally:
    """What a web server has answered. Implements the counting of OPS-150."""

    def __init__(self) -> None:
        self.requests: defaultdict[Labels, Summary] = defaultdict(Summary)
        """By (route, method, status)."""


@dataclass(frozen=True, slots=True)
class Tallies:
    """The counts of all parts of a process; those of parts it does not have stay empty."""

    executor: ExecutorTally = field(default_factory=ExecutorTally)
    worker: WorkerTally = field(default_factory=WorkerTally)
    scheduler: SchedulerTally = field(default_factory=SchedulerTally)
    http: HttpTally = field(default_factory=HttpTally)


def _seconds(state: State) -> float:
    """Return how long something lasted from its first state to its last."""
    begin: Instant = state.histories[0].date
    return (state.histories[-1].date - begin) / SECOND
