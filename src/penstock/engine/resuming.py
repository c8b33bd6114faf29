"""Going on: after a pause, after a hold, after a failure (restart), after a state set by hand."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from penstock.base.errors import ConflictError, NotFoundError
from penstock.engine.decision import Message
from penstock.engine.ending import HANDLERS, answer_parent, next_try, set_labels
from penstock.engine.events import ChangeTaskState, Pause, Restart, Resume
from penstock.engine.flow import Launch, Step
from penstock.engine.pausing import hold, is_held, is_stopped, let_go, unpause_run, waiting
from penstock.engine.records import Cursor, TaskRun
from penstock.engine.scopes import ask, take
from penstock.engine.starting import disabled_reason, start, start_waiting
from penstock.engine.states import FAILURES, GOOD, StateType
from penstock.engine.turn import EndPhase, RunEnded, Turn, replace


def pause(turn: Turn, event: Pause) -> None:
    """Hold the execution: what runs goes on, nothing new begins."""
    if turn.execution.state.current is not StateType.RUNNING:
        raise ConflictError(f"execution {turn.execution.id} is {turn.execution.state.current}, not RUNNING")
    hold(turn, event.by)


def resume(turn: Turn, event: Resume) -> None:
    """Let a paused execution go on: its waiting Pause tasks and what a hold kept back (ENG-095)."""
    execution = turn.execution
    if execution.state.current is not StateType.PAUSED and not waiting(turn):
        raise ConflictError(f"execution {execution.id} is {execution.state.current}, not PAUSED")
    if is_held(turn) and not is_stopped(turn):
        let_go(turn)
        start_waiting(turn)
    for run in turn.runs():
        if run.state.current is StateType.PAUSED and event.task_run_id in (None, run.id):
            _resume_run(turn, run, event)


def _resume_run(turn: Turn, run: TaskRun, event: Resume) -> None:
    turn.cancel_timer("flowable", run.id)
    run = turn.move(run, StateType.RUNNING)
    unpause_run(turn)
    ask(turn, run, lambda flowable, view: flowable.resumed(view, event.inputs, event.by))


def timer_due(turn: Turn, run_id: str) -> None:
    """The instant a flowable waited for has come."""
    run = turn.find(run_id)
    if run is None or run.state.current not in (StateType.RUNNING, StateType.PAUSED):
        return
    if run.state.current is StateType.PAUSED:
        run = turn.move(run, StateType.RUNNING)
        unpause_run(turn)
    ask(turn, run, lambda flowable, view: flowable.timer_due(view))


def restart(turn: Turn, event: Restart) -> None:
    """Run the failed task runs of an ended execution again (ENG-153); with none, what it ended with."""
    if event.parent is not None and _is_settled(turn, event):
        return
    _check_restart(turn)
    runs = turn.runs()
    failed = causes(turn, runs)
    for run in failed:
        _check_tasks(turn, run)
    turn.put_execution(replace(turn.execution, flow_revision=turn.flow.revision, pins=turn.flow.pins))
    _reopen_execution(turn)
    set_labels(turn, (("system.restarted", "true"),))
    reopened: set[str] = set()
    for run in failed:
        _reopen_ancestors(turn, run, reopened)
        cursor = None
        if turn.task(run).flowable is not None:
            flows = run.cursor.flows if run.cursor is not None else None
            cursor = Cursor() if run.cursor is None or flows is None else Cursor(memory=run.cursor.memory, flows=flows)
        run = turn.move(replace(run, cursor=cursor, outputs=None), StateType.RESTARTED)
        _count_active(turn, run.parent_id)
        start(turn, run, turn.task(run))
    if not runs:
        take(turn, None, Step(launches=(Launch(turn.flow.lists["tasks"][0]),)))  # it was refused before its first task
    elif not failed:
        turn.agenda.append(EndPhase(None))


def _is_settled(turn: Turn, event: Restart) -> bool:
    """Answer a parent's wish where there is nothing to run again: what ended well, and what was tried anew."""
    execution = turn.execution
    if execution.state.current is StateType.RETRIED:
        turn.tell(Message(next_try(execution), event))
        return True
    if execution.state.current in GOOD:
        answer_parent(turn, execution.state.current)  # it waits for this end
        return True
    return not execution.state.is_terminal  # somebody else has restarted it: its end will be told


