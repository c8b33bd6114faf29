from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from penstock.base.clock import SECOND, Instant, SystemClock
from penstock.engine.records import Execution
from penstock.engine.states import StateType
from penstock.expressions.encrypted import is_sealed
from penstock.model.inputs import InvalidInputs
from penstock.ports.queries import LogSelection, PageRequest
from penstock.secrets import GivenSecrets
from penstock.services.encryption import Encryption
from penstock.services.executions import Launch
from penstock.services.worker import WorkerSettings
from penstock.store.schema import SchemaMismatch, migrate
from penstock.wiring.application import TENANT, Application, flow_service
from penstock.wiring.lock import DatabaseInUse
from penstock.wiring.plan import Plan, Role
from penstock.wiring.supervisor import ServiceDied, Supervisor
from tests.support.waiting import PATIENCE

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
    async with asyncio.timeout(PATIENCE):
        while True:
            found = await application.core.store.queries.head(TENANT, execution_id)
            if found is not None and found.state.is_terminal:
                return found
            await asyncio.sleep(0.02)


async def fired(application: Application, count: int, after: Instant = 0) -> list[Instant]:
    """Return the dates that the schedule has fired, once there are so many after an instant."""
    async with asyncio.timeout(PATIENCE):
        while True:
            page = await application.core.store.queries.search(TENANT, [], PageRequest(size=500))
            dates = sorted(one.schedule_date for one in page.results if one.schedule_date is not None)
            if sum(date > after for date in dates) >= count:
                return dates
            await asyncio.sleep(0.05)


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
        lines, _ = await core.store.queries.logs_of(wrong.id, LogSelection("ERROR"))
        assert any("the jq program makes or reads too much" in line.message for line in lines)
        right = await core.executions.create(Launch(TENANT, "company.team", "hello"))
        assert (await ended(application, right.id)).state.current is StateType.SUCCESS


SECRET_INPUT = """
id: guarded
namespace: company.team
inputs:
  - {id: token, type: SECRET, validator: "^hunter[0-9]$"}
tasks:
  - {id: whole, type: io.kestra.plugin.core.log.Log, message: "all: {{ inputs }}"}
  - {id: plain, type: io.kestra.plugin.core.log.Log, message: "token: {{ inputs.token }}"}
  - {id: made, type: io.kestra.plugin.core.log.Log, message: "made: {{ inputs.token | upper | reverse }}"}
  - {id: size, type: io.kestra.plugin.core.debug.Return, format: "{{ inputs['token'] | length }}"}
  - id: choice
    type: io.kestra.plugin.core.flow.If
    condition: "{{ (inputs.token | slice(0, 6)) == 'hunter' }}"
    then:
      - {id: right, type: io.kestra.plugin.core.log.Log, message: "right"}
    else:
      - {id: wrong, type: io.kestra.plugin.core.execution.Fail}
"""


def files_with(folder: Path, *texts: bytes) -> list[Path]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    return [path for path in files if any(text in path.read_bytes() for text in texts)]


async def test_application_keeps_secret_inputs_encrypted_and_masks_them(tmp_path: Path) -> None:
    """ENG-186, OPS-076."""
    path = tmp_path / "p.db"
    wanted = replace(plan(f"sqlite:///{path}", tmp_path), encryption=Encryption.passing())
    async with running(wanted) as application:
        core = application.core
        await flow_service(core).create(TENANT, SECRET_INPUT)
        created = await core.executions.create(Launch(TENANT, "company.team", "guarded", inputs={"token": "hunter2"}))
        assert (await ended(application, created.id)).state.current is StateType.SUCCESS
        found = await core.store.queries.get(TENANT, created.id)
        assert found is not None
        assert is_sealed((found[0].inputs or {})["token"])
        assert {run.task_id for run in found[1]} == {"whole", "plain", "made", "size", "choice", "right"}
        assert [run.outputs for run in found[1] if run.task_id == "size"] == [{"value": "7"}]
        lines, _ = await core.store.queries.logs_of(created.id)
        said = [line.message for line in lines if line.message.startswith(("all", "token", "made", "right"))]
        assert said[1:] == ["token: ******", "made: ******", "right"]
        assert "aes_encrypted" in said[0]
        with pytest.raises(InvalidInputs):
            await core.executions.create(Launch(TENANT, "company.team", "guarded", inputs={"token": "other"}))
    assert not files_with(tmp_path, b"hunter2", b"2RETNUH")


async def test_application_without_encryption_key_refuses_secret_inputs(tmp_path: Path) -> None:
    """OPS-076."""
    async with running(plan(f"sqlite:///{tmp_path}/p.db", tmp_path)) as application:
        core = application.core
        await flow_service(core).create(TENANT, SECRET_INPUT)
        with pytest.raises(InvalidInputs, match=r"kestra\.encryption\.secret-key"):
            await core.executions.create(Launch(TENANT, "company.team", "guarded", inputs={"token": "hunter2"}))


async def test_application_schedule_fires_every_second_and_goes_on_after_a_restart(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/p.db"
    async with running(plan(database, tmp_path)) as application:
        await flow_service(application.core).create(TENANT, TIMED)
        await fired(application, 2)
    await asyncio.sleep(1.1)  # so that a date is missed
    up = SystemClock().now()
    async with running(plan(database, tmp_path)) as application:
        dates = [date for date in await fired(application, 2, after=up) if date <= up]
    assert len(dates) >= 3
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
        dates = await fired(first, 3)
    assert len(dates) == len(set(dates))


async def test_application_second_one_on_an_embedded_database_is_refused(tmp_path: Path) -> None:
    wanted = plan(f"sqlite:///{tmp_path}/p.db", tmp_path)
    async with running(wanted):
        with pytest.raises(DatabaseInUse, match=r"p\.db is in use by another server"):
            await Application(wanted).start()
    async with running(wanted):
        pass


async def test_application_brings_an_older_database_of_its_own_up_to_date_and_refuses_another(tmp_path: Path) -> None:
    """BEY-071."""
    wanted, told = plan(f"sqlite:///{tmp_path}/p.db", tmp_path), list[str]()
    before = migrate(wanted.database, "head-1")
    with pytest.raises(SchemaMismatch, match="penstock migrate"):
        await Application(wanted).start()
    application = Application(replace(wanted, upgrades=True), tell=told.append)
    await application.start()
    await application.stop(hurry=True)
    [line] = told
    assert f"from schema version {before}" in line
    async with running(wanted):
        pass


async def test_application_dead_part_is_reported(tmp_path: Path) -> None:
    async with running(plan(f"sqlite:///{tmp_path}/p.db", tmp_path)) as application:
        executor = application.core.executor
        assert executor is not None
        executor.stop()
        failure = await asyncio.wait_for(application.failed(), PATIENCE)
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
