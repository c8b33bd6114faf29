"""Starts, streams, timeouts, kills: what the loop does while tasks run."""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec

from penstock.base.clock import SECOND
from penstock.base.codec import to_json
from penstock.base.errors import UnavailableError
from penstock.engine.events import TaskEnded, TaskStarted
from penstock.engine.records import LogLine
from penstock.engine.states import StateType
from penstock.ports.gateway import Assignment
from penstock.sdk import RunContext
from penstock.services.worker.outbox import MANY_LINES
from penstock.testing.gateway import MemoryGateway
from tests.services.worker.conftest import Start
from tests.support.waiting import PATIENCE, eventually

SLEEP = "io.kestra.plugin.core.flow.Sleep"
RETURN = "io.kestra.plugin.core.debug.Return"


async def test_task_that_says_what_may_still_run_ends_unconfirmed(start: Start) -> None:
    """BEY-009."""
    async with start(threads=1) as bench:
        (end,) = await bench.run(bench.call(lambda context: context.unconfirmed("process 7 may run", "process 7")))
        (sure,) = await bench.run(bench.call(lambda _: None))
        assert (end.unconfirmed, sure.unconfirmed) == (True, False)
        assert (end.left, sure.left) == (("process 7",), ())
        assert "process 7 may run" in bench.gateway.messages


async def test_worker_long_task_is_reported_as_started_first(start: Start) -> None:
    async with start() as bench:
        await bench.run(bench.assignment(SLEEP, duration="PT0.15S"))
        started, ended = [report.event for report in bench.gateway.reports]
        assert isinstance(started, TaskStarted)
        assert isinstance(ended, TaskEnded)
        assert started.started == ended.started
        assert ended.ended - ended.started >= 0.15 * SECOND


async def test_worker_short_task_is_reported_once(start: Start) -> None:
    async with start(announce_after=5 * SECOND) as bench:
        await bench.run(bench.assignment(SLEEP, duration="PT0.01S"))
        assert [type(report.event) for report in bench.gateway.reports] == [TaskEnded]


async def test_worker_lines_of_a_running_task_are_stored_while_it_runs_and_in_order(start: Start) -> None:
    said = threading.Event()

    def talk(context: RunContext) -> None:
        for number in range(50):
            context.logger.info(f"before {number}")
        context.counter("rows", 1)
        said.wait(PATIENCE)
        for number in range(50):
            context.logger.info(f"after {number}")

    async with start() as bench:
        await bench.gateway.offer(bench.call(talk))
        await eventually(lambda: len(bench.gateway.lines) >= 50 and bench.gateway.metric_list)
        assert not bench.gateway.ends
        said.set()
        await bench.gateway.settled(1)
        assert bench.gateway.messages == [f"{when} {n}" for when in ("before", "after") for n in range(50)]


async def test_worker_task_that_logs_faster_than_lines_are_stored_is_slowed_down(start: Start) -> None:
    def flood(context: RunContext) -> None:
        time.sleep(0.1)
        for number in range(30_000):
            context.logger.info(str(number))

    async with start() as bench:
        await bench.run(bench.call(flood))
        assert bench.gateway.messages == [str(number) for number in range(30_000)]


async def test_worker_task_that_logs_while_the_server_takes_no_lines_is_slowed_down(start: Start) -> None:
    class Absent(MemoryGateway):
        batches: list[int]

        async def logs(self, lines: Sequence[LogLine]) -> None:
            self.batches.append(len(lines))
            if len(self.batches) < 4:
                raise UnavailableError("the server does not answer")
            await super().logs(lines)

    def flood(context: RunContext) -> None:
        time.sleep(0.1)
        for number in range(60_000):
            context.logger.info(str(number))

    gateway = Absent()
    gateway.batches = []
    async with start(gateway=gateway) as bench:
        await bench.run(bench.call(flood))
        assert bench.gateway.messages == [str(number) for number in range(60_000)]
        held = 10_000  # by the task; more than the worker should hold it does not take
        assert max(gateway.batches) < MANY_LINES + held


