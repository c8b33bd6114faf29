"""Known bugs, put back one at a time: the simulation must find each of them.

Run as `python -m tests.simulation.mutants NAME SEEDS [FIRST]`: prints the first seed that finds the bug. Without
arguments it reads them from its input, a line for each bug, and answers with a line.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import patch

import structlog
from msgspec.structs import replace

from penstock.base.clock import SECOND
from penstock.base.errors import UnauthorizedError
from penstock.ports.journal import COUNTED, PARTITIONS, Occupancy
from penstock.services.executor.admission import Admission
from penstock.services.executor.share import Share
from penstock.services.executor.slots import Slots
from penstock.services.executor.working_sets import WorkingSets
from penstock.services.file_access import FileAccess, execution_folder
from penstock.services.flows.switching import FlowSwitches
from penstock.services.gateway import http
from penstock.services.scheduler import states as scheduler_states
from penstock.services.worker import Worker
from penstock.services.worker.context import WorkerRunContext
from penstock.services.worker.lease import Lease
from penstock.simulation.flows import FILED, NOTING
from penstock.simulation.main import quiet
from penstock.simulation.scenario import QUIET, Happening, MachineSpec, Scenario, plain_scenario, scenario_of
from penstock.simulation.simulator import Simulator
from penstock.store import counts, inbox, jobs, journal, keyvalues, partitions, triggers
from penstock.store.switches import SqlSwitchStore
from penstock.wiring.plan import ALL_ROLES, Role

Patch = contextlib.AbstractContextManager[Any]


def unfenced_commits() -> Patch:
    """An executor that has lost its partitions may still write."""
    return patch.object(partitions, "check_fences_txn", lambda connection, fences: None)


def unkeyed_firings() -> Patch:
    """A schedule's date starts an execution however often it is fired."""
    original = triggers.fire_txn

    def fire(connection: Any, before: Any, after: Any, execution: Any, *more: Any) -> Any:
        if execution is None or execution.schedule_date is None:
            return original(connection, before, after, execution, *more)
        seen = triggers.get_txn(connection, before.key) or before
        return original(connection, seen, after, replace(execution, firing_key=None), *more)

    return patch.object(triggers, "fire_txn", fire)


def leaked_slots() -> Patch:
    """The end of an execution does not free its slot."""
    return patch.object(Slots, "ended", lambda self, execution: None)


def forgotten_limits() -> Patch:
    """An executor that takes over counts no execution that runs already."""
    return patch.object(inbox, "occupancy_txn", lambda *about: Occupancy([], [], frozenset()))


def jobs_of_the_dead() -> Patch:
    """Jobs of a worker that is gone stay with it."""
    return patch.object(jobs, "expire_txn", lambda connection, before: [])


def late_ends() -> Patch:
    """An end counts whoever reports it, though another worker has the job by now."""
    original = jobs.end_jobs_txn
    return patch.object(jobs, "end_jobs_txn", lambda connection, ends: original(connection, dict.fromkeys(ends)))


def eager_workers() -> Patch:
    """A worker begins what it has, though nobody has heard of it for long."""
    return patch.object(Lease, "is_sure", True)


def lost_claims() -> Patch:
    """A worker does not ask for what was leased to it by a claim whose answer got lost."""

    async def nothing(self: Worker, known_as: str) -> tuple[()]:
        self._may_have_lost_work = False
        return ()

    return patch.object(Worker, "_lost", nothing)


def unheard_answers() -> Patch:
    """A server takes it for granted that its answers to claims arrive."""
    from penstock.api import worker_gateway  # slow to import

    original = worker_gateway._Server.claim

    async def claim(self: Any, request: Any) -> Any:
        body = json.loads(await request.body())
        talk = self._conversations.setdefault(body["worker_id"], worker_gateway._Conversation())
        talk.name = body["received"]
        return await original(self, request)

    return patch.object(worker_gateway._Server, "claim", claim)


def dropped_reports() -> Patch:
    """A worker whose token is refused drops what it has to report."""

    class Refused(UnauthorizedError):
        pass

    return patch.object(http, "TokenRefused", Refused)


def hasty_files() -> Patch:
    """A file counts as stored before it is."""

    async def put(self: FileAccess, caller: Any, task_id: str, task_run_id: str, name: str, content: Any) -> str:
        folder = execution_folder(caller.namespace, caller.flow_id, caller.execution_id)
        path = f"{folder}/tasks/{task_id}/{task_run_id}/{name}"
        asyncio.get_running_loop().create_task(self._storage.put(caller.tenant, path, content))
        return f"kestra://{path}"

    return patch.object(FileAccess, "put", put)


