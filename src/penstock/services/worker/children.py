"""Tasks that run inside another one: same worker, same thread, same working directory, each a task run of its own.

The server hears of them when the task around them ends; their log lines and metrics are handed in with its own.
"""

from __future__ import annotations

import threading
from collections import ChainMap
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec
import structlog

from penstock.base.clock import SECOND, Instant, to_iso
from penstock.base.durations import parse_duration
from penstock.base.ids import derived_id
from penstock.engine.calls import beside, own_name
from penstock.engine.decision import Job
from penstock.engine.flow import RetryPolicy
from penstock.engine.records import Attempt, TaskFixture, TaskRun
from penstock.engine.resolve import retry_policy
from penstock.engine.retrying import retry_at
from penstock.engine.states import State, StateType
from penstock.expressions import is_truthy
from penstock.sdk.errors import PermanentError, PluginError
from penstock.sdk.task import Task
from penstock.services.outcome import Failure, failure_of
from penstock.services.worker.cached import run_task
from penstock.services.worker.instances import build
from penstock.services.worker.rejected import RejectedTask

if TYPE_CHECKING:
    from penstock.services.worker.context import WorkerRunContext

log = structlog.get_logger(__name__)


class ChildFailed(PluginError):
    """A task inside another one failed."""

    code = "CHILD_FAILED"
    hint = "see its own log lines"


class ChildFailedForGood(PermanentError):
    """A task inside another one failed, and would fail again."""

    code = "CHILD_FAILED"
    hint = "see its own log lines"


def run_child(outer: WorkerRunContext, definition: Mapping[str, Any]) -> bool:
    """Run a task inside another one. Implements ENG-097, ENG-098, ENG-414 for such tasks, SCR-024.

    Its `runIf`, `disabled`, `timeout`, `retry`, `allowFailure`, `allowWarning` and `logLevel` count; what is left of a
    failed attempt in the directory stays there.

    Returns:
        Whether those after it are to run: not once it has ended the execution (`Exit`).

    Raises:
        PluginError: It failed and may not, or was killed.
    """
    child = _Child(outer, definition)
    failure = child.run()
    outer.child_task_run(child.task_run())
    for inner in child.context.children:
        outer.child_task_run(inner)
    child.hand_on()
    if child.state is StateType.KILLED and child.context.exit is None:
        raise ChildFailed(f"task `{child.job.task_id}` was stopped")
    if child.state is StateType.FAILED:
        kind = ChildFailed if failure is None or failure.retryable else ChildFailedForGood
        raise kind(f"task `{child.job.task_id}` failed, so those after it do not run")
    return child.context.exit is None


