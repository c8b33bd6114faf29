"""Scopes: a flowable task run, or the execution itself, walking through its phases.

`tasks`, then `errors` when a child failed, then `finally`; the execution ends in its state and goes on to
`afterExecution` (ENG-225 to ENG-233). Inside `tasks` the flowable says what follows; the other lists run in order.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from penstock.base.clock import Instant
from penstock.engine.calling import enter, leave
from penstock.engine.calls import call_of
from penstock.engine.decision import Message
from penstock.engine.ending import conceal, end_execution, end_flowable
from penstock.engine.events import ChildEnded, ChildStarted, Restart
from penstock.engine.exiting import end_state, is_handled
from penstock.engine.facts import FactNeeded
from penstock.engine.flow import EndedChild, Flowable, FlowEnd, Launch, Listener, ResolvedTask, Step
from penstock.engine.killing import stop
from penstock.engine.pausing import pause_run
from penstock.engine.records import AGAIN, LOOSE_FLOW, OPEN_FLOW, Cursor, Parent, StartedFlows, TaskRun
from penstock.engine.states import FAILURES, StateType
from penstock.engine.turn import Begin, EndPhase, Turn, replace

IN_ORDER = ("errors", "finally", "afterExecution", "listeners")
"""Phases whose tasks simply run one after another."""
ALWAYS = ("finally", "afterExecution", "listeners")
"""Phases that run in a killed scope too (ENG-408)."""


AFTERWARDS = ("afterExecution", "listeners")
"""Phases of an execution that is in its end state."""


class ScopeView:
    """What a flowable sees when it is asked (the `Scope` protocol)."""

    __slots__ = ("_id", "_turn", "task")

    def __init__(self, turn: Turn, run: TaskRun, task: ResolvedTask) -> None:
        self._turn = turn
        self._id = run.id
        self.task = task

    @property
    def memory(self) -> Mapping[str, Any]:
        """What the flowable's last step left."""
        return self._turn.cursor(self._id).memory

    @property
    def items(self) -> tuple[str, ...]:
        """What the loop iterates over."""
        return self._turn.run(self._id).items or ()

    @property
    def active(self) -> int:
        """Children that have begun and not ended."""
        return self._turn.cursor(self._id).active

    @property
    def failed(self) -> bool:
        """Whether a child has failed."""
        return self._turn.cursor(self._id).failed

    @property
    def flows(self) -> StartedFlows:
        """The executions that the flowable has started."""
        return self._turn.cursor(self._id).flows or StartedFlows("")

    @property
    def now(self) -> Instant:
        """The event's instant."""
        return self._turn.now

    def following(self, task: ResolvedTask) -> ResolvedTask | None:
        """Return the task after a child in its list; None after the last."""
        return self._turn.flow.following.get(task.id)

    def entered(self, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the memory with which the tasks of the called flow begin."""
        return enter(self._turn, call_of(self._turn.run(self._id), self.task), inputs)

    def render(self, template: str) -> str:
        """Return a template's text in the flowable's context."""
        return self._turn.render(template, self._turn.run(self._id), self.task)

    def render_nested(self, value: Any) -> Any:
        """Return a structure with all strings in it rendered to text."""
        return self._turn.render_nested(value, self._turn.run(self._id), self.task)

    def evaluate(self, template: str) -> Any:
        """Return a template's value in the flowable's context."""
        return self._turn.evaluate(template, self._turn.run(self._id), self.task)


def flowable_of(task: ResolvedTask) -> Flowable:
    """Return a task's control-flow behaviour; only called on flowable tasks."""
    assert task.flowable is not None
    return task.flowable


def ask(turn: Turn, run: TaskRun, question: Callable[[Flowable, ScopeView], Step]) -> None:
    """Put a question to a flowable and carry out its answer; an error in it fails the flowable (PLG-027)."""
    task = turn.task(run)
    try:
        step = question(flowable_of(task), ScopeView(turn, run, task))
    except FactNeeded:
        raise
    except Exception as error:
        turn.log("ERROR", turn.explain(error), run)
        turn.set_cursor(run.id, replace(turn.cursor(run.id), failed=True))
        step = Step()
    take(turn, run.id, step)


def take(turn: Turn, scope: str | None, step: Step) -> None:
    """Carry out what a scope wants next."""
    cursor = turn.cursor(scope)
    if cursor.closed:
        step = dataclasses.replace(step, launches=(), starts=(), restarts=(), paused=False, wait_until=None)
    launches = step.launches if not cursor.killed or cursor.phase in ALWAYS else ()
    others = len(step.starts) + len(step.restarts) if not cursor.killed else 0
    if step.memory is not None or launches or others:
        memory = cursor.memory if step.memory is None else step.memory
        cursor = replace(cursor, memory=memory, active=cursor.active + len(launches) + others)
        turn.set_cursor(scope, cursor)
    if scope is not None:
        _take_own(turn, scope, step)
        if others:
            _start_flows(turn, scope, step)
    turn.agenda.extend(Begin(scope, launch) for launch in launches)
    if step.state is not None:
        turn.agenda.append(EndPhase(scope, step.state))
    elif not (launches or cursor.active or step.paused or step.wait_until is not None):
        turn.agenda.append(EndPhase(scope))


def _take_own(turn: Turn, scope: str, step: Step) -> None:
    """Carry out the part of a step that concerns the flowable's own task run."""
    run = turn.run(scope)
    if step.items is not None or step.outputs is not None:
        items = run.items if step.items is None else step.items
        outputs = run.outputs if step.outputs is None else step.outputs
        run = turn.put(replace(run, items=items, outputs=outputs))
    if step.wait_until is not None:
        turn.set_timer(step.wait_until, "flowable", scope)
    if step.paused and run.state.current is not StateType.PAUSED:
        pause_run(turn, run)


def _start_flows(turn: Turn, scope: str, step: Step) -> None:
    """Have flows executed or restarted, and remember their executions: a kill has to reach them (BEY-007)."""
    run = turn.run(scope)
    cursor = turn.cursor(scope)
    flows = cursor.flows
    for start in step.starts:
        position = start.iteration or 0
        if flows is None or position < len(flows.letters):  # they are started anew
            flows = StartedFlows(f"{len(run.attempts)}:{len(run.state.histories)}")
        turn.start_flow(run, flows.id_of(run, position), start)
        flows = flows.marked(position, OPEN_FLOW if start.wait else LOOSE_FLOW)
    for position in step.restarts:
        assert flows is not None
        child_id = flows.id_of(run, position)
        turn.tell(Message(child_id, Restart(parent=Parent(turn.execution.id, scope, position), child_id=child_id)))
        flows = flows.marked(position, OPEN_FLOW)
    turn.set_cursor(scope, replace(cursor, flows=flows))


def flow_started(turn: Turn, event: ChildStarted) -> None:
    """A flow that is not waited for has started."""
    run = turn.find(event.task_run_id)
    if run is None or run.state.is_terminal:
        return
    cursor = turn.cursor(run.id)
    turn.set_cursor(run.id, replace(cursor, active=cursor.active - 1))
    ask(turn, run, lambda flowable, view: flowable.flow_started(view, event.child_id))


def flow_ended(turn: Turn, event: ChildEnded) -> None:
    """An execution that a task run waits for has ended, or could not be started."""
    run = turn.find(event.task_run_id)
    if run is None or run.state.is_terminal:
        return
    cursor = turn.cursor(run.id)
    position = event.iteration or 0
    flows = cursor.flows
    if flows is None or flows.letter(position) not in (OPEN_FLOW, LOOSE_FLOW):
        return
    if event.child_id != flows.id_of(run, position):  # of an earlier run of the task
        return
    failed = cursor.failed or event.error is not None
    flows = flows.marked(position, event.state.value[0])
    cursor = replace(cursor, active=cursor.active - 1, failed=failed, flows=flows)
    turn.set_cursor(run.id, cursor)
    conceal(turn, event.confidential)
    if reason := event.error or event.refused:
        turn.log("ERROR", reason, run)
    if cursor.killed:
        take(turn, run.id, Step())
    elif event.error is not None and not cursor.active:
        take(turn, run.id, Step(state=StateType.FAILED))
    elif event.error is None:
        end = FlowEnd(event.stand_in or event.child_id, event.state, event.outputs, event.iteration)
        ask(turn, run, lambda flowable, view: flowable.flow_ended(view, end))


def child_ended(turn: Turn, child: TaskRun) -> None:
    """Take note of a child's end and decide what follows it in its scope."""
    scope = child.parent_id
    task = turn.task(child)
    cursor = turn.cursor(scope)
    failed = child.state.current in FAILURES
    if cursor.closed and child.state.current is StateType.KILLED:
        failed = False  # it only waited, and nothing is waited for any more
    cursor = replace(
        cursor,
        active=cursor.active - 1,
        failed=cursor.failed or failed,
        warned=cursor.warned or child.state.current is StateType.WARNING,
    )
    turn.set_cursor(scope, cursor)
    if child.state.current is StateType.CANCELLED and not turn.execution.cursor.cancelled:
        stop(turn, StateType.CANCELLED)
        cursor = turn.cursor(scope)
    if cursor.closed or (cursor.killed and cursor.phase not in ALWAYS):
        take(turn, scope, Step())
    elif scope is None or cursor.phase in IN_ORDER:
        following = None if failed else turn.flow.following.get(task.id)
        take(turn, scope, Step(launches=(Launch(following),)) if following else Step())
    else:
        ended = EndedChild(task, child.state.current, child.value, child.iteration, failed)
        ask(
            turn, turn.run(scope), lambda flowable, view: _after(turn, cursor, flowable.child_ended(view, ended), ended)
        )


def _after(turn: Turn, cursor: Cursor, step: Step, ended: EndedChild) -> Step:
    """Return the step after a child's end; in a replay, those that wait to begin again come before new ones."""
    goes_on = ended.iteration is not None and any(one.iteration == ended.iteration for one in step.launches)
    if cursor.failed or goes_on or not cursor.memory.get(AGAIN):
        return step
    (task, value, iteration), *later = cursor.memory[AGAIN]
    return Step(launches=(Launch(turn.flow.tasks[task], value, iteration),), memory={**cursor.memory, AGAIN: later})


def end_phase(turn: Turn, scope: str | None, state: StateType | None) -> None:
    """Go to a scope's next phase that has something to do, or close the scope."""
    cursor = turn.cursor(scope)
    if cursor.phase == "done" or cursor.active:
        return
    lists = turn.flow.lists if scope is None else turn.task(turn.run(scope)).lists
    for phase in _phases_after(turn, cursor) if state is None else ():
        if lists.get(phase):
            turn.set_cursor(scope, replace(cursor, phase=phase, active=1, closed=False))
            turn.agenda.append(Begin(scope, Launch(lists[phase][0])))
            return
    if scope is None:
        _close_execution(turn, cursor, lists)
    else:
        _close_flowable(turn, scope, cursor, state)


def _phases_after(turn: Turn, cursor: Cursor) -> tuple[str, ...]:
    if turn.execution.cursor.memory.get("kills", 0) > 1:
        return ()
    if cursor.phase == "tasks":
        return ("errors", "finally") if is_handled(turn.execution, cursor) else ("finally",)
    return ("finally",) if cursor.phase == "errors" else ()


def _close_execution(turn: Turn, cursor: Cursor, lists: Mapping[str, tuple[ResolvedTask, ...]]) -> None:
    if cursor.phase not in AFTERWARDS:
        end_execution(turn, end_state(cursor) or folded(cursor))
        after = lists.get("afterExecution")
        if after:
            turn.set_cursor(None, replace(turn.execution.cursor, phase="afterExecution", active=1))
            turn.agenda.append(Begin(None, Launch(after[0])))
            return
    _listen(turn)


def _listen(turn: Turn) -> None:
    """Run the next listener whose conditions hold; with none left nothing more happens (MIG-032)."""
    cursor = turn.execution.cursor
    first = int(cursor.memory.get("listener", 0))
    for position, listener in enumerate(turn.flow.listeners[first:], first):
        if _holds(turn, listener):
            memory = {**cursor.memory, "listener": position + 1}
            turn.set_cursor(None, replace(cursor, phase="listeners", active=1, memory=memory))
            turn.agenda.append(Begin(None, Launch(listener.tasks[0])))
            return
    turn.set_cursor(None, replace(cursor, phase="done"))


def _holds(turn: Turn, listener: Listener) -> bool:
    """Return whether a listener's conditions hold; one that has no answer does not."""
    try:
        return listener.holds(turn.execution, turn.runs(), turn.render_with)
    except FactNeeded:
        raise
    except Exception as error:
        turn.log("ERROR", f"A condition of a listener has no answer: {turn.explain(error)}")
        return False


def _close_flowable(turn: Turn, scope: str, cursor: Cursor, state: StateType | None) -> None:
    run = turn.run(scope)
    task = turn.task(run)
    if state is None:
        state = folded(cursor) if cursor.killed else flowable_of(task).fold(folded(cursor))
    if task.called is not None:
        state = leave(turn, call_of(run, task), state)
    turn.set_cursor(scope, replace(cursor, phase="done"))
    end_flowable(turn, turn.run(scope), task, state)


def folded(cursor: Cursor) -> StateType:
    """Return what a scope's children's ends amount to."""
    if cursor.cancelled:
        return StateType.CANCELLED
    if cursor.killed:
        return StateType.KILLED
    if cursor.failed:
        return StateType.FAILED
    return StateType.WARNING if cursor.warned else StateType.SUCCESS
