"""What a process measures of its own work, read when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from penstock.services.executor.auditor import Auditor


class AuditMetrics(Collector):
    """How many executions the auditor has found adrift (BEY-001).

    Args:
        auditor: The auditor of this process.
    """

    def __init__(self, auditor: Auditor) -> None:
        self._auditor = auditor

    def collect(self) -> Iterator[CounterMetricFamily]:
        """Return `penstock_orphans_total`."""
        text = "Executions that nothing would have moved on, found and repaired by this process"
        yield CounterMetricFamily("penstock_orphans", text, value=self._auditor.orphans)