class _Child:
    """One run of one task inside another."""

    def __init__(self, outer: WorkerRunContext, definition: Mapping[str, Any]) -> None:
        self._outer = outer
        self._definition = definition
        self._clock = outer.clock
        self.task: Task
        try:
            self.task = build(outer.registry, str(definition.get("type")), definition)
        except Exception as error:  # a task that cannot be built fails like any other
            self.task = RejectedTask.because(error)
        name = str(definition.get("id"))
        task_id = beside(outer.assignment.job.task_id, name)
        around = outer.task_run
        run_id = derived_id(outer.assignment.job.execution_id, str(around.get("id", "")), task_id, "")
        self._name = name
        self.job: Job = msgspec.structs.replace(outer.assignment.job, task_run_id=run_id, task_id=task_id, attempt=1)
        self._created: Instant = self._clock.now()
        self.context = self._context()
        self.state = StateType.SUCCESS
        self._attempts: list[Attempt] = []
        self._outputs: Mapping[str, Any] | None = None
        self._is_running = False
        self._is_late = False

    def _context(self) -> WorkerRunContext:
        """Return what the next attempt sees of the world."""
        outer, task, job = self._outer, self.task, self.job
        about = {"id": self._name, "type": str(self._definition.get("type"))}
        taskrun = {
            "id": job.task_run_id,
            "startDate": to_iso(self._created),
            "attemptsCount": job.attempt - 1,
            "parentId": outer.task_run.get("id"),
        }
        assignment = replace(
            outer.assignment,
            definition=self._definition,
            type=about["type"],
            variables=variables_inside(outer, about, taskrun),
            timeout=task.timeout,
            log_level=task.log_level,
        )
        context = outer.inner(assignment, job, log_to_file=task.log_to_file)
        context.task = task
        return context

    def run(self) -> Failure | None:
        """Run the task, or skip it; returns why it failed. Never raises."""
        fixtures = self._outer.assignment.fixtures
        if fixtures is not None and self.job.task_id in fixtures.tasks:
            return self._stand_in(fixtures.tasks[self.job.task_id], fixtures.files)
        try:
            if not self._may_run():
                self.state = StateType.SKIPPED
                return None
        except Exception as error:
            reason = f"`runIf` of task `{self.job.task_id}` could not be rendered: {failure_of(error).message}"
            return self._fail(Failure(reason), self._clock.now())
        self._outer.on_kill(self._stop)
        policy = retry_policy(self.task.retry) if self.task.retry is not None else None
        failure = self._try()
        while failure is not None and policy is not None and self._waits_for_another(policy, failure):
            self.job = msgspec.structs.replace(self.job, attempt=self.job.attempt + 1)
            self.context = self._context()
            failure = self._try()
        if failure is None and policy is not None and policy.warning_on_retry and len(self._attempts) > 1:
            self.state = StateType.SUCCESS if self.task.allow_warning else StateType.WARNING
        return failure

    def _try(self) -> Failure | None:
        """Make one attempt."""
        started = self._clock.now()
        timer: threading.Timer | None = None
        self._is_late, self._is_running = False, True
        try:
            timer = self._start_timer()
            self._outputs = run_task(self.context, self.task, self._definition)
        except BaseException as error:  # whatever a plugin raises fails its own task run
            return self._fail(failure_of(error), started)
        finally:
            self._is_running = False
            if timer is not None:
                timer.cancel()
        if self._is_late or self._outer.is_killed:
            return self._fail(Failure(""), started)
        self.state = self.context.end_state
        if self.state is StateType.WARNING and self.task.allow_warning:
            self.state = StateType.SUCCESS
        self._ended(State.at(StateType.RUNNING, started).to(self.state, self._clock.now()))
        return None

    def _waits_for_another(self, policy: RetryPolicy, failure: Failure) -> bool:
        """Wait until the next attempt is due; False when there is to be none."""
        if self._outer.is_killed or not failure.retryable:
            return False
        now = self._clock.now()
        due = retry_at(policy, self._record(State.at(StateType.CREATED, self._created)), now)
        if due is None:
            return False
        killed = threading.Event()
        self._outer.on_kill(killed.set)
        if killed.wait(max(0, due - now) / SECOND):
            self.state = StateType.KILLED
            return False
        return True

    def _ended(self, attempt: State) -> None:
        log_file = self.context.store_log()
        self._attempts.append(Attempt(attempt, self._outer.worker_id, log_file))

    def _stand_in(self, fixture: TaskFixture, files: Mapping[str, str]) -> Failure | None:
        """End as a fixture says (GOV-321)."""
        started = self._clock.now()
        try:
            outputs = self.context.render_nested(dict(fixture.outputs), {"files": files})
        except Exception as error:
            return self._fail(failure_of(error), started)
        if fixture.state in (StateType.FAILED, StateType.KILLED):
            failure = self._fail(Failure(f"the fixture of task `{self.job.task_id}` lets it fail"), started)
            self._outputs = outputs or None
            return failure
        self.state, self._outputs = fixture.state, outputs or None
        if self.state is not StateType.SKIPPED:
            self._ended(State.at(StateType.RUNNING, started).to(self.state, self._clock.now()))
        return None

    def _may_run(self) -> bool:
        condition = self.task.run_if
        if self.task.disabled or condition is None:
            return not self.task.disabled
        return condition if isinstance(condition, bool) else is_truthy(self.context.render_text(condition))

    def _start_timer(self) -> threading.Timer | None:
        """Have the task's `timeout` enforced (ENG-244)."""
        if self.task.timeout is None:
            return None
        limit = parse_duration(self.context.render_text(self.task.timeout))
        timer = threading.Timer(max(0, limit) / SECOND, self._expire)
        timer.daemon = True
        timer.start()
        return timer

    def _expire(self) -> None:
        self._is_late = True
        self._stop()

    def _stop(self) -> None:
        """Tell the attempt to end; does nothing once it has."""
        if not self._is_running:
            return
        for action in self.context.interrupt():
            try:
                action()
            except Exception:
                log.exception("a task's end action failed", action="worker.end_action")

    def _fail(self, failure: Failure, started: Instant) -> Failure:
        self._outputs = None
        now = self._clock.now()
        if self._outer.is_killed:
            self.state = StateType.KILLED
        else:
            if self._is_late:
                failure = Failure(f"the task took longer than its timeout of {self.task.timeout}")
            self.state = StateType.WARNING if self.task.allow_failure else StateType.FAILED
            self.context.log.error(failure.message)
            if failure.detail:
                self.context.log.debug(failure.detail)
        ended = StateType.FAILED if self.state is StateType.WARNING else self.state
        self._ended(State.at(StateType.RUNNING, started).to(ended, now))
        if self.state is StateType.WARNING and self.task.allow_warning:
            self.state = StateType.SUCCESS
        return failure

    def task_run(self) -> TaskRun:
        """Return the record of the run; called once, when it is over."""
        state = State.at(StateType.CREATED, self._created)
        for number, attempt in enumerate(self._attempts, 1):
            started, ended = attempt.state.histories
            state = state.to(StateType.RUNNING, started.date)
            if number < len(self._attempts):
                state = state.to(StateType.RETRYING, ended.date)
        last = self._attempts[-1].state.histories[-1].date if self._attempts else self._clock.now()
        return self._record(state.to(self.state, last))

    def _record(self, state: State) -> TaskRun:
        return TaskRun(
            id=self.job.task_run_id,
            execution_id=self.job.execution_id,
            task_id=self.job.task_id,
            parent_id=self._outer.task_run.get("id"),
            state=state,
            attempts=tuple(self._attempts),
            outputs=self._outputs,
        )

    def hand_on(self) -> None:
        """Let the task around it answer for what this one changed on the execution."""
        self._outer.set_labels(self.context.labels)
        if self.context.new_variables is not None:
            self._outer.set_variables(self.context.new_variables)
        if self.context.exit is not None:
            self._outer.end_execution(self.context.exit)
        if self.state is StateType.WARNING:
            self._outer.warned = True