async def test_worker_message_of_a_hundred_megabytes_is_cut_with_a_note(start: Start) -> None:
    async with start(message_bound=1000) as bench:
        await bench.run(bench.call(lambda context: context.logger.info("x" * 100_000_000)))
        (message,) = bench.gateway.messages
        assert message == "x" * 1000 + "... (99999000 more characters were cut)"


async def test_worker_timeout_passed_stops_the_task_and_fails_the_attempt(start: Start) -> None:
    """ENG-244."""
    async with start() as bench:
        begun = time.monotonic()
        (end,) = await bench.run(bench.assignment(SLEEP, duration="PT10M", timeout="PT0.05S"))
        assert time.monotonic() - begun < PATIENCE
        assert end.state is StateType.FAILED
        assert "longer than its timeout of PT0.05S" in end.error
        assert end.retryable
        assert bench.worker.abandoned == 0


async def test_worker_timeout_from_an_expression_is_rendered(start: Start) -> None:
    """ENG-244."""
    async with start() as bench:
        (end,) = await bench.run(bench.assignment(SLEEP, {"t": "PT0.05S"}, duration="PT10M", timeout="{{ t }}"))
        assert "timeout of {{ t }}" in end.error


async def test_worker_timeout_not_reached_changes_nothing(start: Start) -> None:
    async with start() as bench:
        ends = await bench.run(
            bench.assignment(SLEEP, duration="PT0.01S", timeout="PT1H"),
            bench.assignment(RETURN, format="x", timeout="PT1H"),
        )
        assert [end.state for end in ends] == [StateType.SUCCESS] * 2


async def test_worker_timeout_that_is_no_duration_fails_the_attempt(start: Start) -> None:
    async with start() as bench:
        (end,) = await bench.run(bench.assignment(RETURN, format="x", timeout="soon"))
        assert "`soon` is not a duration" in end.error


async def test_worker_kill_ordered_ends_the_task_as_killed(start: Start) -> None:
    """ENG-157."""
    async with start() as bench:
        job = bench.assignment(SLEEP, duration="PT10M")
        await bench.gateway.offer(job)
        await eventually(lambda: bench.gateway.reports)
        await bench.gateway.order_kill(job.job)
        (end,) = await bench.gateway.settled(1)
        assert (end.state, end.error, end.unconfirmed) == (StateType.KILLED, None, False)


async def test_worker_kill_of_a_task_that_waits_for_a_thread_is_reported_at_once(start: Start) -> None:
    release = threading.Event()
    ran = []
    async with start(threads=1) as bench:
        gateway: Any = bench.gateway
        await gateway.offer(bench.call(lambda _: release.wait(PATIENCE) and None))
        await eventually(lambda: gateway.reports)
        waiting = bench.call(lambda _: ran.append(1))
        bench.worker._start([waiting], bench.worker.id)  # as a worker that was handed more than it has threads
        bench.worker._kill([waiting.job.key])
        (end,) = await gateway.settled(1)
        assert (end.task_run_id, end.state) == (waiting.job.task_run_id, StateType.KILLED)
        release.set()
        await gateway.settled(2)
        assert not ran


async def test_worker_task_that_ignores_its_kill_is_given_up_and_its_slot_comes_back(start: Start) -> None:
    """BEY-004, BEY-009."""
    release = threading.Event()
    over = threading.Event()

    def stubborn(_: RunContext) -> dict[str, int]:
        release.wait(PATIENCE)
        over.set()
        return {"late": 1}

    async with start(threads=1) as bench:
        job = bench.call(stubborn)
        await bench.gateway.offer(job)
        await eventually(lambda: bench.gateway.reports)
        await bench.gateway.order_kill(job.job)
        (end,) = await bench.gateway.settled(1)
        assert (end.state, end.unconfirmed) == (StateType.KILLED, True)
        assert bench.worker.abandoned == 1
        assert "the task does not end; its thread is left to itself" in bench.gateway.messages
        (after,) = await bench.run(bench.call(lambda _: {"a": 1}))
        assert after.outputs == {"a": 1}
        release.set()
        await asyncio.to_thread(over.wait, PATIENCE)
        await bench.run(bench.call(lambda _: None))
        assert sum(1 for end in bench.gateway.ends if end.task_run_id == job.job.task_run_id) == 1


