from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from penstock.base.clock import SECOND
from penstock.engine.records import Execution
from penstock.engine.states import StateType
from penstock.ports.queries import PageRequest
from penstock.secrets import GivenSecrets
from penstock.services.executions import Launch
from penstock.services.worker import WorkerSettings
from penstock.wiring.application import TENANT, Application, flow_service
from penstock.wiring.lock import DatabaseInUse
from penstock.wiring.plan import Plan, Role
from penstock.wiring.supervisor import ServiceDied, Supervisor

CORE = frozenset({Role.EXECUTOR, Role.WORKER, Role.SCHEDULER})
HELLO = """
id: hello
namespace: company.team
tasks:
  - {id: say, type: io.kestra.plugin.core.debug.Return, format: "{{ secret('WORD') }} {{ globals.city }}"}
"""
TIMED = """
id: timed
namespace: company.team
tasks:
  - {id: say, type: io.kestra.plugin.core.log.Log, message: "{{ trigger.date }}"}
triggers:
  - id: tick
    type: io.kestra.plugin.core.trigger.Schedule
    cron: "* * * * * *"
    withSeconds: true
    allowConcurrent: true
"""


def plan(database: str, folder: Path, roles: frozenset[Role] = CORE) -> Plan:
    return Plan(
        roles=roles,
        database=database,
        storage=folder / "storage",
        worker=WorkerSettings(threads=4, grace=5 * SECOND),
        secrets=[GivenSecrets({"WORD": "Hello"})],
        shared={"globals": {"city": "Rome"}},
    )


@asynccontextmanager
async def running(wanted: Plan) -> AsyncIterator[Application]:
    application = Application(wanted)
    await application.start()
    try:
        yield application
    finally:
        await application.stop(hurry=True)


async def ended(application: Application, execution_id: str) -> Execution:
    async with asyncio.timeout(20):
        while True:
            found = await application.core.store.queries.head(TENANT, execution_id)
            if found is not None and found.state.is_terminal:
                return found
            await asyncio.sleep(0.02)


async def executions(application: Application) -> list[Execution]:
    page = await application.core.store.queries.search(TENANT, [], PageRequest(size=500))
    return list(page.results)


async def test_application_runs_an_execution_with_secrets_and_globals(tmp_path: Path) -> None:
    async with running(plan(f"sqlite:///{tmp_path}/p.db", tmp_path)) as application:
        core = application.core
        await flow_service(core).create(TENANT, HELLO)
        created = await core.executions.create(Launch(TENANT, "company.team", "hello"))
        assert (await ended(application, created.id)).state.current is StateType.SUCCESS
        found = await core.store.queries.get(TENANT, created.id)
        assert found is not None
        assert found[1][0].outputs == {"value": "Hello Rome"}


JQ = """
id: jq
namespace: company.team
tasks:
  - {id: say, type: io.kestra.plugin.core.debug.Return, format: "{{ 0 | jq('reduce range(100000) as $i (0; [.])') }}"}
"""


async def test_application_survives_a_jq_program_that_crashes_its_process(tmp_path: Path) -> None:
    async with running(plan(f"sqlite:///{tmp_path}/p.db", tmp_path)) as application:
        core = application.core
        for source in (JQ, HELLO):
            await flow_service(core).create(TENANT, source)
        wrong = await core.executions.create(Launch(TENANT, "company.team", "jq"))
        assert (await ended(application, wrong.id)).state.current is StateType.FAILED
        lines, _ = await core.store.queries.logs_of(wrong.id, min_level="ERROR")
        assert any("the jq program makes or reads too much" in line.message for line in lines)
        right = await core.executions.create(Launch(TENANT, "company.team", "hello"))
        assert (await ended(application, right.id)).state.current is StateType.SUCCESS


async def test_application_schedule_fires_every_second_and_goes_on_after_a_restart(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/p.db"
    async with running(plan(database, tmp_path)) as application:
        await flow_service(application.core).create(TENANT, TIMED)
        await asyncio.sleep(2.5)
    await asyncio.sleep(1.2)
    async with running(plan(database, tmp_path)) as application:
        await asyncio.sleep(1.5)
        found = await executions(application)
    dates = sorted(execution.schedule_date or 0 for execution in found)
    assert len(dates) >= 4
    assert [later - earlier for earlier, later in pairwise(dates)] == [SECOND] * (len(dates) - 1)


async def test_application_two_servers_on_postgresql_share_the_work(postgres_url: str, tmp_path: Path) -> None:
    """OPS-134: no execution is lost, no date fires twice."""
    wanted = plan(postgres_url, tmp_path)
    async with running(wanted) as first, running(wanted) as second:
        await flow_service(first.core).create(TENANT, HELLO)
        await flow_service(second.core).create(TENANT, TIMED)
        launch = Launch(TENANT, "company.team", "hello")
        made = [await server.core.executions.create(launch) for server in (first, second) for _ in range(10)]
        for execution in made:
            assert (await ended(first, execution.id)).state.current is StateType.SUCCESS
        await asyncio.sleep(2.5)
        timed = [execution for execution in await executions(first) if execution.flow_id == "timed"]
    dates = [execution.schedule_date for execution in timed]
    assert len(dates) >= 2
    assert len(dates) == len(set(dates))


async def test_application_second_one_on_an_embedded_database_is_refused(tmp_path: Path) -> None:
    wanted = plan(f"sqlite:///{tmp_path}/p.db", tmp_path)
    async with running(wanted):
        with pytest.raises(DatabaseInUse, match=r"p\.db is in use by another server"):
            await Application(wanted).start()
    async with running(wanted):
        pass


async def test_application_dead_part_is_reported(tmp_path: Path) -> None:
    async with running(plan(f"sqlite:///{tmp_path}/p.db", tmp_path)) as application:
        executor = application.core.executor
        assert executor is not None
        executor.stop()
        failure = await asyncio.wait_for(application.failed(), 10)
    assert isinstance(failure, ServiceDied)
    assert "executor" in str(failure)


async def test_supervisor_tells_a_death_from_a_stop() -> None:
    supervisor = Supervisor()
    stop = asyncio.Event()

    async def breaking() -> None:
        raise ValueError("broken")

    async def stopping() -> None:
        await stop.wait()

    supervisor.start("steady", stopping())
    supervisor.expect_end("steady")
    stop.set()
    await supervisor.stop("steady")
    assert supervisor.failure is None
    supervisor.start("weak", breaking())
    failure = await supervisor.failed()
    assert "weak ended: ValueError: broken" in str(failure)
    assert isinstance(failure.__cause__, ValueError)
