"""Replays: a new execution that begins at a task run of an earlier one and reuses what came before.

Implements ENG-152 to ENG-155, and the edited outputs of BEY-042.

Around the chosen task run, scope by scope outwards, what ended well before it is copied with its outputs. In scopes
whose children run side by side, branches that ended well are copied whatever their order, and branches that failed
begin again together with the chosen task run, as far as a limit lets them at once. Everything else is left out: it will
run anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from penstock.base.clock import Instant
from penstock.base.errors import ConflictError, InvalidRequestError, NotFoundError
from penstock.base.ids import derived_id
from penstock.engine.calls import own_name
from penstock.engine.ending import HANDLERS
from penstock.engine.flow import ResolvedFlow
from penstock.engine.records import AGAIN, Cursor, Execution, TaskRun
from penstock.engine.states import GOOD, Change, State, StateType
from penstock.engine.turn import replace
from penstock.engine.working_set import ExecutionState

Outputs = Mapping[str, Mapping[str, Any]]
"""Outputs to use instead of those there were, by task run or by task."""


def replayed(
    flow: ResolvedFlow,
    old: ExecutionState,
    new: Execution,
    task_run_id: str,
    now: Instant,
    outputs: Outputs | None = None,
) -> tuple[Execution, tuple[TaskRun, ...]]:
    """Return a new execution with the task runs it begins with; those in state CREATED are where it goes on.

    Args:
        flow: The revision the new execution runs; it must have the chosen task and those around it.
        old: The earlier execution.
        new: The new execution, in state CREATED.
        task_run_id: Where to begin; one that a worker ran inside a task stands for the task run around it.
        now: The present.
        outputs: Outputs of reused task runs to put in the place of those there were.

    Raises:
        InvalidRequestError: Outputs are given for what is not reused.
        NotFoundError: The earlier execution has no such task run.
        ConflictError: The revision lacks a task, or the task run belongs to an error handler.
    """
    chosen = old.task_runs.get(task_run_id)
    if chosen is None:
        raise NotFoundError(f"execution {old.execution.id} has no task run {task_run_id}")
    path = _begun_by_the_engine([chosen, *old.ancestors(chosen)], flow)
    for run in path:
        if run.task_id not in flow.tasks:
            raise ConflictError(
                f"revision {flow.revision} of flow {flow.namespace}.{flow.id} has no task {run.task_id}"
            )
        if flow.tasks[run.task_id].branch in HANDLERS:
            raise ConflictError(f"task `{run.task_id}` belongs to `{flow.tasks[run.task_id].branch}`; begin elsewhere")
    copy = _Copy(flow, old, new, now, outputs or {})
    copy.walk(path)
    copy.check_outputs()
    return copy.execution(), tuple(copy.runs)


def _begun_by_the_engine(path: list[TaskRun], flow: ResolvedFlow) -> list[TaskRun]:
    """Return the path without what a worker ran inside a task: that one begins anew as a whole."""
    while len(path) > 1:
        around = flow.tasks.get(path[1].task_id)
        if around is None or own_name(path[0].task_id) not in around.inside:
            break
        path = path[1:]
    return path


@dataclass(slots=True)
class _Copy:
    """The new execution's task runs as they come about."""

    flow: ResolvedFlow
    old: ExecutionState
    new: Execution
    now: Instant
    outputs: Outputs
    runs: list[TaskRun] = field(default_factory=list)
    open_at_root: int = 0
    _children: dict[str | None, list[TaskRun]] = field(default_factory=dict)
    _used: set[str] = field(default_factory=set)

    def walk(self, path: list[TaskRun]) -> None:
        """Copy what is kept along the path from the root to the chosen task run, outermost first."""
        for run in self.old.task_runs.values():
            self._children.setdefault(run.parent_id, []).append(run)
        parent: str | None = None
        for position, run in enumerate(reversed(path)):
            kept, again = self._beside(run)
            for one in kept:
                self._keep(one, parent)
            now = again[: self._room(run)]
            for one in now:
                self._begin(one, parent)
            if run is path[0]:
                self._begin(run, parent)
            else:
                self._reopen(run, parent, path[-position - 2])
            self._set_active(parent, len(now) + 1, again[len(now) :])
            parent = self._id(run, parent)

    def execution(self) -> Execution:
        """Return the execution, counting what is open."""
        warned = any(run.parent_id is None and run.state.current is StateType.WARNING for run in self.runs)
        return replace(self.new, cursor=Cursor(active=self.open_at_root, warned=warned))

    def _beside(self, run: TaskRun) -> tuple[list[TaskRun], list[TaskRun]]:
        """Return the siblings that are kept, and those that begin again."""
        parent = self.old.task_runs.get(run.parent_id) if run.parent_id else None
        flowable = self.flow.tasks[parent.task_id].flowable if parent else None
        side_by_side = flowable is not None and flowable.side_by_side()
        kept, again = [], []
        for one in self._children.get(run.parent_id, ()):
            if one.id == run.id or one.task_id not in self.flow.tasks:
                continue
            if self.flow.tasks[one.task_id].branch in HANDLERS:
                continue
            elsewhere = side_by_side and (one.iteration != run.iteration or one.iteration is None)
            if one.state.current in GOOD and (elsewhere or one.sequence < run.sequence):
                kept.append(one)
            elif elsewhere and one.state.current not in GOOD:
                again.append(one)
        return kept, again

    def _room(self, run: TaskRun) -> int | None:
        """Return how many may begin again beside a task run; None for all."""
        parent = self.old.task_runs.get(run.parent_id) if run.parent_id else None
        flowable = self.flow.tasks[parent.task_id].flowable if parent else None
        limit = flowable.most_at_a_time() if flowable is not None else 0
        return limit - 1 if limit else None

    def _id(self, run: TaskRun, parent: str | None) -> str:
        iteration = "" if run.iteration is None else str(run.iteration)
        return derived_id(self.new.id, parent or "", run.task_id, iteration)

    def _keep(self, run: TaskRun, parent: str | None) -> None:
        """Copy a task run with everything inside it."""
        new_id = self._id(run, parent)
        self._add(self._with_outputs(replace(run, id=new_id, execution_id=self.new.id, parent_id=parent), run.id))
        for child in self._children.get(run.id, ()):
            self._keep(child, new_id)

    def _with_outputs(self, copy: TaskRun, old_id: str) -> TaskRun:
        """Return a reused task run with the outputs that are given for it, and marked when there are any."""
        for name in (old_id, copy.task_id):
            if name in self.outputs:
                self._used.add(name)
                return replace(copy, outputs=dict(self.outputs[name]), edited=True)
        return copy

    def check_outputs(self) -> None:
        """Refuse outputs given for what is not reused.

        Raises:
            InvalidRequestError: There are such.
        """
        unused = sorted(self.outputs.keys() - self._used)
        if unused:
            raise InvalidRequestError(
                f"outputs are given for {', '.join(f'`{name}`' for name in unused)}, which is not reused",
                hint="name task runs, or tasks, that ended before the one at which the replay begins",
            )

    def _begin(self, run: TaskRun, parent: str | None) -> None:
        """Add a task run that begins anew."""
        cursor = Cursor() if self.flow.tasks[run.task_id].flowable is not None else None
        self._add(self._fresh(run, parent, State.at(StateType.CREATED, self.now), cursor))

    def _reopen(self, run: TaskRun, parent: str | None, inner: TaskRun) -> None:
        """Add a scope that goes on around the chosen task run."""
        history = (Change(StateType.CREATED, self.now), Change(StateType.RUNNING, self.now))
        memory = dict(run.cursor.memory) if run.cursor else {}
        flowable = self.flow.tasks[run.task_id].flowable
        if flowable is not None:
            memory = dict(flowable.rewound(memory, inner.iteration))
        cursor = Cursor(memory=memory)
        self._add(replace(self._fresh(run, parent, State(StateType.RUNNING, history), cursor), items=run.items))

    def _fresh(self, run: TaskRun, parent: str | None, state: State, cursor: Cursor | None) -> TaskRun:
        return TaskRun(
            id=self._id(run, parent),
            execution_id=self.new.id,
            task_id=run.task_id,
            parent_id=parent,
            value=run.value,
            iteration=run.iteration,
            state=state,
            cursor=cursor,
        )

    def _set_active(self, run_id: str | None, active: int, waiting: Sequence[TaskRun]) -> None:
        """Tell a scope how many of its children run, and which are to begin again as these end."""
        if run_id is None:
            self.open_at_root = active
            return
        for position, run in enumerate(self.runs):
            if run.id == run_id and run.cursor is not None:
                later = [(one.task_id, one.value, one.iteration) for one in waiting]
                memory = {**run.cursor.memory, AGAIN: later} if later else run.cursor.memory
                self.runs[position] = replace(run, cursor=replace(run.cursor, active=active, memory=memory))

    def _add(self, run: TaskRun) -> None:
        self.runs.append(replace(run, sequence=len(self.runs)))


def beginnings(runs: Iterable[TaskRun]) -> list[TaskRun]:
    """Return the task runs that exist and have not begun: of a replay, of a hold, begun again ones included."""
    return [run for run in runs if run.state.current in (StateType.CREATED, StateType.RESTARTED)]
