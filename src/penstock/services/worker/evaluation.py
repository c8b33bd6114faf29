"""Evaluations of triggers on a worker: looks in a pool of threads, listeners in a thread each.

An event is acknowledged to its source only when the server has stored what comes of it. Whatever breaks before that,
the source gives the event out again, and the server knows it by its key.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from functools import partial

import structlog
from pydantic import ValidationError

from penstock.base.clock import SECOND
from penstock.base.errors import PenstockError, UnavailableError
from penstock.engine.records import LogLine
from penstock.model.registry import TypeKind, TypeRegistry
from penstock.ports.gateway import Assignment, Evaluated
from penstock.ports.journal import LeaseLost
from penstock.sdk import PermanentError, PollingTrigger, RealtimeTrigger, TriggerEvent
from penstock.services.outcome import failure_of, plain_outputs
from penstock.services.worker.context import WorkerRunContext
from penstock.services.worker.host import Host
from penstock.services.worker.instances import InvalidTask
from penstock.services.worker.machinery import Machinery
from penstock.services.worker.threads import in_turn

log = structlog.get_logger(__name__)
_PAUSE = 1.0
Key = tuple[str, int]


class UnknownTriggerType(PermanentError):
    """No installed plugin has this trigger type."""

    code = "UNKNOWN_TRIGGER_TYPE"


class Evaluation:
    """One evaluation. `run` is called once, in a thread."""

    def __init__(self, assignment: Assignment, host: Host, worker_id: str) -> None:
        self.assignment = assignment
        self.context = WorkerRunContext(assignment, host, log_to_file=_keeps_log(assignment, host.registry))
        self.context.worker_id = worker_id
        self.is_listener = False
        self.thread: threading.Thread | None = None
        self.is_over = False
        """Set on the loop when its thread has ended or was given up."""
        self._host = host
        self._worker_id = worker_id
        self._stop = threading.Event()
        self._lost = threading.Event()

    @property
    def key(self) -> Key:
        """The natural key of its job."""
        return self.assignment.job.key

    def stop(self) -> list[Callable[[], None]]:
        """Find no more events; returns the actions that are to be called for that."""
        self._stop.set()
        return self.context.interrupt()

    def lose(self) -> list[Callable[[], None]]:
        """End: it belongs to somebody else now, or to nobody, and nothing more is reported of it."""
        self._lost.set()
        return self.stop()

    def confirm(self) -> bool:
        """Tell the server that the evaluation is given up, as it was told to be; returns whether it has heard so."""
        try:
            self._host.wait_for(self._host.gateway.evaluated(Evaluated(self.assignment.job, self._worker_id)))
        except PenstockError as error:
            log.warning("end not reported", action="trigger.report", error=str(error))
            return False
        return True

    def run(self, trigger: PollingTrigger | RealtimeTrigger) -> None:
        """Look for events and report them; never raises."""
        self.thread = threading.current_thread()
        self.context.task = trigger
        try:
            if isinstance(trigger, PollingTrigger):
                self._handle(trigger.poll(self.context), is_over=True)
            else:
                for event in trigger.listen(self.context, self._stop):
                    if not self._handle(event, is_over=False):
                        return
                self._handle(None, is_over=True)
        except BaseException as error:
            self.fail(error)
        finally:
            self.context.close()

    def fail(self, error: BaseException) -> None:
        """Report why nothing could be found out; a listener that was told to stop may break off in any way."""
        failure = failure_of(error)
        if failure.detail:
            self.context.log.debug(failure.detail)
        self.context.log.return_lines()
        if self._stop.is_set():
            self._tell(Evaluated(self.assignment.job, self._worker_id))
        else:
            self._tell(Evaluated(self.assignment.job, self._worker_id, error=self.context.hide(failure.message)))

    def _handle(self, event: TriggerEvent | None, *, is_over: bool) -> bool:
        """Report an event and acknowledge it; False when nobody wants to hear of the evaluation any more."""
        job = self.assignment.job
        if event is None:
            self.context.log.return_lines()
            return self._tell(Evaluated(job, self._worker_id, is_over=is_over))
        is_told = False
        try:
            variables = plain_outputs(event.variables, self.context.outputs_bound) or {}
            log_file = self.context.store_log()
            is_told = self._tell(Evaluated(job, self._worker_id, variables, event.key, is_over, log_file=log_file))
        finally:
            if not is_told:
                event.release()
        if not is_told:
            return False
        self.context.is_over = is_over  # a look notes what it has dealt with when its job is there no more
        try:
            event.acknowledge()
        except Exception as error:
            if not is_over:
                raise
            # The evaluation is over and has succeeded; the source gives the event out again, under its key.
            log.warning("event not acknowledged", action="trigger.acknowledge", error=str(error))
        return True

    def _tell(self, told: Evaluated) -> bool:
        """Hand a report in, however long the server cannot be reached."""
        lines: list[LogLine] = []
        while not self._lost.is_set():
            try:
                lines += self.context.log.take_lines()
                if lines:
                    self._host.wait_for(self._host.gateway.logs(lines))
                    lines = []
                return self._host.wait_for(self._host.gateway.evaluated(told))
            except LeaseLost:
                return False
            except UnavailableError as error:
                log.warning("event not reported", action="trigger.report", error=str(error))
                self._host.bridge.pause(self._lost, _PAUSE)
        return False


def _keeps_log(assignment: Assignment, registry: TypeRegistry) -> bool:
    """Return whether the log of an evaluation goes to a file of the execution it starts (ENG-051).

    That of a listener does not: it is never over, and starts many.
    """
    found = registry.find(assignment.type)
    polls = found is not None and issubclass(found.entry.cls, PollingTrigger)
    return polls and assignment.definition.get("logToFile") is True


class Evaluations:
    """What a worker evaluates. Used on its loop only.

    Implements ENG-307, ENG-311, ENG-313.

    Args:
        host: What all of them share.
        machinery: What they run on.
        name: Begins the names of their threads.
    """

    def __init__(self, host: Host, machinery: Machinery, name: str) -> None:
        self._host = host
        self._name = name
        self._machinery = machinery
        self._pool = machinery.pool(host.settings.threads, f"{name}-trigger")
        self._running: dict[Key, Evaluation] = {}
        self._killed: dict[Key, Evaluation] = {}
        """What was told to end, until the server has heard that it has."""
        self._changed = asyncio.Event()

    @property
    def is_idle(self) -> bool:
        """Whether nothing is being evaluated."""
        return not self._running

    @property
    def keys(self) -> Collection[Key]:
        """The jobs of what is being evaluated."""
        return self._running.keys()

    def start(self, assignment: Assignment, worker_id: str) -> None:
        """Evaluate a trigger, unless that is being done already."""
        if assignment.job.key in self._running:
            return
        evaluation = Evaluation(assignment, self._host, worker_id)
        self._running[evaluation.key] = evaluation
        try:
            trigger = build_trigger(self._host.registry, assignment)
        except Exception as error:
            failure = error
            self._pool.submit(lambda: self._work(evaluation, lambda: evaluation.fail(failure)))
            return
        if isinstance(trigger, PollingTrigger):
            self._pool.submit(lambda: self._work(evaluation, lambda: evaluation.run(trigger)))
        else:
            evaluation.is_listener = True
            name = f"{self._name}-listener-{assignment.job.task_id}"
            self._machinery.apart(lambda: self._work(evaluation, lambda: evaluation.run(trigger)), name)

    def _work(self, evaluation: Evaluation, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception:  # its report is refused: the job is given out again once the worker knows it no more
            log.exception("evaluation broke off", action="trigger.report", trigger=evaluation.assignment.job.trigger_id)
        with suppress(RuntimeError):  # the loop has ended before the thread
            self._host.loop.call_soon_threadsafe(self._ended, evaluation)

    def _ended(self, evaluation: Evaluation) -> None:
        evaluation.is_over = True
        if self._running.get(evaluation.key) is evaluation:
            del self._running[evaluation.key]
        self._changed.set()

    def kill(self, key: Key) -> bool:
        """End an evaluation that nobody wants any more; False when it is none of these.

        The server gives the order again until it has heard that it was carried out.
        """
        if (evaluation := self._running.get(key)) is not None:
            self._killed[key] = evaluation
            self._end(evaluation, [*evaluation.lose(), partial(self._confirm, evaluation)])
        elif (evaluation := self._killed.get(key)) is not None:
            self._apart(evaluation, [partial(self._confirm, evaluation)])
        return evaluation is not None

    def _confirm(self, evaluation: Evaluation) -> None:
        if evaluation.confirm():
            with suppress(RuntimeError):  # the loop has ended before the thread
                self._host.loop.call_soon_threadsafe(self._killed.pop, evaluation.key, None)

    def stop_listening(self) -> None:
        """End the listeners in good order, as soon as each has reported the event it has. Looks come to their end."""
        for evaluation in self._running.values():
            if evaluation.is_listener:
                self._apart(evaluation, evaluation.stop())

    def lose(self) -> None:
        """End everything: it belongs to somebody else now."""
        self._killed.clear()
        for evaluation in list(self._running.values()):
            self._end(evaluation, evaluation.lose())

    def close(self) -> None:
        """End everything for good."""
        self.lose()
        self._pool.close()

    async def changed(self) -> None:
        """Wait for the end of an evaluation."""
        self._changed.clear()
        await self._changed.wait()

    def take_lines(self) -> Sequence[LogLine]:
        """Take out what the running evaluations have said."""
        return [line for evaluation in self._running.values() for line in evaluation.context.log.take_lines()]

    def _end(self, evaluation: Evaluation, actions: Sequence[Callable[[], None]]) -> None:
        self._running.pop(evaluation.key, None)
        self._apart(evaluation, actions)
        self._host.loop.call_later(self._host.settings.abandon_after / SECOND, self._abandon, evaluation)

    def _apart(self, evaluation: Evaluation, actions: Sequence[Callable[[], None]]) -> None:
        if actions:
            self._machinery.apart(lambda: in_turn(actions), f"end-{evaluation.key[0]}")

    def _abandon(self, evaluation: Evaluation) -> None:
        """Let the thread of an evaluation be that does not end."""
        if not evaluation.is_over and evaluation.thread is not None:
            self._pool.replace(evaluation.thread)  # without effect on a listener, whose thread is its own
            log.warning("thread given up", action="trigger.abandon", trigger=evaluation.assignment.job.trigger_id)


def build_trigger(registry: TypeRegistry, assignment: Assignment) -> PollingTrigger | RealtimeTrigger:
    """Return the trigger of an assignment.

    Raises:
        UnknownTriggerType: The type is not installed here, or no worker evaluates triggers of it.
        InvalidTask: The definition does not fit the type.
    """
    found = registry.find(assignment.type, assignment.definition.get("version"))
    kind = found.entry.cls if found is not None and found.entry.kind is TypeKind.TRIGGER else None
    if kind is None or not issubclass(kind, PollingTrigger | RealtimeTrigger):
        raise UnknownTriggerType(
            f"there is no trigger type {assignment.type} on this worker",
            hint="install the plugin that has it on every worker",
        )
    try:
        return kind.model_validate(assignment.definition)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False, include_input=False)
        text = "; ".join(f"`{'.'.join(map(str, problem['loc']))}`: {problem['msg']}" for problem in problems)
        raise InvalidTask(f"the definition of trigger {assignment.job.trigger_id} is wrong: {text}") from None
