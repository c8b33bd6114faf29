"""Unit tests of flows on the core of a process."""

from __future__ import annotations

from penstock.services.executions import Following
from penstock.services.unit_tests import UnitTests
from penstock.wiring.core import Core


def unit_tests(core: Core, *, patience: float) -> UnitTests:
    """Return what runs test suites.

    Args:
        core: What it stands on; an executor and a worker must run somewhere.
        patience: Seconds that a case may take.
    """
    store = core.store
    return UnitTests(
        core.executions,
        Following(store.queries, core.followers, pause=0.01),
        core.dispatcher,
        store.queries,
        core.storage,
        core.functions.answer,
        core.clock,
        shared=core.plan.shared,
        patience=patience,
    )
