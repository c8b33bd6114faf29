"""What must hold: after every commit, and when everything has come to rest."""

# ruff: noqa: S608 - what is put into queries are the states of the engine's own table

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from penstock.base.clock import SECOND, Instant
from penstock.engine.states import EXECUTION_TRANSITIONS, TASK_RUN_TRANSITIONS, TERMINAL, StateType
from penstock.ports.objects import path_of
from penstock.simulation.disk import Disk, StateChange
from penstock.simulation.flows import (
    DOWNSTREAM,
    ENDLESS,
    FILED,
    LIMITS,
    POLLED,
    SCHEDULES,
    UPSTREAM,
)
from penstock.simulation.shelf import Files

_ENDS = ", ".join(f"'{state}'" for state in sorted(TERMINAL))
_RUNNING = f"SELECT id FROM executions WHERE live = 1 AND flow_id = ? AND state NOT IN ('CREATED', 'QUEUED', {_ENDS})"
_FAMILY = "SELECT id, flow_id, state FROM executions WHERE id = ? OR parent_execution_id = ?"
_DESCENT = """
WITH RECURSIVE family (id) AS (
    VALUES (?) UNION SELECT e.id FROM executions e JOIN family f ON e.parent_execution_id = f.id
) SELECT id FROM family
"""
_HOLDER = "SELECT owner FROM partitions JOIN executions USING (partition) WHERE executions.id = ?"
_OPEN = {
    "an execution": "SELECT id, flow_id, state FROM executions WHERE live = 1 ORDER BY created, id",
    "a task run": f"SELECT execution_id, task_id, state FROM task_runs WHERE state NOT IN ({_ENDS})",
}
_LEFT = {
    "a job": "SELECT execution_id, owner FROM jobs",
    "a message": "SELECT execution_id, event FROM messages",
    "a timer": "SELECT execution_id, purpose FROM timers",
}
_COUNTED = """
SELECT hour, flow_id, state, sum(number), sum(duration) FROM execution_counts
GROUP BY 1, 2, 3 HAVING sum(number) <> 0 OR sum(duration) <> 0
"""
_ENDED = """
SELECT start_date - start_date % 3600000000, flow_id, state, count(*), sum(end_date - start_date) FROM executions
WHERE end_date IS NOT NULL GROUP BY 1, 2, 3
"""
_KEPT = """
SELECT r.execution_id, r.progress ->> '$.outputs.uri', r.progress ->> '$.outputs.text'
FROM task_runs r JOIN executions e ON e.id = r.execution_id
WHERE e.flow_id = ? AND r.task_id = 'keep' AND r.state = 'SUCCESS'
"""

MayMiss = Callable[[str, Instant], bool]


class Violation(Exception):
    """Something that must hold does not.

    Args:
        message: What.
        about: The executions it is about.
    """

    def __init__(self, message: str, *about: str) -> None:
        super().__init__(message)
        self.about = frozenset(about)


class CommitRules:
    """What must hold after every commit.

    Args:
        disk: The database.
        reopened: Executions that somebody has asked to restart, with their children: they may leave an end, and
            exceed a limit.
    """

    def __init__(self, disk: Disk, reopened: set[str]) -> None:
        self._disk = disk
        self._reopened = reopened

    def check(self, changes: Iterable[StateChange], executor: str) -> None:
        """Check the states that a commit of an executor has changed; raises Violation."""
        flows: set[str] = set()
        for change in changes:
            self._check_step(change)
            self._check_decider(change, executor)
            if change.kind == "execution":
                flows.add(change.id)
        if flows:
            self._check_limits(flows)
        for note in self._disk.noted():
            self._check_writer(note)

    def _check_step(self, change: StateChange) -> None:
        if change.before is None or StateType(change.before) not in TERMINAL:
            return
        what = "the execution" if change.kind == "execution" else f"task run {change.id} of {change.kind}"
        if change.execution_id not in self._reopened:
            raise Violation(f"{what} ended as {change.before} and became {change.after} later", change.execution_id)
        table = EXECUTION_TRANSITIONS if change.kind == "execution" else TASK_RUN_TRANSITIONS
        if not table[StateType(change.before)]:
            raise Violation(f"{what} left {change.before}, which nothing leaves", change.execution_id)

    def _check_decider(self, change: StateChange, executor: str) -> None:
        """Check that an execution is decided on by the executor that holds its partition."""
        if change.before is None:
            return  # it may be brought into being by anybody
        holder = str(self._disk.rows(_HOLDER, change.execution_id)[0][0])
        if holder != executor:
            what = f"{change.before} -> {change.after}"
            raise Violation(f"{executor or 'nobody'} decided {what} while {holder} held it", change.execution_id)

    def _check_writer(self, note: str) -> None:
        """Check that what a task has noted was stored while its worker had its job."""
        run_id, attempt, worker = note.strip('"').split("/")
        found = self._disk.rows("SELECT owner FROM jobs WHERE task_run_id = ? AND attempt = ?", run_id, int(attempt))
        if found != [(worker,)]:
            execution = self._disk.rows("SELECT execution_id FROM task_runs WHERE id = ?", run_id)[0][0]
            raise Violation(f"{worker} wrote for attempt {attempt} of {run_id} that it had no more", str(execution))

    def _check_limits(self, changed: set[str]) -> None:
        for flow, limit in LIMITS.items():
            running = self._disk.rows(_RUNNING, flow)
            ids = [str(row[0]) for row in running]
            if len([one for one in ids if one not in self._reopened]) > limit and changed & set(ids):
                raise Violation(f"{len(ids)} executions of {flow} run, {limit} may", *ids)


def family(disk: Disk, execution_id: str) -> set[str]:
    """Return an execution with those it has started, and those these have started."""
    return {str(row[0]) for row in disk.rows(_DESCENT, execution_id)}


