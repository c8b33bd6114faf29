"""The scheduler's loop: take over what changed, fire what is due, sleep until the next date or a wake-up.

Several schedulers may run on one database: a trigger moves on by compare-and-set, and a date makes one execution by its
firing key, so nothing fires twice.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import structlog
from msgspec.structs import replace

from penstock.base.clock import SECOND, Clock, Instant, Micros
from penstock.base.errors import NotFoundError, PenstockError, UnavailableError
from penstock.engine.records import Execution, LogLine
from penstock.ports.evaluations import EvaluationStore
from penstock.ports.flows import FlowKey, FlowStore
from penstock.ports.jobs import JobQueue
from penstock.ports.journal import Journal, partition_of
from penstock.ports.notifier import Notifier
from penstock.ports.queries import ExecutionQueries
from penstock.ports.switches import SwitchStore
from penstock.ports.triggers import Outcome, TriggerState, TriggerStore
from penstock.services.executions import Followers
from penstock.services.metrics.tallies import SchedulerTally
from penstock.services.scheduler import states
from penstock.services.scheduler.agenda import Agenda, TriggerKey
from penstock.services.scheduler.backfill import Backfill
from penstock.services.scheduler.by_flow import ByFlow
from penstock.services.scheduler.calendar import Recovery, Turn, turn
from penstock.services.scheduler.conditions import Conditions
from penstock.services.scheduler.firing import Firing
from penstock.services.scheduler.flow_triggers import FlowSource, FlowTriggers, KnownFlows, TriggersOf, Version
from penstock.services.scheduler.listening import Listening
from penstock.services.scheduler.polling import Polling
from penstock.services.scheduler.triggers import ScheduledTrigger
from penstock.services.scheduler.watching import Watching

log = structlog.get_logger(__name__)
_TRIES = 20


@dataclass(frozen=True, slots=True)
class SchedulerSettings:
    """How a scheduler behaves.

    Args:
        recovery: What becomes of missed dates, by trigger type (OPS-071).
        longest_sleep: A change of the machine's clock is noticed within this time.
        look_again: All flows are looked at again after this time, in case a notification was lost.
        retry: When something that failed for want of the database is tried again.
        parallel: How many triggers are fired at once.
    """

    recovery: Mapping[str, Recovery] = field(default_factory=dict)
    longest_sleep: Micros = 30 * SECOND
    look_again: Micros = 300 * SECOND
    retry: Micros = SECOND
    parallel: int = 32


@dataclass(frozen=True, slots=True)
class Stores:
    """What the scheduler reads and writes."""

    flows: FlowStore
    triggers: TriggerStore
    journal: Journal
    queries: ExecutionQueries
    notifier: Notifier
    jobs: JobQueue
    evaluations: EvaluationStore
    switches: SwitchStore


@dataclass(slots=True)
class _Entry:
    trigger: ScheduledTrigger
    state: TriggerState
    served_since: Instant


class Scheduler:
    """Starts flows at the dates of their triggers. One asyncio task; all state is confined to its loop.

    Implements OPS-004, OPS-134, ENG-258, ENG-261, ENG-264, ENG-268, ENG-269, ENG-277 to ENG-284,
    BEY-041 (what is paused goes on by itself).

    Args:
        stores: What it reads and writes.
        source: Resolved flows.
        triggers_of: The triggers of a flow, made from their definitions.
        firing: Makes executions.
        followers: Wakes when an execution changed.
        clock: The time.
        settings: How it behaves.
        conditions: Asks the triggers' conditions.
    """

    def __init__(
        self,
        stores: Stores,
        source: FlowSource,
        triggers_of: TriggersOf,
        firing: Firing,
        followers: Followers,
        clock: Clock,
        settings: SchedulerSettings | None = None,
        conditions: Conditions | None = None,
        tally: SchedulerTally | None = None,
    ) -> None:
        self._tally = tally or SchedulerTally()
        self._stores = stores
        self._firing = firing
        self._clock = clock
        self._settings = settings or SchedulerSettings()
        self._conditions = conditions or Conditions()
        self._flows = KnownFlows(
            stores.flows, stores.switches, source, triggers_of, self._settings.recovery, self._conditions
        )
        self._listening = Listening(
            stores.triggers,
            stores.queries,
            stores.journal,
            stores.notifier,
            firing,
            self._conditions,
            clock,
            self._settings.look_again,
            self._tally,
        )
        self._polling = Polling(
            stores.triggers,
            stores.evaluations,
            stores.jobs,
            stores.journal,
            stores.notifier,
            firing,
            self._conditions,
            clock,
            self._settings.retry,
            self._settings.look_again,
        )
        self._entries: ByFlow[_Entry] = ByFlow()
        self._agenda = Agenda()
        self._switch_ends = Agenda()
        self._watching = Watching(stores.queries, followers, self._note_end)
        self._listening.watching = self._watching
        self._polling.watching = self._watching
        self._changed_flows: set[FlowKey] = set()
        self._changed_triggers: set[TriggerKey] = set()
        self._ends: list[tuple[TriggerKey, str, Execution | None]] = []
        self._wake = asyncio.Event()
        self._stopping = False
        self._look_at_all = 0
        self._is_listening = False
        self.failures: Counter[TriggerKey] = Counter()
        """How often the evaluation of a trigger failed."""
        self.ready = asyncio.Event()
        """Set once the triggers of all flows are known, and changes of them are heard of."""

    # -- the loop

    async def run(self) -> None:
        """Work until `stop`."""
        listener = asyncio.create_task(self._listen(), name="scheduler-notifications")
        main = asyncio.create_task(self._loop(), name="scheduler-dates")
        listening = asyncio.create_task(self._listening.run(), name="scheduler-upstream")
        try:
            done, _ = await asyncio.wait([listener, main, listening], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in (listener, main, listening):
                task.cancel()
            await asyncio.gather(listener, main, listening, return_exceptions=True)
            await self._watching.close()

    def stop(self) -> None:
        """Finish what is being fired, then end."""
        self._stopping = True
        self._wake.set()

    def upcoming(self) -> list[tuple[TriggerKey, Instant]]:
        """Return triggers and their next dates, soonest first (OPS-138)."""
        dates = [(key, entry.state.next_date) for key, entry in self._entries.items()]
        known = [(key, date) for key, date in dates if date is not None]
        return sorted([*known, *self._polling.upcoming()], key=lambda pair: pair[1])

    async def _loop(self) -> None:
        while not self._stopping:
            began = self._clock.now()
            self._wake.clear()  # before looking, so that no wake-up is lost
            try:
                await self._take_over_changes()
            except UnavailableError as error:
                log.warning("changes not read", action="scheduler.load", error=str(error))
                self._look_at_all = self._clock.now() + self._settings.retry
            await self._fire_due()
            self._tally.evaluations += await self._polling.serve_due()
            self._tally.loops.add((self._clock.now() - began) / SECOND)
            await self._sleep()

    async def _sleep(self) -> None:
        now = self._clock.now()
        soonest = [self._look_at_all, now + self._settings.longest_sleep]
        dues = (self._agenda.next_due, self._polling.next_due, self._switch_ends.next_due)
        soonest += [due for due in dues if due is not None]
        try:
            async with asyncio.timeout(max(0, min(soonest) - now) / SECOND):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _listen(self) -> None:
        async with self._stores.notifier.subscribe("flows", "triggers") as changes:
            self._is_listening = True
            self._look_at_all = 0  # what changed before the subscription is found by looking
            self._wake.set()
            async for topic, payload in changes:
                parts = payload.split("/")
                if topic == "flows" and len(parts) == 3:
                    self._changed_flows.add((parts[0], parts[1], parts[2]))
                elif topic == "triggers" and len(parts) == 4:
                    self._changed_triggers.add((parts[0], parts[1], parts[2], parts[3]))
                self._wake.set()

    # -- what changed

    async def _take_over_changes(self) -> None:
        await self._end_switches()
        if self._clock.now() >= self._look_at_all:
            is_listening = self._is_listening
            await self._load_all()
            if is_listening:
                self.ready.set()
        while self._changed_flows:
            flow = self._changed_flows.pop()
            known = {key: self._entries[key].state for key in self._entries.of_flow(flow)}
            await self._load_flow(flow, known)
        while self._changed_triggers:
            await self._reload(self._changed_triggers.pop())
        while self._ends:
            await self._release(*self._ends.pop())

    async def _end_switches(self) -> None:
        """Let flows and triggers be what their sources say, once the time of those who said otherwise has come."""
        now = self._clock.now()
        flows = self._switch_ends.take(now)
        if flows or now >= self._look_at_all:  # some may have come to their end while no scheduler ran
            for switch in await self._stores.switches.remove_over(now, states.resuming(now)):
                name = "/".join(filter(None, (switch.namespace, switch.flow_id, switch.trigger_id)))
                log.info("switch is over", action="scheduler.switch", name=name, state=switch.state.value)
        for key in flows:
            self._flows.forget(key[:3])
            await self._load_flow(key[:3], {})  # the states are read: whoever removed the switch has changed them

    async def _load_all(self) -> None:
        self._look_at_all = self._clock.now() + self._settings.look_again  # first: it may be wanted earlier meanwhile
        versions = await self._flows.versions()
        stored: dict[FlowKey, dict[TriggerKey, TriggerState]] = {}
        for state in await self._stores.triggers.all():
            stored.setdefault(state.key[:3], {})[state.key] = state
        for flow in sorted(versions.keys() | {key[:3] for key in self._entries} | stored.keys()):
            await self._load_flow(flow, stored.get(flow, {}), versions.get(flow))
        await self._polling.offer_lost()

    async def _load_flow(
        self, key: FlowKey, stored: Mapping[TriggerKey, TriggerState], version: Version | None = None
    ) -> None:
        """Take over the latest revision of a flow: its triggers, and the end of those it has no more."""
        triggers = FlowTriggers()
        try:
            triggers = await self._flows.triggers(key, version)
            self._switch_ends.set((*key, ""), triggers.changes_at)
        except NotFoundError:
            pass
        except UnavailableError:
            raise
        except Exception as error:
            log.warning("flow without schedules", action="scheduler.load", flow="/".join(key), error=str(error))
            triggers = FlowTriggers(ids=frozenset(trigger_id for *_, trigger_id in stored))
        found = triggers.scheduled
        self._listening.take_over(key, triggers.listening)
        await self._polling.take_over(key, triggers.evaluated, stored, triggers.ids)
        for gone in sorted({*self._entries.of_flow(key), *stored} - found.keys()):
            self._entries.pop(gone, None)
            self._agenda.set(gone, None)
            if gone[3] not in triggers.ids:
                await self._stores.triggers.delete(*gone)
        for one, trigger in found.items():
            try:
                await self._adopt(trigger, stored.get(one))
            except UnavailableError:
                raise
            except Exception:  # such as a calendar of a plugin: whatever it is, it concerns this trigger alone
                log.exception("trigger not taken over", action="scheduler.load", trigger="/".join(one))

    async def _adopt(self, trigger: ScheduledTrigger, state: TriggerState | None) -> None:
        """Take over a trigger with the state it was left in."""
        now = self._clock.now()
        for _ in range(_TRIES):
            if state is None:
                state = await self._stores.triggers.get(*trigger.key)
            after = states.adopted(trigger, state, now)
            if after == state:
                break
            seen = state or TriggerState(*trigger.key)
            outcome = await self._stores.triggers.fire(seen, after, None, said=trigger.said)
            if outcome is Outcome.SWITCHED:
                self._mistrust(trigger.key)
                return
            if outcome is Outcome.DONE:
                break
            state = None  # another scheduler has put it in place; it may have fired since
        else:
            raise UnavailableError(f"trigger {'/'.join(trigger.key)} changes all the time")
        before = self._entries.get(trigger.key)
        # dates that came while a backfill was run were missed
        is_new = before is None or (Backfill.active(before.state) is not None and Backfill.active(after) is None)
        self._keep(_Entry(trigger, after, now if before is None or is_new else before.served_since))

    async def _reload(self, key: TriggerKey) -> None:
        """Read a trigger's state again: somebody else changed it."""
        if (entry := self._entries.get(key)) is not None:
            await self._adopt(entry.trigger, None)
        await self._polling.reload(key)

    def _mistrust(self, key: TriggerKey) -> None:
        """Do nothing about a trigger of which people say something that has not been heard; look that up soon."""
        self._agenda.set(key, None)
        self._switch_ends.set((*key[:3], ""), self._clock.now() + self._settings.retry)

    def _keep(self, entry: _Entry) -> None:
        self._entries[entry.trigger.key] = entry
        state = entry.state
        locked = entry.trigger.is_exclusive and state.execution_id is not None
        self._agenda.set(entry.trigger.key, None if locked else state.next_date)
        for execution_id in states.running(state):
            self._watching.watch(entry.trigger.key, execution_id)

    # -- the end of executions

    def _note_end(self, key: TriggerKey, execution_id: str, execution: Execution | None) -> None:
        if self._listening.released(key, execution_id, execution):
            return
        self._ends.append((key, execution_id, execution))
        self._wake.set()

    async def _release(self, key: TriggerKey, execution_id: str, execution: Execution | None) -> None:
        if await self._polling.release(key, execution_id, execution):
            return
        entry = self._entries.get(key)
        if entry is None or execution_id not in states.running(entry.state):
            return
        now = self._clock.now()
        after = states.released(entry.trigger.definition, entry.state, execution_id, execution, now)
        if await self._stores.triggers.fire(entry.state, after, None) is Outcome.DONE:
            self._keep(_Entry(entry.trigger, after, now))
        else:
            await self._reload(key)

    # -- dates

    async def _fire_due(self) -> None:
        due = self._agenda.take(self._clock.now())
        for start in range(0, len(due), self._settings.parallel):
            await asyncio.gather(*(self._serve(key) for key in due[start : start + self._settings.parallel]))

    async def _serve(self, key: TriggerKey) -> None:
        """Do what is due for one trigger; whatever goes wrong concerns this trigger alone."""
        entry = self._entries.get(key)
        if entry is None or entry.state.next_date is None:
            return
        self._tally.evaluations += 1
        try:
            await self._take_turn(entry, entry.state.next_date)
        except UnavailableError as error:
            log.warning("trigger not served", action="scheduler.fire", trigger="/".join(key), error=str(error))
            self._agenda.set(key, self._clock.now() + self._settings.retry)
        except Exception:
            log.exception("trigger not served", action="scheduler.fire", trigger="/".join(key))
            self._agenda.set(key, self._clock.now() + self._settings.look_again)

    async def _take_turn(self, entry: _Entry, due: Instant) -> None:
        now = self._clock.now()
        trigger, backfill = entry.trigger, Backfill.active(entry.state)
        if backfill is not None:
            step = backfill.turn(trigger.calendar)
        else:
            step = turn(trigger.calendar, due, now, entry.served_since, trigger.recovery)
        if step.date is None:
            await self._move(entry, states.passed(trigger, entry.state, step.next_date, now), None)
            return
        try:
            if not await trigger.applies_to(step.date):
                await self._move(entry, states.passed(trigger, entry.state, step.next_date, now), None)
                return
            execution, reject = await self._firing.execution(trigger, step.date, entry.state)
        except UnavailableError:
            raise
        except Exception as error:
            await self._fail(entry, step, error)
            return
        after = states.fired(trigger, entry.state, step.date, step.next_date, execution.id, now)
        if await self._move(entry, after, execution, reject):
            log.debug("fired", action="scheduler.fire", trigger="/".join(entry.trigger.key), execution=execution.id)

    async def _move(
        self, entry: _Entry, after: TriggerState, execution: Execution | None, reject: str | None = None
    ) -> bool:
        """Store a trigger's move, with the execution it starts; False when it did not come to that."""
        outcome = await self._stores.triggers.fire(entry.state, after, execution, reject, entry.trigger.said)
        if outcome is Outcome.DONE:
            if execution is not None:
                await self._stores.notifier.publish("messages", [str(partition_of(execution.id))])
            has_ended = entry.state.backfill is not None and after.backfill is None
            served_since = self._clock.now() if has_ended else entry.served_since
            self._keep(_Entry(entry.trigger, after, served_since))
            return True
        if outcome is Outcome.SWITCHED:
            self._mistrust(entry.trigger.key)
            return False
        if outcome is Outcome.KNOWN:  # the date has its execution already: only the state was left behind
            left = replace(entry.state, next_date=after.next_date, backfill=after.backfill, updated=self._clock.now())
            await self._stores.triggers.fire(entry.state, left, None)
        await self._reload(entry.trigger.key)
        return False

    async def _fail(self, entry: _Entry, step: Turn, error: Exception) -> None:
        """Note that a date could not be fired, and go on with the next one (ENG-269)."""
        now = self._clock.now()
        trigger = entry.trigger
        self.failures[trigger.key] += 1
        message = str(error) if isinstance(error, PenstockError) else f"{type(error).__name__}: {error}"
        log.warning("trigger failed", action="scheduler.fire", trigger="/".join(trigger.key), error=message)
        await self._stores.journal.send((), logs=[_trigger_line(trigger, now, message)])
        after = states.passed(trigger, entry.state, step.next_date, now)
        if trigger.definition.fail_on_trigger_error and step.date is not None:
            execution = self._firing.without_inputs(trigger, step.date, entry.state)
            await self._move(entry, after, execution, f"trigger {trigger.definition.id} failed: {message}")
        else:
            await self._move(entry, after, None)


def _trigger_line(trigger: ScheduledTrigger, now: Instant, message: str) -> LogLine:
    tenant, namespace, flow_id, trigger_id = trigger.key
    return LogLine(tenant, namespace, flow_id, now, "ERROR", message, trigger_id=trigger_id)
