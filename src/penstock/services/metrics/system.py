"""The process and the machine under the names that dashboards know (OPS-152)."""

from __future__ import annotations

import os
import resource
import threading
import time
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

_STAT = "/proc/stat"
_FILES = "/proc/self/fd"
_IDLE = slice(3, 5)
"""The fields of idle time in the first line of `/proc/stat`, behind its name."""


class SystemCollector(Collector):
    """Measures the process and its machine. Implements OPS-152.

    Shares of a processor are those since the look before.
    """

    def __init__(self) -> None:
        self._began = time.time()
        self._looked = time.monotonic()
        self._used = time.process_time()
        self._machine = _machine_times()

    @classmethod
    def register(cls, registry: CollectorRegistry) -> None:
        """Have a registry publish this, with what the client library knows by itself."""
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=registry)
        registry.register(cls())

    def collect(self) -> Iterator[Metric]:
        """Yield the measurements."""
        processors = os.cpu_count() or 1
        yield CounterMetricFamily("process_cpu_time_ns", "Processor time used.", time.process_time_ns())
        for name, text, value in (
            ("process_cpu_usage", "Share of the machine's processors that the process uses.", self._usage(processors)),
            ("system_cpu_usage", "Share of the machine's processors in use.", self._machine_usage()),
            ("system_cpu_count", "Processors.", processors),
            ("system_load_average_1m", "Load of the last minute.", os.getloadavg()[0]),
            ("process_uptime_seconds", "How long the process has run.", time.time() - self._began),
            ("process_files_open_files", "Open files.", _open_files()),
            ("process_files_max_files", "Most open files.", resource.getrlimit(resource.RLIMIT_NOFILE)[0]),
            ("process_threads", "Threads.", threading.active_count()),
        ):
            yield GaugeMetricFamily(name, text, value)

    def _usage(self, processors: int) -> float:
        now, used = time.monotonic(), time.process_time()
        share = (used - self._used) / max(1e-3, now - self._looked) / processors
        self._looked, self._used = now, used
        return min(1.0, share)

    def _machine_usage(self) -> float:
        before, self._machine = self._machine, _machine_times()
        busy, whole = (now - then for now, then in zip(self._machine, before, strict=True))
        return busy / whole if whole > 0 else 0.0


def _machine_times() -> tuple[int, int]:
    """Return the busy and the whole time of all processors; zeros where the system does not tell."""
    try:
        with open(_STAT) as file:
            times = [int(word) for word in file.readline().split()[1:9]]
    except (OSError, ValueError):
        return 0, 0
    return sum(times) - sum(times[_IDLE]), sum(times)


def _open_files() -> int:
    try:
        return len(os.listdir(_FILES))
    except OSError:
        return 0
