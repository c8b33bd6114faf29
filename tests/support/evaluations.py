"""The server's side of evaluations on a store, for tests that put a gateway together by hand."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from penstock.base.clock import SystemClock
from penstock.engine.records import Execution
from penstock.services.executions import FirstExecutions, InputReader, Preparation
from penstock.services.scheduler.conditions import Conditions
from penstock.services.scheduler.evaluations import Evaluations
from penstock.services.scheduler.firing import Firing
from penstock.storage import LocalStorage
from penstock.store import Store
from penstock.wiring.flow_reading import FlowReading
from penstock.wiring.plugins import load_plugins


async def no_answers(execution: Execution, function: str, arguments: Mapping[str, Any]) -> Any:
    raise AssertionError(f"nobody expected {function}")


def evaluations_on(store: Store, flows: Any, folder: Path) -> Evaluations:
    """Return the evaluations of a store; `flows` is where resolved flows come from."""
    clock, reading = SystemClock(), FlowReading(load_plugins().registry)
    first = FirstExecutions(store.queries, clock)
    preparation = Preparation(flows, InputReader(LocalStorage(folder), no_answers), clock, first)
    return Evaluations(
        store.evaluations,
        store.triggers,
        flows,
        reading,
        Firing(preparation, no_answers, {}),
        Conditions(reading.condition),
        store.journal,
        store.notifier,
        clock,
        {},
    )
