"""Kills: nothing new begins, what runs is stopped, `finally` still runs; a second kill ends that too.

Implements ENG-157, ENG-256, ENG-408 and the engine's part of BEY-004.
"""

from __future__ import annotations

from penstock.base.errors import ConflictError
from penstock.engine.decision import Message
from penstock.engine.ending import end_execution, end_run, next_try, open_attempt, tell_parent
from penstock.engine.events import Abandon, Kill
from penstock.engine.pausing import NO_HOLD, unpause_run
from penstock.engine.records import Cursor, TaskRun
from penstock.engine.states import TERMINAL, StateType
from penstock.engine.turn import EndPhase, Turn, replace


def kill(turn: Turn, event: Kill) -> None:
    """Stop the execution, and those it waits for unless it is to be stopped alone."""
    execution = turn.execution
    if execution.state.current in TERMINAL and execution.cursor.phase in ("afterExecution", "listeners"):
        memory = {**execution.cursor.memory, "listener": len(turn.flow.listeners)}
        turn.set_cursor(None, replace(execution.cursor, memory=memory))
        _stop_runs(turn, event)  # the state stands; only what runs after the end is stopped
        return
    if execution.state.current is StateType.RETRIED:
        turn.tell(Message(next_try(execution), event))  # what was tried anew goes on as another execution (BEY-007)
        return
    if execution.state.current in TERMINAL:
        raise ConflictError(f"execution {execution.id} has ended already ({execution.state.current})")
    if execution.state.current in (StateType.CREATED, StateType.QUEUED):
        turn.cancel_timer("start")
        turn.put_execution(replace(execution, cursor=Cursor(phase="done", killed=True)))
        end_execution(turn, StateType.KILLED)
        return
    if execution.state.current is not StateType.KILLING:
        turn.move_execution(StateType.KILLING)
    cursor = turn.execution.cursor
    memory = {**cursor.memory, "kills": int(cursor.memory.get("kills", 0)) + 1, **NO_HOLD}
    turn.set_cursor(None, replace(cursor, killed=True, memory=memory))
    _stop_runs(turn, event)


def abandon(turn: Turn, event: Abandon) -> None:
    """End the execution here and now: what runs for it is told to stop and not waited for."""
    if turn.execution.state.current not in TERMINAL:
        turn.put_execution(
            replace(turn.execution, state=turn.execution.state.to(StateType.KILLED, turn.now), outputs=None)
        )
        turn.ended = StateType.KILLED
        tell_parent(turn, StateType.KILLED, None)
    for run in turn.runs():
        if run.state.current not in TERMINAL:
            turn.kill(run, open_attempt(run))
            _kill_children(turn, run)
            turn.put(replace(run, state=run.state.to(StateType.KILLED, turn.now)))
    turn.put_execution(replace(turn.execution, cursor=Cursor(phase="done", killed=True)))


def stop(turn: Turn, state: StateType) -> None:
    """Stop the execution on the system's own account: it will end in this state (ENG-148, ENG-249)."""
    cursor = turn.execution.cursor
    cancelled = cursor.cancelled or state is StateType.CANCELLED
    memory = {**cursor.memory, "end": state.value, **NO_HOLD}
    turn.set_cursor(None, replace(cursor, killed=True, cancelled=cancelled, memory=memory))
    _stop_runs(turn, Kill())


def _stop_runs(turn: Turn, event: Kill) -> None:
    for run in turn.runs():
        if run.state.current not in TERMINAL:
            kill_run(turn, run, event)
    turn.agenda.append(EndPhase(None))


def kill_run(turn: Turn, run: TaskRun, event: Kill) -> None:
    """Stop one task run: at once when nothing runs for it, through its worker otherwise."""
    task = turn.task(run)
    state = run.state.current
    if task.flowable is not None and state is not StateType.CREATED:
        turn.cancel_timer("flowable", run.id)
        turn.cancel_timer("retry", run.id)
        cancelled = turn.execution.cursor.cancelled
        turn.set_cursor(run.id, replace(turn.cursor(run.id), killed=True, cancelled=cancelled))
        if event.cascade:
            _kill_children(turn, run, event.by)
        else:
            _forget_children(turn, run)
        if state is StateType.PAUSED:
            unpause_run(turn)
        if state is not StateType.KILLING:
            turn.move(turn.run(run.id), StateType.KILLING)
        turn.agenda.append(EndPhase(run.id))
    elif state in (StateType.CREATED, StateType.RESTARTED):
        end_run(turn, run, task, StateType.KILLED)
    elif state is StateType.RETRYING:
        turn.cancel_timer("retry", run.id)
        turn.kill(run, open_attempt(run))
        end_run(turn, turn.move(run, StateType.KILLING), task, StateType.KILLED)
    else:
        turn.kill(run, open_attempt(run))
        if state is not StateType.KILLING:
            turn.move(run, StateType.KILLING)


def _kill_children(turn: Turn, run: TaskRun, by: str | None = None) -> None:
    """Kill the executions that a task run waits for."""
    flows = turn.cursor(run.id).flows
    if flows is not None:
        for position in flows.open:
            turn.tell(Message(flows.id_of(run, position), Kill(by)))


def _forget_children(turn: Turn, run: TaskRun) -> None:
    """Wait no longer for the executions of a task run; their ends are not listened to any more."""
    cursor = turn.cursor(run.id)
    if cursor.flows is None:
        return
    waited_for = cursor.flows.open
    flows = cursor.flows
    for position in waited_for:
        flows = flows.marked(position, StateType.KILLED.value[0])
    turn.set_cursor(run.id, replace(cursor, active=cursor.active - len(waited_for), flows=flows))
