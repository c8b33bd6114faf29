"""When workers evaluate which trigger: a look is given to them when it is due, a listener as soon as there is none.

Belongs to the scheduler's loop, and evaluates nothing itself. Several schedulers may run on one database: a step is
taken on the state as it was seen, so only one of them gives an evaluation away.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

import structlog
from msgspec.structs import replace

from penstock.base.clock import Clock, Instant, Micros, to_datetime
from penstock.base.errors import PenstockError, UnavailableError
from penstock.base.ids import new_id
from penstock.engine.decision import Job
from penstock.engine.records import Execution, LogLine, TriggerOrigin
from penstock.ports.evaluations import EvaluationStore, Step
from penstock.ports.flows import FlowKey
from penstock.ports.jobs import JobQueue
from penstock.ports.journal import Journal, partition_of
from penstock.ports.notifier import Notifier
from penstock.ports.triggers import Outcome, TriggerState, TriggerStore
from penstock.services.executions import Launch
from penstock.services.scheduler import evaluated, states
from penstock.services.scheduler.agenda import Agenda, TriggerKey
from penstock.services.scheduler.by_flow import ByFlow
from penstock.services.scheduler.conditions import Conditions
from penstock.services.scheduler.evaluated import EvaluatedTrigger
from penstock.services.scheduler.firing import Firing
from penstock.services.scheduler.watching import Watching

log = structlog.get_logger(__name__)


class _Entry(NamedTuple):
    trigger: EvaluatedTrigger
    state: TriggerState


class Polling:
    """Gives evaluations to workers, and takes them back when nobody wants them any more.

    Implements ENG-047, ENG-259, ENG-261, ENG-264 to ENG-266, ENG-268, ENG-307, ENG-310, ENG-311.

    Args:
        triggers: States of triggers.
        evaluations: Steps of evaluated triggers.
        jobs: Knows which workers there are.
        journal: Takes the log lines of triggers.
        notifier: Wakes workers.
        firing: Makes the failed execution of a trigger with `failOnTriggerError`.
        conditions: Asks the triggers' conditions.
        clock: The time.
        retry: When something that failed for want of the database is tried again.
        look_again: When something that failed for another reason is.
    """

    def __init__(
        self,
        triggers: TriggerStore,
        evaluations: EvaluationStore,
        jobs: JobQueue,
        journal: Journal,
        notifier: Notifier,
        firing: Firing,
        conditions: Conditions,
        clock: Clock,
        retry: Micros,
        look_again: Micros,
    ) -> None:
        self._triggers = triggers
        self._evaluations = evaluations
        self._jobs = jobs
        self._journal = journal
        self._notifier = notifier
        self._firing = firing
        self._conditions = conditions
        self._clock = clock
        self._retry = retry
        self._look_again = look_again
        self._entries: ByFlow[_Entry] = ByFlow()
        self._agenda = Agenda()
        self.watching: Watching | None = None
        """Set by the scheduler, whose followers it uses."""

    @property
    def next_due(self) -> Instant | None:
        """When the next trigger is due."""
        return self._agenda.next_due

    def upcoming(self) -> list[tuple[TriggerKey, Instant]]:
        """Return triggers and their next looks."""
        return [(key, one.state.next_date) for key, one in self._entries.items() if one.state.next_date is not None]

    # -- which triggers there are

    async def take_over(
        self,
        flow: FlowKey,
        triggers: Iterable[EvaluatedTrigger],
        stored: Mapping[TriggerKey, TriggerState],
        kept: Collection[str],
    ) -> None:
        """Serve the triggers of a flow as it is now, and no others of it; states of those not `kept` are forgotten."""
        found = {one.key: one for one in triggers}
        for key in sorted({*self._entries.of_flow(flow), *stored} - found.keys()):
            state = stored[key] if key in stored else self._entries[key].state
            self._entries.pop(key, None)
            self._agenda.set(key, None)
            await self._withdraw(state)
            if key[3] not in kept:
                await self._triggers.delete(*key)
            elif state.evaluation is not None:  # the flow cannot be read at present
                await self._take(Step(state, replace(evaluated.idle(state), next_date=None)))
        for key, trigger in found.items():
            await self._adopt(trigger, stored.get(key))

    async def reload(self, key: TriggerKey) -> None:
        """Read a trigger's state again: somebody else changed it."""
        if (entry := self._entries.get(key)) is not None:
            await self._adopt(entry.trigger, None)

    async def _adopt(self, trigger: EvaluatedTrigger, state: TriggerState | None) -> None:
        before = self._entries.get(trigger.key)
        for known in (state, None):
            known = known or await self._triggers.get(*trigger.key)
            after = evaluated.adopted(trigger, known, self._clock.now())
            seen = known or TriggerState(*trigger.key)
            if after != seen and await self._take(Step(seen, after)) is not Outcome.DONE:
                continue
            for former in (known, before.state if before is not None else None):
                if former is not None and former.evaluation != after.evaluation:
                    await self._withdraw(former)
            return self._keep(_Entry(trigger, after))
        self._agenda.set(trigger.key, self._clock.now() + self._retry)
        return None

    async def _withdraw(self, state: TriggerState) -> None:
        """Let nobody do the evaluation of a state any more."""
        if state.evaluation is None:
            return
        owner = await self._evaluations.withdraw(state.evaluation)
        if owner is not None:
            await self._notifier.publish("kill", [owner])

    def _keep(self, entry: _Entry) -> None:
        trigger, state = entry
        self._entries[trigger.key] = entry
        waits = state.evaluation is not None or (trigger.is_exclusive and state.execution_id is not None)
        self._agenda.set(trigger.key, None if waits else state.next_date)
        assert self.watching is not None
        for execution_id in states.running(state):
            self.watching.watch(trigger.key, execution_id)

    async def offer_lost(self) -> None:
        """Offer anew what no job stands for: no worker would ever do it (BEY-001)."""
        under_way = {entry.state.evaluation: entry for _, entry in self._entries.items() if entry.state.evaluation}
        for evaluation in await self._evaluations.lost(under_way) if under_way else ():
            trigger, state = under_way[evaluation]
            after = replace(evaluated.idle(state), next_date=self._clock.now())
            if await self._take(Step(state, after)) is Outcome.DONE:
                log.warning("evaluation was lost", action="scheduler.poll", trigger="/".join(trigger.key))
            await self._adopt(trigger, None)

    # -- the end of executions

    async def release(self, key: TriggerKey, execution_id: str, execution: Execution | None) -> bool:
        """Hear of the end of an execution; False when the trigger is none of these."""
        entry = self._entries.get(key)
        if entry is None:
            return False
        if execution_id in states.running(entry.state):
            trigger, state = entry
            after = states.released(trigger.definition, state, execution_id, execution, self._clock.now())
            if await self._take(Step(state, after)) is Outcome.DONE:
                state = after
            await self._adopt(trigger, state)
        return True

    # -- evaluations

    async def serve_due(self) -> int:
        """Give away what is due; whatever goes wrong concerns its trigger alone. Returns how much there was."""
        due = self._agenda.take(self._clock.now())
        for key in due:
            entry = self._entries.get(key)
            if entry is None:
                continue
            try:
                await self._serve(entry)
            except UnavailableError as error:
                log.warning("trigger not served", action="scheduler.poll", trigger="/".join(key), error=str(error))
                self._agenda.set(key, self._clock.now() + self._retry)
            except Exception:
                log.exception("trigger not served", action="scheduler.poll", trigger="/".join(key))
                self._agenda.set(key, self._clock.now() + self._look_again)
        return len(due)

    async def _serve(self, entry: _Entry) -> None:
        trigger, state = entry
        now = self._clock.now()
        try:
            if not await self._is_wanted(trigger, now):
                await self._move(entry, Step(state, evaluated.looked(trigger, state, now)))
                return
            group = await self._group(trigger)
        except UnavailableError:
            raise
        except Exception as error:
            await self._fail(entry, str(error), now)
            return
        if group is None:  # no worker, and `fallback: CANCEL`
            await self._move(entry, Step(state, evaluated.looked(trigger, state, now)))
            return
        flow = trigger.flow
        job = Job(
            new_id(), 1, new_id(), flow.tenant, flow.namespace, flow.id, flow.revision, trigger.definition.id,
            worker_group=group, created=now, trigger_id=trigger.definition.id,
        )  # fmt: skip
        if await self._move(entry, Step(state, evaluated.offered(trigger, state, job, now), offered=job)):
            await self._notifier.publish("jobs", [group])

    async def _is_wanted(self, trigger: EvaluatedTrigger, now: Instant) -> bool:
        asked = trigger.early_conditions
        return not asked or await self._conditions.all_hold_at(trigger.flow, asked, {}, to_datetime(now))

    async def _group(self, trigger: EvaluatedTrigger) -> str | None:
        """Return the group whose workers are to do it; None when it is passed over. Raises NoWorkerError."""
        wanted = trigger.definition.worker_group
        if wanted is None:
            return ""
        if wanted.fallback == "WAIT" or any(one.group == wanted.key for one in await self._jobs.workers()):
            return wanted.key
        if wanted.fallback == "FAIL":
            raise NoWorkerError(f"no worker of group `{wanted.key}` is there", hint="start one, or choose a fallback")
        return "" if wanted.fallback == "IGNORE" else None

    async def _fail(self, entry: _Entry, message: str, now: Instant) -> None:
        """Note that a trigger could not be evaluated; it is tried again in its turn (ENG-269)."""
        trigger, state = entry
        key = trigger.key
        log.warning("trigger failed", action="scheduler.poll", trigger="/".join(key), error=message)
        await self._journal.send((), logs=[LogLine(*key[:3], now, "ERROR", message, trigger_id=key[3])])
        after, execution = evaluated.failed(trigger, state, message, now), None
        if trigger.definition.fail_on_trigger_error:
            flow, definition = trigger.flow, trigger.definition
            origin = TriggerOrigin(definition.id, definition.type)
            launch = Launch(flow.tenant, flow.namespace, flow.id, flow.revision, trigger=origin)
            execution = self._firing.bare(flow, launch)
            after = evaluated.started(trigger, after, execution)
        reject = f"trigger {trigger.definition.id} failed: {message}"
        if await self._move(entry, Step(state, after, execution=execution, reject=reject)) and execution is not None:
            await self._notifier.publish("messages", [str(partition_of(execution.id))])

    async def _move(self, entry: _Entry, step: Step) -> bool:
        """Store a trigger's move; False when another scheduler was first."""
        if await self._take(step) is Outcome.DONE:
            self._keep(_Entry(entry.trigger, step.after))
            return True
        await self._adopt(entry.trigger, None)
        return False

    async def _take(self, step: Step) -> Outcome:
        return await self._evaluations.take(step)


class NoWorkerError(PenstockError):
    """No worker of the group a trigger wants is there."""

    code = "NO_WORKER"