async def test_worker_quick_task_that_computes_for_long_holds_up_only_itself(start: Start) -> None:
    release = threading.Event()
    async with start() as bench:
        slow = bench.call(lambda _: release.wait(PATIENCE) and None, "test.QuickCall")
        await bench.gateway.offer(slow)
        ends = await bench.run(*(bench.assignment(RETURN, format=str(n)) for n in range(10)))
        assert [end.outputs["value"] for end in ends] == [str(n) for n in range(10)]
        release.set()
        await bench.gateway.settled(11)


async def test_worker_end_action_that_fails_does_not_keep_others_from_running(start: Start) -> None:
    ended = threading.Event()

    def run(context: RunContext) -> None:
        context.on_kill(ended.set)

        def broken() -> None:
            raise OSError("no such process")

        context.on_kill(broken)
        ended.wait(PATIENCE)

    async with start(abandon_after=10 * SECOND) as bench:
        (end,) = await bench.run(bench.call(run, timeout="PT0.03S"))
        assert end.state is StateType.FAILED
        assert ended.is_set()


async def test_worker_working_directory_is_private_and_removed_at_the_end(start: Start) -> None:
    """SCR-018, ENG-057."""
    folders = []

    def write(context: RunContext) -> None:
        folder = context.working_directory
        assert list(folder.iterdir()) == []
        (folder / "file.txt").write_text("x")
        folders.append(folder)
        if len(folders) == 2:
            raise ValueError("with a file left behind")

    async with start() as bench:
        await bench.run(bench.call(write), bench.call(write))
        assert len(set(folders)) == 2
        assert not any(folder.exists() for folder in folders)


