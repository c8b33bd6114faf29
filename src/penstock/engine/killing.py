"""Kills: nothing new begins, what runs is stopped, `finally` still runs; a second kill ends that too.

Implements ENG-157, ENG-408.
"""

from __future__ import annotations

from penstock.base.errors import ConflictError
from penstock.engine.decision import Message
from penstock.engine.ending import end_execution, end_run, next_try, open_attempt
from penstock.engine.events import Kill
from penstock.engine.pausing import unpause_run
from penstock.engine.records import Cursor, TaskRun
from penstock.engine.states import TERMINAL, StateType
from penstock.engine.turn import EndPhase, Turn, replace


def kill(turn: Turn) -> None:
    """Stop the execution."""
    execution = turn.execution
    if execution.state.current in TERMINAL and execution.cursor.phase == "afterExecution":
        _stop_runs(turn)  # the state stands; only what runs after the end is stopped
        return
    if execution.state.current is StateType.RETRIED:
        turn.tell(Message(next_try(execution), Kill()))  # what was tried anew goes on as another execution (BEY-007)
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
    memory = {**cursor.memory, "kills": int(cursor.memory.get("kills", 0)) + 1, "held": False}
    turn.set_cursor(None, replace(cursor, killed=True, memory=memory))
    _stop_runs(turn)


def stop(turn: Turn, state: StateType) -> None:
    """Stop the execution on the system's own account: it will end in this state (ENG-148, ENG-249)."""
    cursor = turn.execution.cursor
    cancelled = cursor.cancelled or state is StateType.CANCELLED
    memory = {**cursor.memory, "end": state.value, "held": False}
    turn.set_cursor(None, replace(cursor, killed=True, cancelled=cancelled, memory=memory))
    _stop_runs(turn)


def _stop_runs(turn: Turn) -> None:
    for run in turn.runs():
        if run.state.current not in TERMINAL:
            _kill_run(turn, run)
    turn.agenda.append(EndPhase(None))


def _kill_run(turn: Turn, run: TaskRun) -> None:
    """Stop one task run: at once when nothing runs for it, through its worker otherwise."""
    task = turn.task(run)
    state = run.state.current
    if task.flowable is not None and state is not StateType.CREATED:
        turn.cancel_timer("flowable", run.id)
        turn.cancel_timer("retry", run.id)
        cancelled = turn.execution.cursor.cancelled
        turn.set_cursor(run.id, replace(turn.cursor(run.id), killed=True, cancelled=cancelled))
        flows = turn.cursor(run.id).flows
        if flows is not None:
            for position in flows.open:
                turn.tell(Message(flows.id_of(run, position), Kill()))
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
