"""What a seed stands for: which machines there are, what people do, what breaks, and when."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

from penstock.base.clock import SECOND, Micros
from penstock.simulation.flows import ENDLESS, FILED, NOTING, STARTED, SWITCHED
from penstock.wiring.plan import ALL_ROLES, Role

QUIET: Micros = 5 * SECOND
"""Nothing happens before: all machines are up by then."""
ACTIVE: Micros = 35 * SECOND
"""How long things happen."""

_HALF = 0.5
_OF_TOKENS = 0.3

ACTIONS = ("kill", "pause", "resume", "restart", "replay")
TRAPS = ("end before", "end after", "lose the answer", "refuse", "stall")
ANYWHERE = ("crash", "stop", "stand still", "cut", "slow", "silence", *TRAPS)
WIRE_TRAPS = ("repeat", "repeat", "lose the answer", "lose the answer", "end after", "stall")
FILE_FAULTS = ("unreadable", "unwritable", "slow files")
SWITCHES = {"pause until": 3, "disable": 1, "enable": 1, "release": 1}
"""What people say of flows and triggers, whatever their sources do, and how often they say it."""
EXPIRE = "expire"
"""A server that comes back without the token that the workers show."""
FAULTS = frozenset({*ANYWHERE, *WIRE_TRAPS, *FILE_FAULTS, EXPIRE})


@dataclass(frozen=True, slots=True)
class MachineSpec:
    """A machine of a scenario."""

    name: str
    roles: frozenset[Role]
    skew: Micros = 0
    """How far its clock is off."""
    is_remote: bool = False
    """Whether it knows the servers alone, and asks them by HTTP."""


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that people do or that breaks."""

    at: Micros
    kind: str
    """`start`, one of ACTIONS, of SWITCHES or of FAULTS."""
    target: int = 0
    """Number of the execution, or of the machine."""
    flow: str = ""
    """The flow, or the names of what is switched."""
    span: Micros = 0
    """How long it lasts."""

    @property
    def is_fault(self) -> bool:
        """Whether something breaks."""
        return self.kind in FAULTS


@dataclass(frozen=True, slots=True)
class Scenario:
    """Everything that is decided before a simulation begins; the seed decides the rest as it goes."""

    seed: int
    machines: tuple[MachineSpec, ...]
    loss: float
    """How likely a notification gets lost, or comes twice."""
    happenings: tuple[Happening, ...]

    @property
    def is_embedded(self) -> bool:
        """Whether one process has the database for itself."""
        return [one.roles for one in self.machines if not one.is_remote] == [ALL_ROLES]

    def with_only(self, happenings: tuple[Happening, ...]) -> Scenario:
        """Return the scenario with fewer happenings."""
        return replace(self, happenings=happenings)


def scenario_of(seed: int) -> Scenario:
    """Return what a seed stands for."""
    plain = _visited(plain_scenario(seed), Random(f"visitor {seed}"))  # noqa: S311
    more = [*_notes(Random(f"notes {seed}")), *_switches(Random(f"switches {seed}"))]  # noqa: S311
    return plain.with_only(tuple(sorted((*plain.happenings, *more), key=lambda one: one.at)))


def plain_scenario(seed: int) -> Scenario:
    """Return what a seed stands for, but for what people say of flows and for pairs that tasks store."""
    chance = Random(f"scenario {seed}")  # noqa: S311  # repeatable on purpose
    machines = _machines(chance, seed)
    faults = chance.choice((0, 1, 1, 2, 3, 5))
    flows = (*chance.sample(STARTED, 3), chance.choice(sorted(ENDLESS)))
    happenings = [_start(chance, flows) for _ in range(chance.randrange(3, 12))]
    happenings += [_action(chance) for _ in range(chance.randrange(0, 5))]
    happenings += [_fault(chance, len(machines)) for _ in range(faults)]
    loss = chance.choice((0.0, 0.0, 0.1, 0.5)) if faults else 0.0
    happenings += _files(Random(f"files {seed}"), len(machines), any_fault=faults > 0)  # noqa: S311
    if any(one.roles == {Role.WORKER} for one in machines):
        machines, more = _remote(Random(f"remote {seed}"), machines, any_fault=faults > 0)  # noqa: S311
        happenings += more
    return Scenario(seed, machines, loss, tuple(sorted(happenings, key=lambda one: one.at)))


def _files(chance: Random, machines: int, *, any_fault: bool) -> list[Happening]:
    """Return executions that store files, and what breaks of internal storage; in some scenarios."""
    if chance.random() < _HALF:
        return []
    starts = [Happening(_when(chance), "start", chance.randrange(1000), FILED) for _ in range(chance.randrange(1, 4))]
    faults = [_fault(chance, machines, FILE_FAULTS) for _ in range(chance.randrange(4) if any_fault else 0)]
    return [*starts, *faults]


