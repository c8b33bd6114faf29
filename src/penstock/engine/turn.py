"""One turn of the engine: the overlay of changes that one event causes, and the agenda of what is still to be decided.

A turn reads the working set and writes only to itself; `decision()` hands out what has gathered. The agenda is a queue
rather than recursion, so that five thousand skipped tasks in a row or a hundred levels of nesting need no deep stack.
"""

from __future__ import annotations

from collections import ChainMap, deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from penstock.base.clock import Instant, to_datetime
from penstock.base.errors import PenstockError
from penstock.engine.calls import Call, call_around
from penstock.engine.chance import Chance
from penstock.engine.context import variables, variables_inside
from penstock.engine.decision import ChildFlow, Decision, Job, Killed, Message, Spawn, Timer
from penstock.engine.facts import Facts
from penstock.engine.flow import Launch, ResolvedFlow, ResolvedTask, StartFlow
from penstock.engine.records import Cursor, Execution, LogLine, TaskRun
from penstock.engine.states import StateType, follow_execution, follow_task_run
from penstock.engine.working_set import ExecutionState
from penstock.expressions import Environment, evaluate, render, render_nested

replace = msgspec.structs.replace
ROOT: str | None = None
"""The scope id of the execution itself; other scopes are named by their task run's id."""


@dataclass(frozen=True, slots=True)
class Begin:
    """Agenda: a child of a scope shall begin; the scope counts it as active already."""

    scope: str | None
    launch: Launch


@dataclass(frozen=True, slots=True)
class EndPhase:
    """Agenda: a scope's phase has nothing left to do."""

    scope: str | None
    state: StateType | None = None
    """The state the flowable ends in, when it says so itself."""


@dataclass(frozen=True, slots=True)
class RunEnded:
    """Agenda: a task run has reached a terminal state; its scope has to hear of it."""

    run_id: str


Action = Begin | EndPhase | RunEnded


