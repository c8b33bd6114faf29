"""What only HTTP brings: tokens, tickets, lost answers, connections that break."""

import asyncio
import contextlib
from pathlib import Path
from typing import Any

import httpx
import pytest

from penstock.base.clock import SECOND, SystemClock
from penstock.base.errors import PenstockError, UnauthorizedError, UnavailableError
from penstock.builtin.log import Log
from penstock.engine.decision import Job
from penstock.engine.events import TaskEnded
from penstock.engine.states import StateType
from penstock.engine.working_set import Live
from penstock.ports.gateway import Assignment, Report
from penstock.ports.jobs import Held, JobTaken
from penstock.ports.journal import LeaseLost
from penstock.services.gateway.http import HttpGateway, TokenRefused
from penstock.services.gateway.wire import needed_variables
from penstock.services.keyvalues import KeyValueService
from penstock.services.keyvalues.values import typed
from tests.services.gateway.conftest import TOKEN, StoreBench, direct_gateway, serving
from tests.support.waiting import PATIENCE

JOB = Job("r1", 1, "e1", "main", "company.team", "flow", 1, "hello")


def http_of(bench: StoreBench) -> HttpGateway:
    assert isinstance(bench.gateway, HttpGateway)
    return bench.gateway


@pytest.mark.parametrize("token", ["wrong", TOKEN + "x", TOKEN[:-1], "ü"])
async def test_http_wrong_token_is_refused(direct: StoreBench, token: str) -> None:
    async with serving(direct.direct) as address, httpx.AsyncClient(base_url=address, timeout=PATIENCE) as client:
        headers = {b"Authorization": f"Bearer {token}".encode()}
        response = await client.post("/api/v1/worker/now", headers=list(headers.items()))
        assert response.status_code == 401
        assert response.json()["code"] == "WRONG_WORKER_TOKEN"
        assert TOKEN not in response.text


async def test_http_worker_is_known_by_its_own_machine(over_http: StoreBench) -> None:
    """BEY-002: who looks for it finds it."""
    await over_http.gateway.register("far", "", 1, "moon-7")
    assert [worker.hostname for worker in await over_http.store.jobs.workers()] == ["moon-7"]


async def test_http_without_any_token_is_refused(direct: StoreBench) -> None:
    async with serving(direct.direct) as address, httpx.AsyncClient(base_url=address, timeout=PATIENCE) as client:
        assert (await client.post("/api/v1/worker/claim")).status_code == 401
        assert (await client.put("/api/v1/worker/files")).status_code == 401


async def test_http_job_that_was_not_given_opens_neither_secrets_nor_files(
    over_http: StoreBench, tmp_path: Path
) -> None:
    """BEY-010: a token alone reads nothing."""
    (job,) = await over_http.offer(1)
    gateway = over_http.gateway
    with pytest.raises(UnauthorizedError):
        await gateway.call(job, "secret", {"key": "TOKEN"})
    with pytest.raises(UnauthorizedError):
        await gateway.put_file(job, "f", b"x")
    with pytest.raises(UnauthorizedError):
        await gateway.get_file(job, "kestra:///f", tmp_path / "f")
    with pytest.raises(UnauthorizedError):
        await gateway.report([Report(job, TaskEnded(job.task_run_id, 1, StateType.SUCCESS, 1, 2))])
    assert list(await over_http.events()) == []


async def test_http_ticket_of_one_job_does_not_open_another(over_http: StoreBench) -> None:
    await over_http.offer(1)
    gateway = http_of(over_http)
    await gateway.register("w1", "", 1)
    (claimed,) = await gateway.claim("w1", 1, SECOND)
    (other,) = await over_http.offer(1)
    gateway._tickets[other.key] = gateway._tickets[claimed.job.key]
    with pytest.raises(UnauthorizedError):
        await gateway.call(other, "secret", {"key": "TOKEN"})


