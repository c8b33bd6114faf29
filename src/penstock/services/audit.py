"""The outcome of the last audit, kept in the database so that every server can show it (BEY-001)."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from penstock.base.clock import Instant
from penstock.ports.settings import SettingsStore

KEY = "penstock.audit"
KEPT = 100
"""How many findings are kept."""


class Finding(msgspec.Struct, frozen=True):
    """An execution that nothing would have moved on, and what was done about it."""

    date: Instant
    execution_id: str
    namespace: str
    flow_id: str
    state: str
    repair: str
    task_id: str | None = None
    task_run_id: str | None = None


class Audit(msgspec.Struct, frozen=True):
    """What the last audit saw, and what audits have found so far."""

    date: Instant | None = None
    """When it was; None before the first."""
    executor: str = ""
    looked_at: int = 0
    """How many executions had no job, timer or event of their own and were looked at closely."""
    orphans: int = 0
    """How many executions have been found adrift, since the database was made."""
    findings: tuple[Finding, ...] = ()
    """The latest of all audits, newest first."""

    def after(self, date: Instant, executor: str, looked_at: int, findings: Sequence[Finding]) -> Audit:
        """Return the record after one more audit."""
        orphans = self.orphans + len({one.execution_id for one in findings})
        return Audit(date, executor, looked_at, orphans, (*findings, *self.findings)[:KEPT])


async def audit_of(settings: SettingsStore) -> Audit:
    """Return the last audit."""
    kept = await settings.get(KEY)
    return Audit() if kept is None else msgspec.convert(kept, Audit)


async def save_audit(settings: SettingsStore, audit: Audit) -> None:
    """Keep an audit."""
    await settings.put(KEY, msgspec.to_builtins(audit))


class AuditReader:
    """Reads the last audit.

    Args:
        settings: Where it is kept.
    """

    def __init__(self, settings: SettingsStore) -> None:
        self._settings = settings

    async def last(self) -> Audit:
        """Return what the last audit saw."""
        return await audit_of(self._settings)
