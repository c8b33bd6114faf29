"""What a server counts of its work, as Prometheus reads it."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from penstock.base.clock import SystemClock
from penstock.base.errors import UnavailableError
from penstock.ports.depths import Depth
from penstock.services.metrics import ExecutorTally, Published, Sources, Tallies
from penstock.testing.store import records
from penstock.wiring.metrics import LogCounter, LogMetrics
from penstock.wiring.services import published
from tests.support.live import live_server
from tests.support.waiting import PATIENCE

FLOW = """
id: counted
namespace: team
labels: {country: Germany}
tasks:
  - {id: one, type: io.kestra.plugin.core.log.Log, message: hello}
  - {id: two, type: io.kestra.plugin.core.flow.Sleep, duration: PT0.05S}
"""
LABELS = {"tenant_id": "main", "namespace_id": "team", "flow_id": "counted"}


async def values(source: Published) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    """Return all samples by name and labels, read as a scraper does."""
    found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for family in text_string_to_metric_families((await source.text()).decode()):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sorted(sample.labels.items()))] = sample.value
    return found


def of(labels: dict[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(labels.items()))


async def test_metrics_count_what_executor_and_worker_do(tmp_path: Path) -> None:
    """OPS-141, OPS-143, OPS-147, USE-B115."""
    async with live_server(tmp_path) as live:
        await live.flow(FLOW)
        for _ in range(2):
            await live.run("counted")
        found = await values(published(live.core))
    ended = of({**LABELS, "state": "SUCCESS"})
    assert found["kestra_executor_execution_started_count_total"] == {of(LABELS): 2}
    assert found["kestra_executor_execution_end_count_total"] == {ended: 2}
    assert found["kestra_executions_total"] == {ended: 2}
    assert found["kestra_executor_taskrun_created_count_total"] == {of(LABELS): 4}
    assert found["kestra_executor_taskrun_ended_count_total"] == {ended: 4}
    assert found["kestra_worker_started_count_total"] == {of(LABELS): 4}
    assert found["kestra_worker_ended_count_total"] == {ended: 4}
    for name in ("executor_execution_duration", "executor_taskrun_ended_duration", "worker_ended_duration"):
        count, total = (found[f"kestra_{name}_seconds_{part}"][of(LABELS)] for part in ("count", "sum"))
        assert count in (2, 4)
        assert 0.05 <= found[f"kestra_{name}_seconds_max"][of(LABELS)] <= total
    assert found["kestra_executor_execution_message_process_seconds_count"][()] > 0
    assert found["kestra_worker_job_running"] == found["kestra_worker_job_pending"] == {(): 0}


async def test_metrics_tell_jobs_that_run(tmp_path: Path) -> None:
    """OPS-147, USE-B115."""
    async with live_server(tmp_path) as live:
        await live.flow(FLOW.replace("PT0.05S", "PT60S"))
        started = [await live.start("counted") for _ in range(3)]
        async with asyncio.timeout(PATIENCE):
            while (await values(published(live.core)))["kestra_worker_running_count"] != {(): 3}:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        for one in started:
            await live.client.delete(f"/api/v1/main/executions/{one['id']}/kill")
        for one in started:
            await live.until(one["id"], "KILLED")


async def test_metrics_tell_ended_executions_apart_by_the_configured_labels() -> None:
    """OPS-142."""
    tally = ExecutorTally(("country", "team-name"))
    one = records.execution(labels=(("country", "Germany"),), state=records.SUCCESS)
    tally.ended[("main", one.namespace, one.flow_id, "SUCCESS", *tally._values(one))] += 1
    found = await values(Published(Sources(Tallies(tally)), SystemClock()))
    (labels,) = found["kestra_executions_total"]
    assert dict(labels)["label_country"] == "Germany"
    assert dict(labels)["label_team_name"] == "__none__"
    assert not any(
        key.startswith("label_") for key, _ in next(iter(found["kestra_executor_execution_end_count_total"]))
    )


async def test_metrics_have_the_configured_prefix_and_no_parts_the_process_has_not() -> None:
    """OPS-141."""
    sources = Sources(has_executor=False, has_scheduler=False, prefix="own")
    names = await Published(sources, SystemClock()).names()
    assert "own_worker_job_thread" in names
    assert not [name for name in names if name.startswith(("kestra_", "own_executor", "own_scheduler"))]
    assert {"process_cpu_usage", "system_cpu_count", "process_uptime_seconds"} <= set(names)


class Queues:
    """Queues as told."""

    def __init__(self, *depths: Depth) -> None:
        self.found = depths

    async def depths(self, now: int) -> tuple[Depth, ...]:
        if not self.found:
            raise UnavailableError("gone")
        return self.found


async def test_metrics_tell_depth_and_age_of_queues() -> None:
    """BEY-011, OPS-148."""
    clock = SystemClock()
    queues = Queues(Depth("jobs", "gpu", 5, clock.now() - 60 * records.SECOND), Depth("messages", "", 2))
    found = await values(Published(Sources(depths=queues), clock))
    jobs, messages = of({"queue": "jobs", "worker_group": "gpu"}), of({"queue": "messages", "worker_group": ""})
    assert found["kestra_queue_message_lag_count"] == {jobs: 5, messages: 2}
    assert 60 <= found["kestra_queue_oldest_age_seconds"][jobs] < 120
    assert found["kestra_queue_oldest_age_seconds"][messages] == 0


async def test_metrics_tell_late_triggers_and_silent_workers() -> None:
    """BEY-005."""
    clock = SystemClock()
    minute = clock.now() - 60 * records.SECOND
    queues = Queues(Depth("triggers", "", 2, minute), Depth("workers", "gpu", 3, minute))
    found = await values(Published(Sources(depths=queues), clock))
    assert found["kestra_scheduler_trigger_late_count"] == {(): 2}
    assert 60 <= found["kestra_scheduler_trigger_late_seconds"][()] < 120
    group = of({"worker_group": "gpu"})
    assert found["kestra_worker_known_count"] == {group: 3}
    assert 60 <= found["kestra_worker_silence_seconds"][group] < 120
    assert "kestra_queue_message_lag_count" not in found


async def test_metrics_are_told_while_the_database_is_gone() -> None:
    """OPS-137."""
    assert "kestra_worker_job_thread" in await Published(Sources(depths=Queues()), SystemClock()).names()


async def test_metrics_tell_requests_connections_and_threads_under_the_names_of_dashboards(tmp_path: Path) -> None:
    """OPS-148, OPS-149, OPS-150, OPS-151, OPS-153."""
    async with live_server(tmp_path) as live:
        await live.flow(FLOW)
        await live.run("counted")
        for path in ("/api/v1/main/flows/team/counted", "/api/v1/main/flows/team/none", "/api/v1/main/nothing"):
            await live.client.get(path)
        found = await values(published(live.core))
    served = {(dict(key)["uri"], dict(key)["status"]) for key in found["http_server_requests_seconds_count"]}
    by_route = "/api/v1/{tenant}/flows/{namespace}/{id}"
    assert {(by_route, "200"), (by_route, "404"), ("UNMATCHED_URI", "404")} <= served
    assert ("/api/v1/{tenant}/executions/{namespace}/{id}", "200") in served
    pool = of({"pool": "penstock"})
    assert found["hikaricp_connections"][pool] >= 2
    assert found["hikaricp_connections_max"][pool] >= found["hikaricp_connections_active"][pool]
    for name in ("usage", "acquire", "creation"):
        assert found[f"hikaricp_connections_{name}_seconds_count"][pool] > 0
    assert found["kestra_jdbc_query_duration_seconds_count"][()] > 0
    worker = of({"name": "worker"})
    assert found["executor_completed_tasks_total"][worker] == 2
    assert found["executor_seconds_sum"][worker] >= 0.05
    assert found["executor_pool_size_threads"][worker] > 0
    assert found["jvm_memory_used_bytes"][of({"area": "heap", "id": "resident"})] > 10_000_000
    assert found["jvm_threads_live_threads"][()] > 1
    assert list(found["cache_size"]) == [of({"cache": "executions"})]


async def test_metrics_count_executions_that_waited_for_a_slot_and_results_of_workers(tmp_path: Path) -> None:
    """OPS-144."""
    async with live_server(tmp_path) as live:
        await live.flow(f"{FLOW}concurrency: {{limit: 1}}\n")
        started = [await live.start("counted") for _ in range(3)]
        for one in started:
            await live.until(one["id"], "SUCCESS")
        found = await values(published(live.core))
    assert found["kestra_executor_execution_queued_count_total"] == {of(LABELS): 2}
    assert found["kestra_executor_execution_popped_count_total"] == {of(LABELS): 2}
    assert found["kestra_executor_taskrun_next_count_total"] == {of(LABELS): 6}
    assert found["kestra_executor_workertaskresult_count_total"] == {of(LABELS): 6}


async def test_metrics_count_what_is_logged_by_level() -> None:
    """OPS-151."""
    counting = LogCounter()
    root = logging.getLogger()
    root.addHandler(counting)
    try:
        logging.getLogger("penstock.test").error("on purpose")
        found = await values(Published(Sources(), SystemClock(), [LogMetrics()]))
    finally:
        root.removeHandler(counting)
    assert found["logback_events_total"][of({"level": "error"})] == 1