async def test_http_claim_whose_answer_is_lost_is_answered_again(over_http: StoreBench) -> None:
    (job,) = await over_http.offer(1)
    gateway = http_of(over_http)
    await gateway.register("w1", "", 2)
    talk = gateway._talks["w1"]
    before = talk.received
    await gateway.claim("w1", 1, SECOND)
    talk.received = before  # as if the answer had never come
    talk.held.clear()
    assert [one.job for one in await gateway.claim("w1", 1, SECOND)] == [job]
    assert list(await gateway.claim("w1", 1, 0)) == []


async def test_http_claim_that_another_server_answered_in_vain_is_answered_again(
    direct: StoreBench, tmp_path: Path
) -> None:
    """BEY-003: the server that gave the job away last is not asked again, and the job is found all the same."""
    async with (
        direct_gateway(direct.store, tmp_path) as other,
        serving(direct.direct) as first,
        serving(other) as second,
        httpx.AsyncClient(base_url=first, timeout=PATIENCE) as client,
    ):
        gateway = HttpGateway(client, TOKEN)
        await gateway.register("w1", "", 3)
        talk = gateway._talks["w1"]
        assert list(await gateway.claim("w1", 1, 0)) == []
        before = talk.received
        (job,) = await direct.offer(1)
        client.base_url = second
        await gateway.claim("w1", 1, SECOND)
        talk.received = before  # as if the second server's answer had never come
        talk.held.clear()
        client.base_url = first
        assert list(await gateway.claim("w1", 1, 0)) == []
        assert list(await gateway.lost("w1", ())) == []
        assert [one.job for one in await gateway.claim("w1", 1, SECOND)] == [job]


async def test_http_job_given_anew_can_be_reported_after_its_late_end(over_http: StoreBench) -> None:
    """BEY-003: a worker that had to take another name reports what it ended under the old one, and then the rest."""
    (job,) = await over_http.offer(1)
    gateway = http_of(over_http)
    await gateway.register("w1", "", 1)
    await gateway.claim("w1", 1, SECOND)
    await over_http.give_up("w1")
    await gateway.register("w2", "", 1)
    assert [one.job for one in await gateway.claim("w2", 1, SECOND)] == [job]
    late = TaskEnded(job.task_run_id, 1, StateType.SUCCESS, 1, 2, "w1")
    with contextlib.suppress(PenstockError):
        await gateway.report([Report(job, late)])
    await gateway.release("w1")
    await gateway.report([Report(job, TaskEnded(job.task_run_id, 1, StateType.SUCCESS, 1, 2, "w2"))])
    assert "w2" in [event.worker_id for event in await over_http.events() if isinstance(event, TaskEnded)]
    assert gateway._tickets == {}


async def test_http_token_that_is_refused_counts_as_a_server_that_does_not_answer(direct: StoreBench) -> None:
    """BEY-010: a worker keeps what it has to report until its token is known again."""
    (job,) = await direct.offer(1)
    async with serving(direct.direct) as address, httpx.AsyncClient(base_url=address, timeout=PATIENCE) as client:
        gateway = HttpGateway(client, "a token of yesterday")
        with pytest.raises(TokenRefused, match="missing or wrong"):
            await gateway.report([Report(job, TaskEnded(job.task_run_id, 1, StateType.SUCCESS, 1, 2))])
    assert issubclass(TokenRefused, UnavailableError)


