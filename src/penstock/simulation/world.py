"""One simulation: machines on one database, people who use them, faults; then rest, and the last look."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from penstock.base.clock import SECOND, Micros
from penstock.base.errors import PenstockError
from penstock.base.ids import ids_from
from penstock.engine.records import Execution
from penstock.services.executions import Launch, Replaying, ResumeReader, Steering
from penstock.simulation import invariants
from penstock.simulation.bus import Bus
from penstock.simulation.disk import Disk, Line, SimulatedDatabase
from penstock.simulation.faults import Faults
from penstock.simulation.flows import DRAW, ENDLESS, POLLED, SCHEDULES, Draw, Source, sources
from penstock.simulation.invariants import CommitRules, Violation
from penstock.simulation.loop import SimulatedLoop, TooManySteps
from penstock.simulation.machine import BEGINNING, Machine
from penstock.simulation.scenario import ACTIVE, QUIET, SWITCHES, Happening, Scenario
from penstock.simulation.shelf import Files, SimulatedStorage
from penstock.simulation.story import Story
from penstock.simulation.switching import Said, Switching
from penstock.simulation.threads import SimulatedThreads
from penstock.simulation.wire import Wire
from penstock.store.store import Store, store_on
from penstock.wiring.application import flow_service
from penstock.wiring.core import Core
from penstock.wiring.plan import Role
from penstock.wiring.plugins import Plugins

TENANT = "main"
_MOST_STEPS = 400_000
_SLACK: Micros = 10 * SECOND
_REST: Micros = 600 * SECOND
"""Everything must have come to rest so long after the last fault."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a simulation ended."""

    scenario: Scenario
    violation: str | None
    story: list[str]
    executions: int = 0
    steps: int = 0