def shared_folders() -> Patch:
    """Whoever runs a task stores its files under the same names."""

    def put(self: WorkerRunContext, name: str, content: Any) -> str:
        return self._host.wait_for(self._host.gateway.put_file(self._assignment.job, name, content))

    return patch.object(WorkerRunContext, "_put", put)


def late_notes() -> Patch:
    """A pair is stored whoever asks for it, though another worker has the job by now."""
    return patch.object(keyvalues, "held_txn", lambda connection, held, **how: None)


def half_seen_states() -> Patch:
    """Whoever moves a trigger on looks at its next date alone, and overwrites what else its state says."""
    original = triggers.fire_txn

    def fire(connection: Any, before: Any, *how: Any) -> Any:
        stored = triggers.get_txn(connection, before.key)
        is_seen = stored is not None and stored.next_date == before.next_date
        return original(connection, stored if is_seen else before, *how)

    return patch.object(triggers, "fire_txn", fire)


def old_hearsay() -> Patch:
    """A scheduler that has not heard what people say may put a trigger in its place, though not fire it."""
    original = triggers.fire_txn

    def fire(connection: Any, before: Any, after: Any, execution: Any, reject: Any, said: Any) -> Any:
        return original(connection, before, after, execution, reject, said if execution is not None else None)

    return patch.object(triggers, "fire_txn", fire)


def unheard_pauses() -> Patch:
    """A date is fired unless the scheduler itself has heard that it is stopped."""
    original = triggers.fire_txn

    def fire(connection: Any, before: Any, after: Any, execution: Any, reject: Any, said: Any) -> Any:
        return original(connection, before, after, execution, reject, None)

    return patch.object(triggers, "fire_txn", fire)


def pauses_made_up_for() -> Patch:
    """The end of a pause leaves no trace in the states of triggers."""
    return patch.object(scheduler_states, "resumed", lambda state, since: state)


def unread_switches() -> Patch:
    """The sources of flows alone count."""
    return patch.object(FlowSwitches, "cached", lambda self, flow: flow)


def orders_in_pieces() -> Patch:
    """An order for several is carried out for one after another."""
    original = SqlSwitchStore.put

    async def put(self: SqlSwitchStore, said: Any, *how: Any) -> None:
        for switch in said:
            await original(self, [switch], *how)

    return patch.object(SqlSwitchStore, "put", put)


def forgotten_switches() -> Patch:
    """A switch is gone when its scheduler looks for those that are over."""
    original = SqlSwitchStore.remove_over

    async def remove_over(self: SqlSwitchStore, now: int, *how: Any) -> Any:
        return await original(self, now + 30 * SECOND, *how)

    return patch.object(SqlSwitchStore, "remove_over", remove_over)


def forgotten_messages() -> Patch:
    """A batch leaves out the messages to other executions."""
    return patch.object(journal.inbox, "put_messages_txn", lambda connection, messages: None)


def scattered_limits() -> Patch:
    """Executions that a limit counts stay in their partitions, and each executor counts for itself."""

    original = Admission.event

    async def event(self: Admission, event: Any, execution: Any, now: int, place: int) -> Any:
        return await original(self, event, execution, now, COUNTED)

    async def never(*about: Any) -> bool:
        return False

    return _together(patch.object(Admission, "is_counted", never), patch.object(Admission, "event", event))