def _notes(chance: Random) -> list[Happening]:
    """Return executions that store key-value pairs; in some scenarios."""
    starts = chance.choice((0, 0, 2))
    return [Happening(_when(chance), "start", chance.randrange(1000), NOTING) for _ in range(starts)]


def _switches(chance: Random) -> list[Happening]:
    """Return what people say of flows and triggers, and executions of such a flow; in some scenarios."""
    if chance.random() < _HALF:
        return []
    said = [_switch(chance) for _ in range(chance.randrange(1, 5))]
    return said + [_start(chance, (SWITCHED[0],)) for _ in range(4)]


def _switch(chance: Random) -> Happening:
    names = " ".join(chance.sample(SWITCHED, chance.choice((1, 1, 2, 3))))
    kind = chance.choices(list(SWITCHES), list(SWITCHES.values()))[0]
    span = chance.randrange(2 * SECOND, 20 * SECOND)
    # some pauses end on a date
    return Happening(_when(chance), kind, chance.randrange(1000), names, span if chance.random() < _HALF else 0)


def _visited(scenario: Scenario, chance: Random) -> Scenario:
    """Return a server that has its database for itself with another worker, which asks by HTTP; in some scenarios."""
    if not scenario.is_embedded or chance.random() < _HALF:
        return scenario
    visitor = MachineSpec(
        "visitor", frozenset({Role.WORKER}), chance.randrange(-2 * SECOND, 2 * SECOND), is_remote=True
    )
    any_fault = any(one.is_fault for one in scenario.happenings)
    faults = [replace(_fault(chance, 1, WIRE_TRAPS), target=1) for _ in range(chance.randrange(4) if any_fault else 0)]
    return replace(scenario, machines=(*scenario.machines, visitor), happenings=(*scenario.happenings, *faults))


def _remote(
    chance: Random, machines: tuple[MachineSpec, ...], *, any_fault: bool
) -> tuple[tuple[MachineSpec, ...], list[Happening]]:
    """Return the machines with workers that ask the servers by HTTP, and what breaks there; in some scenarios."""
    if chance.random() < _HALF:
        return machines, []
    made = tuple(replace(one, is_remote=one.roles == {Role.WORKER}) for one in machines)
    servers = [number for number, one in enumerate(made) if Role.WEBSERVER in one.roles]
    workers = [number for number, one in enumerate(made) if one.is_remote]
    faults = []
    for _ in range(chance.randrange(1, 5) if any_fault else 0):
        if chance.random() < _OF_TOKENS:
            faults.append(replace(_fault(chance, 1, (EXPIRE,)), target=chance.choice(servers)))
        else:
            faults.append(replace(_fault(chance, 1, WIRE_TRAPS), target=chance.choice(workers)))
    return made, faults


def _machines(chance: Random, seed: int) -> tuple[MachineSpec, ...]:
    """Return one machine with everything, two or three such, or one for each role with a second where that matters."""
    shape = chance.randrange(5)
    if shape < 2:
        return (MachineSpec("server", ALL_ROLES),)
    names: list[tuple[str, frozenset[Role]]]
    if shape == 2:
        names = [(f"server-{number + 1}", ALL_ROLES) for number in range(2 + seed % 2)]
    elif shape == 3:
        core = frozenset({Role.EXECUTOR, Role.SCHEDULER, Role.WEBSERVER})
        names = [("server", core), ("worker-1", frozenset({Role.WORKER})), ("worker-2", frozenset({Role.WORKER}))]
    else:
        names = [
            ("web-1", frozenset({Role.WEBSERVER})),
            ("web-2", frozenset({Role.WEBSERVER})),
            ("executor-1", frozenset({Role.EXECUTOR, Role.SCHEDULER})),
            ("executor-2", frozenset({Role.EXECUTOR, Role.SCHEDULER})),
            ("worker-1", frozenset({Role.WORKER})),
            ("worker-2", frozenset({Role.WORKER})),
        ]
    return tuple(MachineSpec(name, roles, chance.randrange(-2 * SECOND, 2 * SECOND)) for name, roles in names)


def _when(chance: Random) -> Micros:
    return QUIET + chance.randrange(ACTIVE)


def _start(chance: Random, flows: tuple[str, ...]) -> Happening:
    return Happening(_when(chance), "start", chance.randrange(1000), chance.choice(flows))


def _action(chance: Random) -> Happening:
    return Happening(_when(chance), chance.choice(("kill", *ACTIONS)), chance.randrange(1000))


def _fault(chance: Random, machines: int, kinds: tuple[str, ...] = ANYWHERE) -> Happening:
    kind = chance.choice(kinds)
    span = chance.choice((SECOND, 5 * SECOND, 15 * SECOND, 40 * SECOND))
    return Happening(_when(chance), kind, chance.randrange(machines), span=span)
