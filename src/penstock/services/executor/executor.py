"""The executor's loop: drain, decide, commit once, carry out; then wait for the first of event, timer, message, stop.

Everything an execution needs next is stored when a batch is committed, so the process may die at any instruction.
Several executors share the partitions out. What one keeps in memory of an execution belongs to the token with which it
held the partition then: each round decides with the tokens it began with, and commits with them, and what belongs to
a token that is no longer held is forgotten before the next. Whatever comes for the execution of another is passed on.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Mapping, Sequence

import structlog

from penstock.base.clock import SECOND, Clock
from penstock.base.errors import PenstockError, UnavailableError
from penstock.engine.decision import Job
from penstock.engine.events import (
    Created,
    TimerDue,
)
from penstock.engine.records import Execution, TaskRun
from penstock.engine.working_set import ExecutionState
from penstock.ports.gateway import Report
from penstock.ports.jobs import JobQueue, QueueKey
from penstock.ports.journal import (
    COUNTED,
    CommitResult,
    Journal,
    KeyTaken,
    LeaseLost,
    StaleReports,
    partition_of,
)
from penstock.ports.notifier import Notifier
from penstock.services.executor.admission import Admission
from penstock.services.executor.child_starts import ChildStarts
from penstock.services.executor.deciding import Deciding
from penstock.services.executor.delivery import (
    Delivery,
    DuplicateFiring,
    Receipt,
    of_kill,
    of_message,
    of_report,
)
from penstock.services.executor.fairness import FairShare
from penstock.services.executor.flow_source import FlowSource
from penstock.services.executor.outcomes import Outcomes
from penstock.services.executor.round import Answer, Round
from penstock.services.executor.settings import Children, ExecutorSettings, LocalWorker
from penstock.services.executor.share import Share
from penstock.services.executor.slots import Slots
from penstock.services.executor.timers import Timers
from penstock.services.executor.worker_watch import WorkerWatch
from penstock.services.executor.working_sets import WorkingSets
from penstock.services.metrics.tallies import ExecutorTally

log = structlog.get_logger(__name__)
_TIMERS_AHEAD = 3600 * SECOND
_TIMERS_AT_ONCE = 100_000


class Executor:
    """Decides for the executions of the partitions it holds. One asyncio task; all state is confined to its loop.

    Args:
        journal: What is decided on, and where decisions are stored.
        jobs: Jobs, and the workers that have them.
        flows: Resolved flows.
        notifier: Tells workers, other executors and whoever follows executions.
        clock: The time.
        answer: Answers functions that expressions of flowable tasks call.
        settings: How it behaves.
        local_worker: Takes jobs in memory; None where no worker is in this process.
        children: Makes the executions that subflow tasks start.
        tally: Counts what it does.
    """

    def __init__(
        self,
        journal: Journal,
        jobs: JobQueue,
        flows: FlowSource,
        notifier: Notifier,
        clock: Clock,
        answer: Answer,
        settings: ExecutorSettings,
        local_worker: LocalWorker | None = None,
        children: Children | None = None,
        tally: ExecutorTally | None = None,
    ) -> None:
        self._journal = journal
        self._jobs = jobs
        self._notifier = notifier
        self._clock = clock
        self._settings = settings
        self._local = local_worker
        self._tally = tally or ExecutorTally()
        self._inbox: deque[Delivery] = deque()
        self._wake = asyncio.Event()
        self._stopping = asyncio.Event()
        self._states = WorkingSets()
        self._timers = Timers()
        self._timers_loaded_until = 0
        self._admission = Admission(Slots(journal, flows, settings.limits, self._states.get))
        self._workers = WorkerWatch(jobs, journal, notifier, clock, settings, self._tally)
        self._fair = FairShare()
        self._share = Share(journal, clock, settings.owner, settings.lease)
        self._renew = asyncio.Event()
        self._tokens: Mapping[int, int] = {}
        """The tokens that what is in memory belongs to."""
        self._is_new = False
        """Whether partitions have come since the last look at what waits in them."""
        self._look_for_messages = True
        self._in_flight_messages: set[int] = set()
        self._deciding = Deciding(
            journal,
            flows,
            self._states,
            self._admission,
            ChildStarts(children, self._states.get),
            answer,
            settings.shared,
            self._in_flight_messages,
        )
        self._outcomes = Outcomes(self._states, self._admission, local_worker, self._tally, settings.shared)
        self.ready = asyncio.Event()
        """Set once the first leases are held."""

    # -- the doors

    def owns(self, execution_id: str) -> bool:
        """Return whether this executor decides for an execution, as far as it knows: it passes on what is not its."""
        return self._states.place(execution_id) in self._share.tokens

    @property
    def name(self) -> str:
        """Its name in leases."""
        return self._settings.owner

    @property
    def leases(self) -> Mapping[int, int]:
        """The partitions this executor holds, with the tokens that fence its writes."""
        return self._share.tokens

    @property
    def held(self) -> int:
        """How many executions it holds in memory."""
        return len(self._states)

    def working_set(self, execution_id: str) -> ExecutionState | None:
        """Return what is held of an execution in memory, if anything; not to be changed."""
        place = self._states.place(execution_id)
        is_held = place in self._tokens and self._tokens[place] == self._share.tokens.get(place)
        return self._states.get(execution_id) if is_held else None

    def deliver(self, deliveries: Sequence[Delivery]) -> None:
        """Put deliveries into the inbox; their receipts tell when they are stored."""
        self._inbox.extend(deliveries)
        self._wake.set()

    async def create(self, execution: Execution, *, reject: str | None = None, runs: Sequence[TaskRun] = ()) -> bool:
        """Bring an execution into being (see `Dispatcher.create`)."""
        receipt = Receipt()
        self.deliver([Delivery(execution.id, Created(reject), receipt, new=execution, runs=runs)])
        try:
            await receipt.wait()
        except DuplicateFiring:
            return False
        return True

    async def report(self, reports: Sequence[Report]) -> None:
        """Take what workers report (see `WorkerGateway.report`)."""
        receipt = Receipt(len(reports))
        self.deliver([of_report(report, receipt) for report in reports])
        await receipt.wait()

    # -- the loops

    async def run(self) -> None:
        """Work until `stop`."""
        await self._begin()
        side = [
            asyncio.create_task(self._keep_leases(), name="executor-leases"),
            asyncio.create_task(self._listen(), name="executor-messages"),
            asyncio.create_task(self._workers.run(), name="executor-workers"),
            asyncio.create_task(self._fair.watch(self._turns), name="executor-turns"),
        ]
        main = asyncio.create_task(self._loop(), name="executor-rounds")
        try:
            done, _ = await asyncio.wait([main, *side], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            self._stopping.set()
            self._wake.set()
            for task in side:
                task.cancel()
            await asyncio.gather(main, *side, return_exceptions=True)
            await self._share.give_up()
            await self._notifier.publish("executors", [self.name])

    def stop(self) -> None:
        """Finish the deliveries at hand, give the partitions back, and end."""
        self._stopping.set()
        self._wake.set()

    async def _loop(self) -> None:
        while True:
            self._wake.clear()  # before looking, so that no wake-up is lost
            self._follow_leases()
            try:
                if self._share.is_too_large:
                    await self._hand_back()
                await self._gather_due()
            except UnavailableError as error:
                log.warning("nothing can be read", action="executor.gather", error=str(error))
                self._look_for_messages = True
                await asyncio.sleep(1)
            if self._inbox:
                await self._round()
                continue
            if self._stopping.is_set():
                return
            await self._sleep()

    async def _sleep(self) -> None:
        """Wait for a wake-up, the next timer, or the safety poll."""
        wait = self._settings.poll
        due = self._timers.next_due
        if due is not None:
            wait = min(wait, max(0, due - self._clock.now()))
        try:
            async with asyncio.timeout(wait / SECOND):  # `wait_for` would take a task, and two turns of the loop more
                await self._wake.wait()
        except TimeoutError:
            self._look_for_messages = True
            self._admission.look()

    async def _gather_due(self) -> None:
        """Put due timers and waiting messages into the inbox."""
        now = self._clock.now()
        if self._is_new:
            self._fair.reached(await self._turns())
            self._is_new = False
        if now + self._settings.poll * 2 > self._timers_loaded_until and self._tokens:
            until = now + _TIMERS_AHEAD
            found = await self._journal.timers(self._tokens, until, _TIMERS_AT_ONCE)
            for timer in found:
                self._timers.set(timer)
            # Where there are more, they are looked for before the last of these is due, or else at the next poll.
            is_all = len(found) < _TIMERS_AT_ONCE
            self._timers_loaded_until = until if is_all else max(found[-1].due, now + self._settings.poll * 3)
        self._inbox.extend(await self._admission.admitted(self._tokens, now))
        for timer in self._timers.due(now):
            event = TimerDue(timer.purpose, timer.task_run_id, timer.attempt)
            self._inbox.append(Delivery(timer.execution_id, event, timer=timer))
        if self._look_for_messages and self._tokens:
            self._look_for_messages = False
            for message in await self._journal.messages(self._tokens, 0, self._settings.max_batch):
                if message.id not in self._in_flight_messages:
                    self._in_flight_messages.add(message.id)
                    self._inbox.append(of_message(message))
                    self._look_for_messages = True

    async def _round(self) -> None:
        """Decide on what is at hand and commit it as one batch."""
        self._follow_leases()
        count = min(len(self._inbox), self._settings.max_batch)
        deliveries = [self._inbox.popleft() for _ in range(count)]
        reserve = self._local.reserve if self._local else _no_place
        current = Round(self._clock.now(), reserve, self._fair, self._tokens)
        try:
            await self._deciding.decide(current, deliveries)
            current.batch.fences = current.fences()
            current.batch.share = min(current.tokens, default=-1)
            result = await self._journal.commit(current.batch)
        except StaleReports as stale:
            self._without_late(current, deliveries, stale)
            return
        except KeyTaken:
            self._forget(current, deliveries)
            self._inbox.extendleft(reversed(deliveries))
            return
        except (LeaseLost, UnavailableError) as error:
            await self._give_up(current, deliveries, error)
            return
        except Exception as error:
            log.exception("round failed", action="executor.round")
            await self._give_up(current, deliveries, UnavailableError(f"the executor failed: {type(error).__name__}"))
            return
        await self._carry_out(current, result)

    async def _give_up(self, current: Round, deliveries: Sequence[Delivery], error: PenstockError) -> None:
        """Forget what could not be stored; whoever delivered it hears of it and tries again."""
        log.warning("batch not stored", action="executor.commit", error=str(error), deliveries=len(deliveries))
        self._forget(current, deliveries)
        for delivery in deliveries:
            self._in_flight_messages.discard(delivery.message_id or 0)
            if delivery.receipt is not None:
                delivery.receipt.refused(error)
        if self._local is not None and current.given and not isinstance(error, LeaseLost):
            self._local.mislay()  # the batch may be stored all the same, with jobs that are leased to the worker
        self._look_for_messages = True
        if isinstance(error, LeaseLost):
            with contextlib.suppress(UnavailableError):  # the lease keeper tries again soon
                await self._share.renew()
        await asyncio.sleep(0.1)

    def _without_late(self, current: Round, deliveries: Sequence[Delivery], stale: StaleReports) -> None:
        """Decide once more, without the ends that workers reported of jobs that others have by now."""
        log.warning("late ends dropped", action="executor.late", jobs=sorted(stale.holders))
        self._forget(current, deliveries)
        for delivery in reversed(deliveries):
            if not stale.is_late(delivery.job, delivery.worker):
                self._inbox.appendleft(delivery)
            elif delivery.receipt is not None:
                delivery.receipt.stored(None)

    def _forget(self, current: Round, deliveries: Sequence[Delivery]) -> None:
        """Forget what was decided in a round that is not stored."""
        changed = (*current.changed, *current.batch.counted)
        for execution_id in (*changed, *(delivery.execution_id for delivery in deliveries)):
            self._states.drop(execution_id)
        if self._local is not None:
            for job, _, _ in current.given:
                self._local.cancel(job)
        self._timers_loaded_until = 0
        self._admission.forget()

    # -- effects

    async def _carry_out(self, current: Round, result: CommitResult) -> None:
        duplicates = set(result.duplicates)
        for execution, decision, begun in current.taken:
            if execution.id not in duplicates:
                self._tally.decided(execution, decision, begun)
        self._tally.rounds.add((self._clock.now() - current.now) / SECOND)
        self._outcomes.hand_out(current, duplicates)
        for key in current.cancelled:
            self._timers.cancel(key)
        for timer in current.batch.timers.values():
            self._timers.set(timer)
        for message_id in current.batch.consumed:
            self._in_flight_messages.discard(message_id)
        self._outcomes.answer(current, duplicates)
        self._outcomes.keep(current)
        await self._kill(result)
        await self._tell(current)

    async def _kill(self, result: CommitResult) -> None:
        """Pass kill orders on; jobs nobody had end here and now."""
        if result.killed_unclaimed:
            now = self._clock.now()
            self.deliver([of_kill(order, now) for order in result.killed_unclaimed])
        if result.killed_claimed:
            if self._local is not None:
                orders = {(order.task_run_id, order.attempt): order for order, _ in result.killed_claimed}
                now = self._clock.now()
                self.deliver([of_kill(orders[key], now) for key in self._local.kill(list(orders))])
            await self._notifier.publish("kill", sorted({worker for _, worker in result.killed_claimed}))

    async def _tell(self, current: Round) -> None:
        if current.changed:
            await self._notifier.publish("execution", list(current.changed))
            ended = [one for one, state in current.changed.items() if state.execution.state.is_terminal]
            if ended:
                await self._notifier.publish("ended", ended)
        if current.batch.logs:
            ids = {line.execution_id for line in current.batch.logs if line.execution_id}
            await self._notifier.publish("logs", sorted(ids))
        if current.unowned_groups:
            await self._notifier.publish("jobs", sorted(current.unowned_groups))
        if current.may_be_stranded:
            self._workers.look()
        if current.slots_freed:
            await self._notifier.publish("slots", sorted(current.slots_freed))
        if current.batch.messages:
            partitions = {str(partition_of(message.execution_id)) for message in current.batch.messages}
            self._look_for_messages = True
            await self._notifier.publish("messages", sorted(partitions))

    # -- side tasks

    async def _begin(self) -> None:
        """Take a share of the partitions, and let the others know."""
        if self._settings.exclusive:
            await self._journal.release("*")
            await self._jobs.begin_alone(self._clock.now())  # before `ready`: a worker that registers later stays
        await self._share.renew()
        await self._notifier.publish("executors", [self.name])
        self._follow_leases()

    async def _keep_leases(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._settings.lease / SECOND / 3):
                    await self._renew.wait()
            self._renew.clear()
            try:
                if await self._share.renew() or self._share.is_too_large:
                    self._wake.set()
            except UnavailableError as error:
                log.warning("leases not renewed", action="executor.lease", error=str(error))

    async def _hand_back(self) -> None:
        """Let others have their share: no batch is on its way now, and what was held in memory is forgotten."""
        await self._share.hand_back()
        self._follow_leases()
        await self._notifier.publish("executors", [self.name])

    def _follow_leases(self) -> None:
        """Forget what belongs to tokens that are not held any more; look for what waits in partitions newly held."""
        before, now = self._tokens, self._share.tokens
        if now is before:
            return
        self._tokens = now
        changed = {one for one in before.keys() | now.keys() if before.get(one) != now.get(one)}
        self._states.drop_all(changed)
        self._timers.clear()
        self._timers_loaded_until = 0
        if COUNTED in changed:
            self._admission.forget()
        self._is_new = self._look_for_messages = True
        if now:
            self.ready.set()

    async def _listen(self) -> None:
        async with self._notifier.subscribe("messages", "flows", "executors", "slots") as notifications:
            async for topic, payload in notifications:
                if topic == "executors":
                    if payload != self.name:
                        self._renew.set()
                    continue
                if topic == "messages":
                    if int(payload) not in self._tokens and COUNTED not in self._tokens:
                        continue
                    self._look_for_messages = True
                else:  # a limit may have changed, or something that is counted ended elsewhere
                    self._admission.look_elsewhere()
                self._wake.set()

    async def _turns(self) -> Mapping[QueueKey, int]:
        """Return the lowest turn of the jobs that no worker has in hand, by group and priority."""
        waiting = dict(await self._jobs.turns())
        for key, turn in self._local.turns().items() if self._local else ():
            waiting[key] = min(turn, waiting.get(key, turn))
        return waiting


def _no_place(job: Job) -> str | None:
    return None
