"""The metrics under their documented names, in the families of Prometheus.

Counts come from the tallies as they are; what only the database knows (how much waits) is read before each answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from penstock.base.clock import SECOND, Clock
from penstock.base.errors import UnavailableError
from penstock.base.measures import Summary
from penstock.ports.depths import Depth, QueueDepths
from penstock.ports.pools import PoolFigures
from penstock.services.metrics.families import counter, gauge, summary
from penstock.services.metrics.frameworks import FrameworkCollector
from penstock.services.metrics.system import SystemCollector
from penstock.services.metrics.tallies import ExecutorTally, Labels, SchedulerTally, Tallies, WorkerTally

_FLOW = ("tenant_id", "namespace_id", "flow_id")
_END = (*_FLOW, "state")


@dataclass(frozen=True, slots=True)
class Sources:
    """What is published of a process.

    Args:
        tallies: Its counts.
        depths: Its database's queues; None where it has none.
        has_executor: Whether it decides on executions.
        has_worker: Whether it runs tasks.
        has_scheduler: Whether it watches triggers.
        pool: Tells of its database's connections; None where it has none.
        caches: Tell how much is kept in memory, by name.
        prefix: The first word of names (`kestra.metrics.prefix`).
    """

    tallies: Tallies = field(default_factory=Tallies)
    depths: QueueDepths | None = None
    has_executor: bool = True
    has_worker: bool = True
    has_scheduler: bool = True
    pool: Callable[[], PoolFigures] | None = None
    caches: Mapping[str, Callable[[], int]] = field(default_factory=dict)
    prefix: str = "kestra"


class Published(Collector):
    """Answers scrapes. Implements OPS-137, OPS-141 to OPS-144, OPS-146 to OPS-148, BEY-005,
    BEY-011.

    Args:
        sources: What is published.
        clock: Tells how old things are.
        others: Further metrics, under names of their own.
    """

    def __init__(self, sources: Sources, clock: Clock, others: Iterable[Collector] = ()) -> None:
        self._sources = sources
        self._clock = clock
        self._depths: Sequence[Depth] = ()
        self._registry = CollectorRegistry()
        for collector in (self, *others):
            self._registry.register(collector)
        worker = sources.tallies.worker if sources.has_worker else None
        self._registry.register(FrameworkCollector(sources.tallies.http, worker, sources.pool, sources.caches))
        SystemCollector.register(self._registry)

    async def text(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        await self._look()
        return generate_latest(self._registry)

    async def names(self) -> list[str]:
        """Return the names of all metrics."""
        await self._look()
        return sorted({sample.name for family in self._registry.collect() for sample in family.samples})

    async def _look(self) -> None:
        if self._sources.depths is not None:
            try:
                self._depths = await self._sources.depths.depths(self._clock.now())
            except UnavailableError:  # a scrape tells what there is, whatever the database does
                self._depths = ()

    def collect(self) -> Iterator[Metric]:
        """Yield the families of this process."""
        sources = self._sources
        families: list[Iterable[Metric]] = [_queues(self._depths, self._clock.now())]
        if sources.pool is not None:
            used: dict[Labels, Summary] = {(): sources.pool().used}
            families.append(summary("jdbc_query_duration", "How long transactions took.", (), used))
        if sources.has_executor:
            families.append(_executor(sources.tallies.executor))
        if sources.has_worker:
            families.append(_worker(sources.tallies.worker))
        if sources.has_scheduler:
            families.append(_scheduler(sources.tallies.scheduler))
        for some in families:
            for family in some:
                yield _prefixed(family, sources.prefix)


def _executor(tally: ExecutorTally) -> Iterator[Metric]:
    yield counter("executor_execution_started_count", "Executions that began.", _FLOW, tally.started)
    yield counter("executor_execution_end_count", "Executions that ended.", _END, _plain(tally.ended))
    labels = tuple(f"label_{_word(key)}" for key in tally.labels)
    yield counter("executions", "Executions that ended, by state.", (*_END, *labels), tally.ended)
    yield counter("executor_execution_queued_count", "Executions that had to wait for a slot.", _FLOW, tally.queued)
    yield counter("executor_execution_popped_count", "Executions that got their slot.", _FLOW, tally.popped)
    yield counter("executor_taskrun_next_count", "Task runs that were found to be next.", _FLOW, tally.runs_created)
    yield counter("executor_workertaskresult_count", "Results that workers reported.", _FLOW, tally.results)
    yield counter("executor_taskrun_created_count", "Task runs that were created.", _FLOW, tally.runs_created)
    yield counter("executor_taskrun_ended_count", "Task runs that ended.", _END, tally.runs_ended)
    yield from summary("executor_execution_duration", "How long executions took.", _FLOW, tally.durations)
    yield from summary("executor_taskrun_ended_duration", "How long task runs took.", _FLOW, tally.run_durations)
    yield from summary("executor_execution_message_process", "How long a round took.", (), {(): tally.rounds})
    yield counter("executor_worker_lost_count", "Workers that were given up.", (), {(): tally.lost_workers})


def _worker(tally: WorkerTally) -> Iterator[Metric]:
    yield counter("worker_started_count", "Attempts that began.", _FLOW, tally.started)
    yield counter("worker_retried_count", "Attempts that were not the first.", _FLOW, tally.retried)
    yield counter("worker_ended_count", "Attempts that ended.", _END, tally.ended)
    yield from summary("worker_ended_duration", "How long attempts took.", _FLOW, tally.durations)
    yield from summary("worker_queued_duration", "How long jobs waited.", _FLOW, tally.waits)
    pending = max(0, tally.in_hand - tally.running)
    for name, text, value in (
        ("worker_job_running", "Jobs that are being run.", tally.running),
        ("worker_running_count", "Jobs that are being run.", tally.running),
        ("worker_job_pending", "Jobs that wait for a thread of this worker.", pending),
        ("worker_job_thread", "Threads of this worker.", tally.threads),
    ):
        yield GaugeMetricFamily(name, text, value)


def _scheduler(tally: SchedulerTally) -> Iterator[Metric]:
    yield counter("scheduler_loop_count", "Rounds of the scheduler.", (), {(): tally.loops.count})
    yield counter("scheduler_evaluate_count", "Triggers that were evaluated.", (), {(): tally.evaluations})
    yield from summary("scheduler_evaluation_loop_duration", "How long a round took.", (), {(): tally.loops})


def _queues(depths: Sequence[Depth], now: int) -> Iterator[Metric]:
    names = ("queue", "worker_group")
    queues = [depth for depth in depths if depth.queue not in ("workers", "triggers", "switches")]
    counts: dict[Labels, float] = {(one.queue, one.group): one.count for one in queues}
    ages: dict[Labels, float] = {(one.queue, one.group): _age(one, now) for one in queues}
    yield gauge("queue_message_lag_count", "What waits in a queue.", names, counts)
    yield gauge("queue_oldest_age_seconds", "How long the oldest has waited.", names, ages)
    workers = [depth for depth in depths if depth.queue == "workers"]
    known: dict[Labels, float] = {(one.group,): one.count for one in workers}
    silent: dict[Labels, float] = {(one.group,): _age(one, now) for one in workers}
    yield gauge("worker_known_count", "Workers that are known.", ("worker_group",), known)
    yield gauge("worker_silence_seconds", "How long ago the most silent was heard.", ("worker_group",), silent)
    said: dict[Labels, float] = {(one.group,): one.count for one in depths if one.queue == "switches"}
    yield gauge("switch_count", "Flows and triggers of which the instance says what they do.", ("state",), said)
    for one in (depth for depth in depths if depth.queue == "triggers"):
        yield gauge("scheduler_trigger_late_count", "Triggers whose date has passed unserved.", (), {(): one.count})
        yield gauge("scheduler_trigger_late_seconds", "How late the latest is.", (), {(): _age(one, now)})


def _age(depth: Depth, now: int) -> float:
    return 0 if depth.oldest is None else max(0, now - depth.oldest) / SECOND


def _plain(counts: Mapping[Labels, int]) -> Mapping[Labels, int]:
    """Return counts without the configured labels."""
    found: dict[Labels, int] = {}
    for values, count in list(counts.items()):
        key = values[: len(_END)]
        found[key] = found.get(key, 0) + count
    return found


def _prefixed(family: Metric, prefix: str) -> Metric:
    named = Metric(f"{prefix}_{family.name}", family.documentation, family.type)
    named.samples = [sample._replace(name=f"{prefix}_{sample.name}") for sample in family.samples]
    return named


def _word(key: str) -> str:
    """Return a label's key as a name of Prometheus."""
    return "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in key)
