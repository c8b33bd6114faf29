"""What a process measures of its own work, read when it is asked for."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from penstock.ports.journal import COUNTED
from penstock.services.executor import Executor
from penstock.services.executor.auditor import Auditor


class LogCounter(logging.Handler):
    """Counts what is logged, by level."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: Counter[str] = Counter()

    def emit(self, record: logging.LogRecord) -> None:
        """Count one event."""
        self.counts[record.levelname.lower()] += 1


class LogMetrics(Collector):
    """How much the process has logged (OPS-151), where its logs are counted."""

    def collect(self) -> Iterator[CounterMetricFamily]:
        """Return `logback_events_total`."""
        family = CounterMetricFamily("logback_events", "Events that were logged", labels=("level",))
        for handler in logging.getLogger().handlers:
            if isinstance(handler, LogCounter):
                for level, count in list(handler.counts.items()):
                    family.add_metric((level,), count)
        yield family


class ExecutorMetrics(Collector):
    """How much of the work an executor has (OPS-142).

    Args:
        executor: The executor of this process.
    """

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Return `penstock_executor_partitions` and `penstock_executor_counts_limits`."""
        held = self._executor.leases
        yield GaugeMetricFamily("penstock_executor_partitions", "Partitions it decides for", value=len(held))
        text = "Whether it decides for the executions that a limit counts"
        yield GaugeMetricFamily("penstock_executor_counts_limits", text, value=int(COUNTED in held))


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
