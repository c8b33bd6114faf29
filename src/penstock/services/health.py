"""Whether the server can do its work: the database answers, the disk has room, the services run.

Implements OPS-136, MIG-067.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from penstock.base.errors import PenstockError
from penstock.ports.settings import SettingsStore
from penstock.services.audit import audit_of

THRESHOLD = 10 * 1024 * 1024
"""Bytes that must be free."""
_PATIENCE = 5.0


@dataclass(frozen=True, slots=True)
class Health:
    """The outcome of a check."""

    is_up: bool
    details: Mapping[str, Any] = field(default_factory=dict)


class HealthService:
    """Checks the server.

    Args:
        settings: Any read of the database shows that it answers.
        database: What the database is, such as `SQLite`; never its address with a password.
        storage: The folder whose disk must have room.
    """

    def __init__(self, settings: SettingsStore, database: str, storage: Path) -> None:
        self._settings = settings
        self._database = database
        self._storage = storage

    def liveness(self) -> Health:
        """Return whether the process answers at all; outside components do not matter (MIG-067)."""
        return Health(is_up=True)

    async def readiness(self) -> Health:
        """Return whether requests can be served now."""
        (database, audit), disk = await self._check_database(), await asyncio.to_thread(self._check_disk)
        is_up = database["status"] == "UP" and disk["status"] == "UP"
        details = {"jdbc": database, "service": {"name": "penstock", "status": "UP"}, "diskSpace": disk, "audit": audit}
        return Health(is_up, details)

    async def _check_database(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Read the last audit; that this works says that the database answers."""
        audit: dict[str, Any] = {"name": "penstock", "status": "UNKNOWN"}
        body: dict[str, Any] = {"name": "penstock", "status": "UP", "details": {"database": self._database}}
        try:
            async with asyncio.timeout(_PATIENCE):
                orphans = (await audit_of(self._settings)).orphans
            audit |= {"status": "UP", "details": {"orphans": orphans}}
        except (PenstockError, TimeoutError) as error:
            body["status"] = "DOWN"
            body["details"]["error"] = str(error) or "no answer in time"
        return body, audit

    def _check_disk(self) -> dict[str, Any]:
        try:
            usage = shutil.disk_usage(self._storage)
        except OSError as error:
            return {"name": "penstock", "status": "DOWN", "details": {"error": error.strerror}}
        details = {"total": usage.total, "free": usage.free, "threshold": THRESHOLD}
        return {"name": "penstock", "status": "UP" if usage.free > THRESHOLD else "DOWN", "details": details}
