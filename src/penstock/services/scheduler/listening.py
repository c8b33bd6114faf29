"""Serving triggers that react to executions of other flows.

Notifications tell which executions changed; in case some were lost, and for the time in which no scheduler ran, what
has ended since the stored position is looked at as well. An arrival that is looked at twice counts once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

import msgspec
import structlog
from msgspec.structs import replace

from penstock.base.clock import SECOND, Clock, Instant, Micros
from penstock.base.errors import UnavailableError
from penstock.engine.records import Execution, LogLine
from penstock.engine.states import TERMINAL, StateType
from penstock.ports.flows import FlowKey
from penstock.ports.journal import Journal, partition_of
from penstock.ports.notifier import Notifier
from penstock.ports.queries import ExecutionQueries, Filter, PageRequest
from penstock.ports.triggers import STOP_AFTER, Outcome, TriggerState, TriggerStore
from penstock.services.metrics.tallies import SchedulerTally
from penstock.services.scheduler.agenda import TriggerKey
from penstock.services.scheduler.by_flow import ByFlow
from penstock.services.scheduler.chaining import Chaining, error_text
from penstock.services.scheduler.conditions import Conditions
from penstock.services.scheduler.firing import Firing
from penstock.services.scheduler.judging import Judge
from penstock.services.scheduler.upstream import (
    OVERLAP,
    Arrival,
    ListeningTrigger,
    Memory,
    Start,
    arrivals,
    failure_key,
    noted,
)
from penstock.services.scheduler.watching import Watching

log = structlog.get_logger(__name__)
Change = Callable[[TriggerState, Memory], tuple[TriggerState, Memory]]
_BATCH = 500
_GATHER = 0.05
"""Seconds in which changes are gathered before they are looked at."""
_TRIES = 20
_OPEN = [state.value for state in StateType if state not in TERMINAL]


class Listening:
    """Starts flows after others. One asyncio task; all state is confined to its loop.

    Implements ENG-261, ENG-268, ENG-269, ENG-290 to ENG-301, ENG-411, ENG-417, BEY-006.

    Args:
        triggers: States of triggers.
        queries: Reads executions.
        journal: Takes the log lines of triggers.
        notifier: Tells what changed.
        firing: Makes executions.
        conditions: Asks the triggers' conditions.
        clock: The time.
        look_again: When everything is looked at again.
        tally: Counts the rounds.
    """

    def __init__(
        self,
        triggers: TriggerStore,
        queries: ExecutionQueries,
        journal: Journal,
        notifier: Notifier,
        firing: Firing,
        conditions: Conditions,
        clock: Clock,
        look_again: Micros,
        tally: SchedulerTally,
    ) -> None:
        self._store = triggers
        self._queries = queries
        self._journal = journal
        self._notifier = notifier
        self._chaining = Chaining(firing)
        self._judge = Judge(queries, conditions)
        self._clock = clock
        self._look_again = look_again
        self._tally = tally
        self._triggers: ByFlow[ListeningTrigger] = ByFlow()
        self._changed: set[str] = set()
        self._ended: list[tuple[TriggerKey, str, Execution | None]] = []
        self._fresh: set[TriggerKey] = set()
        self._handled: dict[str, tuple[Instant, int]] = {}
        """Arrivals that all triggers have been asked about: when they came, and how many triggers had come by then."""
        self._come = 0
        """How many triggers have come."""
        self._wake = asyncio.Event()
        self._next_look = 0
        self.watching: Watching | None = None
        """Set by the scheduler, whose followers it uses."""

    # -- which triggers there are

    def take_over(self, flow: FlowKey, triggers: Iterable[ListeningTrigger]) -> None:
        """Listen for the enabled triggers of a flow as it is now, and for no others of it."""
        found = {one.key: one for one in triggers}
        for gone in sorted(set(self._triggers.of_flow(flow)) - found.keys()):
            del self._triggers[gone]
        self._come += len(found.keys() - self._triggers.keys())
        self._triggers.update(found)
        self._fresh |= found.keys()
        if found:
            self._wake.set()

    def released(self, key: TriggerKey, execution_id: str, execution: Execution | None) -> bool:
        """Hear of the end of an execution; False when the trigger is none of these."""
        if key not in self._triggers:
            return False
        self._ended.append((key, execution_id, execution))
        self._wake.set()
        return True

    # -- the loop

    async def run(self) -> None:
        """Work until cancelled; without triggers that listen, nothing is read and no notification is asked for."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            if not self._triggers:
                continue
            async with asyncio.TaskGroup() as group:
                hearing = group.create_task(self._hear(), name="upstream-notifications")
                await self._serve_all()
                hearing.cancel()

    async def _hear(self) -> None:
        async with self._notifier.subscribe("execution") as changes:
            self._next_look = 0  # what changed before the subscription is found by looking
            self._wake.set()
            async for _, execution_id in changes:
                self._changed.add(execution_id)
                self._wake.set()

    async def _serve_all(self) -> None:
        while self._triggers:
            try:
                await self._round()
                self._tally.looks += 1
            except UnavailableError as error:
                log.warning("arrivals not read", action="scheduler.listen", error=str(error))
                self._next_look = 0
                await asyncio.sleep(1)
            with suppress(TimeoutError):
                async with asyncio.timeout(max(0.01, (self._next_look - self._clock.now()) / SECOND)):
                    await self._wake.wait()
            self._wake.clear()
            await asyncio.sleep(_GATHER)

    async def _round(self) -> None:
        while self._fresh:
            key = next(iter(self._fresh))
            if (trigger := self._triggers.get(key)) is not None:
                await self._adopt(trigger)
            self._fresh.discard(key)
        while self._ended:
            await self._release(*self._ended[-1])
            self._ended.pop()
        changed, self._changed = sorted(self._changed), set()
        if self._clock.now() >= self._next_look:
            await self._look_at_all()
            return
        for start in range(0, len(changed), _BATCH):
            ids = changed[start : start + _BATCH]
            for tenant in {key[0] for key in self._triggers}:
                page = await self._queries.search(tenant, [Filter("id", "IN", ids)], PageRequest(1, _BATCH))
                await self._note(page.results)

    async def _look_at_all(self) -> None:
        """Look at everything that may have arrived since the stored positions, then move these on."""
        began = self._clock.now()
        states = {state.key: state for state in await self._store.all() if state.key in self._triggers}
        for tenant in {key[0] for key in self._triggers}:
            positions = [Memory.of(state).position for key, state in states.items() if key[0] == tenant]
            since = min(positions, default=began) - OVERLAP
            await self._walk(tenant, [Filter("endDate", "GREATER_THAN_OR_EQUAL_TO", since)])
            await self._walk(tenant, [Filter("state", "IN", _OPEN)])
        for key in states:
            await self._change(key, lambda state, memory: (state, msgspec.structs.replace(memory, position=began)))
        kept = began - 10 * OVERLAP
        self._handled = {one: handled for one, handled in self._handled.items() if handled[0] >= kept}
        self._next_look = began + self._look_again

    async def _walk(self, tenant: str, filters: Sequence[Filter]) -> None:
        number = 1
        while True:
            page = await self._queries.search(tenant, filters, PageRequest(number, _BATCH, (("id", True),)))
            await self._note(page.results)
            if number * _BATCH >= page.total:
                return
            number += 1

    # -- arrivals

    async def _note(self, executions: Iterable[Execution]) -> None:
        found = [arrival for one in executions if one.kind == "NORMAL" for arrival in arrivals(one)]
        for arrival in sorted(found, key=lambda one: one.at):
            name, handled = f"{arrival.id}/{arrival.state}", (arrival.at, self._come)
            if self._handled.get(name) == handled:
                continue
            for trigger in list(self._triggers.values()):
                await self._consider(trigger, arrival)
            self._handled[name] = handled

    async def _consider(self, trigger: ListeningTrigger, arrival: Arrival) -> None:
        execution = arrival.execution
        own = (execution.tenant, execution.namespace, execution.flow_id)
        if not trigger.is_enabled or execution.tenant != trigger.key[0] or own == trigger.key[:3]:
            return
        try:
            met = await self._judge.met(trigger, arrival)
        except UnavailableError:
            raise
        except Exception as error:
            await self._refuse(trigger, arrival, error)
            return
        if met:
            await self._change(
                trigger.key, lambda state, memory: (state, noted(trigger, memory, arrival, met)), skip_disabled=True
            )
            await self._start(trigger)

    # -- states

    async def _adopt(self, trigger: ListeningTrigger) -> None:
        """Begin to listen for a trigger: to a new one from now on, to a known one from where it was."""
        now = self._clock.now()
        state = await self._store.get(*trigger.key)
        if state is None:
            state = TriggerState(*trigger.key, type=trigger.definition.type_name, flow_revision=trigger.flow.revision)
            begun = Memory(since=now, position=now).kept_in(state, now)
            await self._store.fire(TriggerState(*trigger.key), begun, None)
            return
        memory = Memory.of(state)
        if self.watching is not None:
            for execution_id in {*memory.running, *((state.execution_id,) if state.execution_id else ())}:
                self.watching.watch(trigger.key, execution_id)
        await self._start(trigger)

    async def _change(self, key: TriggerKey, change: Change, *, skip_disabled: bool = False) -> None:
        for _ in range(_TRIES):
            state = await self._store.get(*key)
            if state is None or (skip_disabled and state.disabled):
                return
            memory = Memory.of(state)
            changed, after = change(state, memory)
            if (changed, after) == (state, memory):
                return
            kept = after.kept_in(changed, self._clock.now())
            if await self._store.fire(state, kept, None) is Outcome.DONE:
                return
        raise UnavailableError(f"trigger {'/'.join(key)} changes all the time")

    async def _release(self, key: TriggerKey, execution_id: str, execution: Execution | None) -> None:
        trigger = self._triggers.get(key)
        if trigger is None:
            return
        stop = trigger.definition.stop_after or ()
        stops = execution is not None and execution.state.current.value in stop

        def freed(state: TriggerState, memory: Memory) -> tuple[TriggerState, Memory]:
            lock = None if state.execution_id == execution_id else state.execution_id
            left = [one for one in memory.running if one != execution_id]
            after = msgspec.structs.replace(memory, running=left, starts=() if stops else memory.starts)
            by = STOP_AFTER if stops else state.disabled_by
            return replace(state, execution_id=lock, disabled=state.disabled or stops, disabled_by=by), after

        await self._change(key, freed)
        await self._start(trigger)

    # -- starting flows

    async def _start(self, trigger: ListeningTrigger) -> None:
        """Start the flow for all that is due, or for the first when executions may not overlap (ENG-261)."""
        while trigger.is_enabled:
            state = await self._store.get(*trigger.key)
            if state is None or state.disabled or state.execution_id is not None:
                return
            memory = Memory.of(state)
            if not memory.starts:
                return
            await self._fire(trigger, state, memory, memory.starts[0])

    async def _fire(self, trigger: ListeningTrigger, state: TriggerState, memory: Memory, start: Start) -> None:
        now = self._clock.now()
        left = msgspec.structs.replace(memory, starts=memory.starts[1:])
        dropped = left.kept_in(state, now)
        upstream = await self._queries.head(state.tenant, start.execution)
        if upstream is None:
            await self._store.fire(state, dropped, None)
            return
        arrival = Arrival(upstream, start.state, start.at)
        try:
            execution, reject = await self._chaining.started(trigger, arrival, start.key)
        except UnavailableError:
            raise
        except Exception as error:
            standing, reject = self._chaining.failed(trigger, arrival, start.key, error)
            outcome = await self._store.fire(state, dropped, standing, reject)
            if outcome is Outcome.DONE:
                await self._tell(trigger, error, standing)
            await self._pass_over(outcome, state, dropped)
            return
        if trigger.definition.stop_after and trigger.definition.allow_concurrent:
            left = msgspec.structs.replace(left, running=[*left.running, execution.id])
        locked = None if trigger.definition.allow_concurrent else execution.id
        after = left.kept_in(replace(state, date=now, execution_id=locked), now)
        outcome = await self._store.fire(state, after, execution, reject)
        if outcome is Outcome.DONE:
            log.debug("fired", action="scheduler.listen", trigger="/".join(trigger.key), execution=execution.id)
            await self._notifier.publish("messages", [str(partition_of(execution.id))])
            if self.watching is not None and (locked or trigger.definition.stop_after):
                self.watching.watch(trigger.key, execution.id)
        await self._pass_over(outcome, state, dropped)

    async def _pass_over(self, outcome: Outcome, state: TriggerState, dropped: TriggerState) -> None:
        """Go on without a start that turned out to have its execution already."""
        if outcome is Outcome.KNOWN:
            await self._store.fire(state, dropped, None)

    # -- what goes wrong (ENG-269)

    async def _refuse(self, trigger: ListeningTrigger, arrival: Arrival, error: Exception) -> None:
        """Note that an arrival could not be judged."""
        execution, reject = self._chaining.failed(trigger, arrival, failure_key(trigger, arrival), error)
        for _ in range(_TRIES):
            state = await self._store.get(*trigger.key)
            if state is None or state.disabled or not (memory := Memory.of(state)).is_new(arrival):
                return
            after = memory.having_seen(arrival).kept_in(state, self._clock.now())
            outcome = await self._store.fire(state, after, execution, reject)
            if outcome is Outcome.DONE:
                await self._tell(trigger, error, execution)
            if outcome is not Outcome.STALE:
                return
        raise UnavailableError(f"trigger {'/'.join(trigger.key)} changes all the time")

    async def _tell(self, trigger: ListeningTrigger, error: Exception, execution: Execution | None) -> None:
        """Write the reason to the trigger's log, and wake whoever begins the execution that stands for it."""
        tenant, namespace, flow_id, trigger_id = trigger.key
        message = error_text(error)
        log.warning("trigger failed", action="scheduler.listen", trigger="/".join(trigger.key), error=message)
        line = LogLine(tenant, namespace, flow_id, self._clock.now(), "ERROR", message, trigger_id=trigger_id)
        await self._journal.send((), logs=[line])
        if execution is not None:
            await self._notifier.publish("messages", [str(partition_of(execution.id))])