def variables_inside(outer: WorkerRunContext, task: Mapping[str, Any], taskrun: Mapping[str, Any]) -> dict[str, Any]:
    """Return the expression context of a task inside another: that one's, with what ran inside it before."""
    around = outer.variables
    path = _loop_values(around)
    outputs = dict(around.get("outputs") or {})
    states: dict[str, Any] = {}
    for run in outer.children:
        name = own_name(run.task_id)
        states[name] = {"id": run.id, "taskId": name, "state": run.state.current.value}
        if run.outputs is not None:
            outputs[name] = _within_loops(outputs.get(name), path, run.outputs)
    result = {**around, "task": task, "taskrun": taskrun, "outputs": outputs}
    result["tasks"] = ChainMap(states, around.get("tasks") or {})
    result["workingDir"] = str(outer.working_directory)
    if outer.new_variables is not None:
        result["vars"] = outer.new_variables
    above = around.get("taskrun", {})
    parents = list(around.get("parents", ()))
    if "value" in above:
        parents.insert(0, {"taskrun": above})
    result["parents"] = parents
    if parents:
        result["parent"] = parents[0]
    return result


def _loop_values(variables: Mapping[str, Any]) -> list[str]:
    """Return the loop values around a task run, outermost first."""
    above = [entry["taskrun"] for entry in variables.get("parents", ())]
    return [run["value"] for run in (*reversed(above), variables.get("taskrun", {})) if "value" in run]


def _within_loops(before: Any, path: Sequence[str], outputs: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return outputs as those after it see them: by name, and in loops by the loop values too (ENG-081)."""
    if not path:
        return outputs
    known: Mapping[str, Any] = before if isinstance(before, Mapping) else {}
    inner = _within_loops(known.get(path[0]), path[1:], outputs)
    return {**known, path[0]: inner, **outputs}
