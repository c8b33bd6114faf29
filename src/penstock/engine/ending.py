"""Ends: of an attempt, of a task run, of the execution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from penstock.base.ids import derived_id
from penstock.engine.calls import VARIABLES
from penstock.engine.confidential import handed_on, together
from penstock.engine.decision import Message
from penstock.engine.events import ChildEnded, TaskEnded, TaskStarted
from penstock.engine.facts import FactNeeded
from penstock.engine.flow import ResolvedTask, RetryPolicy
from penstock.engine.records import Attempt, Cursor, Execution, TaskRun
from penstock.engine.retrying import delay_after, retry_at
from penstock.engine.states import TERMINAL, Change, State, StateType
from penstock.engine.turn import RunEnded, Turn, replace
from penstock.engine.variables import VariableChange, changed
from penstock.expressions.encrypted import SEALING
from penstock.model.values import render_outputs

_WITHOUT_OUTPUTS = (StateType.KILLED, StateType.CANCELLED)
HANDLERS = ("errors", "finally", "afterExecution", "listeners")


def open_attempt(run: TaskRun) -> int:
    """Return the number of the attempt that is running or comes next, first is 1."""
    attempts = run.attempts
    return len(attempts) if attempts and attempts[-1].state.current not in TERMINAL else len(attempts) + 1


def task_started(turn: Turn, event: TaskStarted) -> None:
    """A worker has begun an attempt; one that has ended or been replaced meanwhile is ignored."""
    run = turn.find(event.task_run_id)
    if run is None or run.state.current in TERMINAL or open_attempt(run) != event.attempt:
        return
    if len(run.attempts) == event.attempt and run.attempts[-1].worker_id == event.worker_id:
        return
    attempt = Attempt(State.at(StateType.RUNNING, event.started), event.worker_id)
    run = replace(run, attempts=(*run.attempts[: event.attempt - 1], attempt))
    if run.state.current not in (StateType.RUNNING, StateType.KILLING):
        run = turn.move(run, StateType.RUNNING, event.started)
    turn.put(run)


def task_ended(turn: Turn, event: TaskEnded) -> None:
    """A worker has ended an attempt: retry it, or end the task run."""
    run = turn.find(event.task_run_id)
    if run is None or run.state.current in TERMINAL or open_attempt(run) != event.attempt:
        return
    lost = _lost_worker(run, event)
    run = _with_attempt(run, event)
    task = turn.task(run)
    if lost is not None:
        message = f"Worker {lost} was lost while it ran this: it is not confirmed that what it ran has ended there"
        turn.log("WARN", message, run, event.attempt)
    if run.state.current is StateType.KILLING:
        _end_killed(turn, run, task, event)
        return
    _take_over(turn, run, event)
    state = event.state
    turn.put(replace(run, outputs=event.outputs))
    policy = task.retry or _flow_policy(turn, run, task)
    if state is StateType.FAILED and event.retryable and _retried(turn, turn.run(run.id), task, policy):
        return
    if event.attempt > 1:
        state = _after_retries(state, policy)
    end_run(turn, turn.run(run.id), task, state, event.ended)


def _lost_worker(run: TaskRun, event: TaskEnded) -> str | None:
    """Return the worker that ran a killed attempt when the end is reported by somebody else (BEY-009)."""
    if run.state.current is not StateType.KILLING or len(run.attempts) != event.attempt:
        return None
    worker_id = run.attempts[-1].worker_id
    return worker_id if worker_id != event.worker_id else None


def _end_killed(turn: Turn, run: TaskRun, task: ResolvedTask, event: TaskEnded) -> None:
    """End a task run that was told to stop: whatever its result says, it changes nothing any more (BEY-004)."""
    turn.put(run)
    for child in event.children:
        turn.put(replace(child, sequence=turn.count))
    end_run(turn, turn.run(run.id), task, StateType.KILLED, event.ended)


def end_flowable(turn: Turn, run: TaskRun, task: ResolvedTask, state: StateType) -> None:
    """End a flowable's task run, or have it begin again: `retry` covers the whole of it.

    The flow's own policy covers single tasks, and flows that are executed for one: they are executed anew (ENG-109).
    """
    executes_flow = task.called is None and bool(getattr(task.flowable, "calls_flow", False))
    policy = task.retry or (_flow_policy(turn, run, task) if executes_flow else None)
    if policy is not None and state is not StateType.KILLED:
        started = next(change.date for change in reversed(run.state.histories) if change.state is StateType.RUNNING)
        history = (Change(StateType.RUNNING, started), Change(state, turn.now))
        run = turn.put(replace(run, attempts=(*run.attempts, Attempt(State(state, history)))))
    if state is StateType.FAILED and _retried(turn, run, task, policy):
        turn.set_cursor(run.id, Cursor())
        return
    if len(run.attempts) > 1:
        state = _after_retries(state, policy)
    end_run(turn, run, task, state)


def _retried(turn: Turn, run: TaskRun, task: ResolvedTask, policy: RetryPolicy | None) -> bool:
    """Have a failed attempt tried again, when a policy says so."""
    if turn.execution.cursor.closed:  # the execution is being left: nothing begins again
        return False
    due = retry_at(policy, run, turn.now) if policy is not None else None
    if due is None:
        return False
    if task.retry is None and turn.execution.state.current is StateType.RUNNING:
        turn.move_execution(StateType.RETRYING)
    turn.move(run, StateType.RETRYING)
    turn.set_timer(due, "retry", run.id, len(run.attempts) + 1)
    return True


def _after_retries(state: StateType, policy: RetryPolicy | None) -> StateType:
    """Return the state of a task run that took more than one attempt."""
    warned = state is StateType.SUCCESS and policy is not None and policy.warning_on_retry
    return StateType.WARNING if warned else state


def _flow_policy(turn: Turn, run: TaskRun, task: ResolvedTask) -> RetryPolicy | None:
    """Return the flow's retry policy where it applies to single tasks (ENG-242, ENG-243)."""
    call = turn.call_around(run) if task.call else None
    policy = (turn.flow if call is None else call.flow).retry
    if policy is None or policy.behavior != "RETRY_FAILED_TASK" or task.allow_failure or task.branch in HANDLERS:
        return None
    return policy


