"""The server's side of evaluations: what a worker needs for one, and what becomes of what it found.

A report counts when the trigger's state names its evaluation. The trigger moves on and the execution is created in one
transaction; only then the worker tells the source that the event has been dealt with.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Protocol

import structlog
from msgspec.structs import replace

from penstock.base.clock import Clock, Instant, to_datetime
from penstock.base.errors import NotFoundError, PenstockError, UnavailableError
from penstock.engine.context import flow_variables
from penstock.engine.decision import Job
from penstock.engine.flow import ResolvedFlow
from penstock.engine.records import Execution, LogLine, TriggerOrigin
from penstock.ports.evaluations import EvaluationStore, Step
from penstock.ports.gateway import Assignment, Evaluated
from penstock.ports.journal import Journal, LeaseLost, partition_of
from penstock.ports.notifier import Notifier
from penstock.ports.triggers import Outcome, TriggerState, TriggerStore
from penstock.sdk import TriggerBase
from penstock.services.executions import Launch
from penstock.services.scheduler import evaluated
from penstock.services.scheduler.conditions import Conditions
from penstock.services.scheduler.evaluated import EvaluatedTrigger, evaluated_triggers
from penstock.services.scheduler.firing import Firing, keyed, label_map

log = structlog.get_logger(__name__)
_TRIES = 20
_USUAL_LEVEL = "INFO"
"""A look that finds nothing leaves no line behind."""


class FlowSource(Protocol):
    """Where resolved flows come from."""

    async def resolved(self, tenant: str, namespace: str, flow_id: str, revision: int | None = None) -> ResolvedFlow:
        """Return a resolved revision, the latest by default; raises NotFoundError."""
        ...


class TriggerReading(Protocol):
    """Makes triggers of what is written in flows."""

    def triggers(self, flow: ResolvedFlow) -> Sequence[TriggerBase]:
        """Return a flow's triggers."""
        ...

    def trigger_definition(self, flow: ResolvedFlow, trigger_id: str) -> Mapping[str, Any]:
        """Return a trigger's properties with defaults applied; raises NotFoundError."""
        ...


