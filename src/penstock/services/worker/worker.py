"""The worker's loop: claim when slots are free, start, supervise; then stop in good order.

Everything here happens on one asyncio loop; tasks run in threads and hand their reports back to it. The side tasks are
named, and when one dies the worker stops with its error.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import structlog

from penstock.base.clock import SECOND, Clock, Instant, SystemClock
from penstock.base.errors import UnavailableError
from penstock.base.ids import new_id
from penstock.model.registry import TypeRegistry
from penstock.ports.gateway import Assignment, Report, WorkerGateway
from penstock.ports.journal import LeaseLost
from penstock.services.masking import Maskers
from penstock.services.metrics.tallies import WorkerTally
from penstock.services.worker.attempt import Attempt, Interruption
from penstock.services.worker.evaluation import Evaluations
from penstock.services.worker.host import Host
from penstock.services.worker.instances import Instance, Instances
from penstock.services.worker.lease import Lease
from penstock.services.worker.machinery import Lane, Machinery, Threads
from penstock.services.worker.outbox import Outbox
from penstock.services.worker.rejected import RejectedTask
from penstock.services.worker.settings import WorkerSettings
from penstock.services.worker.threads import in_turn

log = structlog.get_logger(__name__)
_CLOCK_TOLERANCE = SECOND // 2
_PAUSE = 1.0
_LOOK_EVERY = 60.0
"""Seconds after which the worker asks what it was leased, lest anything be leased that it does not know."""


class Worker:
    """Runs tasks. Implements ENG-056, ENG-157, ENG-244, PLG-012, PLG-024, OPS-127, BEY-004.

    Args:
        gateway: The door to the server.
        registry: The task types installed here.
        settings: How it behaves.
        clock: The machine's clock; corrected when the server's goes differently.
        worker_id: Its name; a fresh one by default.
        machinery: What its tasks run on; threads of this machine by default.
        tally: Counts what it does.
    """

    def __init__(
        self,
        gateway: WorkerGateway,
        registry: TypeRegistry,
        settings: WorkerSettings,
        clock: Clock | None = None,
        worker_id: str | None = None,
        machinery: Machinery | None = None,
        tally: WorkerTally | None = None,
    ) -> None:
        self.id = worker_id or new_id()
        self.abandoned = 0
        """How many threads were given up because their task ignored its end."""
        self._gateway = gateway
        self._settings = settings
        self._clock: Clock = clock or SystemClock()
        self._registry = registry
        self._machinery: Machinery = machinery or Threads()
        self._tally = tally or WorkerTally()
        self._tally.threads = settings.threads
        self._maskers = Maskers()
        self._instances = Instances(registry)
        self._attempts: dict[tuple[str, int], Attempt] = {}
        """Everything claimed and not over, by the key of its job."""
        self._may_have_lost_work = False
        """Whether a claim failed, which may have leased jobs to the worker all the same."""
        self._unsure: list[Attempt] = []
        """What would have begun, had it been sure that the worker still has its lease."""
        self._starting_over = asyncio.Lock()
        self._in_slots = 0
        self._changed = asyncio.Event()
        """Set when a slot has become free or an attempt is over."""
        self._stopping = asyncio.Event()
        self._hurry = asyncio.Event()
        self._outbox = Outbox(gateway)
        self._flusher: asyncio.TimerHandle | None = None

    # -- life

    async def run(self) -> None:
        """Work until `stop`, then end in good order."""
        loop = asyncio.get_running_loop()
        self._lease = Lease(loop.time, self._settings.sure_for)
        self._look_at = loop.time() + _LOOK_EVERY
        self._lease.confirm(await self._register(self.id))
        clock = await self._agreed_clock()
        self._host = Host(loop, self._gateway, self._settings, clock, self._maskers, self._registry, self._machinery)
        self._pool = self._machinery.pool(self._settings.threads, f"worker-{self.id[-6:]}")
        self._evaluations = Evaluations(self._host, self._machinery, f"worker-{self.id[-6:]}")
        self._lane: Lane[Attempt] = self._machinery.lane(
            loop, self._run_quick, self._quick_ended, f"worker-{self.id[-6:]}-quick"
        )
        sides = [
            asyncio.create_task(self._outbox.run(), name="worker-outbox"),
            asyncio.create_task(self._heartbeats(), name="worker-heartbeats"),
            asyncio.create_task(self._kills(), name="worker-kills"),
        ]
        main = asyncio.create_task(self._work(), name="worker-claims")
        try:
            done, _ = await asyncio.wait([main, *sides], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in (main, *sides):
                task.cancel()
            await asyncio.gather(main, *sides, return_exceptions=True)
            self._lose(list(self._attempts.values()))
            self._evaluations.close()
            self._lane.close()
            self._pool.close()
            if self._flusher is not None:
                self._flusher.cancel()
            await self._release(self.id)

    def stop(self) -> None:
        """Claim no more, let what runs finish within the grace period; a second call cuts that short."""
        if self._stopping.is_set():
            self._hurry.set()
        self._stopping.set()

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while not self._stopping.is_set():
            claimed_as = self.id
            self._start(await self._claim(claimed_as), claimed_as)
            if self._may_have_lost_work or loop.time() > self._look_at:
                self._look_at = loop.time() + _LOOK_EVERY
                self._start(await self._lost(claimed_as), claimed_as)
        await self._finish()

    async def _claim(self, claimed_as: str) -> Sequence[Assignment]:
        """Wait for work, for a free slot, or for the stop. Only a claim that leases nothing is given up for a slot."""
        self._changed.clear()
        free = max(0, self._settings.threads - self._in_slots)
        claim = asyncio.ensure_future(self._gateway.claim(claimed_as, free, self._settings.claim_wait))
        others = [asyncio.ensure_future(self._stopping.wait())]
        if not free:
            others.append(asyncio.ensure_future(self._changed.wait()))
        try:
            await asyncio.wait([claim, *others], return_when=asyncio.FIRST_COMPLETED)
            return await claim if claim.done() else ()
        except LeaseLost:
            await self._start_over(claimed_as)
        except UnavailableError as error:
            self._may_have_lost_work = True
            log.warning("no work can be claimed", action="worker.claim", worker=self.id, error=str(error))
            await _first_of(self._stopping, _PAUSE)
        finally:
            for waiting in (claim, *others):
                waiting.cancel()
        return ()

    async def _lost(self, known_as: str) -> Sequence[Assignment]:
        """Return what was leased and never arrived, as by a claim whose answer did not come back."""
        try:
            found = await self._gateway.lost(known_as, {*self._attempts, *self._evaluations.keys, *self._outbox.keys})
            self._may_have_lost_work = False
            return found
        except LeaseLost:
            await self._start_over(known_as)
        except UnavailableError as error:
            log.warning("lost work cannot be read", action="worker.claim", worker=self.id, error=str(error))
        return ()

    async def _finish(self) -> None:
        """Let what runs come to its end within the grace period, and hand in the reports."""
        self._drop_waiting()
        deadline = asyncio.get_running_loop().time() + self._settings.grace / SECOND
        hurry = asyncio.ensure_future(self._hurry.wait())
        self._evaluations.stop_listening()
        while (self._attempts or not self._evaluations.is_idle) and not hurry.done():
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                break
            self._changed.clear()
            changes = [
                asyncio.ensure_future(self._changed.wait()),
                asyncio.ensure_future(self._evaluations.changed()),
            ]
            await asyncio.wait([*changes, hurry], timeout=left, return_when=asyncio.FIRST_COMPLETED)
            for changed in changes:
                changed.cancel()
        hurry.cancel()
        left_over = list(self._attempts.values())
        if left_over:
            log.warning("running tasks are handed back", action="worker.stop", worker=self.id, count=len(left_over))
            threads = [attempt.thread for attempt in left_over]
            self._lose(left_over)
            self._pool.close()
            await self._machinery.join(threads, self._settings.abandon_after / SECOND)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._settings.abandon_after / SECOND):
                await self._outbox.flush()

    async def _register(self, worker_id: str) -> float:
        """Make the worker known, once the server answers; returns when it was asked to."""
        while True:
            asked = asyncio.get_running_loop().time()
            if self._stopping.is_set():
                return asked
            try:
                await self._gateway.register(worker_id, self._settings.group, self._settings.threads)
                break
            except UnavailableError as error:
                log.warning("worker waits for the server", action="worker.start", worker=worker_id, error=str(error))
                await _first_of(self._stopping, _PAUSE)
        log.info("worker ready", action="worker.start", worker=worker_id, threads=self._settings.threads)
        return asked

    async def _release(self, worker_id: str) -> None:
        """Hand everything back; a server that does not answer will notice the silence by itself."""
        try:
            await self._gateway.release(worker_id)
        except UnavailableError as error:
            log.warning("nothing could be handed back", action="worker.release", worker=worker_id, error=str(error))

    async def _agreed_clock(self) -> Clock:
        """Return a clock that agrees with the server's within half a second."""
        try:
            difference = await self._gateway.now() - self._clock.now()
        except UnavailableError:
            return self._clock
        if abs(difference) <= _CLOCK_TOLERANCE:
            return self._clock
        log.warning("clock differs from the server's", action="worker.clock", seconds=difference / SECOND)
        return _ShiftedClock(self._clock, difference)

    async def _start_over(self, known_as: str) -> None:
        """Begin under a new name: the server has given this worker up, and its jobs to others."""
        async with self._starting_over:
            if self.id != known_as:
                return  # another task of the worker has noticed first
            log.error(
                "worker was given up by the server", action="worker.lost", worker=self.id, running=len(self._attempts)
            )
            self._lease.end()
            lost = list(self._attempts.values())
            self._lose(lost)
            self._host.loop.call_later(self._settings.abandon_after / SECOND, self._leave, lost)
            self._evaluations.lose()
            await self._release(known_as)  # whatever was leased to the old name in the meantime
            name = new_id()
            asked = await self._register(name)
            self._lose(list(self._attempts.values()))  # what came under the old name meanwhile
            self.id = name
            self._lease.confirm(asked)
            self._may_have_lost_work = False

    # -- attempts

    def _start(self, assignments: Iterable[Assignment], claimed_as: str) -> None:
        if claimed_as != self.id:
            return  # given up since: they have been given to others
        quick: list[Attempt] = []
        for assignment in assignments:
            if assignment.job.key in self._attempts:
                continue
            if assignment.job.trigger_id is not None:
                self._evaluations.start(assignment, self.id)
                self._flush_later()
                continue
            try:
                instance = self._instances.get(assignment)
            except Exception as error:  # a task that cannot be built fails its attempt only
                instance = Instance(RejectedTask.because(error), assignment.definition, is_quick=True)
            if assignment.confidential:  # the server may have to be asked before the task runs
                instance = replace(instance, is_quick=False)
            attempt = Attempt(assignment, instance, self._host, self.id)
            self._attempts[attempt.key] = attempt
            self._tally.taken(assignment.job, self._host.clock.now())
            if instance.is_quick:
                quick.append(attempt)
            else:
                self._occupy_slot(attempt)
        if quick:
            self._lane.submit(quick)
        self._count(())

    def _count(self, reports: Sequence[Report]) -> None:
        """Keep count of what has come and what is over."""
        self._tally.reported(reports)
        self._tally.in_hand = len(self._attempts)
        self._tally.running = min(self._in_slots, self._settings.threads)

    def _occupy_slot(self, attempt: Attempt) -> None:
        self._in_slots += 1
        attempt.on_limit = self._on_limit
        self._host.loop.call_later(self._settings.announce_after / SECOND, self._announce, attempt)
        self._submit(attempt)

    def _submit(self, attempt: Attempt) -> None:
        def work() -> None:
            report = None
            if self._lease.is_sure:
                attempt.thread = threading.current_thread()
                report = attempt.run()
            _call_soon(self._host.loop, self._slot_ended, attempt, report)

        self._pool.submit(work)

    def _run_quick(self, attempt: Attempt) -> tuple[Attempt, Report | None]:
        return attempt, attempt.run() if self._lease.is_sure else None

    def _quick_ended(self, results: list[tuple[Attempt, Report | None]]) -> None:
        wanted = []
        for attempt, report in results:
            if self._attempts.get(attempt.key) is not attempt:
                continue
            if report is None:
                self._unsure.append(attempt)
            else:
                del self._attempts[attempt.key]
                wanted.append(report)
        self._changed.set()
        self._count(wanted)
        self._outbox.add(wanted)

    def _begin_unsure(self) -> None:
        """Begin what has waited for the lease to be confirmed, unless it was lost."""
        waiting, self._unsure = self._unsure, []
        left = [attempt for attempt in waiting if not attempt.is_over]
        self._lane.submit([attempt for attempt in left if attempt.instance.is_quick])
        for attempt in left:
            if not attempt.instance.is_quick:
                self._submit(attempt)

    def _slot_ended(self, attempt: Attempt, report: Report | None) -> None:
        attempt.thread = None
        if report is None:
            self._unsure.append(attempt)
            return
        if attempt.is_over:
            if attempt.given_up:
                log.warning(
                    "late result dropped", action="worker.late", task_run=attempt.key[0], attempt=attempt.key[1]
                )
            return
        self._over(attempt)
        self._count([report])
        self._outbox.add([report])

    def _over(self, attempt: Attempt) -> None:
        attempt.is_over = True
        attempt.context.log.close()
        if attempt.timer is not None:
            attempt.timer.cancel()
        if self._attempts.get(attempt.key) is attempt:
            del self._attempts[attempt.key]
        if not attempt.instance.is_quick:
            self._in_slots -= 1
        self._changed.set()

    def _announce(self, attempt: Attempt) -> None:
        """Report the start of an attempt that takes its time, and hand in its lines from now on."""
        if attempt.is_over or attempt.interruption is not None:
            return
        if not attempt.started:
            self._host.loop.call_later(self._settings.announce_after / SECOND, self._announce, attempt)
            return
        attempt.context.log.stream(True)
        self._outbox.add([attempt.announcement()])
        self._flush_later()

    def _flush_later(self) -> None:
        if self._flusher is None:
            self._flusher = self._host.loop.call_later(self._settings.flush_every / SECOND, self._flush)

    def _flush(self) -> None:
        """Hand in what announced attempts and evaluations have said; again as long as there are any.

        While the server does not take lines, theirs stay with them, and who writes too many is slowed down.
        """
        self._flusher = None
        announced = [attempt for attempt in self._attempts.values() if attempt.announced]
        if not self._outbox.is_behind:
            lines = [line for attempt in announced for line in attempt.context.log.take_lines()]
            metrics = [metric for attempt in announced for metric in attempt.context.log.take_metrics()]
            lines += self._evaluations.take_lines()
            if lines or metrics:
                self._outbox.add((), lines, metrics)
        if announced or not self._evaluations.is_idle:
            self._flush_later()

    # -- ends from outside

    def _on_limit(self, attempt: Attempt) -> None:
        _call_soon(self._host.loop, self._set_limit, attempt)

    def _set_limit(self, attempt: Attempt) -> None:
        if attempt.limit is not None and not attempt.is_over:
            seconds = max(0, attempt.limit) / SECOND
            attempt.timer = self._host.loop.call_later(seconds, self._interrupt, attempt, Interruption.TIMED_OUT)

    def _interrupt(self, attempt: Attempt, why: Interruption) -> None:
        """End an attempt from outside: tell its task, and give its thread up when it does not listen."""
        if attempt.is_over or attempt.interruption is not None:
            return
        attempt.interruption = why
        attempt.context.log.stream(False)
        self._run_apart(attempt.context.interrupt(), attempt.key[0])
        if attempt.thread is None and not attempt.instance.is_quick:
            self._abandon(attempt)
        elif not attempt.instance.is_quick:
            self._host.loop.call_later(self._settings.abandon_after / SECOND, self._abandon, attempt)

    def _abandon(self, attempt: Attempt) -> None:
        """Report an attempt whose task ignores its end, and let its thread be."""
        if attempt.is_over:
            return
        if attempt.thread is not None:
            self._pool.replace(attempt.thread)
            self.abandoned += 1
            attempt.given_up = True
            attempt.context.log.warning("the task does not end; its thread is left to itself")
            log.warning("thread given up", action="worker.abandon", task_run=attempt.key[0], abandoned=self.abandoned)
        attempt.context.log.return_lines()
        report = attempt.report(self._host.clock.now())
        self._over(attempt)
        self._count([report])
        self._outbox.add([report])

    def _lose(self, attempts: Iterable[Attempt]) -> None:
        """End attempts that belong to somebody else now; nothing is reported of them."""
        for attempt in attempts:
            self._over(attempt)
            attempt.interruption = Interruption.LOST
            self._run_apart(attempt.context.interrupt(), attempt.key[0])

    def _leave(self, lost: Iterable[Attempt]) -> None:
        """Give up the threads of lost attempts whose tasks ignore their end: what comes next needs them."""
        for attempt in lost:
            if attempt.thread is not None and not self._stopping.is_set():
                self._pool.replace(attempt.thread)
                self.abandoned += 1
                attempt.given_up = True

    def _drop_waiting(self) -> None:
        """Let go of attempts that no thread has begun."""
        for attempt in self._lane.take_back():
            attempt.interruption = Interruption.LOST
            self._over(attempt)
        self._lose([attempt for attempt in self._attempts.values() if not attempt.started and attempt.thread is None])

    def _run_apart(self, actions: Sequence[Callable[[], None]], name: str) -> None:
        """Run the actions that end a task beside everything else: they may wait for a process to go."""
        if actions:
            self._machinery.apart(lambda: in_turn(actions), f"end-{name}")

    # -- side tasks

    async def _heartbeats(self) -> None:
        while True:
            await asyncio.sleep(self._settings.heartbeat_every / SECOND)
            known_as, asked = self.id, self._host.loop.time()
            try:
                orders = await self._gateway.heartbeat(known_as)
                if known_as == self.id and not self._starting_over.locked():
                    self._lease.confirm(asked)
                    self._begin_unsure()
                    self._kill(orders)
            except LeaseLost:
                await self._start_over(known_as)
            except UnavailableError as error:
                log.warning("heartbeat not heard", action="worker.heartbeat", worker=self.id, error=str(error))

    async def _kills(self) -> None:
        while True:
            try:
                self._kill(await self._gateway.kills(self.id, self._settings.claim_wait))
            except LeaseLost:
                await asyncio.sleep(self._settings.heartbeat_every / SECOND)  # the heartbeat starts over
            except UnavailableError as error:
                log.warning("kill orders cannot be read", action="worker.kills", worker=self.id, error=str(error))
                await asyncio.sleep(_PAUSE)

    def _kill(self, orders: Iterable[tuple[str, int]]) -> None:
        for task_run_id, number in orders:
            attempt = self._attempts.get((task_run_id, number))
            if attempt is not None:
                self._interrupt(attempt, Interruption.KILLED)
            else:
                self._evaluations.kill((task_run_id, number))


class _ShiftedClock:
    """A clock with a correction."""

    def __init__(self, clock: Clock, difference: int) -> None:
        self._clock = clock
        self._difference = difference

    def now(self) -> Instant:
        """Return the present instant."""
        return self._clock.now() + self._difference


def _call_soon(loop: asyncio.AbstractEventLoop, function: Callable[..., None], *arguments: object) -> None:
    """Have the loop call a function; from a thread that may outlive the loop."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(function, *arguments)


async def _first_of(event: asyncio.Event, seconds: float) -> None:
    """Return when the event happens, or after some seconds."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