class World:
    """The surroundings of the machines, and the people.

    Args:
        scenario: What there is and what happens.
        disk: The database, empty but for the flows.
        plugins: The types.
    """

    def __init__(self, scenario: Scenario, disk: Disk, plugins: Plugins) -> None:
        seed = scenario.seed
        self.scenario = scenario
        self.plugins = plugins
        self.loop = SimulatedLoop(_chance(seed, "order"), _MOST_STEPS)
        self.threads = SimulatedThreads(self.loop, _chance(seed, "threads"))
        self.story = Story()
        self._disk = disk
        self._travel = _chance(seed, "travel")
        self._bus = Bus(self.loop, _chance(seed, "notifications"), scenario.loss)
        self._ids = _chance(seed, "ids")
        self._reopened: set[str] = set()
        self._killed: set[str] = set()
        """Whose kill was acknowledged."""
        self._acknowledged: dict[str, str] = {}
        self._rules = CommitRules(disk, self._reopened)
        self._switching = Switching(disk, BEGINNING, self._anything_breaks)
        self._violation: Violation | None = None
        self._begun: dict[str, int] = {}
        self._source = Source(lambda: self.loop.now)
        self._files: Files = {}
        self.has_remote_workers = any(spec.is_remote for spec in scenario.machines)
        self._machines = [Machine(spec, self, is_embedded=scenario.is_embedded) for spec in scenario.machines]
        self._faults = Faults(self._machines, self._bus, self.loop, self)

    # -- what machines stand in

    def database(self, line: Line, crash: Callable[[str], None]) -> SimulatedDatabase:
        """Return a process's way to the database."""
        return SimulatedDatabase(self._disk, line, self.loop, self._travel, crash, self._committed)

    def store(self, database: SimulatedDatabase) -> Store:
        """Return the stores behind it."""
        return store_on(database, self._bus)

    def storage(self, line: Line) -> SimulatedStorage:
        """Return a process's way to the files."""
        return SimulatedStorage(self._files, line, self.loop, self._travel)

    def wire(self, line: Line, crash: Callable[[str], None]) -> Wire:
        """Return a process's way to the web servers."""
        doors = [machine for machine in self._machines if Role.WEBSERVER in machine.roles]
        return Wire(line, doors, self.loop, self._travel, crash)

    def tell(self, who: str, what: str, about: str = "") -> None:
        """Add a line to the story."""
        self.story.add(self.loop.now, who, what, about)

    def broken(self, who: str, error: BaseException) -> None:
        """Note that a service died of something nobody foresaw."""
        cause = error.exceptions[0] if isinstance(error, ExceptionGroup) else error
        self._note(Violation(f"{who} died: {type(cause).__name__}: {cause}"))

    def _committed(self, executor: str) -> None:
        changes = self._disk.changes()
        for change in changes:
            what = change.id if change.kind == "execution" else f"{change.kind} of {change.execution_id}"
            self.tell("database", f"{what}: {change.before or 'new'} -> {change.after}", change.execution_id)
        try:
            self._rules.check(changes, executor)
            self._switching.check(changes, self.loop.now)
        except Violation as violation:
            self._note(violation)

    def _note(self, violation: Violation) -> None:
        if self._violation is None:
            self._violation = violation
            self.tell("VIOLATION", str(violation))

    # -- the simulation

    def run(self) -> Outcome:
        """Run it."""
        seed = self.scenario.seed
        draw = Draw(lambda key: _chance(seed, key).random(), self._source, self._note_begin, self._note_wrong)
        token = DRAW.set(draw)
        try:
            with ids_from(self._next_id):
                self._simulate()
        finally:
            DRAW.reset(token)
            self.threads.dismiss()
            self.loop.wind_down()
            self.loop.close()
        violation = self._violation
        return Outcome(
            self.scenario,
            None if violation is None else str(violation),
            self.story.told(violation.about) if violation is not None else [],
            len(self._disk.rows("SELECT 1 FROM executions")),
            self.loop.steps,
        )

    def _simulate(self) -> None:
        try:
            self.loop.run_to_end(self._unfold())
            for error in self.loop.errors:
                self._note(Violation(f"a callback raised {error!r}"))
        except Violation as violation:
            self._note(violation)
        except TooManySteps as error:
            self._note(Violation(str(error)))

    def _next_id(self) -> int:
        return (BEGINNING + self.loop.now) // 1000 << 80 | self._ids.getrandbits(80)

    def _note_begin(self, task_run_id: str, attempt: int, worker_id: str) -> None:
        key = f"{task_run_id}/{attempt}"
        self._begun[key] = self._begun.get(key, 0) + 1
        self.tell("worker", f"begins attempt {key} as {worker_id}")
        try:
            invariants.check_begin(self._disk, task_run_id, attempt, worker_id)
        except Violation as violation:
            self._note(violation)

    def _note_wrong(self, what: str) -> None:
        self._note(Violation(what))

    async def _unfold(self) -> None:
        for machine in self._machines:
            machine.start()
        doing = [self.loop.create_task(self._happen(one)) for one in self.scenario.happenings]
        await self._until(QUIET + ACTIVE)
        await asyncio.gather(*doing)
        self._faults.end()
        disabled = self.loop.now
        await self._rest()
        if self._violation is not None:
            return
        invariants.check_rest(self._disk, self._acknowledged, self._killed - self._reopened)
        first, last = BEGINNING + QUIET + _SLACK, BEGINNING + disabled - _SLACK
        invariants.check_dates(self._disk, first, last, self._switching.may_miss)
        self._switching.check_dates()
        invariants.check_upstream(self._disk, self._reopened)
        invariants.check_events(self._disk, self._source.come)
        invariants.check_counts(self._disk)
        invariants.check_files(self._disk, self._files, self._anything_breaks)
        self._check_begins()

    @property
    def _anything_breaks(self) -> bool:
        """Whether anything does, or gets lost."""
        return bool(self.scenario.loss) or any(one.is_fault for one in self.scenario.happenings)

    def _check_begins(self) -> None:
        """Check that without any fault every attempt began once."""
        if self._anything_breaks:
            return
        for key, count in self._begun.items():
            if count > 1:
                raise Violation(f"attempt {key} began {count} times though nothing broke")

    # -- what happens

    async def _until(self, moment: Micros) -> None:
        await asyncio.sleep(max(0, moment - self.loop.now) / SECOND)

    async def _happen(self, happening: Happening) -> None:
        await self._until(happening.at)
        if happening.is_fault:
            await self._faults.happen(happening)
            return
        try:
            await self._act(happening)
        except PenstockError as error:
            self.tell("client", f"{happening.kind} {happening.flow or happening.target}: {error}")

    async def _act(self, action: Happening) -> None:
        machine = self._door(action.target)
        if action.kind == "start":
            execution = await machine.ask(lambda core: core.executions.create(Launch(TENANT, "simulated", action.flow)))
            self._acknowledged[execution.id] = action.flow
            self.tell("client", f"started {action.flow} as {execution.id}", execution.id)
            return
        if action.kind in SWITCHES:
            await self._switch(machine, self._switching.order(action, self.loop.now))
            return
        rows = self._disk.rows("SELECT id, state FROM executions WHERE schedule_date IS NULL ORDER BY id")
        if not rows:
            return
        execution_id = str(rows[action.target % len(rows)][0])
        await self._steer(machine, action.kind, execution_id)

    async def _steer(self, machine: Machine, kind: str, execution_id: str) -> None:
        self.tell("client", f"asks: {kind} {execution_id}", execution_id)
        if kind == "restart":
            # Before: whether it was done may never be known.
            self._reopened.update(invariants.family(self._disk, execution_id))
            self._killed.discard(execution_id)
        if kind == "replay":
            new = await machine.ask(lambda core: _replaying(core).replay(TENANT, execution_id))
            self._acknowledged[new.id] = "replay"
            return

        async def steer(core: Core) -> Execution:
            method: Any = getattr(_steering(core), kind)
            done: Execution = await method(TENANT, execution_id)
            return done

        await machine.ask(steer)
        self.tell("client", f"was told: {kind} {execution_id} accepted", execution_id)
        if kind == "kill":
            self._killed.add(execution_id)

    async def _switch(self, machine: Machine, said: Said) -> None:
        what = f"{said.reason}: {said.state or 'as the source says'} for {', '.join(said.names)} until {said.until}"
        self.tell("client", f"asks {machine.name}: {what}")
        await machine.ask(lambda core: self._switching.carry_out(core, said))
        self.tell("client", f"was told: {said.reason} accepted")
        self._switching.acknowledged(said, self.loop.now)

    def _door(self, number: int) -> Machine:
        doors = [machine for machine in self._machines if Role.WEBSERVER in machine.roles]
        return doors[number % len(doors)]

    # -- the end

    async def _rest(self) -> None:
        """End what does not end by itself, and wait until nothing is left to do."""
        texts = {flow: f"{sources()[flow]}disabled: true\n" for flow in (*SCHEDULES, POLLED)}
        self._source.close()
        is_free = not self._switching.orders
        deadline = self.loop.now + _REST
        while self.loop.now < deadline and self._violation is None:
            await asyncio.sleep(5)
            self._faults.revive()
            try:
                if not is_free:
                    await self._switch(self._door(0), self._switching.everything(self.loop.now))
                    is_free = True
                    continue  # whoever has not heard of an earlier order hears of this, and makes up for what is due
                for flow, text in list(texts.items()):
                    if flow == POLLED and self._source.next() is not None:
                        continue
                    await self._door(0).ask(lambda core, text=text: flow_service(core).put(TENANT, text))  # type: ignore[misc]
                    del texts[flow]
                await self._finish()
            except PenstockError as error:
                self.tell("client", str(error))
            if not texts and self._is_at_rest():
                return

    async def _finish(self) -> None:
        """Resume what is paused; kill what never ends, once."""
        rows = self._disk.rows(
            "SELECT id, flow_id, state, parent_execution_id FROM executions WHERE live = 1 ORDER BY id"
        )
        for row in rows:
            execution_id, flow, state, parent = (str(value) if value else "" for value in row)
            ends_with_parent = parent and execution_id not in self._reopened
            if state == "PAUSED":
                await self._steer(self._door(0), "resume", execution_id)
            elif flow in ENDLESS and state == "RUNNING" and not ends_with_parent and execution_id not in self._killed:
                await self._steer(self._door(0), "kill", execution_id)

    def _is_at_rest(self) -> bool:
        try:
            invariants.check_rest(self._disk, {}, ())
            invariants.check_upstream(self._disk, self._reopened)
        except Violation:
            return False
        return True


def _chance(seed: int, purpose: str) -> Random:
    return Random(f"{purpose} {seed}")  # noqa: S311  # repeatable on purpose


def _steering(core: Core) -> Steering:
    resuming = ResumeReader(core.store.queries, core.catalog, core.functions.answer, core.storage)
    return Steering(core.store.queries, core.dispatcher, resuming)


def _replaying(core: Core) -> Replaying:
    return Replaying(core.store.queries, core.catalog, core.dispatcher, core.clock, core.inputs)