class Evaluations:
    """What workers are told about evaluations, and what they report of them.

    Implements ENG-259, ENG-268 to ENG-271, ENG-307, ENG-311, ENG-313, BEY-005, BEY-006.

    Args:
        store: Steps of evaluated triggers.
        triggers: States of triggers.
        flows: Resolved flows.
        reading: Makes triggers of what is written in flows.
        firing: Makes executions.
        conditions: Asks the triggers' conditions.
        journal: Takes the log lines of triggers.
        notifier: Tells schedulers and executors.
        clock: The time.
        shared: Variables the instance adds to every expression.
    """

    def __init__(
        self,
        store: EvaluationStore,
        triggers: TriggerStore,
        flows: FlowSource,
        reading: TriggerReading,
        firing: Firing,
        conditions: Conditions,
        journal: Journal,
        notifier: Notifier,
        clock: Clock,
        shared: Mapping[str, Any],
    ) -> None:
        self._store = store
        self._triggers = triggers
        self._flows = flows
        self._reading = reading
        self._firing = firing
        self._conditions = conditions
        self._journal = journal
        self._notifier = notifier
        self._clock = clock
        self._shared = shared
        self._of = lru_cache(maxsize=1000)(lambda flow: {one.key: one for one in self._read(flow)})

    def _read(self, flow: ResolvedFlow) -> Iterable[EvaluatedTrigger]:
        return evaluated_triggers(flow, self._reading.triggers(flow))

    # -- what workers are told

    async def assignment(self, job: Job) -> Assignment | None:
        """Return an evaluation with what is needed to do it; None, and its end, when nobody wants it any more."""
        if not _is_awaited(await self._triggers.get(*_key(job)), job):
            await self._store.end(job.task_run_id)
            return None
        try:
            trigger = await self._trigger(job)
            definition = self._reading.trigger_definition(trigger.flow, trigger.definition.id)
        except UnavailableError:
            raise
        except PenstockError as error:
            await self.report(Evaluated(job, "", error=str(error)))
            return None
        flow = trigger.flow
        variables = {
            **self._shared,
            "flow": flow_variables(flow),
            "vars": flow.variables,
            "trigger": {"id": trigger.definition.id, "type": trigger.definition.type_name},
        }
        return Assignment(
            job,
            definition,
            trigger.definition.type_name,
            variables,
            log_level=trigger.definition.log_level or _USUAL_LEVEL,
        )

    async def unwanted(self, jobs: Sequence[Job]) -> list[tuple[str, int]]:
        """Return the keys of evaluations that nobody wants any more."""
        return [job.key for job in jobs if not _is_awaited(await self._triggers.get(*_key(job)), job)]

    # -- what workers report

    async def report(self, told: Evaluated) -> bool:
        """Take a report; False when nobody waits for it any more.

        Raises:
            LeaseLost: A listener reports an event, but it is another worker's turn.
            UnavailableError: Nothing could be stored.
        """
        for _ in range(_TRIES):
            state = await self._triggers.get(*_key(told.job))
            if state is None or not _is_awaited(state, told.job):
                await self._store.end(told.job.task_run_id)
                return False
            step, line = await self._step(told, state)
            outcome = await self._store.take(step)
            if outcome is Outcome.KNOWN:  # the event was reported before, by this evaluation or by a former one
                trigger = await self._trigger(told.job)
                after = self._looked(told, trigger, state, self._clock.now())
                step = Step(state, after, ended=step.ended, held=step.held)
                outcome = await self._store.take(step)
            if outcome is Outcome.LOST:
                raise LeaseLost(
                    f"worker {told.worker_id} does not hold the trigger {'.'.join(_key(told.job))} any more"
                )
            if outcome is Outcome.DONE:
                await self._tell(step, line)
                return True
        raise UnavailableError(f"trigger {'.'.join(_key(told.job))} changes all the time", hint="it is tried again")

    async def _step(self, told: Evaluated, state: TriggerState) -> tuple[Step, LogLine | None]:
        """Return what a report leads to, and what the trigger's log says about it."""
        now = self._clock.now()
        try:
            trigger = await self._trigger(told.job)
        except UnavailableError:
            raise
        except PenstockError as error:
            return self._failure(told, None, state, error.message, now)
        if told.error is not None:
            return self._failure(told, trigger, state, told.error, now)
        try:
            return await self._success(told, trigger, state, now), None
        except UnavailableError:
            raise
        except Exception as error:
            message = error.message if isinstance(error, PenstockError) else f"{type(error).__name__}: {error}"
            return self._failure(told, trigger, state, message, now)

    async def _success(self, told: Evaluated, trigger: EvaluatedTrigger, state: TriggerState, now: Instant) -> Step:
        """Return what a report without an error leads to; raises when its event cannot start the flow."""
        after = self._looked(told, trigger, state, now)
        execution, reject = None, None
        if told.variables is not None and await self._is_wanted(trigger, told.variables, now):
            execution, reject = await self._execution(told, trigger)
            after = evaluated.started(trigger, after, execution)
        return Step(state, after, execution=execution, reject=reject, **_fate(told))

    def _failure(
        self, told: Evaluated, trigger: EvaluatedTrigger | None, state: TriggerState, message: str, now: Instant
    ) -> tuple[Step, LogLine]:
        """Return what a failure leads to (ENG-269). A listener goes on after an event that could not start anything."""
        job = told.job
        line = LogLine(job.tenant, job.namespace, job.flow_id, now, "ERROR", message, trigger_id=job.trigger_id)
        if trigger is None:  # its revision is gone: the scheduler goes on with the latest one
            return Step(state, replace(evaluated.idle(state), next_date=now, updated=now), ended=job), line
        if told.is_over:
            after = evaluated.failed(trigger, state, message, now)
        else:
            after = replace(state, date=now, failures=state.failures + 1, error=message, updated=now)
        execution = None
        if trigger.definition.fail_on_trigger_error:
            execution = self._keyed(told, self._firing.bare(trigger.flow, self._launch(told, trigger)))
            after = evaluated.started(trigger, after, execution)
        return Step(
            state,
            after,
            execution=execution,
            reject=f"trigger {trigger.definition.id} failed: {message}",
            **_fate(told),
        ), line

    def _looked(self, told: Evaluated, trigger: EvaluatedTrigger, state: TriggerState, now: Instant) -> TriggerState:
        if told.is_over:
            return evaluated.looked(trigger, state, now)
        return replace(state, date=now, failures=0, error=None, updated=now)

    async def _is_wanted(self, trigger: EvaluatedTrigger, variables: Mapping[str, Any], now: Instant) -> bool:
        asked = trigger.late_conditions
        return not asked or await self._conditions.all_hold_at(trigger.flow, asked, variables, to_datetime(now))

    async def _execution(self, told: Evaluated, trigger: EvaluatedTrigger) -> tuple[Execution, str | None]:
        """Return the execution an event starts, and why it is to fail at once (ENG-192)."""
        definition = trigger.definition
        made, reject = await self._firing.made(
            trigger.flow, definition, self._launch(told, trigger), given={}, labels=label_map(definition.labels)
        )
        return self._keyed(told, made), reject

    def _launch(self, told: Evaluated, trigger: EvaluatedTrigger) -> Launch:
        flow, definition = trigger.flow, trigger.definition
        origin = TriggerOrigin(definition.id, definition.type, told.variables or {}, told.log_file)
        # Files that a look has stored are those of the execution it starts; a listener starts many.
        execution_id = told.job.execution_id if told.is_over else None
        return Launch(flow.tenant, flow.namespace, flow.id, flow.revision, trigger=origin, execution_id=execution_id)

    def _keyed(self, told: Evaluated, execution: Execution) -> Execution:
        """Return the execution with the key under which its event makes no second one."""
        if told.key is not None:
            name: tuple[str, ...] = ("event", told.key)
        elif told.is_over:
            name = ("evaluation", told.job.task_run_id)
        else:
            return execution
        return keyed(execution, "/".join((*_key(told.job), *name)))

    async def _trigger(self, job: Job) -> EvaluatedTrigger:
        flow = await self._flows.resolved(job.tenant, job.namespace, job.flow_id, job.flow_revision)
        found: EvaluatedTrigger | None = self._of(flow).get(_key(job))
        if found is None:
            raise NotFoundError(
                f"flow {flow.namespace}.{flow.id} has no trigger {job.trigger_id} that workers evaluate"
            )
        return found

    async def _tell(self, step: Step, line: LogLine | None) -> None:
        if line is not None:
            log.warning(
                "trigger failed", action="trigger.evaluate", trigger="/".join(step.after.key), error=line.message
            )
            await self._journal.send((), logs=[line])
        if step.execution is not None:
            await self._notifier.publish("messages", [str(partition_of(step.execution.id))])
        if step.ended is not None or step.after.memory != step.before.memory:
            await self._notifier.publish("triggers", ["/".join(step.after.key)])


def _key(job: Job) -> tuple[str, str, str, str]:
    return (job.tenant, job.namespace, job.flow_id, job.trigger_id or "")


def _is_awaited(state: TriggerState | None, job: Job) -> bool:
    return state is not None and state.evaluation == job.task_run_id and not state.disabled


def _fate(told: Evaluated) -> dict[str, Any]:
    """Return what becomes of the evaluation itself: over, or going on where it is."""
    return {"ended": told.job} if told.is_over else {"held": (told.job, told.worker_id)}
