"""Beginnings: of the execution, of a child in a scope, of another attempt."""

from __future__ import annotations

from penstock.base.ids import derived_id
from penstock.engine.ending import end_run, tell_parent
from penstock.engine.events import Created
from penstock.engine.facts import FactNeeded
from penstock.engine.fixtures import stand_in
from penstock.engine.flow import Launch, ResolvedFlow, ResolvedTask, Step
from penstock.engine.pausing import is_held, settle, stop_before
from penstock.engine.records import Cursor, TaskRun
from penstock.engine.replaying import beginnings
from penstock.engine.scopes import ask, take
from penstock.engine.states import Change, State, StateType
from penstock.engine.turn import Turn, replace
from penstock.engine.watching import set_deadlines
from penstock.expressions import is_truthy

DISABLED_FLOW = "Cannot execute a flow which is disabled"


def disabled_reason(flow: ResolvedFlow) -> str:
    """Return why a disabled flow cannot be executed."""
    return f"{DISABLED_FLOW} ({flow.disabled_why})" if flow.disabled_why else DISABLED_FLOW


def begin(turn: Turn, event: Created) -> None:
    """Let the execution begin, or refuse it before its first task (ENG-038, ENG-408)."""
    if turn.execution.state.current not in (StateType.CREATED, StateType.QUEUED):
        return
    reason = event.reject or (disabled_reason(turn.flow) if turn.flow.disabled else None)
    if reason is not None:
        turn.log("ERROR", reason)
        turn.put_execution(replace(turn.execution, error=reason, cursor=Cursor(phase="done", failed=True)))
        turn.move_execution(StateType.FAILED)
        turn.ended = StateType.FAILED
        tell_parent(turn, StateType.FAILED, None, refused=reason)
        return
    date = turn.execution.schedule_date
    if date is not None and date > turn.now:
        turn.set_timer(date, "start")
        return
    if event.full is not None:
        _wait_or_end(turn, event.full)
        return
    run_now(turn)


def _wait_or_end(turn: Turn, behavior: str) -> None:
    """Queue an execution for which there is no slot, or end it without running any task (ENG-252)."""
    if behavior == "QUEUE":
        if turn.execution.state.current is not StateType.QUEUED:
            turn.move_execution(StateType.QUEUED)
        return
    state = StateType.CANCELLED if behavior == "CANCEL" else StateType.FAILED
    end_unbegun(turn, state, "as many executions run as the concurrency limit of the flow allows")


def end_unbegun(turn: Turn, state: StateType, reason: str) -> None:
    """End an execution without running any task."""
    turn.log("WARN", f"The execution is {state.lower()}: {reason}")
    turn.put_execution(replace(turn.execution, error=reason, cursor=Cursor(phase="done", failed=True)))
    turn.move_execution(state)
    turn.ended = state
    tell_parent(turn, state, None, refused=reason)


def slot_freed(turn: Turn) -> None:
    """Let a queued execution begin."""
    if turn.execution.state.current is StateType.QUEUED:
        run_now(turn)


def run_now(turn: Turn) -> None:
    """Let an execution begin that exists and has not begun."""
    turn.move_execution(StateType.RUNNING)
    if turn.flow.pins:
        turn.put_execution(replace(turn.execution, pins=turn.flow.pins))
    set_deadlines(turn)
    if start_waiting(turn):
        return
    first = turn.flow.lists["tasks"][0]
    take(turn, None, Step(launches=(Launch(first),)))


def start_waiting(turn: Turn) -> bool:
    """Start the task runs that exist and have not begun, until a breakpoint holds; returns whether there are any."""
    found = beginnings(turn.runs())
    for run in found:
        if is_held(turn) or stop_before(turn, run):
            break
        start(turn, run, turn.task(run))
    return bool(found)


def launch(turn: Turn, scope: str | None, wanted: Launch) -> None:
    """Make a child's task run and start it, skip it, or leave it waiting while the execution is held."""
    task = wanted.task
    run = _new_run(turn, scope, wanted)
    turn.put(run)
    if not (is_held(turn) or stop_before(turn, run)):
        start(turn, run, task)


def _new_run(turn: Turn, scope: str | None, wanted: Launch) -> TaskRun:
    """Return a fresh task run; one that ran before (restart) begins again, its attempts kept."""
    execution = turn.execution
    iteration = "" if wanted.iteration is None else str(wanted.iteration)
    run_id = derived_id(execution.id, scope or "", wanted.task.id, iteration)
    cursor = Cursor() if wanted.task.flowable is not None else None
    before = turn.find(run_id)
    if before is not None:
        state = before.state.to(StateType.RESTARTED, turn.now)
        return replace(before, state=state, outputs=None, cursor=cursor)
    return TaskRun(
        id=run_id,
        execution_id=execution.id,
        task_id=wanted.task.id,
        parent_id=scope,
        value=wanted.value,
        iteration=wanted.iteration,
        sequence=turn.count,
        state=State.at(StateType.CREATED, turn.now),
        cursor=cursor,
    )


def start(turn: Turn, run: TaskRun, task: ResolvedTask) -> None:
    """Start a task run that exists: skip it, hand it to the workers, or open its scope."""
    if stand_in(turn, run, task):
        return
    skipped = task.disabled or task.id in turn.execution.skip
    if skipped or (task.run_if is not None and not _may_run(turn, run, task)):
        if not turn.run(run.id).state.is_terminal:
            end_run(turn, run, task, StateType.SKIPPED)
        return
    if task.flowable is None:
        state = State(StateType.SUBMITTED, (*run.state.histories, Change(StateType.SUBMITTED, turn.now)))
        run = turn.put(replace(run, state=state))
        turn.submit(run, task, len(run.attempts) + 1)
        return
    again = run.state.current is StateType.RESTARTED and turn.cursor(run.id).flows is not None
    run = turn.move(run, StateType.RUNNING)
    ask(turn, run, lambda flowable, view: flowable.restarted(view) if again else flowable.start(view))


def _may_run(turn: Turn, run: TaskRun, task: ResolvedTask) -> bool:
    """Return whether `runIf` holds; one that cannot be rendered fails the task run (ENG-045, USE-B047)."""
    assert task.run_if is not None
    try:
        return is_truthy(turn.render(task.run_if, run, task))
    except FactNeeded:
        raise
    except Exception as error:
        turn.log("ERROR", f"`runIf` of task `{task.id}` could not be rendered: {turn.explain(error)}", run)
        turn.move(run, StateType.RUNNING)
        end_run(turn, turn.run(run.id), task, StateType.FAILED)
        return False


def retry(turn: Turn, run_id: str, attempt: int) -> None:
    """Hand the next attempt to the workers, now that its delay is over."""
    run = turn.find(run_id)
    if run is None or run.state.current is not StateType.RETRYING or len(run.attempts) + 1 != attempt:
        return
    if turn.execution.state.current is StateType.RETRYING:
        turn.move_execution(StateType.RUNNING)
        settle(turn)
    task = turn.task(run)
    if task.flowable is None:
        turn.submit(run, task, attempt)
        return
    run = turn.move(replace(run, outputs=None), StateType.RUNNING)
    ask(turn, run, lambda flowable, view: flowable.start(view))
