"""The auditor: executions whose rows were lost are found and go on; those that wait for something are left alone."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from sqlalchemy import delete, insert, select

from penstock.base.ids import new_id
from penstock.engine.records import Execution
from penstock.engine.states import State, StateType
from penstock.ports.journal import Batch
from penstock.services.audit import Audit, audit_of
from penstock.services.executor.auditor import Auditor
from penstock.store.tables import JOBS, TIMERS
from penstock.wiring.metrics import AuditMetrics
from tests.support.live import LiveServer, live_server

RETURN = "io.kestra.plugin.core.debug.Return"
GROUPED = f"""
id: grouped
namespace: team
tasks:
  - {{id: first, type: {RETURN}, format: x, workerGroup: {{key: gpu}}}}
  - {{id: second, type: {RETURN}, format: y}}
"""
PARENT = """
id: parent
namespace: team
tasks:
  - {id: call, type: io.kestra.plugin.core.flow.Subflow, namespace: team, flowId: grouped, wait: true}
"""
RETRIED = """
id: retried
namespace: team
tasks:
  - id: flaky
    type: io.kestra.plugin.core.execution.Fail
    retry: {type: constant, interval: PT1H, maxAttempts: 2}
"""


def auditor_of(live: LiveServer) -> Auditor:
    """Return an auditor that looks at executions as soon as they exist."""
    core = live.core
    store, executor = core.store, core.executor
    assert executor is not None
    return Auditor(
        store.waiting, store.journal, store.notifier, core.catalog, store.settings, core.clock,
        lambda: executor.leases, executor.name, queue=store.jobs, grace=0, second_look=0.05,
    )  # fmt: skip


async def audited(live: LiveServer) -> Audit:
    """Return what an audit finds."""
    audit = await auditor_of(live).audit()
    assert audit is not None
    return audit


async def waiting(live: LiveServer, flow_id: str, state: str) -> dict[str, Any]:
    """Start a flow and return the execution once its first task run waits in a state."""
    execution = await live.start(flow_id)
    while True:
        execution = await live.until(execution["id"], "RUNNING")
        if [run["state"]["current"] for run in execution["taskRunList"]] == [state]:
            return execution


async def test_job_that_was_lost_is_queued_again(live: LiveServer) -> None:
    """BEY-001."""
    await live.flow(GROUPED)
    execution = await waiting(live, "grouped", "SUBMITTED")
    assert (await audited(live)).findings == ()

    await live.core.store.database.write(lambda connection: connection.execute(delete(JOBS)).rowcount)
    audit = await audited(live)

    (finding,) = audit.findings
    assert (finding.execution_id, finding.task_id) == (execution["id"], "first")
    assert finding.repair == "queued its job again"
    assert audit.orphans == 1
    await live.core.store.jobs.register("w", "gpu", "host", live.core.clock.now())
    (job,) = await live.core.store.jobs.claim("w", "gpu", 10, live.core.clock.now())
    assert (job.execution_id, job.task_id, job.attempt) == (execution["id"], "first", 1)
    assert (await audited(live)).findings == audit.findings, "it was repaired twice"


async def test_job_of_an_ended_execution_is_dropped(live: LiveServer) -> None:
    """BEY-001: before a worker comes that could claim it."""
    await live.flow(GROUPED)
    execution = await waiting(live, "grouped", "SUBMITTED")
    database = live.core.store.database
    rows = await database.read(lambda connection: connection.execute(select(JOBS)).mappings().all())
    await live.client.delete(f"/api/v1/main/executions/{execution['id']}/kill")
    await live.until(execution["id"], "KILLED")
    await database.write(lambda connection: connection.execute(insert(JOBS), [dict(row) for row in rows]).rowcount)
    (finding,) = (await audited(live)).findings
    assert (finding.execution_id, finding.state, finding.repair) == (execution["id"], "KILLED", "dropped its job")
    assert await live.core.store.jobs.unowned() == 0
    assert (await audited(live)).orphans == 1


async def test_execution_that_nobody_was_told_of_begins(live: LiveServer) -> None:
    """BEY-001."""
    await live.flow(f"id: hello\nnamespace: team\ntasks:\n  - {{id: one, type: {RETURN}, format: x}}")
    now, execution_id = live.core.clock.now(), new_id()
    lost = Execution(
        id=execution_id, tenant="main", namespace="team", flow_id="hello", flow_revision=1, created=now,
        original_id=execution_id, original_created=now, state=State.at(StateType.CREATED, now),
    )  # fmt: skip
    await live.core.store.journal.commit(Batch(new_executions={execution_id: lost}))
    (finding,) = (await audited(live)).findings
    assert finding.repair == "let it begin"
    assert (await live.until(execution_id, "SUCCESS"))["id"] == execution_id


async def test_retry_whose_timer_was_lost_is_made(live: LiveServer) -> None:
    """BEY-001."""
    await live.flow(RETRIED)
    execution = await waiting(live, "retried", "RETRYING")
    await live.core.store.database.write(lambda connection: connection.execute(delete(TIMERS)).rowcount)
    (finding,) = (await audited(live)).findings
    assert (finding.task_id, finding.repair) == ("flaky", "began the next attempt")
    ended = await live.until(execution["id"], "FAILED")
    assert [len(run["attempts"]) for run in ended["taskRunList"]] == [2]


async def test_parent_that_was_not_told_of_the_end_of_its_child_goes_on(live: LiveServer) -> None:
    """BEY-001."""
    await live.flow(GROUPED)
    await live.flow(PARENT)
    parent = await waiting(live, "parent", "RUNNING")
    assert (await audited(live)).findings == ()
    journal, now = live.core.store.journal, live.core.clock.now()
    query = {"flowId": "grouped"}
    (child,) = (await live.client.get("/api/v1/main/executions/search", params=query)).json()["results"]
    stored = (await journal.load([child["id"]]))[child["id"]].execution
    cursor = msgspec.structs.replace(stored.cursor, phase="done")
    ended = msgspec.structs.replace(stored, state=stored.state.to(StateType.SUCCESS, now), cursor=cursor)
    await journal.commit(Batch(executions={ended.id: ended}))

    finding, stray = (await audited(live)).findings
    assert (stray.execution_id, stray.repair) == (child["id"], "dropped its job")
    assert (finding.execution_id, finding.task_id) == (parent["id"], "call")
    assert finding.repair == "told it of the end of its child"
    await live.until(parent["id"], "SUCCESS")


async def test_execution_whose_records_contradict_each_other_fails_and_says_so(live: LiveServer) -> None:
    """BEY-001."""
    await live.flow(GROUPED)
    execution = await waiting(live, "grouped", "SUBMITTED")
    store = live.core.store
    run = (await store.journal.load([execution["id"]]))[execution["id"]].task_runs[0]
    over = msgspec.structs.replace(run, state=run.state.to(StateType.SUCCESS, live.core.clock.now()))
    await store.journal.commit(Batch(task_runs={run.id: over}, ended_jobs={(run.id, 1): None}))
    (finding,) = (await audited(live)).findings
    assert finding.repair == "failed it"
    await live.until(execution["id"], "FAILED")
    lines = (await live.client.get(f"/api/v1/main/logs/{execution['id']}")).json()
    assert any("contradict each other" in line["message"] for line in lines)


@pytest.mark.parametrize("hold", ["pause", "queue", "child", "date"])
async def test_execution_that_waits_for_something_is_left_alone(live: LiveServer, hold: str) -> None:
    """BEY-001."""
    pause = "{id: wait, type: io.kestra.plugin.core.flow.Pause}"
    await live.flow(f"id: paused\nnamespace: team\nconcurrency: {{limit: 1}}\ntasks: [{pause}]")
    await live.flow(
        "id: parent\nnamespace: team\ntasks:\n"
        "  - {id: call, type: io.kestra.plugin.core.flow.Subflow, namespace: team, flowId: paused, wait: true}"
    )
    if hold == "child":
        await live.start("parent")
    else:
        first = await live.start("paused")
        await live.until(first["id"], "PAUSED")
        if hold == "queue":
            await live.until((await live.start("paused"))["id"], "QUEUED")
        if hold == "date":
            await live.start("paused", params={"scheduleDate": "2199-01-01T00:00:00Z"})
    assert (await audited(live)).findings == ()


async def test_audit_is_shown_by_the_api_in_health_and_in_metrics(live: LiveServer) -> None:
    """BEY-001."""
    assert (await live.client.get("/api/v1/main/audit")).json() == {"lookedAt": 0, "orphans": 0, "findings": []}
    await live.flow(GROUPED)
    execution = await waiting(live, "grouped", "SUBMITTED")
    await live.core.store.database.write(lambda connection: connection.execute(delete(JOBS)).rowcount)
    auditor = auditor_of(live)
    await auditor.audit()
    body = (await live.client.get("/api/v1/main/audit")).json()
    assert (body["orphans"], body["lookedAt"]) == (1, 1)
    assert body["findings"][0]["executionId"] == execution["id"]
    assert (await live.services.health.readiness()).details["audit"]["details"] == {"orphans": 1}
    (family,) = AuditMetrics(auditor).collect()
    assert [(sample.name, sample.value) for sample in family.samples] == [("penstock_orphans_total", 1)]


async def test_audit_without_partitions_looks_at_nothing_and_records_nothing(live: LiveServer) -> None:
    """BEY-001."""
    core = live.core
    store = core.store
    idle = Auditor(
        store.waiting,
        store.journal,
        store.notifier,
        core.catalog,
        store.settings,
        core.clock,
        dict,
        "standby",
        queue=store.jobs,
    )
    assert await idle.audit() is None
    assert await audit_of(store.settings) == Audit()


async def test_audit_on_postgres_queues_a_lost_job_again(postgres_url: str, tmp_path: Any) -> None:
    """BEY-001."""
    async with live_server(tmp_path, database=postgres_url) as live:
        await live.flow(GROUPED)
        execution = await waiting(live, "grouped", "SUBMITTED")
        await live.core.store.database.write(lambda connection: connection.execute(delete(JOBS)).rowcount)
        (finding,) = (await audited(live)).findings
        assert (finding.execution_id, finding.repair) == (execution["id"], "queued its job again")