def _check_restart(turn: Turn) -> None:
    """Refuse a restart that has nothing to run again; raises ConflictError."""
    execution = turn.execution
    state = execution.state.current
    if execution.cursor.phase != "done":
        raise ConflictError(
            f"execution {execution.id} is {state} and not all of its tasks have ended",
            hint="only an ended execution can be restarted",
        )
    if state in GOOD:
        raise ConflictError(
            f"execution {execution.id} is {state}: it has no failed task to run again",
            hint="replay it instead: that makes a new execution",
        )
    if state is StateType.RETRIED:
        raise ConflictError(
            f"execution {execution.id} was tried anew as another execution", hint="restart the latest of them"
        )
    if turn.flow.disabled:
        raise ConflictError(disabled_reason(turn.flow), hint="enable the flow first")


def _check_tasks(turn: Turn, run: TaskRun) -> None:
    """Refuse a revision that does not have a failed task where it stood."""
    for inner, outer in itertools.pairwise([run, *turn.state.ancestors(run), None]):
        assert inner is not None
        known = inner.task_id in turn.flow.tasks
        if not known or turn.flow.parents.get(inner.task_id) != (outer.task_id if outer else None):
            raise ConflictError(
                f"revision {turn.flow.revision} of flow {turn.flow.namespace}.{turn.flow.id} has no task "
                f"`{inner.task_id}` where the execution failed",
                hint="restart it with its own revision, or replay it",
            )


def causes(turn: Turn, runs: Sequence[TaskRun]) -> list[TaskRun]:
    """Return the task runs that are why the execution failed, without the scopes around them and without handlers."""
    handled: dict[str, bool] = {}
    failed: dict[str, TaskRun] = {}
    for run in runs:  # those around come before those inside
        above = run.parent_id
        is_handler = _is_own(turn, run) and turn.task(run).branch in HANDLERS
        handled[run.id] = is_handler or (above is not None and handled[above])
        if run.state.current in FAILURES and not handled[run.id] and (above is None or above in failed):
            failed[run.id] = run
    own = {run_id: run for run_id, run in failed.items() if _is_own(turn, run) or run.parent_id is None}
    around = {run.parent_id for run in own.values()}
    return [run for run in own.values() if run.id not in around]


def _is_own(turn: Turn, run: TaskRun) -> bool:
    """Return whether the engine began a task run; one that ran inside another task is that task's business."""
    return run.task_id in turn.flow.tasks


def _reopen_execution(turn: Turn) -> None:
    cursor = turn.execution.cursor
    turn.put_execution(replace(turn.execution, outputs=None, error=None, cursor=Cursor(warned=cursor.warned)))
    turn.move_execution(StateType.RESTARTED)
    turn.move_execution(StateType.RUNNING)


def _reopen_ancestors(turn: Turn, run: TaskRun, reopened: set[str]) -> None:
    """Open the scopes around a task run again, each once."""
    for above in list(turn.state.ancestors(run)):
        if above.id in reopened:
            return
        reopened.add(above.id)
        cursor = turn.cursor(above.id)
        above = turn.move(turn.run(above.id), StateType.RESTARTED)
        above = turn.move(above, StateType.RUNNING)
        turn.set_cursor(above.id, Cursor(warned=cursor.warned, memory=cursor.memory))
        _count_active(turn, above.parent_id)


def _count_active(turn: Turn, scope: str | None) -> None:
    cursor = turn.cursor(scope)
    turn.set_cursor(scope, replace(cursor, active=cursor.active + 1))


def change_task_state(turn: Turn, event: ChangeTaskState) -> None:
    """Set a task run's state by hand: a paused one goes on, an ended one is taken as ended so (ENG-096)."""
    run = turn.find(event.task_run_id)
    if run is None:
        raise NotFoundError(f"execution {turn.execution.id} has no task run {event.task_run_id}")
    if not _is_own(turn, run):
        raise ConflictError(f"task run {run.id} ran inside another task", hint="change the state of the task around it")
    if run.state.current is StateType.PAUSED and event.state is StateType.RUNNING:
        _resume_run(turn, run, Resume(by=event.by))
        return
    if turn.execution.cursor.phase != "done":
        raise ConflictError(
            f"task run {run.id} is {run.state.current} and its execution {turn.execution.state.current}",
            hint="the state of a task run can be changed once the execution has ended, or to RUNNING while PAUSED",
        )
    if event.state not in (StateType.SUCCESS, StateType.WARNING, StateType.FAILED):
        raise ConflictError(f"a task run cannot be set to {event.state}", hint="choose SUCCESS, WARNING or FAILED")
    _reopen_execution(turn)
    _reopen_ancestors(turn, run, set())
    _count_active(turn, run.parent_id)
    if run.state.current is not event.state:
        turn.move(run, event.state)
    turn.agenda.append(RunEnded(run.id))