class Turn:
    """Mutable only for the length of one `decide`."""

    def __init__(
        self, flow: ResolvedFlow, state: ExecutionState, now: Instant, facts: Facts, shared: Mapping[str, Any]
    ) -> None:
        self.flow = flow
        self.state = state
        self.now = now
        self.facts = facts
        self.shared = shared
        self.execution: Execution = state.execution
        self.agenda: deque[Action] = deque()
        self.ended: StateType | None = None
        self._changed_execution = False
        self._overlaid: OverlaidState | None = None
        self._created: dict[str, TaskRun] = {}
        self._changed: dict[str, TaskRun] = {}
        self._jobs: list[Job] = []
        self._kills: list[Killed] = []
        self._timers: list[Timer] = []
        self._cancelled: list[tuple[str, str | None]] = []
        self._messages: list[Message] = []
        self._spawns: list[Spawn] = []
        self._children: list[ChildFlow] = []
        self._logs: list[LogLine] = []

    # -- reading

    def run(self, run_id: str) -> TaskRun:
        """Return a task run as it is now in this turn."""
        return self._changed.get(run_id) or self._created.get(run_id) or self.state.task_runs[run_id]

    def find(self, run_id: str) -> TaskRun | None:
        """Return a task run as it is now in this turn; None when there is none of that id."""
        return self._changed.get(run_id) or self._created.get(run_id) or self.state.task_runs.get(run_id)

    def runs(self) -> list[TaskRun]:
        """Return all task runs as they are now, in creation order. Costs as much as there are task runs."""
        ids = [*self.state.task_runs, *(run_id for run_id in self._created if run_id not in self.state.task_runs)]
        return [self.run(run_id) for run_id in ids]

    @property
    def count(self) -> int:
        """How many task runs there are."""
        return len(self.state.task_runs) + len(self._created)

    def task(self, run: TaskRun) -> ResolvedTask:
        """Return the task that a task run runs."""
        return self.flow.tasks[run.task_id]

    def cursor(self, scope: str | None) -> Cursor:
        """Return how far a scope has come."""
        if scope is None:
            return self.execution.cursor
        return self.run(scope).cursor or Cursor()

    # -- writing

    def put(self, run: TaskRun) -> TaskRun:
        """Insert or replace a task run."""
        if run.id in self.state.task_runs:
            self._changed[run.id] = run
        else:
            is_new = run.id not in self._created
            self._created[run.id] = run
            if is_new and self._overlaid is not None:
                self._overlaid.add(run)
        if run.outputs is not None and self._overlaid is not None:
            self._overlaid.lay_over(run)
        return run

    def put_execution(self, execution: Execution) -> None:
        """Replace the execution."""
        self.execution = execution
        self._changed_execution = True

    def set_cursor(self, scope: str | None, cursor: Cursor) -> None:
        """Remember how far a scope has come."""
        if scope is None:
            self.execution = replace(self.execution, cursor=cursor)
        else:
            self.put(replace(self.run(scope), cursor=cursor))

    def move(self, run: TaskRun, state: StateType, at: Instant | None = None) -> TaskRun:
        """Bring a task run into a state it may enter from where it is."""
        return self.put(replace(run, state=follow_task_run(run.state, state, self.now if at is None else at)))

    def move_execution(self, state: StateType) -> None:
        """Bring the execution into a state it may enter from where it is."""
        self.put_execution(replace(self.execution, state=follow_execution(self.execution.state, state, self.now)))

    def submit(self, run: TaskRun, task: ResolvedTask, attempt: int) -> None:
        """Hand an attempt to the workers."""
        self._jobs.append(job_of(self.execution, run, task, attempt, self.flow.revision, self.now))

    def kill(self, run: TaskRun, attempt: int) -> None:
        """Order that an attempt stops."""
        self._kills.append(Killed(self.execution.id, run.id, attempt))

    def set_timer(self, due: Instant, purpose: str, run_id: str | None = None, attempt: int = 0) -> None:
        """Have the execution woken at an instant."""
        self._timers.append(Timer(self.execution.id, due, purpose, run_id, attempt))

    def cancel_timer(self, purpose: str, run_id: str | None = None) -> None:
        """Forget a timer, whether it was set or not."""
        self._cancelled.append((purpose, run_id))

    def tell(self, message: Message) -> None:
        """Send an event to another execution."""
        self._messages.append(message)

    def spawn(self, execution: Execution) -> None:
        """Have another execution created."""
        self._spawns.append(Spawn(execution))

    def start_flow(self, run: TaskRun, child_id: str, start: StartFlow) -> None:
        """Have a flow executed for a task run, under this id."""
        self._children.append(ChildFlow(child_id, run, self.task(run).type, start))

    def log(self, level: str, message: str, run: TaskRun | None = None, attempt: int | None = None) -> None:
        """Write a line to the execution's logs."""
        execution = self.execution
        self._logs.append(
            LogLine(
                tenant=execution.tenant,
                namespace=execution.namespace,
                flow_id=execution.flow_id,
                date=self.now,
                level=level,
                message=message,
                execution_id=execution.id,
                task_id=run.task_id if run else None,
                task_run_id=run.id if run else None,
                attempt=attempt,
                kind=execution.kind,
            )
        )

    # -- expressions

    def _overlay(self) -> ExecutionState:
        """Return the working set as this turn sees it: the base, with the turn's own changes applied."""
        if not (self._created or self._changed or self._changed_execution):
            return self.state
        if self._overlaid is None:
            self._overlaid = OverlaidState(self)
        self._overlaid.execution = self.execution
        return self._overlaid

    def variables(self, run: TaskRun | None = None, task: ResolvedTask | None = None) -> dict[str, Any]:
        """Return the expression context of a task run, or of the execution."""
        return variables(self.flow, self._overlay(), run, task, self.shared)

    def _environment(self) -> Environment:
        return Environment(
            clock=lambda: to_datetime(self.now), random=Chance(f"{self.execution.id}:{self.now}:{len(self._created)}")
        )

    def render(self, template: str, run: TaskRun | None = None, task: ResolvedTask | None = None) -> str:
        """Return a template's text; raises ExpressionError, or FactNeeded when the shell has to look something up."""
        return render(template, self.variables(run, task), resolver=self.facts, environment=self._environment())

    def render_with(self, template: str, extra: Mapping[str, Any]) -> str:
        """Return a template's text in the execution's context with more variables; raises like `render`."""
        context = {**self.variables(), **extra}
        return render(template, context, resolver=self.facts, environment=self._environment())

    def evaluate(self, template: str, run: TaskRun | None = None, task: ResolvedTask | None = None) -> Any:
        """Return a template's value; raises like `render`."""
        return evaluate(template, self.variables(run, task), resolver=self.facts, environment=self._environment())

    def evaluate_nested(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return a map with all strings in it evaluated in the execution's context; raises like `render`."""

        def value_of(value: Any) -> Any:
            if isinstance(value, str):
                return self.evaluate(value)
            if isinstance(value, Mapping):
                return {key: value_of(one) for key, one in value.items()}
            return [value_of(one) for one in value] if isinstance(value, list) else value

        return {key: value_of(value) for key, value in values.items()}

    def render_nested(
        self,
        value: Any,
        run: TaskRun | None = None,
        task: ResolvedTask | None = None,
        added: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return a structure with all strings in it rendered, `added` in their context; raises like `render`."""
        context = {**self.variables(run, task), **(added or {})}
        return render_nested(value, context, resolver=self.facts, environment=self._environment())

    def evaluate_inside(self, template: str, call: Call, added: Mapping[str, Any] | None = None) -> Any:
        """Return a template's value as the flow that is called sees it; raises like `render`."""
        context = {**variables_inside(self.flow, self._overlay(), call, self.shared), **(added or {})}
        return evaluate(template, context, resolver=self.facts, environment=self._environment())

    def call_around(self, run: TaskRun) -> Call | None:
        """Return the innermost call that a task run belongs to."""
        return call_around(self.flow, self._overlay(), run, self.task(run))

    def explain(self, error: Exception) -> str:
        """Return an error as a log line says it."""
        return str(error) if isinstance(error, PenstockError) else f"{type(error).__name__}: {error}"

    # -- the outcome

    def decision(self) -> Decision:
        """Return everything the turn gathered."""
        execution = None
        if self._changed_execution or self.state.is_new or self.execution.cursor != self.state.execution.cursor:
            execution = replace(self.execution, version=self.execution.version + 1)
        return Decision(
            execution=execution,
            created=tuple(self._created.values()),
            changed=tuple(self._changed.values()),
            jobs=tuple(self._jobs),
            kills=tuple(self._kills),
            timers=tuple(self._timers),
            cancelled_timers=tuple(self._cancelled),
            messages=tuple(self._messages),
            spawns=tuple(self._spawns),
            children=tuple(self._children),
            logs=tuple(self._logs),
            ended=self.ended,
        )


def job_of(execution: Execution, run: TaskRun, task: ResolvedTask, attempt: int, revision: int, now: Instant) -> Job:
    """Return the job of an attempt of a task run."""
    return Job(
        task_run_id=run.id,
        attempt=attempt,
        execution_id=execution.id,
        tenant=execution.tenant,
        namespace=execution.namespace,
        flow_id=execution.flow_id,
        flow_revision=revision,
        task_id=task.id,
        worker_group=task.worker_group,
        fallback=task.fallback,
        created=now,
        quick=task.quick,
    )


class OverlaidState(ExecutionState):
    """A working set with a turn's changes on top, without copying it; made when the first expression is rendered.

    From then on the turn hands in what else it changes, so that ten thousand tasks which begin in one turn and each
    render an expression cost ten thousand additions.
    """

    __slots__ = ()

    def __init__(self, turn: Turn) -> None:
        base = turn.state
        created, changed = turn._created, turn._changed
        self.execution = turn.execution
        self.is_new = base.is_new
        self.task_runs = ChainMap(changed, created, base.task_runs)  # type: ignore[assignment]  # only read
        self.by_task = _Above(base.by_task)  # type: ignore[assignment]  # only read
        self.outputs = _Above(base.outputs)  # type: ignore[assignment]  # only read
        self._paths = {}
        for run in created.values():
            self.add(run)
        for run in (*created.values(), *changed.values()):
            if run.outputs is not None:
                self.lay_over(run)

    def add(self, run: TaskRun) -> None:
        """Take note of a new task run."""
        own = self.by_task.maps[0]  # type: ignore[attr-defined]
        if run.task_id not in own:
            own[run.task_id] = list(self.by_task.get(run.task_id, ()))
        own[run.task_id].append(run.id)

    def lay_over(self, run: TaskRun) -> None:
        """Put a task run's outputs above those of the working set."""
        path = (run.task_id, *self.path(run))
        level: Any = self.outputs
        for key in path[:-1]:
            inner = level.get(key)
            if not isinstance(inner, _Above):
                inner = level[key] = _Above(inner or {})
            level = inner
        level[path[-1]] = run.outputs


class _Above(ChainMap[str, Any]):
    """A map of its own above one that is left as it is."""

    def __init__(self, below: Mapping[str, Any]) -> None:
        super().__init__({}, below)  # type: ignore[arg-type]  # only the first is written to
