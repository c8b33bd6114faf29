"""Drives the engine without any shell: jobs are run by real tasks in order, timers by moving the time.

Every decision is checked for what must always hold: legal states, one end per task run, no job twice, decisions that
do not change the working set they were made from.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import msgspec

from penstock.base.clock import SECOND
from penstock.engine.context import variables
from penstock.engine.decide import decide
from penstock.engine.decision import ChildFlow, Decision, Job, Message, Timer
from penstock.engine.events import (
    ChildEnded,
    ChildStarted,
    Created,
    Event,
    Kill,
    Restart,
    TaskEnded,
    TaskStarted,
    TimerDue,
)
from penstock.engine.flow import ResolvedFlow, StartFlow
from penstock.engine.records import Execution, Fixtures, TaskRun
from penstock.engine.resolve import resolve
from penstock.engine.states import TERMINAL, State, StateType
from penstock.engine.waiting import QueuedJob, Situation, Wait, adrift
from penstock.engine.working_set import ExecutionState
from penstock.model.flow import read_flow
from penstock.model.registry import TypeRegistry
from penstock.services.executor.assignments import assignment_of
from penstock.services.masking import Maskers
from penstock.services.worker.attempt import Attempt
from penstock.services.worker.host import Host
from penstock.services.worker.instances import Instances
from penstock.services.worker.settings import WorkerSettings
from penstock.wiring.plugins import builtin_types

START = 1_700_000_000 * SECOND
_LARGE = 200
Outcome = tuple[StateType, Mapping[str, Any] | None] | TaskEnded
"""How an attempt ends: state and outputs, or all that its worker reports."""
RunTask = Callable[[Job, Mapping[str, Any], Mapping[str, Any]], Outcome]


def flow_of(source: str, revision: int = 1) -> ResolvedFlow:
    """Return the resolved flow of a YAML text, with the built-in types."""
    registry = registry_of_builtins()
    return resolve(read_flow(source, registry), registry, tenant="main", revision=revision)


def registry_of_builtins() -> TypeRegistry:
    """Return a registry of everything that is built in."""
    return TypeRegistry(builtin_types())


class Still:
    """The clock of a run: it stands still while a task runs."""

    def __init__(self, run: EngineRun) -> None:
        self._run = run

    def now(self) -> int:
        return self._run.now


class EngineRun:
    """One execution of a flow, driven to its end."""

    def __init__(
        self,
        source: str | ResolvedFlow,
        inputs: Mapping[str, Any] | None = None,
        run_task: RunTask | None = None,
        fixtures: Fixtures | None = None,
    ) -> None:
        self.flow = flow_of(source) if isinstance(source, str) else source
        self.instances = Instances(registry_of_builtins())
        self.run_task = run_task or self._run_for_real
        self.now = START
        self.jobs: deque[Job] = deque()
        self.unended: dict[tuple[str, int], Job] = {}
        """Jobs that wait and jobs that were begun."""
        self.seen_jobs: set[tuple[str, int]] = set()
        self.children: list[ChildFlow] = []
        """Executions this one has started and not heard of since."""
        self.killed_children: list[ChildFlow] = []
        self.timers: dict[tuple[str, str | None], Timer] = {}
        self.logs: list[str] = []
        self.decisions: list[Decision] = []
        execution = Execution(
            id="execution",
            tenant="main",
            namespace=self.flow.namespace,
            flow_id=self.flow.id,
            flow_revision=self.flow.revision,
            created=self.now,
            original_id="execution",
            original_created=self.now,
            inputs=inputs,
            fixtures=fixtures,
            labels=self.flow.labels,
            state=State.at(StateType.CREATED, self.now),
        )
        self.state = ExecutionState(execution, is_new=True)

    # -- driving

    def tell(self, event: Event) -> Decision:
        """Let something happen, and carry out what is decided."""
        self.now += 1000
        before = _fingerprint(self.state)
        decision = decide(self.flow, self.state, event, self.now)
        assert _fingerprint(self.state) == before, "a decision changed the working set it was made from"
        self._check(decision)
        self.state.apply(decision)
        self.state.is_new = False
        for purpose, run_id in decision.cancelled_timers:
            self.timers.pop((purpose, run_id), None)
        for timer in decision.timers:
            self.timers[(timer.purpose, timer.task_run_id)] = timer
        self.jobs.extend(decision.jobs)
        self.children.extend(decision.children)
        for message in decision.messages:
            self._tell_child(message)
        if isinstance(event, TaskEnded):
            self.unended.pop((event.task_run_id, event.attempt), None)
        self.unended.update({job.key: job for job in decision.jobs})
        killed = {(order.task_run_id, order.attempt) for order in decision.kills}
        if killed:
            self.jobs = deque(job for job in self.jobs if job.key not in killed)
        self.logs.extend(line.message for line in decision.logs)
        self.decisions.append(decision)
        for task_run_id, attempt in killed:
            self.tell(TaskEnded(task_run_id, attempt, StateType.KILLED, self.now, self.now))
        # Looking at everything after each of thousands of decisions would make large flows quadratic.
        if len(self.state.task_runs) < _LARGE or len(self.decisions) % _LARGE == 0:
            assert not self.adrift(), f"nothing moves it: {self.adrift()}"
        return decision

    def _tell_child(self, message: Message) -> None:
        """Stand in for an execution that this one has started: a kill ends it, a restart begins it again."""
        if isinstance(message.event, Kill):
            for one in [one for one in self.children if one.execution_id == message.execution_id]:
                self.children.remove(one)
                self.killed_children.append(one)
        elif isinstance(message.event, Restart) and message.event.parent is not None:
            parent = message.event.parent
            start = StartFlow("company.team", "other", iteration=parent.iteration)
            self.children.append(ChildFlow(message.execution_id, parent.task_run_id, start))

    def end_children(self) -> EngineRun:
        """Let all executions that this one has started end well; killed ones end killed."""
        while self.children or self.killed_children:
            killed = bool(self.killed_children)
            one = (self.killed_children or self.children).pop()
            if one.start.wait:
                state = StateType.KILLED if killed else StateType.SUCCESS
                self.tell(ChildEnded(one.task_run_id, one.execution_id, state, iteration=one.start.iteration))
            else:
                self.tell(ChildStarted(one.task_run_id, one.execution_id))
        return self

    def adrift(self) -> Sequence[Wait]:
        """Return where the execution waits for nothing (BEY-001); waiting for others is passed over."""
        jobs = [QueuedJob(job, None) for job in self.unended.values()]
        runs = list(self.state.task_runs.values())
        situation = Situation(self.state.execution, runs, jobs, list(self.timers.values()))
        calling = {child.task_run_id for child in (*self.children, *self.killed_children)}
        return [wait for wait in adrift(situation) if wait.child_id is None and wait.task_run_id not in calling]

    def start(self) -> EngineRun:
        """Begin the execution."""
        self.tell(Created())
        return self

    def work(self, limit: int = 1_000_000) -> EngineRun:
        """Run the jobs at hand and those that follow, first come first served."""
        while self.jobs and limit:
            limit -= 1
            self.work_on(self.jobs.popleft())
        return self

    def work_on(self, job: Job) -> None:
        """Run one job and report its end."""
        run = self.state.task_runs[job.task_run_id]
        task = self.flow.tasks[job.task_id]
        context = variables(self.flow, self.state, run, task)
        started = self.now
        outcome = self.run_task(job, task.properties, context)
        if not isinstance(outcome, TaskEnded):
            state, outputs = outcome
            outcome = TaskEnded(job.task_run_id, job.attempt, state, started, self.now, outputs=outputs)
        self.tell(outcome)

    def begin(self, task_id: str) -> Job:
        """Have a worker start a waiting job without ending it; returns the job."""
        job = next(job for job in self.jobs if job.task_id == task_id)
        self.jobs.remove(job)
        self.tell(TaskStarted(job.task_run_id, job.attempt, "worker", self.now))
        return job

    def pass_time(self) -> EngineRun:
        """Move the time to the next timer and let it come due."""
        timer = min(self.timers.values(), key=lambda one: one.due)
        self.now = max(self.now, timer.due)
        del self.timers[(timer.purpose, timer.task_run_id)]
        self.tell(TimerDue(timer.purpose, timer.task_run_id, timer.attempt))
        return self

    def finish(self) -> EngineRun:
        """Begin and go on until nothing more happens by itself."""
        if self.state.is_new:
            self.start()
        self.work()
        while self.timers and not self.is_over:
            self.pass_time().work()
        return self

    def _run_for_real(self, job: Job, definition: Mapping[str, Any], context: Mapping[str, Any]) -> Outcome:
        """Run a quick task as the worker does; it needs no loop and no server."""
        assignment = assignment_of(job, self.state, self.flow, {})
        host = Host(cast(Any, None), cast(Any, None), WorkerSettings(threads=1), Still(self), Maskers())
        report = Attempt(assignment, self.instances.get(assignment), host, "worker").run()
        self.logs.extend(line.message for line in report.logs)
        assert isinstance(report.event, TaskEnded)
        return report.event

    # -- looking

    @property
    def execution(self) -> Execution:
        """The execution as it is."""
        return self.state.execution

    @property
    def ended(self) -> str:
        """The execution's state."""
        return self.execution.state.current.value

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen."""
        return self.execution.cursor.phase == "done"

    @property
    def states(self) -> list[tuple[str, str]]:
        """(task id, state) of every task run in creation order."""
        runs = sorted(self.state.task_runs.values(), key=lambda run: run.sequence)
        return [(run.task_id, run.state.current.value) for run in runs]

    def only(self, task_id: str) -> TaskRun:
        """The one task run of a task."""
        (run_id,) = self.state.by_task[task_id]
        return self.state.task_runs[run_id]

    @property
    def history(self) -> list[str]:
        """The states the execution went through."""
        return [change.state.value for change in self.execution.state.histories]

    # -- what must always hold

    def _check(self, decision: Decision) -> None:
        for job in decision.jobs:
            assert job.key not in self.seen_jobs, f"job {job.key} was handed out twice"
            self.seen_jobs.add(job.key)
        for run in decision.changed:
            before = self.state.task_runs[run.id].state
            assert run.state.histories[: len(before.histories)] == before.histories, "a history was rewritten"
        if self.execution.state.current in TERMINAL and decision.execution is not None:
            assert decision.ended is None or len(decision.execution.state.histories) > len(
                self.execution.state.histories
            )
        if decision.execution is not None and decision.execution.cursor.phase == "done":
            after = {**self.state.task_runs, **{run.id: run for run in (*decision.created, *decision.changed)}}
            still_open = [run.task_id for run in after.values() if run.state.current not in TERMINAL]
            assert not still_open, f"the execution is over, yet these are open: {still_open}"


def _fingerprint(state: ExecutionState) -> bytes:
    return msgspec.json.encode((state.execution, len(state.task_runs), sorted(state.by_task)))
