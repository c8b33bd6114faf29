"""One attempt of a task run, from the assignment to its report. Runs in a thread, supervised from the loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import Enum
from typing import Any, cast

import msgspec
import structlog

from penstock.base.clock import Instant, Micros
from penstock.base.durations import parse_duration
from penstock.engine.events import TaskEnded, TaskStarted
from penstock.engine.states import StateType
from penstock.ports.gateway import Assignment, Report
from penstock.sdk.errors import PluginError
from penstock.services.outcome import Failure, failure_of
from penstock.services.worker.assets import record_assets
from penstock.services.worker.cached import run_task
from penstock.services.worker.context import WorkerRunContext
from penstock.services.worker.host import Host
from penstock.services.worker.instances import Instance

log = structlog.get_logger(__name__)


class Interruption(Enum):
    """Why an attempt is ended from outside."""

    KILLED = "killed"
    TIMED_OUT = "timed out"
    LOST = "lost"
    """The worker stops, or has lost its lease: the attempt belongs to somebody else, and nothing is reported."""


class TimedOut(PluginError):
    """The attempt took longer than the task's `timeout`."""

    code = "TIMED_OUT"
    hint = "give it more time, or see why it takes so long"


class Attempt:
    """One attempt. `run` is called once, in a thread; everything else on the loop."""

    __slots__ = (
        "announced",
        "assignment",
        "context",
        "given_up",
        "instance",
        "interruption",
        "is_over",
        "limit",
        "on_limit",
        "started",
        "thread",
        "timer",
        "worker_id",
    )

    def __init__(self, assignment: Assignment, instance: Instance, host: Host, worker_id: str) -> None:
        self.assignment = assignment
        self.instance = instance
        self.worker_id = worker_id
        self.context = WorkerRunContext(assignment, host, instance.task, log_to_file=instance.task.log_to_file)
        self.context.worker_id = worker_id
        self.started: Instant = 0
        """When its thread began it; 0 while it waits for one."""
        self.thread: threading.Thread | None = None
        self.announced = False
        self.interruption: Interruption | None = None
        self.is_over = False
        """Set on the loop when the attempt has been reported or given up."""
        self.given_up = False
        """Whether its thread was left to itself."""
        self.timer: asyncio.TimerHandle | None = None
        """Enforces the limit."""
        self.limit: Micros | None = None
        self.on_limit: Callable[[Attempt], None] | None = None
        """Told from the attempt's thread that `limit` is known now."""

    @property
    def key(self) -> tuple[str, int]:
        """The natural key of its job."""
        return self.assignment.job.key

    def run(self) -> Report:
        """Run the task and return the report of its end; never raises."""
        try:
            return self._with_log(self._run())
        except BaseException as error:  # not the task but what is around it: its folder, the file of its log
            log.exception("attempt broke off", action="worker.attempt", task_run=self.key[0], attempt=self.key[1])
            return self._broken(error)

    def _with_log(self, report: Report) -> Report:
        """Return the report with the file of the attempt's log, where it has one."""
        if self.context.log.file is None or self.interruption is Interruption.LOST:
            return report
        ended = msgspec.structs.replace(cast(TaskEnded, report.event), log_file=self.context.store_log())
        return replace(report, event=ended, logs=[*report.logs, *self.context.log.take_lines()])

    def _run(self) -> Report:
        context = self.context
        clock = context.clock
        self.started = clock.now()
        try:
            if self.interruption is not None:
                return self.report(clock.now())
            context.hide_confidential()
            self._limit()
            outputs = run_task(context, self.instance.task, self.instance.definition)
            if self.interruption is None:
                record_assets(context, outputs, self.started)
        except BaseException as error:  # whatever a plugin raises fails its attempt and nothing else
            return self._failed(error)
        finally:
            context.close()
        return self._succeeded(outputs, clock.now())

    def _succeeded(self, outputs: Mapping[str, Any] | None, now: Instant) -> Report:
        if self.interruption is not None:
            return self.report(now)
        return self._ended(self.context.end_state, now, None, outputs=outputs)

    def _limit(self) -> None:
        """Render the task's `timeout` and have it enforced (ENG-244)."""
        timeout = self.assignment.timeout
        if timeout is None:
            return
        self.limit = parse_duration(self.context.render_text(timeout))
        if self.on_limit is not None:
            self.on_limit(self)

    def _failed(self, error: BaseException) -> Report:
        now = self.context.clock.now()
        if self.interruption is not None:
            return self.report(now)
        return self.fail(failure_of(error), now)

    def fail(self, failure: Failure, now: Instant) -> Report:
        """Return the report of a failure, with the lines that tell it."""
        self.context.log.error(failure.message)
        if failure.detail:
            self.context.log.debug(failure.detail)
        return self._ended(StateType.FAILED, now, failure.message, retryable=failure.retryable)

    def report(self, now: Instant) -> Report:
        """Return the report of an attempt that was ended from outside."""
        if self.interruption is Interruption.TIMED_OUT:
            return self.fail(Failure(str(self.timed_out())), now)
        return self._ended(StateType.KILLED, now, None)

    def timed_out(self) -> TimedOut:
        """Return the error of having taken too long."""
        return TimedOut(f"the task took longer than its timeout of {self.assignment.timeout}")

    def announcement(self) -> Report:
        """Return the report of its start."""
        job = self.assignment.job
        self.announced = True
        return Report(job, TaskStarted(job.task_run_id, job.attempt, self.worker_id, self.started))

    def _broken(self, error: BaseException) -> Report:
        """Return the report of a failure that asks nothing of what may be broken."""
        job, now = self.assignment.job, self.context.clock.now()
        message = self.context.hide(failure_of(error).message)
        ended = TaskEnded(
            job.task_run_id, job.attempt, StateType.FAILED, self.started or now, now, self.worker_id, error=message
        )
        return Report(job, ended)

    def _ended(
        self,
        state: StateType,
        now: Instant,
        error: str | None,
        *,
        outputs: Mapping[str, Any] | None = None,
        retryable: bool = True,
    ) -> Report:
        job = self.assignment.job
        context = self.context
        ended = TaskEnded(
            job.task_run_id,
            job.attempt,
            state,
            self.started or now,
            now,
            self.worker_id,
            outputs,
            error=None if error is None else context.hide(error),
            retryable=retryable,
            children=tuple(context.children),
            labels=tuple(context.labels.items()),
            variables=context.variable_changes(),
            confidential=context.confidential(outputs),
            unconfirmed=self.given_up or context.is_unconfirmed,
            left=context.left,
            exit=None if self.interruption is not None else context.exit,
        )
        return Report(job, ended, context.log.take_lines(), context.log.take_metrics())
