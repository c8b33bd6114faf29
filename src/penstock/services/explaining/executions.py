"""Why an execution does not go on.

The reasons come from the rows that will move it (`penstock.engine.waiting`); here they are put into words, with what
is known of the workers, slots and executions behind them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from penstock.base.clock import Clock
from penstock.base.errors import NotFoundError, PenstockError
from penstock.engine.records import Execution, TaskRun
from penstock.engine.states import StateType
from penstock.engine.waiting import Reason, Situation, Wait, is_over, waits
from penstock.ports.jobs import JobQueue, WorkerInfo
from penstock.ports.journal import Journal
from penstock.ports.waiting import WaitReads
from penstock.services.executions.following import missing_execution
from penstock.services.executor.limits import Gate, Limits
from penstock.services.explaining.blockers import Blocker, Explanation, at, waited, waited_in_words
from penstock.services.explaining.workers import for_a_worker
from penstock.services.flows import FlowCatalog

_DEPTH = 5
"""How many executions in a row, each waiting for the next, are looked at."""
_MOST = 20
"""How many blockers, and how many holders of slots, are told of."""


class ExecutionExplainer:
    """Tells what executions and task runs wait for. Implements BEY-002.

    Args:
        reads: Reads executions with all that may move them.
        jobs: Tells who works.
        journal: Tells which executions have slots.
        catalog: Flows ready to run.
        limits: The limits of the configuration.
        clock: The present.
    """

    def __init__(
        self, reads: WaitReads, jobs: JobQueue, journal: Journal, catalog: FlowCatalog, limits: Limits, clock: Clock
    ) -> None:
        self._reads = reads
        self._jobs = jobs
        self._journal = journal
        self._catalog = catalog
        self._limits = limits
        self._clock = clock

    async def execution(self, tenant: str, execution_id: str) -> Explanation:
        """Return what an execution waits for, and has waited for.

        Raises:
            NotFoundError: There is none.
        """
        situation = await self._situation(execution_id)
        if situation is None or situation.execution.tenant != tenant:
            raise missing_execution(execution_id)
        return await self._explained(situation, waits(situation), "execution", execution_id)

    async def task_run(self, tenant: str, task_run_id: str) -> Explanation:
        """Return what a task run of a live execution waits for.

        Raises:
            NotFoundError: There is none.
        """
        execution_id = await self._reads.execution_of(task_run_id)
        situation = await self._situation(execution_id) if execution_id is not None else None
        if situation is None or situation.execution.tenant != tenant:
            raise NotFoundError(
                f"no execution that has not ended has a task run {task_run_id}", hint="ask about the execution instead"
            )
        inside = {task_run_id}
        for run in situation.task_runs:  # those around come before those inside
            if run.parent_id in inside:
                inside.add(run.id)
        found = tuple(one for one in waits(situation) if one.task_run_id is None or one.task_run_id in inside)
        return await self._explained(situation, found, "taskrun", task_run_id)

    async def _situation(self, execution_id: str) -> Situation | None:
        return (await self._reads.situations([execution_id])).get(execution_id)

    async def _explained(self, situation: Situation, found: Sequence[Wait], kind: str, asked: str) -> Explanation:
        execution = situation.execution
        runs = situation.task_runs
        state = execution.state.current.value
        if kind == "taskrun":
            runs = [run for run in runs if run.id == asked]
            state = runs[0].state.current.value if runs else state
        lengths = waited(execution, runs, self._clock.now())
        told = waited_in_words(lengths)
        blockers = await self._blockers(situation, found, _DEPTH)
        if blockers:
            others = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
            sentence = _deepest(blockers[0]) + others
        elif is_over(execution):
            end = execution.state.histories[-1].date
            sentence = f"It ended {state} at {at(end)}" + (f"; it {told}" if told else "") + _unconfirmed(runs)
        else:
            sentence = "It waits for nothing of its own"
        return Explanation(kind, asked, state, sentence, blockers, lengths)

    async def _blockers(self, situation: Situation, found: Sequence[Wait], depth: int) -> list[Blocker]:
        """Return blockers; what keeps everything from going on comes first."""
        if not found:
            return []
        workers = await self._jobs.workers()
        blockers = []
        if await self._reads.decided_until(situation.execution.id) <= self._clock.now():
            sentence = "No executor is running, so nothing is decided"
            blockers.append(Blocker("EXECUTOR", sentence, "start a server with an executor"))
        for wait in found[:_MOST]:
            blocker = await self._blocker(situation, wait, workers, depth)
            blockers.append(
                replace(blocker, since=wait.since, until=wait.until, task_id=wait.task_id, task_run_id=wait.task_run_id)
            )
        return blockers

    async def _blocker(self, situation: Situation, wait: Wait, workers: Sequence[WorkerInfo], depth: int) -> Blocker:
        task = f"task `{wait.task_id}`"
        match wait.reason:
            case Reason.EVENT:
                number = situation.events
                events = "an event" if number == 1 else f"{number} events"
                return Blocker(wait.reason, f"The executor has {events} of it to decide on")
            case Reason.DATE:
                return Blocker(wait.reason, f"It begins at {at(wait.until or 0)}", "force it to run to begin now")
            case Reason.SLOT:
                return await self._slot(situation.execution)
            case Reason.WORKER:
                assert wait.job is not None
                return await for_a_worker(f"Task `{wait.task_id}`", wait.job.job, workers, self._reads)
            case Reason.TASK:
                told = any(
                    run.id == wait.task_run_id and run.state.current is StateType.KILLING for run in situation.task_runs
                )
                return _running(wait, workers, is_told=told)
            case Reason.RETRY:
                return Blocker(wait.reason, f"Attempt {wait.attempt} of {task} begins at {at(wait.until or 0)}")
            case Reason.TIMER:
                return Blocker(wait.reason, f"It goes on with {task} at {at(wait.until or 0)}")
            case Reason.PAUSE:
                where = f"It is paused at {task}" if wait.task_id else f"{_who(situation)} has paused it"
                return Blocker(wait.reason, f"{where} since {at(wait.since)}", "resume it")
            case Reason.BREAKPOINT:
                sentence = f"It has stopped at a breakpoint at {at(wait.since)}"
                return Blocker(wait.reason, sentence, "resume it from the breakpoint")
            case Reason.CHILD:
                return await self._child(situation, wait, depth)
            case Reason.NOTHING:
                where = f" at {task}" if wait.task_id else ""
                sentence = f"Nothing moves it on{where}; the auditor repairs that within two minutes"
                return Blocker(wait.reason, sentence, "restart or kill it if that does not help, and report it")

    async def _slot(self, execution: Execution) -> Blocker:
        key = (execution.tenant, execution.namespace, execution.flow_id)
        try:
            flow = await self._catalog.resolved(*key)
        except PenstockError:
            flow = None
        gates = self._limits.gates(self._limits.lane(execution), flow)
        occupied = await self._journal.occupancy(*key)
        running, queued = occupied.running, occupied.queued
        place = queued.index(execution.id) + 1 if execution.id in queued else 1
        limits = " and ".join(_gate_in_words(gate) for gate in gates) or "a limit that is gone"
        holders = f"; held by {', '.join(running[:_MOST])}" if running else ""
        sentence = f"It waits for a slot: {limits}{holders}; it is number {place} of {len(queued)} in the queue"
        action = "raise the limit, kill an execution that runs, or take this one out of the queue (unqueue)"
        return Blocker(Reason.SLOT, sentence, action, executions=tuple(running[:_MOST]))

    async def _child(self, situation: Situation, wait: Wait, depth: int) -> Blocker:
        child = situation.children[wait.child_id or ""]
        sentence = f"Task `{wait.task_id}` waits for execution {child.id}, which is {child.state}"
        inner = await self._situation(child.id) if depth else None
        because = await self._blockers(inner, waits(inner), depth - 1) if inner is not None else []
        return Blocker(wait.reason, sentence, executions=(child.id,), because=because)


def _running(wait: Wait, workers: Sequence[WorkerInfo], *, is_told: bool) -> Blocker:
    """Return who runs an attempt; one that has been told to end it need not be told again."""
    assert wait.job is not None
    owner = wait.job.owner
    worker = next((one for one in workers if one.id == owner), None)
    attempt = f"attempt {wait.attempt} of task `{wait.task_id}`"
    if worker is None:
        return Blocker(wait.reason, f"The worker of {attempt} is gone; another gets the task soon")
    ends = "has been told to end" if is_told else "runs"
    sentence = (
        f"Worker {worker.id} on {worker.hostname} {ends} {attempt} since {at(wait.since)}; "
        f"it was last heard of at {at(worker.heartbeat)}"
    )
    return Blocker(wait.reason, sentence, "" if is_told else "kill the execution to stop it")


def _unconfirmed(runs: Sequence[TaskRun]) -> str:
    """Return in words what of an execution may still run though it has ended (BEY-009)."""
    found = [(run, attempt) for run in runs for attempt in run.attempts if attempt.unconfirmed]
    if not found:
        return ""
    run, attempt = found[0]
    where = f" on worker {attempt.worker_id}" if attempt.worker_id is not None else ""
    others = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    named = f": {', '.join(attempt.left)}" if attempt.left else ""
    return f"; it is unconfirmed that what task `{run.task_id}` ran{where} has stopped{named}{others}"


def _gate_in_words(gate: Gate) -> str:
    name = (": " if gate.kind == "label" else ".").join(gate.name[1:])
    return f"{gate.kind} {name} lets {gate.limit} run at a time"


def _deepest(blocker: Blocker) -> str:
    """Return a blocker in words, with what is behind it at the end."""
    if not blocker.because:
        return blocker.sentence
    return f"{blocker.sentence}: {_deepest(blocker.because[0])}"


def _who(situation: Situation) -> str:
    """Return who has paused an execution."""
    return str(situation.execution.cursor.memory.get("by") or "Somebody")