async def test_http_worker_goes_on_with_another_server_than_it_came_by(direct: StoreBench, tmp_path: Path) -> None:
    """BEY-010: who holds what is known to the database, not to a server."""
    async with (
        direct_gateway(direct.store, tmp_path) as other,
        serving(direct.direct) as first,
        serving(other) as second,
        httpx.AsyncClient(base_url=first, timeout=PATIENCE) as client,
    ):
        gateway = HttpGateway(client, TOKEN)
        await gateway.register("w1", "", 3)
        await direct.offer(2)
        (here,) = await gateway.claim("w1", 1, SECOND)
        client.base_url = second
        assert list(await gateway.heartbeat("w1")) == []
        (there,) = await gateway.claim("w1", 1, SECOND)
        assert here.job.key != there.job.key
        assert list(await gateway.claim("w1", 1, 0)) == []
        await direct.change(here.job, StateType.KILLING, kill=True)
        assert list(await gateway.heartbeat("w1")) == [here.job.key]
        ended = TaskEnded(there.job.task_run_id, 1, StateType.SUCCESS, 1, 2, "w1")
        await gateway.report([Report(there.job, ended)])
        client.base_url = first
        assert list(await gateway.claim("w1", 1, 0)) == []  # what has ended does not come again
        await gateway.release("w1")
        client.base_url = second
        with pytest.raises(LeaseLost):
            await gateway.heartbeat("w1")


