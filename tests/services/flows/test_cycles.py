"""Flows that call each other in a circle are refused where they are saved and where they are validated."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from penstock.base.clock import SystemClock
from penstock.model.problems import InvalidFlow
from penstock.services.flows import FlowCatalog, FlowChecker, FlowService
from penstock.store import open_store
from penstock.wiring.flow_reading import FlowReading
from penstock.wiring.plugins import load_plugins


@pytest.fixture
async def flows(tmp_path: Path) -> AsyncIterator[tuple[FlowService, FlowChecker]]:
    clock = SystemClock()
    store = await open_store(f"sqlite:///{tmp_path / 'x.db'}", clock)
    reading = FlowReading(load_plugins().registry)
    checker = FlowChecker(store.flows, reading.registry)
    catalog = FlowCatalog(store.flows, reading.resolve, clock)
    yield FlowService(store.flows, checker, catalog, store.notifier, clock), checker
    await store.close()


def calling(flow_id: str, called: str) -> str:
    return f"""
id: {flow_id}
namespace: company.team
tasks:
  - id: outer
    type: io.kestra.plugin.core.flow.Sequential
    tasks:
      - {{id: call, type: io.kestra.plugin.core.flow.Subflow, namespace: company.team, flowId: "{called}"}}
"""


async def test_flow_that_closes_a_circle_of_calls_is_refused_with_the_circle(
    flows: tuple[FlowService, FlowChecker],
) -> None:
    """ENG-015."""
    service, checker = flows
    await service.put("main", calling("a", "b"))
    await service.put("main", calling("b", "c"))
    await service.put("main", calling("c", "d"))
    with pytest.raises(InvalidFlow) as raised:
        await service.put("main", calling("c", "a"))
    circle = "company.team.c -> company.team.a -> company.team.b -> company.team.c"
    [problem] = raised.value.problems
    assert circle in problem.message
    assert (problem.path, problem.line) == ("tasks[0].tasks[0].flowId", 8)
    [verdict] = await checker.check("main", calling("c", "a"))
    assert [one.message for one in verdict.problems] == [problem.message]


async def test_flow_whose_calls_end_somewhere_is_saved(flows: tuple[FlowService, FlowChecker]) -> None:
    """ENG-015: calls whose flow an expression names are known only when they are made."""
    service, _ = flows
    await service.put("main", calling("a", "b"))
    await service.put("main", calling("b", "{{ inputs.flow ?? 'a' }}".replace("inputs.flow", "labels.flow")))
    await service.put("main", calling("c", "a"))
    await service.put("main", calling("b", "nowhere"))


async def test_flow_taken_out_of_a_circle_lets_others_be_saved(flows: tuple[FlowService, FlowChecker]) -> None:
    service, _ = flows
    await service.put("main", calling("a", "b"))
    with pytest.raises(InvalidFlow):
        await service.put("main", calling("b", "a"))
    await service.put("main", calling("a", "c"))
    await service.put("main", calling("b", "a"))
