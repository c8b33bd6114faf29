"""What dashboards know under the names of frameworks: connections, requests, threads, memory.

The names are those of Java libraries; what is measured is what does the same work here.
"""

from __future__ import annotations

import resource
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from operator import attrgetter

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from penstock.base.measures import Summary
from penstock.ports.pools import PoolFigures
from penstock.services.metrics.families import counter, gauge, summary
from penstock.services.metrics.tallies import HttpTally, Labels, WorkerTally

_STATM = "/proc/self/statm"
_UNBOUNDED = 2**31 - 1
"""What a queue without a bound has room for, as it is told where the names come from."""


class FrameworkCollector(Collector):
    """Measures what surrounds the work. Implements OPS-148 to OPS-151 and OPS-153.

    Args:
        http: What the web server has answered.
        worker: What the worker does; None where there is none.
        pool: Tells of the database's connections; None where there is no database.
        caches: Tell how much they hold, by name.
    """

    def __init__(
        self,
        http: HttpTally,
        worker: WorkerTally | None,
        pool: Callable[[], PoolFigures] | None,
        caches: Mapping[str, Callable[[], int]],
    ) -> None:
        self._http = http
        self._worker = worker
        self._pool = pool
        self._caches = caches
        self._most_threads = 0

    def collect(self) -> Iterator[Metric]:
        """Yield the families."""
        names = ("uri", "method", "status")
        yield from summary("http_server_requests", "How long requests took.", names, self._http.requests)
        held: dict[Labels, float] = {(name,): count() for name, count in self._caches.items()}
        yield gauge("cache_size", "What is kept in memory.", ("cache",), held)
        figures = self._pool() if self._pool is not None else None
        if figures is not None:
            yield from _connections(figures)
        yield from _threads(self._worker, figures)
        yield from self._memory()

    def _memory(self) -> Iterator[Metric]:
        used = _resident()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        heap = ("area", "id")
        yield gauge("jvm_memory_used_bytes", "Memory in use.", heap, {("heap", "resident"): used})
        yield gauge("jvm_memory_committed_bytes", "Most memory that was in use.", heap, {("heap", "resident"): peak})
        most = -1 if limit == resource.RLIM_INFINITY else limit
        yield gauge("jvm_memory_max_bytes", "Most memory there may be; -1 for any.", heap, {("heap", "resident"): most})
        running = threading.enumerate()
        self._most_threads = max(self._most_threads, len(running))
        yield gauge("jvm_threads_live_threads", "Threads.", (), {(): len(running)})
        yield gauge("jvm_threads_peak_threads", "Most threads seen.", (), {(): self._most_threads})
        daemons = sum(thread.daemon for thread in running)
        yield gauge("jvm_threads_daemon_threads", "Threads that end with the process.", (), {(): daemons})


@dataclass(frozen=True, slots=True)
class _Pool:
    """What a pool of threads does."""

    active: int
    size: int
    waiting: int
    lasted: Summary
    waited: Summary


def _connections(figures: PoolFigures) -> Iterator[Metric]:
    names, key = ("pool",), ("penstock",)
    for name, text, value in (
        ("connections", "Connections to the database.", figures.open),
        ("connections_active", "Connections in use.", figures.active),
        ("connections_idle", "Connections not in use.", max(0, figures.open - figures.active)),
        ("connections_max", "Most connections.", figures.most),
        ("connections_min", "Fewest connections.", figures.least),
        ("connections_pending", "Transactions that wait for a connection.", figures.pending),
    ):
        yield gauge(f"hikaricp_{name}", text, names, {key: value})
    yield counter("hikaricp_connections_timeout", "Transactions without one.", names, {key: figures.timeouts})
    for name, text, found in (
        ("acquire", "How long transactions waited for a connection.", figures.acquired),
        ("creation", "How long it took to connect.", figures.created),
        ("usage", "How long connections were in use.", figures.used),
    ):
        yield from summary(f"hikaricp_connections_{name}", text, names, {key: found})


def _threads(worker: WorkerTally | None, figures: PoolFigures | None) -> Iterator[Metric]:
    """Yield what the pools of threads do: those of the worker's tasks, and those of the database's transactions."""
    pools: dict[Labels, _Pool] = {}
    if worker is not None:
        waiting = max(0, worker.in_hand - worker.running)
        lasted, waited = _sum(worker.durations), _sum(worker.waits)
        pools[("worker",)] = _Pool(worker.running, worker.threads, waiting, lasted, waited)
    if figures is not None:
        pools[("database",)] = _Pool(figures.active, figures.most, figures.pending, figures.used, figures.acquired)
    names = ("name",)
    for name, text, read in (
        ("active_threads", "Threads at work.", attrgetter("active")),
        ("pool_core_threads", "Threads that are kept.", attrgetter("size")),
        ("pool_max_threads", "Most threads.", attrgetter("size")),
        ("pool_size_threads", "Threads.", attrgetter("size")),
        ("queued_tasks", "What waits for a thread.", attrgetter("waiting")),
    ):
        yield gauge(f"executor_{name}", text, names, {key: read(pool) for key, pool in pools.items()})
    left = {key: _UNBOUNDED - pool.waiting for key, pool in pools.items()}
    yield gauge("executor_queue_remaining_tasks", "Room for what waits.", names, left)
    done = {key: pool.lasted.count for key, pool in pools.items()}
    yield counter("executor_completed_tasks", "What has been done.", names, done)
    yield from summary("executor", "How long work took.", names, {key: pool.lasted for key, pool in pools.items()})
    waits = {key: pool.waited for key, pool in pools.items()}
    yield from summary("executor_idle", "How long work waited.", names, waits)


def _sum(found: Mapping[Labels, Summary]) -> Summary:
    some = list(found.values())
    longest = max((one.longest for one in some), default=0.0)
    return Summary(sum(one.count for one in some), sum(one.seconds for one in some), longest)


def _resident() -> int:
    """Return the memory in use in bytes; 0 where the system does not tell."""
    try:
        with open(_STATM) as file:
            return int(file.read().split()[1]) * resource.getpagesize()
    except (OSError, ValueError):
        return 0