def hasty_hand_backs() -> Patch:
    """Partitions are handed back while a batch is on its way, and nothing fences that."""

    async def renew(self: Share) -> bool:
        async with self._turn:
            executors = await self._journal.enrol(self._owner, self._lease, self._clock.now())
            return await self._hold(-(-PARTITIONS // executors))

    return _together(patch.object(Share, "renew", renew), unfenced_commits())


def kept_memories() -> Patch:
    """An executor remembers executions of partitions that others have held meanwhile."""
    return patch.object(WorkingSets, "drop_all", lambda self, partitions: None)


def sticky_counts() -> Patch:
    """An execution that is restarted is still counted as it ended before."""
    original = counts.Tally.ended

    def ended(self: counts.Tally, execution: Any, start: int, end: int, state: str, number: int = 1) -> None:
        if number > 0:
            original(self, execution, start, end, state)

    return patch.object(counts.Tally, "ended", ended)


@contextlib.contextmanager
def _together(*patches: Patch) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        for one in patches:
            stack.enter_context(one)
        yield


def _named() -> Iterator[Callable[[], Patch]]:
    yield from (unfenced_commits, unkeyed_firings, leaked_slots, forgotten_limits, jobs_of_the_dead, lost_claims)
    yield from (forgotten_messages, late_ends, eager_workers, unheard_answers, dropped_reports, hasty_files)
    yield from (shared_folders, scattered_limits, hasty_hand_backs, kept_memories, sticky_counts, late_notes)
    yield from (
        half_seen_states,
        old_hearsay,
        unheard_pauses,
        pauses_made_up_for,
        unread_switches,
        orders_in_pieces,
        forgotten_switches,
    )


MUTANTS = {mutant.__name__: mutant for mutant in _named()}


def stalling(seed: int) -> Scenario:
    """Return a seed's scenario with two executors, whose commits are held up while the other takes over."""
    scenario = plain_scenario(seed)
    spec = frozenset({Role.EXECUTOR, Role.WEBSERVER, Role.WORKER, Role.SCHEDULER})
    machines = (MachineSpec("server-1", spec), MachineSpec("server-2", spec))
    people = tuple(one for one in scenario.happenings if not one.is_fault)
    stalls = tuple(
        Happening(QUIET + at * SECOND, "stall", machine, span=15 * SECOND) for machine in (0, 1) for at in (3, 12, 21)
    )
    return dataclasses.replace(scenario, machines=machines, happenings=(*people, *stalls))


def coming_and_going(seed: int) -> Scenario:
    """Return a seed's scenario with three executors that come and go; in every other one the first of them stays."""
    scenario = plain_scenario(seed)
    machines = tuple(MachineSpec(f"server-{number}", ALL_ROLES) for number in (1, 2, 3))
    people = tuple(one for one in scenario.happenings if not one.is_fault)
    one, other = (0, 0) if seed % 2 else (1, 2)
    changes = ((2, "crash", 1), (9, "stop", 2), (12, "crash", one), (20, "stop", 1), (30, "crash", other))
    faults = tuple(Happening(QUIET + at * SECOND, kind, machine) for at, kind, machine in changes)
    return dataclasses.replace(scenario, machines=machines, happenings=(*people, *faults))


def returning(seed: int) -> Scenario:
    """Return a seed's scenario of two executors, one of which has half of what runs again and again, and never long."""
    machines = (MachineSpec("server-1", ALL_ROLES), MachineSpec("server-2", ALL_ROLES))
    flows = ("loop", "fan", "parent", "paused")
    starts = tuple(Happening(QUIET + number * SECOND, "start", flow=flows[number % 4]) for number in range(28))
    steps = tuple(Happening(QUIET + (11 + number) * SECOND, "resume", 3 + 4 * number) for number in range(6))
    faults = tuple(Happening(QUIET + at * SECOND, "crash", 1) for at in (1, 10, 19, 28))
    return dataclasses.replace(plain_scenario(seed), machines=machines, happenings=(*starts, *steps, *faults))


def thawing(seed: int) -> Scenario:
    """Return a seed's scenario with a worker that stands still for long, and one that is slow to begin its jobs."""
    spec = frozenset({Role.EXECUTOR, Role.WEBSERVER, Role.SCHEDULER})
    workers = tuple(MachineSpec(f"worker-{number}", frozenset({Role.WORKER})) for number in (1, 2))
    starts = tuple(Happening(QUIET + number * SECOND // 4, "start", flow="fan") for number in range(4))
    still = Happening(QUIET + 2 * SECOND, "stand still", 1, span=(18 + seed % 8) * SECOND)
    slow = Happening(QUIET + 10 * SECOND, "slow", 2, span=60 * SECOND)
    machines = (MachineSpec("server", spec), *workers)
    return dataclasses.replace(plain_scenario(seed), machines=machines, loss=0.0, happenings=(*starts, still, slow))


def writing_late(seed: int) -> Scenario:
    """Return a seed's scenario with a worker that stands still for long while it writes files."""
    calm = thawing(seed)
    starts = tuple(Happening(QUIET + number * SECOND // 4, "start", flow=FILED) for number in range(8))
    slow = Happening(QUIET, "slow files", 1, span=40 * SECOND)
    still = Happening(QUIET + 4 * SECOND, "stand still", 1, span=(18 + seed % 8) * SECOND)
    return dataclasses.replace(calm, happenings=(*starts, slow, still))


def noting_late(seed: int) -> Scenario:
    """Return a seed's scenario with a worker that stands still for long while it stores pairs."""
    calm = thawing(seed)
    starts = tuple(Happening(QUIET + number * SECOND // 2, "start", flow=NOTING) for number in range(6))
    still = Happening(QUIET + 4 * SECOND, "stand still", 1, span=(18 + seed % 8) * SECOND)
    return dataclasses.replace(calm, happenings=(*starts, still))


def pausing(seed: int) -> Scenario:
    """Return a seed's scenario with two servers that are given two orders; the first they hear of."""
    scenario = plain_scenario(seed)
    machines = (MachineSpec("server-1", ALL_ROLES), MachineSpec("server-2", ALL_ROLES))
    said = tuple(
        Happening(QUIET + at * SECOND, kind, at, "ticking.tick chain")
        for at, kind in ((2, "pause until"), (18, "disable"), (29, "release"))
    )
    silence = Happening(QUIET + 17 * SECOND, "silence", 0, span=30 * SECOND)
    return dataclasses.replace(scenario, machines=machines, loss=0.0, happenings=(*said, silence))


def ending(seed: int) -> Scenario:
    """Return a seed's scenario in which nothing breaks and a pause ends on a date."""
    calm = pausing(seed)
    return dataclasses.replace(calm, happenings=calm.happenings[:1])


def unheard(seed: int) -> Scenario:
    """Return a seed's scenario in which a schedule is stopped while its execution runs, and much is not heard."""
    said = tuple(
        Happening(QUIET + 6 * SECOND + number * 2 * SECOND, kind, 0, "exclusive.tick")
        for number, kind in enumerate(("disable", "release"))
    )
    return dataclasses.replace(
        plain_scenario(seed), machines=(MachineSpec("server", ALL_ROLES),), loss=0.5, happenings=said
    )


def disabling(seed: int) -> Scenario:
    """Return a seed's scenario in which nothing breaks and executions of a disabled flow are started."""
    said = Happening(QUIET, "disable", 0, "chain")
    starts = tuple(Happening(QUIET + number * SECOND, "start", flow="chain") for number in range(34))
    return dataclasses.replace(pausing(seed), happenings=(said, *starts))


def reopening(seed: int) -> Scenario:
    """Return a seed's scenario in which nothing breaks and people restart what has ended."""
    scenario = plain_scenario(seed)
    starts = tuple(one for one in scenario.happenings if one.kind == "start")
    restarts = tuple(Happening(QUIET + (20 + 2 * number) * SECOND, "restart", number) for number in range(8))
    machines = (MachineSpec("server", ALL_ROLES),)
    return dataclasses.replace(scenario, machines=machines, loss=0.0, happenings=(*starts, *restarts))


SCENARIOS = {
    "unfenced_commits": stalling,
    "late_ends": thawing,
    "forgotten_limits": coming_and_going,
    "eager_workers": thawing,
    "shared_folders": writing_late,
    "scattered_limits": coming_and_going,
    "hasty_hand_backs": coming_and_going,
    "kept_memories": returning,
    "sticky_counts": reopening,
    "late_notes": noting_late,
    **dict.fromkeys(("unheard_pauses", "orders_in_pieces"), pausing),
    "pauses_made_up_for": ending,
    "half_seen_states": unheard,
    **dict.fromkeys(("forgotten_switches", "old_hearsay"), scenario_of),
    "unread_switches": disabling,
}


def search(name: str, seeds: str, first: str = "0") -> str:
    """Return the first of some seeds that finds a bug, and what it finds."""
    with MUTANTS[name]():
        simulator = Simulator()
        for seed in range(int(first), int(first) + int(seeds)):
            outcome = simulator.simulate(SCENARIOS.get(name, plain_scenario)(seed))
            if outcome.violation is not None:
                return f"seed {seed}: {outcome.violation.splitlines()[0]}"
    return f"{seeds} seeds did not find it"


if __name__ == "__main__":
    assert os.environ.get("PYTHONHASHSEED") == "0", "run it with PYTHONHASHSEED=0, so that it finds the same each time"
    structlog.configure(processors=[quiet])
    for asked in [" ".join(sys.argv[1:])] if sys.argv[1:] else sys.stdin:
        print(search(*asked.split()), flush=True)
