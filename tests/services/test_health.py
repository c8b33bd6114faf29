"""Health when things go wrong."""

from __future__ import annotations

from pathlib import Path

from penstock.base.clock import SystemClock
from penstock.services.health import HealthService
from penstock.store import open_store


async def test_health_is_down_when_the_database_does_not_answer(tmp_path: Path) -> None:
    """OPS-136, MIG-067."""
    store = await open_store(f"sqlite:///{tmp_path / 'x.db'}", SystemClock())
    health = HealthService(store.settings, "SQLite", tmp_path)
    assert (await health.readiness()).is_up
    await store.close()
    found = await health.readiness()
    assert not found.is_up
    assert found.details["jdbc"]["status"] == "DOWN"
    assert health.liveness().is_up


async def test_health_is_down_when_the_storage_is_gone(tmp_path: Path) -> None:
    store = await open_store(f"sqlite:///{tmp_path / 'x.db'}", SystemClock())
    found = await HealthService(store.settings, "SQLite", tmp_path / "gone").readiness()
    assert found.details["diskSpace"]["status"] == "DOWN"
    await store.close()