class Unreliable(MemoryGateway):
    """Does not answer every other time."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: Counter[str] = Counter()

    def _maybe(self, what: str) -> None:
        self.calls[what] += 1  # each by itself, or heartbeats might take all the answers
        if self.calls[what] % 2:
            raise UnavailableError("the database is away")

    async def report(self, reports: Any) -> None:
        self._maybe("report")
        await super().report(reports)

    async def logs(self, lines: Any) -> None:
        self._maybe("logs")
        await super().logs(lines)

    async def heartbeat(self, worker_id: str) -> Any:
        self._maybe("heartbeat")
        return await super().heartbeat(worker_id)


async def test_worker_server_away_for_a_while_loses_no_report_and_no_line(start: Start) -> None:
    async with start(gateway=Unreliable()) as bench:
        for number in range(5):
            await bench.run(bench.assignment(RETURN, format=str(number)))

        def talk(context: RunContext) -> None:
            for number in range(20):
                context.logger.info(str(number))
                time.sleep(0.01)

        await bench.run(bench.call(talk))
        assert len(bench.gateway.ends) == 6
        assert bench.gateway.messages == [str(number) for number in range(20)]


class Picky(MemoryGateway):
    """Cannot store a certain result."""

    async def report(self, reports: Any) -> None:
        for report in reports:
            if isinstance(report.event, TaskEnded) and report.event.outputs == {"value": "poison"}:
                raise ValueError("cannot be stored")
        await super().report(reports)


async def test_worker_result_that_cannot_be_stored_fails_its_task_and_holds_up_nobody(start: Start) -> None:
    async with start(gateway=Picky(), threads=10) as bench:
        ends = await bench.run(*(bench.assignment(RETURN, format=text) for text in ("a", "poison", "b")))
        assert [end.state for end in ends] == [StateType.SUCCESS, StateType.FAILED, StateType.SUCCESS]
        assert ends[1].error == "the result of the task could not be stored: ValueError"
        assert msgspec.json.decode(to_json(ends[1]), type=TaskEnded) == ends[1]  # what is told can be read


async def test_worker_given_up_by_the_server_drops_what_it_runs_and_registers_anew(start: Start) -> None:
    """OPS-124."""
    runs: list[RunContext] = []
    release = threading.Event()

    def run(context: RunContext) -> dict[str, int]:
        runs.append(context)
        if len(runs) == 1:
            release.wait(PATIENCE)
        return {"run": len(runs)}

    async with start() as bench:
        await bench.gateway.offer(bench.call(run))
        await eventually(lambda: runs)
        before = bench.worker.id
        await bench.gateway.give_up(before)
        (end,) = await bench.gateway.settled(1)
        release.set()
        assert bench.worker.id != before
        assert end.worker_id == bench.worker.id
        assert end.outputs == {"run": 2}
        assert runs[0].is_killed


async def test_worker_given_up_by_the_server_does_not_wait_for_a_task_that_ignores_its_end(start: Start) -> None:
    """OPS-124: the thread of what is lost is given up, so that what comes next has one."""
    release = threading.Event()
    runs: list[RunContext] = []

    def stubborn(context: RunContext) -> None:
        runs.append(context)
        if len(runs) == 1:
            release.wait(PATIENCE)

    async with start(threads=1) as bench:
        await bench.gateway.offer(bench.call(stubborn))
        await eventually(lambda: runs)
        await bench.gateway.give_up(bench.worker.id)
        (end,) = await bench.gateway.settled(1)
        assert end.state is StateType.SUCCESS
        assert bench.worker.abandoned == 1
        release.set()


class LosingGateway(MemoryGateway):
    """Loses the answer of the first claim that leases something."""

    has_lost = False

    async def claim(self, worker_id: str, limit: int, wait: int) -> Sequence[Assignment]:
        taken = await super().claim(worker_id, limit, wait)
        if taken and not self.has_lost:
            self.has_lost = True
            raise UnavailableError("the connection broke while the answer was on its way")
        return taken


async def test_worker_job_of_a_claim_whose_answer_got_lost_is_run_once(start: Start) -> None:
    gateway = LosingGateway()
    async with start(gateway=gateway) as bench:
        (ended,) = await bench.run(bench.assignment(RETURN, format="here"))
        assert gateway.has_lost
        assert ended.outputs == {"value": "here"}
        assert len(gateway.ends) == 1


class Unheard(MemoryGateway):
    """Hears no heartbeat for a while."""

    is_deaf = False

    async def heartbeat(self, worker_id: str) -> Sequence[tuple[str, int]]:
        if self.is_deaf:
            raise UnavailableError("cut off")
        return await super().heartbeat(worker_id)


async def test_worker_that_was_not_heard_for_long_begins_nothing_until_it_is_heard_again(start: Start) -> None:
    """BEY-001: its jobs may have been given to others meanwhile."""
    gateway = Unheard()
    async with start(gateway=gateway, sure_for=SECOND // 4) as bench:
        await bench.run(bench.call(lambda _: None))
        gateway.is_deaf = True
        await eventually(lambda: not bench.worker._lease.is_sure)
        await gateway.offer(bench.call(lambda _: None), bench.call(lambda _: None, "test.QuickCall"))
        await eventually(lambda: len(bench.worker._unsure) == 2)
        assert len(gateway.ends) == 1
        gateway.is_deaf = False
        ends = await gateway.settled(3)
        assert {end.state for end in ends} == {StateType.SUCCESS}


async def test_worker_given_up_before_what_it_holds_has_begun_never_begins_it(start: Start) -> None:
    """BEY-001."""
    gateway = Unheard()
    ran: list[str] = []
    async with start(gateway=gateway, sure_for=SECOND // 4) as bench:
        first = bench.worker.id
        await bench.run(bench.call(lambda _: None))
        gateway.is_deaf = True
        await eventually(lambda: not bench.worker._lease.is_sure)
        job = bench.call(lambda context: ran.append(str(context.worker_id)))  # type: ignore[attr-defined]
        await gateway.offer(job)
        await eventually(lambda: bench.worker._unsure)
        await gateway.give_up(first)
        gateway.is_deaf = False
        _, end = await gateway.settled(2)
        assert ran == [end.worker_id] == [bench.worker.id]
        assert bench.worker.id != first
