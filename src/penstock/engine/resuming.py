"""Going on: after a pause, after a hold, after a failure (restart), after a state set by hand."""

from __future__ import annotations

from penstock.base.errors import ConflictError, NotFoundError
from penstock.engine.ending import HANDLERS, set_labels
from penstock.engine.events import ChangeTaskState, Restart, Resume
from penstock.engine.pausing import hold, is_held, let_go, unpause_run, waiting
from penstock.engine.records import Cursor, TaskRun
from penstock.engine.scopes import ask
from penstock.engine.starting import start
from penstock.engine.states import FAILURES, StateType
from penstock.engine.turn import EndPhase, RunEnded, Turn, replace


def pause(turn: Turn) -> None:
    """Hold the execution: what runs goes on, nothing new begins."""
    if turn.execution.state.current is not StateType.RUNNING:
        raise ConflictError(f"execution {turn.execution.id} is {turn.execution.state.current}, not RUNNING")
    hold(turn)


def resume(turn: Turn, event: Resume) -> None:
    """Let a paused execution go on: its waiting Pause tasks and what a hold kept back (ENG-095)."""
    execution = turn.execution
    if execution.state.current is not StateType.PAUSED and not waiting(turn):
        raise ConflictError(f"execution {execution.id} is {execution.state.current}, not PAUSED")
    if is_held(turn):
        let_go(turn)
        for run in turn.runs():
            if run.state.current is StateType.CREATED:
                start(turn, run, turn.task(run))
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
    """Run the failed task runs of an ended execution again (ENG-153); with none, end it anew."""
    if turn.execution.cursor.phase != "done":
        raise ConflictError(
            f"execution {turn.execution.id} is {turn.execution.state.current} and not all of its tasks have ended",
            hint="only an ended execution can be restarted",
        )
    runs = turn.runs()
    failed = [run for run in runs if _is_cause(turn, run, runs)]
    _reopen_execution(turn)
    set_labels(turn, (("system.restarted", "true"),))
    reopened: set[str] = set()
    for run in failed:
        _reopen_ancestors(turn, run, reopened)
        ended = {"ended": run.cursor.memory["ended"]} if run.cursor and "ended" in run.cursor.memory else {}
        cursor = Cursor(memory=ended) if run.cursor is not None else None
        run = turn.move(replace(run, cursor=cursor, outputs=None), StateType.RESTARTED)
        _count_active(turn, run.parent_id)
        start(turn, run, turn.task(run))
    if not failed:
        turn.agenda.append(EndPhase(None))


def _is_cause(turn: Turn, run: TaskRun, runs: list[TaskRun]) -> bool:
    """Return whether a task run is why the execution failed, and not merely a scope around the cause or a handler."""
    if run.state.current not in FAILURES or not _is_own(turn, run) or _in_handler(turn, run):
        return False
    if any(above.state.current not in FAILURES for above in turn.state.ancestors(run)):
        return False
    if run.cursor is None:
        return True
    return not any(
        child.parent_id == run.id
        and child.state.current in FAILURES
        and _is_own(turn, child)
        and not _in_handler(turn, child)
        for child in runs
    )


def _is_own(turn: Turn, run: TaskRun) -> bool:
    """Return whether the engine began a task run; one that ran inside another task is that task's business."""
    return run.task_id in turn.flow.tasks


def _in_handler(turn: Turn, run: TaskRun) -> bool:
    return any(turn.task(one).branch in HANDLERS for one in (run, *turn.state.ancestors(run)))


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
