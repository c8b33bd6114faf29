"""Runs simulations one after another on one database that is emptied in between, and makes failures short."""

from __future__ import annotations

import asyncio

from penstock.base.clock import SystemClock
from penstock.services.flows import FlowCatalog, FlowChecker, FlowService
from penstock.simulation.disk import Disk, PlainDatabase
from penstock.simulation.flows import TYPES, sources
from penstock.simulation.scenario import Scenario, scenario_of
from penstock.simulation.world import TENANT, Outcome, World
from penstock.store.notifier import LocalNotifier
from penstock.store.store import store_on
from penstock.wiring.flow_reading import FlowReading
from penstock.wiring.plugins import load_plugins


class Simulator:
    """Simulates scenarios. Implements the proof of BEY-001 and BEY-003 by trying."""

    def __init__(self) -> None:
        self._plugins = load_plugins([], types=TYPES)
        self._disk = Disk()
        asyncio.run(self._deploy())
        self._disk.keep()

    def run(self, seed: int) -> Outcome:
        """Simulate what a seed stands for."""
        return self.simulate(scenario_of(seed))

    def simulate(self, scenario: Scenario) -> Outcome:
        """Simulate a scenario."""
        self._disk.reset()
        return World(scenario, self._disk, self._plugins).run()

    def shortest(self, outcome: Outcome) -> Outcome:
        """Return a failure with as few happenings as still make one: they are left out in ever smaller pieces."""
        size = max(1, len(outcome.scenario.happenings) // 2)
        while True:
            shorter = self._without(outcome, size)
            if shorter is not None:
                outcome = shorter
            elif size == 1:
                return outcome
            else:
                size //= 2

    def _without(self, outcome: Outcome, size: int) -> Outcome | None:
        """Return a failure that does without some happenings next to each other; None when there is none."""
        happenings = outcome.scenario.happenings
        for start in range(0, len(happenings), size):
            left = (*happenings[:start], *happenings[start + size :])
            shorter = self.simulate(outcome.scenario.with_only(left))
            if shorter.violation is not None:
                return shorter
        return None

    async def _deploy(self) -> None:
        clock = SystemClock()
        store = store_on(PlainDatabase(self._disk), LocalNotifier())
        reading = FlowReading(self._plugins.registry)
        checker = FlowChecker(store.flows, self._plugins.registry)
        catalog = FlowCatalog(store.flows, reading.resolve, clock)
        service = FlowService(store.flows, checker, catalog, store.notifier, clock)
        for source in sources().values():
            await service.put(TENANT, source)