def _with_attempt(run: TaskRun, event: TaskEnded) -> TaskRun:
    """Return the task run with its attempt ended, and RUNNING in its history even when only the end was reported."""
    state = run.state
    attempts = run.attempts[: event.attempt - 1]
    begun = run.attempts[event.attempt - 1] if len(run.attempts) == event.attempt else None
    lost = _lost_worker(run, event)
    unconfirmed = event.unconfirmed or lost is not None
    if begun is not None and (lost is not None or event.worker_id in (None, begun.worker_id)):
        ended = Attempt(
            begun.state.to(event.state, event.ended), begun.worker_id, event.log_file, unconfirmed, event.left
        )
    else:  # nothing was heard of it, or it was handed back and ran again elsewhere
        history = (Change(StateType.RUNNING, event.started), Change(event.state, event.ended))
        ended = Attempt(State(event.state, history), event.worker_id, event.log_file, unconfirmed, event.left)
    attempts = (*attempts, ended)
    if state.current not in (StateType.RUNNING, StateType.KILLING):
        state = state.to(StateType.RUNNING, event.started)
    return replace(run, attempts=attempts, state=state)


def _take_over(turn: Turn, run: TaskRun, event: TaskEnded) -> None:
    """Apply what the task changed on its execution: labels, variables, secrets to hide, task runs inside it."""
    if event.labels:
        set_labels(turn, event.labels)
    if event.variables:
        _change_variables(turn, run, event.variables)
    conceal(turn, event.confidential)
    for child in event.children:
        turn.put(replace(child, sequence=turn.count))


def conceal(turn: Turn, calls: tuple[str, ...]) -> None:
    """Remember calls that give secrets the execution has come to hold (BEY-061)."""
    known = turn.execution.confidential
    merged = together(known, calls) if calls else known
    if merged is not known:
        turn.put_execution(replace(turn.execution, confidential=merged))


def _change_variables(turn: Turn, run: TaskRun, wanted: Sequence[VariableChange]) -> None:
    """Change the variables that a task sees: those of its call, or else the execution's."""
    call = turn.call_around(run)
    if call is None:
        present = turn.execution.variables
        known = turn.flow.variables if present is None else present
        turn.put_execution(replace(turn.execution, variables=changed(known, wanted)))
        return
    cursor = turn.cursor(call.run.id)
    kept = {**cursor.memory, VARIABLES: changed(call.variables, wanted)}
    turn.set_cursor(call.run.id, replace(cursor, memory=kept))


def set_labels(turn: Turn, labels: tuple[tuple[str, str], ...]) -> None:
    """Set labels: existing keys are overridden, new ones added (ENG-028, ENG-029)."""
    merged = dict(turn.execution.labels)
    merged.update(labels)
    turn.put_execution(replace(turn.execution, labels=tuple(merged.items())))


def end_run(turn: Turn, run: TaskRun, task: ResolvedTask, state: StateType, at: int | None = None) -> None:
    """Bring a task run to its end and have its scope told."""
    if state is StateType.FAILED and task.allow_failure:
        state = StateType.WARNING
    if state is StateType.WARNING and task.allow_warning:
        state = StateType.SUCCESS
    turn.move(run, state, at)
    turn.agenda.append(RunEnded(run.id))