def check_begin(disk: Disk, task_run_id: str, attempt: int, worker_id: str) -> None:
    """Check that an attempt is begun by the worker that holds its job; raises Violation.

    So nothing runs again that has ended, and what two workers run at once one of them has begun before it was lost.
    """
    found = disk.rows("SELECT owner FROM jobs WHERE task_run_id = ? AND attempt = ?", task_run_id, attempt)
    if found == [(worker_id,)]:
        return
    execution, state = disk.rows("SELECT execution_id, state FROM task_runs WHERE id = ?", task_run_id)[0]
    holder = f"{found[0][0] or 'nobody'} holds it" if found else f"its job is over (the task run is {state})"
    raise Violation(f"attempt {attempt} of {task_run_id} was begun by {worker_id}, but {holder}", str(execution))


def check_rest(disk: Disk, acknowledged: Mapping[str, str], killed: Iterable[str]) -> None:
    """Check what must hold when everything has come to rest.

    Args:
        disk: The database.
        acknowledged: Executions that a client was told exist, with their flow.
        killed: Executions whose kill was acknowledged.

    Raises:
        Violation: Something does not hold.
    """
    for what, query in _OPEN.items():
        for execution_id, name, state in disk.rows(query):
            raise Violation(f"{what} of {name} has not ended: it is {state} ({execution_id})", str(execution_id))
    for what, query in _LEFT.items():
        for execution_id, about in disk.rows(query):
            raise Violation(f"{what} of {execution_id} is left over: {about}", str(execution_id))
    known = {str(row[0]): str(row[1]) for row in disk.rows("SELECT id, state FROM executions")}
    for acknowledged_id, flow in acknowledged.items():
        if acknowledged_id not in known:
            raise Violation(f"an execution of {flow} was acknowledged and does not exist", acknowledged_id)
    for killed_id in killed:
        for member, name, state in disk.rows(_FAMILY, killed_id, killed_id):
            if name in ENDLESS and state != "KILLED":
                raise Violation(f"{name} should have been killed and is {state} ({member})", killed_id, str(member))


def check_dates(disk: Disk, since: Instant, until: Instant, may_miss: MayMiss) -> None:
    """Check that each date of each schedule made one execution; raises Violation.

    Args:
        disk: The database.
        since: Dates from here on must have come.
        until: Dates up to here must have come where executions need not wait for each other.
        may_miss: Tells of a flow and a date whether that may be missing.
    """
    for flow, seconds in SCHEDULES.items():
        rows = disk.rows("SELECT schedule_date FROM executions WHERE flow_id = ? AND schedule_date NOTNULL", flow)
        counts = Counter(int(str(row[0])) for row in rows)
        twice = [date for date, count in counts.items() if count > 1]
        if twice:
            raise Violation(f"{flow} was started {counts[twice[0]]} times for the date {_second(twice[0])}")
        step = seconds * SECOND
        first, last = min(counts, default=until), max(counts, default=since)
        first = min(first, since + -since % step)
        if flow != "exclusive":
            last = max(last, until)
        for date in range(first, last, step):
            if date not in counts and not may_miss(flow, date):
                raise Violation(f"{flow} was not started for the date {_second(date)}")


def check_upstream(disk: Disk, reopened: set[str]) -> None:
    """Check that each end of an execution started the flow that listens to it once; raises Violation."""
    ended = {str(row[0]) for row in disk.rows("SELECT id FROM executions WHERE flow_id = ?", UPSTREAM)}
    heard = Counter(
        str(row[0])
        for row in disk.rows(
            "SELECT trigger_execution_id FROM executions WHERE flow_id = ? AND firing_key NOTNULL", DOWNSTREAM
        )
    )
    for execution_id in sorted(ended - reopened):
        if heard[execution_id] != 1:
            raise Violation(f"the end of an execution started {DOWNSTREAM} {heard[execution_id]} times", execution_id)


def check_events(disk: Disk, come: int) -> None:
    """Check that each of so many events of the polled source started its flow once; raises Violation."""
    rows = disk.rows("SELECT firing_key FROM executions WHERE flow_id = ? AND firing_key NOTNULL", POLLED)
    started = Counter(int(str(row[0]).rpartition("/")[2]) for row in rows)
    for number in range(1, come + 1):
        if started[number] != 1:
            raise Violation(f"event {number} started {POLLED} {started[number]} times")


def check_files(disk: Disk, files: Files, anything_breaks: bool) -> None:
    """Check that every file a task says it has stored is there, whole, and that all goes well if nothing breaks.

    Raises:
        Violation: A file is missing or is another, or an execution failed for no reason.
    """
    for execution_id, uri, text in disk.rows(_KEPT, FILED):
        content, _ = files.get(("main", path_of(str(uri))), (b"nothing", 0))
        if content.decode() != text:
            raise Violation(f"`{text}` should be in {uri}, {content!r} is", str(execution_id))
    failed = disk.rows("SELECT id FROM executions WHERE flow_id = ? AND state = 'FAILED'", FILED)
    if failed and not anything_breaks:
        raise Violation(f"{FILED} failed though nothing broke", str(failed[0][0]))


def check_counts(disk: Disk) -> None:
    """Check that the counts of what has ended are what the executions say (BEY-022); raises Violation."""
    kept = {row[:3]: row[3:] for row in disk.rows(_COUNTED)}
    found = {row[:3]: row[3:] for row in disk.rows(_ENDED)}
    for key in sorted(kept.keys() | found.keys(), key=str):
        if kept.get(key) != found.get(key):
            raise Violation(f"(number, duration) of {key} are {found.get(key)}, {kept.get(key)} are counted")


def _second(instant: Instant) -> str:
    return f"{instant / SECOND % 3600:.0f} s past the hour"
