"""The auditor: looks for executions that nothing will ever move on, and gets them going again.

Everything an execution needs next is stored with the decision that makes it wait, so there should be none. Where there
is one all the same (a fault of ours, a database restored in part, rows removed by hand) it is repaired by what would
have moved it: its job is queued again, or the event it missed is sent to its inbox. An execution whose own records
contradict each other fails and says so; a restart runs it again. Implements BEY-001.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

import msgspec
import structlog

from penstock.base.clock import SECOND, Clock, Micros
from penstock.base.errors import PenstockError, UnavailableError
from penstock.engine.confidential import handed_on
from penstock.engine.decision import Job, Message
from penstock.engine.ending import open_attempt
from penstock.engine.events import AnyEvent, ChildEnded, Created, GiveUp, TaskEnded, TimerDue
from penstock.engine.records import TaskRun
from penstock.engine.states import StateType
from penstock.engine.turn import job_of
from penstock.engine.waiting import Situation, Wait, adrift
from penstock.ports.jobs import JobQueue
from penstock.ports.journal import COUNTED, PARTITIONS, Batch, Journal, LeaseLost, partition_of
from penstock.ports.notifier import Notifier
from penstock.ports.settings import SettingsStore
from penstock.ports.waiting import WaitReads
from penstock.services.audit import Audit, Finding, audit_of, save_audit
from penstock.services.executor.fairness import priority_of
from penstock.services.executor.flow_source import FlowSource

log = structlog.get_logger(__name__)
PERIOD = 60.0
"""Seconds between two audits."""
GRACE = 60 * SECOND
"""How old an execution must be to be looked at."""
SECOND_LOOK = 3.0
"""Seconds after which what seems adrift must still be where it was."""
_PAGE = 200


class Auditor:
    """Audits all executions, where the executor of this process is the one that counts: there is one such.

    Args:
        reads: Tells what moves executions.
        journal: Takes repairs.
        notifier: Wakes whoever carries them out.
        flows: Tells what job a task run needs.
        settings: Keeps the last audit.
        clock: The present.
        leases: The partitions held now, with their tokens.
        name: The executor's name.
        queue: Drops jobs that no live execution needs.
        grace: How old an execution must be to be looked at.
        second_look: Seconds after which what seems adrift is looked at again.
    """

    def __init__(
        self,
        reads: WaitReads,
        journal: Journal,
        notifier: Notifier,
        flows: FlowSource,
        settings: SettingsStore,
        clock: Clock,
        leases: Callable[[], Mapping[int, int]],
        name: str,
        *,
        queue: JobQueue,
        grace: Micros = GRACE,
        second_look: float = SECOND_LOOK,
    ) -> None:
        self._reads = reads
        self._journal = journal
        self._notifier = notifier
        self._flows = flows
        self._settings = settings
        self._clock = clock
        self._leases = leases
        self._name = name
        self._queue = queue
        self._grace = grace
        self._second_look = second_look
        self.orphans = 0
        """How many executions this process has found adrift (`penstock_orphans_total`)."""

    async def run(self) -> None:
        """Audit every minute, until cancelled."""
        while True:
            await asyncio.sleep(PERIOD)
            try:
                await self.audit()
            except (UnavailableError, LeaseLost) as error:
                log.warning("not audited", action="executor.audit", error=str(error))

    async def audit(self) -> Audit | None:
        """Look once; returns what was found, or None where another one audits."""
        if COUNTED not in self._leases():
            return None
        looked_at, suspected = await self._suspected()
        findings: list[Finding] = []
        if suspected:
            await asyncio.sleep(self._second_look)
            findings = await self._repair_all(suspected)
        findings += await self._strays()
        self.orphans += len({one.execution_id for one in findings})
        before = await audit_of(self._settings)
        audit = before.after(self._clock.now(), self._name, looked_at, findings)
        await save_audit(self._settings, audit)
        return audit

    async def _suspected(self) -> tuple[int, dict[str, Sequence[Wait]]]:
        """Return how many executions were looked at closely, and those that seem adrift."""
        before = self._clock.now() - self._grace
        looked_at, found, after = 0, dict[str, Sequence[Wait]](), ""
        while page := await self._reads.suspects(range(PARTITIONS), before, after, _PAGE):
            looked_at, after = looked_at + len(page), page[-1]
            found |= _adrift(await self._reads.situations(page))
        return looked_at, found

    async def _repair_all(self, suspected: Mapping[str, Sequence[Wait]]) -> list[Finding]:
        """Repair what is still where it was."""
        situations = await self._reads.situations(list(suspected))
        findings = []
        for execution_id, waits in _adrift(situations).items():
            if waits == suspected[execution_id]:
                findings += [await self._repair(situations[execution_id], wait) for wait in waits]
        return findings

    async def _strays(self) -> list[Finding]:
        """Drop the jobs of executions that have ended."""
        now = self._clock.now()
        findings = []
        for job, state in await self._queue.drop_strays(now - self._grace):
            log.error("job without an execution", action="executor.audit", execution=job.execution_id, task=job.task_id)
            about = (job.execution_id, job.namespace, job.flow_id, state or "GONE", "dropped its job")
            findings.append(Finding(now, *about, job.task_id, job.task_run_id))
        return findings

    async def _repair(self, situation: Situation, wait: Wait) -> Finding:
        """Give an execution what moves it on."""
        execution = situation.execution
        run = next((one for one in situation.task_runs if one.id == wait.task_run_id), None)
        event, repair = await self._missed(situation, wait, run)
        if event is None:
            assert run is not None
            try:
                await self._queue_again(situation, run)
            except PenstockError as error:
                if isinstance(error, UnavailableError | LeaseLost):
                    raise
                event, repair = GiveUp(f"A lost job cannot be made again: {error}"), "failed it"
        if event is not None:
            await self._journal.send([Message(execution.id, event)])
            await self._notifier.publish("messages", [str(partition_of(execution.id))])
        finding = Finding(
            date=self._clock.now(),
            execution_id=execution.id,
            namespace=execution.namespace,
            flow_id=execution.flow_id,
            state=execution.state.current.value,
            task_id=wait.task_id,
            task_run_id=wait.task_run_id,
            repair=repair,
        )
        log.error("execution adrift", action="executor.audit", execution=execution.id, task=wait.task_id, repair=repair)
        return finding

    async def _missed(self, situation: Situation, wait: Wait, run: TaskRun | None) -> tuple[AnyEvent | None, str]:
        """Return the event that an execution waits for in vain, and what it does; none where a job is missing."""
        execution = situation.execution
        now = self._clock.now()
        if run is None:
            if execution.state.current is StateType.CREATED:
                return Created(), "let it begin"
            return _contradiction(), "failed it"
        if wait.child_id is not None:
            return await self._end_of_child(situation, wait, run), "told it of the end of its child"
        state = run.state.current
        if run.cursor is None and state is StateType.KILLING:
            return TaskEnded(run.id, open_attempt(run), StateType.KILLED, now, now), "ended its task run"
        if state is StateType.RETRYING:
            return TimerDue("retry", run.id, len(run.attempts) + 1), "began the next attempt"
        if run.cursor is None and state in (StateType.SUBMITTED, StateType.RUNNING, StateType.RESUBMITTED):
            return None, "queued its job again"
        return _contradiction(), "failed it"

    async def _end_of_child(self, situation: Situation, wait: Wait, run: TaskRun) -> ChildEnded:
        assert wait.child_id is not None
        child = situation.children.get(wait.child_id)
        loaded = (await self._journal.load([child.id])).get(child.id) if child is not None else None
        if loaded is None:
            reason = f"Execution {wait.child_id}, which it waited for, does not exist"
            return ChildEnded(run.id, wait.child_id, StateType.FAILED, iteration=wait.iteration, error=reason)
        ended = loaded.execution
        return ChildEnded(
            run.id,
            wait.child_id,
            ended.state.current,
            ended.outputs,
            wait.iteration,
            confidential=handed_on(ended),
        )

    async def _queue_again(self, situation: Situation, run: TaskRun) -> None:
        """Store the job of an attempt again. A worker asks whether it may run, so one that has ended stays ended."""
        execution = situation.execution
        flow = await self._flows.resolved(
            execution.tenant, execution.namespace, execution.flow_id, execution.flow_revision
        )
        task = flow.tasks.get(run.task_id)
        if task is None:
            raise PenstockError(f"the flow has no task {run.task_id}")
        job: Job = job_of(execution, run, task, open_attempt(run), flow.revision, self._clock.now())
        job = msgspec.structs.replace(job, priority=priority_of(execution))  # it has waited: its turn is the first
        fences = {COUNTED: self._leases().get(COUNTED, 0)}  # whoever audits now; the execution itself is not written
        await self._journal.commit(Batch(jobs={job.key: (job, None)}, fences=fences))
        await self._notifier.publish("jobs", [job.worker_group])


def _adrift(situations: Mapping[str, Situation]) -> dict[str, Sequence[Wait]]:
    return {key: waits for key, one in situations.items() if (waits := adrift(one))}


def _contradiction() -> GiveUp:
    return GiveUp("The records of the execution contradict each other: nothing would ever have moved it on")