def end_execution(turn: Turn, state: StateType) -> None:
    """Bring the execution to its end: flow outputs, terminal state, word to the parent."""
    outputs: Mapping[str, Any] | None = None
    fixtures = turn.execution.fixtures
    is_whole = fixtures is None or not fixtures.is_partial
    if turn.flow.outputs and is_whole and state not in _WITHOUT_OUTPUTS:
        outputs, state = _flow_outputs(turn, state)
    if outputs is not None:
        turn.put_execution(replace(turn.execution, outputs=outputs))
    for sla in turn.flow.sla:
        if sla["type"] == "MAX_DURATION":
            turn.cancel_timer("sla", sla["id"])
    if state is StateType.FAILED and _tried_anew(turn):
        state = StateType.RETRIED
    turn.move_execution(state)
    turn.ended = state
    cursor = turn.execution.cursor
    if cursor.memory.get("held") or cursor.memory.get("stopped"):
        # An ended execution cannot be resumed: what runs after it must not wait for that.
        turn.set_cursor(None, replace(cursor, memory={**cursor.memory, "held": False, "stopped": False}))
    answer_parent(turn, state)


def answer_parent(turn: Turn, state: StateType) -> None:
    """Tell the task run that waits for this execution of its end, and what it asked to know (ENG-107)."""
    execution = turn.execution
    asked = execution.parent.outputs if execution.parent is not None else None
    if not asked or turn.flow.outputs or state in _WITHOUT_OUTPUTS:
        tell_parent(turn, state, execution.outputs)
        return
    try:
        tell_parent(turn, state, turn.evaluate_nested(asked))
    except FactNeeded:
        raise
    except Exception as error:
        message = f"The outputs that the calling task asks for could not be made: {turn.explain(error)}"
        turn.log("ERROR", message)
        tell_parent(turn, state, None, None if state is StateType.FAILED else message)


def tell_parent(
    turn: Turn,
    state: StateType,
    outputs: Mapping[str, Any] | None,
    error: str | None = None,
    *,
    refused: str | None = None,
) -> None:
    """Tell the task run that waits for this execution of its end; a failed one that is tried anew has not ended yet."""
    parent = turn.execution.parent
    if parent is not None and state is not StateType.RETRIED:
        first = turn.execution.original_id  # the parent knows the first try only (BEY-007)
        secrets = handed_on(turn.execution, turn.facts.confidential)
        ended = ChildEnded(
            parent.task_run_id, first, state, outputs, parent.iteration, error, confidential=secrets, refused=refused
        )
        turn.tell(Message(parent.execution_id, ended))


def next_try(execution: Execution) -> str:
    """Return the id of the execution as which one is tried anew."""
    return derived_id(execution.id, "retry")


def _tried_anew(turn: Turn) -> bool:
    """Have a failed execution tried anew as another one, when the flow says so (ENG-145, ENG-242)."""
    policy = turn.flow.retry
    execution = turn.execution
    if policy is None or policy.behavior != "CREATE_NEW_EXECUTION":
        return False
    due = turn.now + delay_after(policy, execution.attempt_number, execution.id)
    if policy.max_attempts is not None and execution.attempt_number >= policy.max_attempts:
        return False
    if policy.max_duration is not None and due - execution.original_created > policy.max_duration:
        return False
    for run in turn.runs():
        if run.state.current is StateType.FAILED:
            turn.move(run, StateType.RETRIED)
    turn.spawn(
        replace(
            execution,
            id=next_try(execution),
            created=turn.now,
            attempt_number=execution.attempt_number + 1,
            schedule_date=due,
            firing_key=None,
            state=State.at(StateType.CREATED, turn.now),
            outputs=None,
            error=None,
            cursor=Cursor(),
            version=0,
        )
    )
    return True


def _flow_outputs(turn: Turn, state: StateType) -> tuple[Mapping[str, Any] | None, StateType]:
    """Render the flow's outputs (ENG-206); one that cannot be rendered fails an execution that had not failed yet."""
    try:
        return render_outputs(
            turn.flow.outputs, turn.evaluate, lambda value: turn.facts.call(SEALING, {"value": value}, {})
        ), state
    except FactNeeded:
        raise
    except Exception as error:
        if state is StateType.FAILED:
            return None, state
        message = f"The outputs of the flow could not be made: {turn.explain(error)}"
        turn.log("ERROR", message)
        turn.put_execution(replace(turn.execution, error=message))
        return None, StateType.FAILED
