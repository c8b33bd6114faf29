"""What breaks in a simulation, and how it is repaired."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from penstock.base.clock import SECOND, Micros
from penstock.simulation.bus import Bus
from penstock.simulation.loop import SimulatedLoop
from penstock.simulation.machine import Machine, Surroundings
from penstock.simulation.scenario import EXPIRE, TRAPS, Happening

_LOSSES = ("lose the answer", "refuse", "repeat")
_SEVERAL = 10 * SECOND
"""What gets lost gets lost several times when that lasts longer than this."""
_DOWN: Micros = 3 * SECOND
_TO_STOP: Micros = 30 * SECOND


class Faults:
    """Breaks machines and what lies between them.

    Args:
        machines: The machines.
        bus: Their notifications.
        loop: The loop.
        around: Told what breaks.
    """

    def __init__(self, machines: Sequence[Machine], bus: Bus, loop: SimulatedLoop, around: Surroundings) -> None:
        self._machines = machines
        self._bus = bus
        self._loop = loop
        self._around = around

    async def happen(self, fault: Happening) -> None:
        """Let something break, until it is repaired or for good."""
        machine = self._machines[fault.target]
        until = self._loop.now + fault.span
        if fault.kind in (*TRAPS, "repeat"):
            await self._lay_trap(machine, fault)
            return
        self._around.tell("fault", f"{fault.kind} {machine.name} for {fault.span / SECOND:.0f} s")
        if fault.kind in ("crash", "stop", EXPIRE):
            await self._end(machine, fault)
        elif fault.kind == "stand still":
            machine.stand_still(until)
        elif fault.kind == "cut":
            machine.line.cut_until = until
        elif fault.kind == "slow":
            machine.line.slow_until = until
        elif fault.kind == "unreadable":
            machine.line.unreadable_until = until
        elif fault.kind == "unwritable":
            machine.line.unwritable_until = until
        elif fault.kind == "slow files":
            machine.line.files_slow_until = until
        else:
            self._bus.silent_until = until

    async def _lay_trap(self, machine: Machine, fault: Happening) -> None:
        machine.line.traps += [fault.kind] * (1 + fault.span // _SEVERAL if fault.kind in _LOSSES else 1)
        machine.line.stall = fault.span
        self._around.tell("fault", f"at the next commit or request of {machine.name}: {fault.kind}")
        if fault.kind.startswith("end"):
            await asyncio.sleep(fault.span / SECOND)
            await self._start_again(machine)

    async def _end(self, machine: Machine, fault: Happening) -> None:
        if fault.kind == "stop":
            machine.stop()
            await asyncio.sleep(_TO_STOP / SECOND)
        else:
            machine.crash(fault.kind)
        if fault.kind == EXPIRE:
            machine.knows_token = False
            await self._start_again(machine)
            await asyncio.sleep(fault.span / SECOND)
            machine.knows_token = True
            machine.crash("it is to know the token again")
        await self._start_again(machine)

    async def _start_again(self, machine: Machine) -> None:
        if machine.is_up:
            return
        await asyncio.sleep(_DOWN / SECOND)
        if not machine.is_up:
            machine.start()

    def end(self) -> None:
        """Repair everything: all machines up, all lines whole."""
        self._around.tell("fault", "nothing breaks any more")
        self._bus.silent_until = 0
        self._bus.loss = 0.0
        for machine in self._machines:
            machine.line.mend()
            machine.stand_still(0)
            if not machine.knows_token:
                machine.knows_token = True
                machine.crash("it is to know the token again")
        self.revive()

    def revive(self) -> None:
        """Start what has ended."""
        for machine in self._machines:
            if not machine.is_up:
                machine.start()
