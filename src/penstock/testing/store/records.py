"""Small records for tests of stores."""

from __future__ import annotations

from typing import Any

import msgspec

from penstock.base.clock import Instant
from penstock.base.ids import new_id
from penstock.engine.decision import Job, Message
from penstock.engine.events import Created
from penstock.engine.records import Cursor, Execution, LogLine, TaskRun, TriggerOrigin
from penstock.engine.states import Change, State, StateType
from penstock.ports.journal import Batch, Journal

NOW: Instant = 1_790_000_000_000_000
SECOND = 1_000_000


def state(*states: StateType, at: Instant = NOW) -> State:
    """Return a state with a history of one second per step."""
    return State(states[-1], tuple(Change(one, at + index * SECOND) for index, one in enumerate(states)))


RUNNING = state(StateType.CREATED, StateType.RUNNING)
SUCCESS = state(StateType.CREATED, StateType.RUNNING, StateType.SUCCESS)
FAILED = state(StateType.CREATED, StateType.RUNNING, StateType.FAILED)


TRIGGERED = TriggerOrigin("hook", "io.kestra.plugin.core.trigger.Webhook", {"body": {"order": 7}})
"""What says that a webhook started an execution."""


def execution(**changes: Any) -> Execution:
    """Return a running execution."""
    execution_id = changes.pop("id", None) or new_id()
    given: dict[str, Any] = {
        "id": execution_id,
        "tenant": "main",
        "namespace": "company.team",
        "flow_id": "hello",
        "flow_revision": 1,
        "created": NOW,
        "original_id": execution_id,
        "original_created": NOW,
        "state": RUNNING,
    }
    return Execution(**(given | changes))


def task_run(owner: Execution, task_id: str = "task", **changes: Any) -> TaskRun:
    """Return a task run of an execution."""
    given: dict[str, Any] = {"id": new_id(), "execution_id": owner.id, "task_id": task_id, "state": RUNNING}
    return TaskRun(**(given | changes))


def job(run: TaskRun, attempt: int = 1, **changes: Any) -> Job:
    """Return a job of a task run."""
    given: dict[str, Any] = {
        "task_run_id": run.id,
        "attempt": attempt,
        "execution_id": run.execution_id,
        "tenant": "main",
        "namespace": "company.team",
        "flow_id": "hello",
        "flow_revision": 1,
        "task_id": run.task_id,
        "created": NOW,
    }
    return Job(**(given | changes))


def line(owner: Execution, message: str = "hello", **changes: Any) -> LogLine:
    """Return a log line of an execution."""
    given: dict[str, Any] = {
        "tenant": owner.tenant,
        "namespace": owner.namespace,
        "flow_id": owner.flow_id,
        "date": NOW,
        "level": "INFO",
        "message": message,
        "execution_id": owner.id,
    }
    return LogLine(**(given | changes))


def created(owner: Execution) -> Message:
    """Return the message that lets an execution begin."""
    return Message(owner.id, Created())


def ended(owner: Execution, to: State = SUCCESS) -> Execution:
    """Return an execution that has ended."""
    return msgspec.structs.replace(owner, state=to, cursor=Cursor(phase="done"), version=owner.version + 1)


def batch_of(*executions: Execution, **more: Any) -> Batch:
    """Return a batch that creates executions."""
    return Batch(new_executions={one.id: one for one in executions}, **more)


async def stored(journal: Journal, *executions: Execution, **more: Any) -> tuple[Execution, ...]:
    """Store new executions and return them."""
    await journal.commit(batch_of(*executions, **more))
    return executions
