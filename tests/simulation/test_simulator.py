"""What a failure looks like: the same each time, and short."""

from __future__ import annotations

from collections.abc import Iterator
from unittest.mock import AsyncMock, patch

import pytest

from penstock.services.executor.slots import Slots
from penstock.simulation.scenario import ACTIVE, QUIET, scenario_of
from penstock.simulation.simulator import Simulator
from penstock.simulation.world import Outcome


@pytest.fixture(scope="module")
def simulator() -> Simulator:
    return Simulator()


@pytest.fixture
def failure(simulator: Simulator) -> Iterator[Outcome]:
    with patch.object(Slots, "ended", AsyncMock(return_value=[])):
        yield next(one for seed in range(60) if (one := simulator.run(seed)).violation is not None)


def test_failure_that_is_shortened_still_fails_with_fewer_happenings(simulator: Simulator, failure: Outcome) -> None:
    shortest = simulator.shortest(failure)
    assert shortest.violation is not None
    assert 0 < len(shortest.scenario.happenings) < len(failure.scenario.happenings)
    assert "VIOLATION" in shortest.story[-1]


def test_scenario_simulated_twice_goes_the_same_way(simulator: Simulator) -> None:
    first, second = simulator.run(7), simulator.run(7)
    assert (first.steps, first.executions) == (second.steps, second.executions)
    assert first.executions > 0


def test_scenarios_of_seeds_differ_and_stay_within_their_time() -> None:
    scenarios = [scenario_of(seed) for seed in range(50)]
    assert scenario_of(3) == scenarios[3]
    assert len({one.happenings for one in scenarios}) == 50
    assert {len(one.machines) for one in scenarios} == {1, 2, 3, 6}
    assert all(QUIET <= one.at < QUIET + ACTIVE for scenario in scenarios for one in scenario.happenings)