async def test_http_claim_given_up_by_the_worker_leases_nothing(
    over_http: StoreBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway, served = http_of(over_http), over_http.direct
    begun, over, claims = asyncio.Event(), asyncio.Event(), served.claim

    async def watched(*arguments: Any) -> Any:
        begun.set()
        try:
            return await claims(*arguments)
        finally:
            over.set()

    await gateway.register("w1", "", 2)
    await gateway.register("w2", "", 2)
    with monkeypatch.context() as patch:
        patch.setattr(served, "claim", watched)
        claim = asyncio.ensure_future(gateway.claim("w1", 2, 20 * SECOND))
        async with asyncio.timeout(PATIENCE):
            await begun.wait()
            claim.cancel()
            await asyncio.gather(claim, return_exceptions=True)
            await over.wait()
    (job,) = await over_http.offer(1)
    assert [one.job for one in await gateway.claim("w2", 1, 5 * SECOND)] == [job]


async def test_http_server_away_is_told_as_unavailable(tmp_path: Path) -> None:
    async with httpx.AsyncClient(base_url="http://127.0.0.1:1") as client:
        gateway = HttpGateway(client, TOKEN)
        with pytest.raises(UnavailableError, match="cannot be reached"):
            await gateway.claim("w1", 1, 0)
        with pytest.raises(UnavailableError):
            await gateway.put_file(JOB, "f", b"x")
        with pytest.raises(UnavailableError):
            await gateway.get_file(JOB, "kestra:///f", tmp_path / "f")


@pytest.mark.parametrize("body", ["", "{}", "[1]", "not json", '{"worker_id": 5}'])
async def test_http_request_that_cannot_be_read_is_refused(direct: StoreBench, body: str) -> None:
    async with serving(direct.direct) as address, httpx.AsyncClient(base_url=address, timeout=PATIENCE) as client:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        for path in ("register", "claim", "heartbeat", "reports", "call", "files/read"):
            if path == "reports" and body == "[]":
                continue
            response = await client.post(f"/api/v1/worker/{path}", content=body, headers=headers)
            assert response.status_code == 422


class Costly(Live):
    """Outputs of a large execution: whoever reads all of them pays for it."""

    def __getitem__(self, key: str) -> Any:
        assert key != "unread"
        return super().__getitem__(key)


def needed(message: str, **properties: Any) -> dict[str, Any]:
    outputs = Costly(one={"value": 1, "rows": list(range(5))}, two={"value": 2}, unread={"value": 3})
    variables = {"inputs": {"a": 1}, "outputs": outputs, "tasks": {"one": {"state": "SUCCESS"}}, "vars": {"v": 1}}
    definition = {"id": "t", "type": Log.type_name, "message": message, **properties}
    return needed_variables(Assignment(JOB, definition, Log.type_name, variables))


def test_wire_only_outputs_that_are_read_are_sent() -> None:
    found = needed("{{ outputs.one.value }} {{ inputs.a }}", level="{{ outputs['two'].value }}")
    assert found["outputs"] == {"one": {"value": 1, "rows": [0, 1, 2, 3, 4]}, "two": {"value": 2}}
    assert found["tasks"] == {}
    assert found["inputs"] == {"a": 1}
    assert found["vars"] == {"v": 1}


def test_wire_task_states_that_are_read_are_sent() -> None:
    assert needed("{{ tasks.one.state }}")["tasks"] == {"one": {"state": "SUCCESS"}}


@pytest.mark.parametrize("message", ["{{ outputs[inputs.a] }}", "{{ outputs }}", "{{ render(vars.v) }}"])
def test_wire_template_that_may_read_anything_is_sent_everything(message: str) -> None:
    variables = {"outputs": {"one": {"value": 1}, "two": {"value": 2}}, "vars": {"v": "x"}, "inputs": {"a": "one"}}
    assignment = Assignment(JOB, {"message": message}, Log.type_name, variables)
    assert needed_variables(assignment)["outputs"] == {"one": {"value": 1}, "two": {"value": 2}}


async def test_worker_that_was_given_up_changes_nothing_once_another_has_its_job(over_http: StoreBench) -> None:
    """BEY-003: pairs and files of namespaces stay what the attempt that counts has made of them."""
    (job,) = await over_http.offer(1)
    gateway = http_of(over_http)
    await gateway.register("first", "", 1)
    (late,) = await gateway.claim("first", 1, SECOND)
    await gateway.call(late.job, "kvSet", {"key": "seen", "value": "by the first"}, "first")
    await over_http.give_up("first")
    changes: dict[str, dict[str, Any]] = {
        "kvSet": {"key": "seen", "value": "late"},
        "kvDelete": {"key": "seen"},
        "putNamespaceFile": {"path": "/note.txt", "content": "late"},
        "deleteNamespaceFiles": {"paths": ["/note.txt"]},
    }
    for function, arguments in changes.items():  # nobody has it yet: neither has the first
        with pytest.raises(PenstockError, match="does not have attempt 1") as caught:
            await gateway.call(late.job, function, arguments, "first")
        assert caught.value.code == "JOB_TAKEN"
    await gateway.register("second", "", 1)
    (again,) = await gateway.claim("second", 1, SECOND)
    assert again.job.key == job.key
    await gateway.call(again.job, "kvSet", {"key": "seen", "value": "by the second"}, "second")
    await gateway.call(again.job, "putNamespaceFile", {"path": "/note.txt", "content": "kept"}, "second")
    for function, arguments in changes.items():
        with pytest.raises(PenstockError, match="worker first"):
            await gateway.call(late.job, function, arguments, "first")
    assert await gateway.call(late.job, "kv", {"key": "seen"}, "first") == "by the second"
    assert await gateway.call(again.job, "kvDelete", {"key": "seen"}, "second") is True
    await gateway.report([Report(job, TaskEnded(job.task_run_id, 1, StateType.SUCCESS, 1, 2, "second"))])


async def test_pair_of_a_lost_lease_is_refused_within_the_transaction_that_stores_it(over_http: StoreBench) -> None:
    """BEY-003: whoever loses the job between the question and the write does not write either."""
    (job,) = await over_http.offer(1)
    await over_http.gateway.register("first", "", 1)
    await over_http.gateway.claim("first", 1, SECOND)
    held = Held(job.task_run_id, job.attempt, "first")
    pairs = KeyValueService(over_http.store.key_values, SystemClock())
    await pairs.put("main", "company.team", "a", typed("x"), held=held)
    await over_http.give_up("first")
    with pytest.raises(JobTaken):
        await pairs.put("main", "company.team", "a", typed("y"), held=held)
    with pytest.raises(JobTaken):
        await pairs.delete("main", "company.team", "a", held=held)
    found = await over_http.store.key_values.get("main", "company.team", "a", 0)
    assert found is not None
    assert (found.value, found.version) == ("x", 1)
