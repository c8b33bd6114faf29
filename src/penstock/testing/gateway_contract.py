"""The contract every `WorkerGateway` keeps."""
# ruff: noqa: D102  # names of contract tests are sentences

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import pytest

from penstock.base.clock import SECOND, SystemClock
from penstock.base.errors import ConflictError, InvalidRequestError, NotFoundError, PenstockError, UnauthorizedError
from penstock.engine.decision import Job
from penstock.engine.events import TaskEnded, TaskStarted
from penstock.engine.records import LogLine, Metric
from penstock.engine.states import StateType
from penstock.engine.variables import VariableChange
from penstock.ports.gateway import Assignment, Evaluated, Report, WorkerGateway
from penstock.ports.journal import LeaseLost


class GatewayBench(Protocol):
    """What a test of a gateway needs besides it."""

    gateway: WorkerGateway

    async def offer(self, count: int) -> Sequence[Job]:
        """Make jobs of one execution that can be claimed; their task logs `{{ inputs.name }}`, which is `Ada`."""
        ...

    async def offer_evaluation(self) -> Job:
        """Make an evaluation of the trigger `watch` that can be claimed."""
        ...

    async def withdraw(self, job: Job) -> None:
        """Let nobody do an evaluation any more."""
        ...

    async def started(self) -> Sequence[Mapping[str, object]]:
        """Return the trigger variables of the executions that events have started."""
        ...

    async def order_kill(self, job: Job) -> None:
        """Order the end of a job."""
        ...

    async def give_up(self, worker_id: str) -> None:
        """Give up a worker that seems dead."""
        ...

    async def events(self) -> Sequence[TaskStarted | TaskEnded]:
        """Return the events reported so far."""
        ...

    async def messages(self) -> Sequence[str]:
        """Return the log messages stored so far."""
        ...

    async def metric_names(self) -> Sequence[str]:
        """Return the names of the metrics stored so far."""
        ...


class WorkerGatewayContract:
    """What holds for every gateway. A subclass gives the fixture `bench`."""

    async def test_claim_jobs_wait_returns_them_with_what_is_needed_to_run_them(self, bench: GatewayBench) -> None:
        """BEY-010."""
        jobs = await bench.offer(3)
        await bench.gateway.register("w1", "", 4)
        claimed = await _claim(bench.gateway, "w1", 3)
        assert {one.job.key for one in claimed} == {job.key for job in jobs}
        first = claimed[0]
        assert first.type == "io.kestra.plugin.core.log.Log"
        assert first.definition["message"] == "{{ inputs.name }}"
        assert first.variables["inputs"]["name"] == "Ada"
        assert first.variables["taskrun"]["id"] == first.job.task_run_id

    async def test_claim_limit_given_returns_no_more(self, bench: GatewayBench) -> None:
        await bench.offer(5)
        await bench.gateway.register("w1", "", 2)
        assert len(await bench.gateway.claim("w1", 2, SECOND)) == 2

    async def test_claim_nothing_there_returns_none_after_the_wait(self, bench: GatewayBench) -> None:
        await bench.gateway.register("w1", "", 2)
        assert list(await bench.gateway.claim("w1", 2, SECOND // 20)) == []

    async def test_claim_job_comes_during_the_wait_returns_at_once(self, bench: GatewayBench) -> None:
        await bench.gateway.register("w1", "", 2)
        claim = asyncio.ensure_future(bench.gateway.claim("w1", 2, 20 * SECOND))
        await asyncio.sleep(0.1)
        await bench.offer(1)
        async with asyncio.timeout(5):
            assert len(await claim) == 1

    async def test_claim_two_workers_never_get_the_same_job(self, bench: GatewayBench) -> None:
        await bench.offer(20)
        await bench.gateway.register("w1", "", 20)
        await bench.gateway.register("w2", "", 20)
        both = await asyncio.gather(*(bench.gateway.claim(name, 5, SECOND) for name in ("w1", "w2", "w1", "w2")))
        keys = [one.job.key for claimed in both for one in claimed]
        assert len(keys) == len(set(keys)) == 20

    async def test_claim_without_registration_says_that_the_lease_is_lost(self, bench: GatewayBench) -> None:
        with pytest.raises(LeaseLost):
            await bench.gateway.claim("nobody", 1, 0)

    async def test_release_held_jobs_can_be_claimed_by_another(self, bench: GatewayBench) -> None:
        jobs = await bench.offer(2)
        await bench.gateway.register("w1", "", 2)
        await _claim(bench.gateway, "w1", 2)
        await bench.gateway.release("w1")
        await bench.gateway.register("w2", "", 2)
        assert {one.job.key for one in await _claim(bench.gateway, "w2", 2)} == {job.key for job in jobs}

    async def test_heartbeat_after_being_given_up_says_that_the_lease_is_lost(self, bench: GatewayBench) -> None:
        await bench.gateway.register("w1", "", 2)
        assert list(await bench.gateway.heartbeat("w1")) == []
        await bench.give_up("w1")
        with pytest.raises(LeaseLost):
            await bench.gateway.heartbeat("w1")

    async def test_kills_job_held_returns_its_key(self, bench: GatewayBench) -> None:
        """BEY-004."""
        await bench.offer(1)
        await bench.gateway.register("w1", "", 2)
        claimed = await bench.gateway.claim("w1", 2, SECOND)
        waiting = asyncio.ensure_future(bench.gateway.kills("w1", 20 * SECOND))
        await asyncio.sleep(0.05)
        await bench.order_kill(claimed[0].job)
        async with asyncio.timeout(5):
            assert list(await waiting) == [claimed[0].job.key]

    async def test_kills_nothing_ordered_returns_none_after_the_wait(self, bench: GatewayBench) -> None:
        await bench.gateway.register("w1", "", 2)
        assert list(await bench.gateway.kills("w1", SECOND // 20)) == []

    async def test_claim_an_evaluation_returns_the_trigger_with_its_flow(self, bench: GatewayBench) -> None:
        """ENG-307."""
        job = await bench.offer_evaluation()
        await bench.gateway.register("w1", "", 2)
        (claimed,) = await _claim(bench.gateway, "w1", 1)
        assert claimed.job == job
        assert claimed.type == "io.kestra.plugin.core.http.Trigger"
        assert claimed.definition["uri"] == "http://localhost:1/"
        assert claimed.variables["flow"]["id"] == "flow"
        assert claimed.variables["trigger"]["id"] == "watch"

    async def test_evaluated_twice_with_an_event_starts_one_execution(self, bench: GatewayBench) -> None:
        """ENG-307, BEY-006."""
        await bench.offer_evaluation()
        await bench.gateway.register("w1", "", 2)
        (claimed,) = await _claim(bench.gateway, "w1", 1)
        told = Evaluated(claimed.job, "w1", {"body": "found"})
        assert await bench.gateway.evaluated(told) is True
        assert await _second_time(bench.gateway, told) is False
        assert list(await bench.started()) == [{"body": "found"}]

    async def test_evaluated_without_an_event_starts_nothing_and_ends_the_evaluation(self, bench: GatewayBench) -> None:
        await bench.offer_evaluation()
        await bench.gateway.register("w1", "", 2)
        (claimed,) = await _claim(bench.gateway, "w1", 1)
        assert await bench.gateway.evaluated(Evaluated(claimed.job, "w1")) is True
        assert list(await bench.started()) == []
        await bench.gateway.release("w1")
        await bench.gateway.register("w2", "", 2)
        assert list(await bench.gateway.claim("w2", 1, SECOND // 20)) == []

    async def test_evaluated_events_of_a_listener_start_one_execution_for_each_key(self, bench: GatewayBench) -> None:
        """ENG-311, BEY-006."""
        await bench.offer_evaluation()
        await bench.gateway.register("w1", "", 2)
        (claimed,) = await _claim(bench.gateway, "w1", 1)
        for number in (1, 2, 2, 3):
            told = Evaluated(claimed.job, "w1", {"value": number}, key=str(number), is_over=False)
            assert await bench.gateway.evaluated(told) is True
        assert sorted(str(one["value"]) for one in await bench.started()) == ["1", "2", "3"]

    async def test_evaluation_of_a_worker_given_up_is_done_by_another(self, bench: GatewayBench) -> None:
        """ENG-313."""
        job = await bench.offer_evaluation()
        await bench.gateway.register("w1", "", 2)
        await _claim(bench.gateway, "w1", 1)
        await bench.give_up("w1")
        await bench.gateway.register("w2", "", 2)
        (claimed,) = await _claim(bench.gateway, "w2", 1)
        assert claimed.job == job
        assert await bench.gateway.evaluated(Evaluated(job, "w2", {"body": "found"})) is True
        assert len(await bench.started()) == 1

    async def test_evaluation_withdrawn_is_told_to_its_worker_and_counts_no_more(self, bench: GatewayBench) -> None:
        """ENG-265."""
        job = await bench.offer_evaluation()
        await bench.gateway.register("w1", "", 2)
        await _claim(bench.gateway, "w1", 1)
        waiting = asyncio.ensure_future(bench.gateway.kills("w1", 20 * SECOND))
        await asyncio.sleep(0.05)
        await bench.withdraw(job)
        async with asyncio.timeout(5):
            assert list(await waiting) == [job.key]
        assert await bench.gateway.evaluated(Evaluated(job, "w1", {"body": "found"})) is False
        assert list(await bench.started()) == []

    async def test_report_start_and_end_are_stored_with_lines_and_metrics(self, bench: GatewayBench) -> None:
        await bench.offer(1)
        await bench.gateway.register("w1", "", 2)
        job = (await bench.gateway.claim("w1", 2, SECOND))[0].job
        started = TaskStarted(job.task_run_id, job.attempt, "w1", 1_000)
        ended = TaskEnded(
            job.task_run_id, job.attempt, StateType.SUCCESS, 1_000, 2_000, "w1", {"value": "x", "rows": [1, None]},
            labels=(("a", "b"),), variables=(VariableChange(("n", "m"), 1),),
        )  # fmt: skip
        metric = Metric("main", "company.team", job.flow_id, job.execution_id, job.task_id, job.task_run_id, "counter",
                        "rows", 3.0, 1_500, {"zone": "EU"})  # fmt: skip
        await bench.gateway.report([Report(job, started)])
        await bench.gateway.report([Report(job, ended, [_line(job, "with the end")], [metric])])
        assert list(await bench.events()) == [started, ended]
        assert list(await bench.messages()) == ["with the end"]
        assert list(await bench.metric_names()) == ["rows"]

    async def test_logs_and_metrics_of_a_running_job_are_stored(self, bench: GatewayBench) -> None:
        await bench.offer(1)
        await bench.gateway.register("w1", "", 2)
        job = (await bench.gateway.claim("w1", 2, SECOND))[0].job
        await bench.gateway.logs([_line(job, "one"), _line(job, "zwei: ü\n✓")])
        metric = Metric("main", job.namespace, job.flow_id, job.execution_id, job.task_id, job.task_run_id, "timer",
                        "lasted", 0.25, 1_500)  # fmt: skip
        await bench.gateway.metrics([metric])
        assert list(await bench.messages()) == ["one", "zwei: ü\n✓"]
        assert list(await bench.metric_names()) == ["lasted"]

    async def test_file_stored_by_a_job_can_be_read_back_whole_and_in_pieces(
        self, bench: GatewayBench, tmp_path: Path
    ) -> None:
        """PLG-020."""
        await bench.offer(1)
        await bench.gateway.register("w1", "", 2)
        job = (await bench.gateway.claim("w1", 2, SECOND))[0].job
        content = bytes(range(256)) * 1000
        source = tmp_path / "source.bin"
        source.write_bytes(content)
        for given in (content, source):
            uri = await bench.gateway.put_file(job, "folder/a b.bin", given)
            assert uri.startswith("kestra:///")
            target = tmp_path / "copy.bin"
            await bench.gateway.get_file(job, uri, target)
            assert target.read_bytes() == content
            assert b"".join([piece async for piece in bench.gateway.stream_file(job, uri)]) == content

    async def test_file_name_that_leads_away_is_refused(self, bench: GatewayBench) -> None:
        await bench.offer(1)
        await bench.gateway.register("w1", "", 2)
        job = (await bench.gateway.claim("w1", 2, SECOND))[0].job
        for name in ("../escape", "/etc/passwd", "a/../../b"):
            with pytest.raises(InvalidRequestError):
                await bench.gateway.put_file(job, name, b"x")

    async def test_file_of_another_execution_is_refused(self, bench: GatewayBench, tmp_path: Path) -> None:
        """ENG-333."""
        one, other = (await bench.offer(1))[0], (await bench.offer(1))[0]
        await bench.gateway.register("w1", "", 2)
        await _claim(bench.gateway, "w1", 2)
        uri = await bench.gateway.put_file(other, "private.txt", b"x")
        with pytest.raises(UnauthorizedError):
            await bench.gateway.get_file(one, uri, tmp_path / "copy")
        with pytest.raises(UnauthorizedError):
            [piece async for piece in bench.gateway.stream_file(one, uri)]

    async def test_file_that_does_not_exist_is_not_found(self, bench: GatewayBench, tmp_path: Path) -> None:
        await bench.offer(1)
        await bench.gateway.register("w1", "", 2)
        job = (await bench.gateway.claim("w1", 2, SECOND))[0].job
        uri = await bench.gateway.put_file(job, "there.txt", b"x")
        with pytest.raises(NotFoundError):
            await bench.gateway.get_file(job, uri.replace("there", "nowhere"), tmp_path / "copy")

    async def test_call_secret_returns_its_value(self, bench: GatewayBench) -> None:
        await bench.offer(1)
        await bench.gateway.register("w1", "", 2)
        job = (await bench.gateway.claim("w1", 2, SECOND))[0].job
        arguments = {"key": "TOKEN", "namespace": None, "subkey": None}
        assert await bench.gateway.call(job, "secret", arguments) == "hunter2"

    async def test_call_unknown_function_is_refused_by_name(self, bench: GatewayBench) -> None:
        await bench.offer(1)
        await bench.gateway.register("w1", "", 2)
        job = (await bench.gateway.claim("w1", 2, SECOND))[0].job
        with pytest.raises(InvalidRequestError, match="nonsense"):
            await bench.gateway.call(job, "nonsense", {})

    async def test_now_is_near_the_machine_s_time(self, bench: GatewayBench) -> None:
        assert abs(await bench.gateway.now() - SystemClock().now()) < 60 * SECOND


class ServerFunctionsContract:
    """What holds for every gateway whose answers are a server's. A subclass gives the fixture `bench`."""

    async def test_call_key_value_functions_store_list_and_remove_pairs(self, bench: GatewayBench) -> None:
        """BEY-010, ENG-361, ENG-362."""
        job = await _job(bench)
        call = bench.gateway.call
        stored = await call(job, "kvSet", {"key": "a", "value": "[1, null]", "type": "JSON", "namespace": None})
        assert stored == {"type": "JSON", "version": 1}
        await call(job, "kvSet", {"key": "b", "value": "x", "namespace": "other"})
        assert await call(job, "kv", {"key": "a"}) == [1, None]
        assert await call(job, "kvKeys", {"prefix": "a"}) == ["a"]
        assert await call(job, "kvKeys", {"namespace": "other"}) == ["b"]
        with pytest.raises(ConflictError, match="`a` exists already"):
            await call(job, "kvSet", {"key": "a", "value": 1, "overwrite": False})
        with pytest.raises(PenstockError, match="no NUMBER"):
            await call(job, "kvSet", {"key": "a", "value": "x", "type": "NUMBER"})
        assert [await call(job, "kvDelete", {"key": "a"}) for _ in range(2)] == [True, False]
        assert await call(job, "kvPurge", {"namespaces": ["other"], "expiredOnly": False}) == 1

    async def test_call_namespace_file_functions_store_list_and_remove_files(self, bench: GatewayBench) -> None:
        """BEY-010, ENG-354."""
        job = await _job(bench)
        call = bench.gateway.call
        uri = await bench.gateway.put_file(job, "a.txt", b"from a file")
        stored = await call(job, "putNamespaceFile", {"path": "/dir/a.txt", "uri": uri})
        assert stored == "kestra:///company/team/_files/dir/a.txt"
        await call(job, "putNamespaceFile", {"path": "b.txt", "content": "text", "namespace": "other"})
        assert await call(job, "read", {"path": "dir/a.txt"}) == "from a file"
        assert await call(job, "namespaceFiles", {}) == ["/dir/a.txt"]
        assert await call(job, "namespaceFiles", {"namespace": "other"}) == ["/b.txt"]
        with pytest.raises(InvalidRequestError):
            await call(job, "putNamespaceFile", {"path": "../a.txt", "content": "x"})
        removed = await call(job, "deleteNamespaceFiles", {"paths": ["/dir/a.txt", "/none"], "emptyParents": True})
        assert removed == ["/dir/a.txt"]
        assert await call(job, "namespaceFiles", {}) == []

    async def test_call_file_functions_remove_files_of_the_execution_alone(self, bench: GatewayBench) -> None:
        """BEY-010, ENG-335, ENG-336."""
        job, other = (await bench.offer(1))[0], (await bench.offer(1))[0]
        await bench.gateway.register("w1", "", 2)
        await _claim(bench.gateway, "w1", 2)
        call = bench.gateway.call
        first = await bench.gateway.put_file(job, "1.txt", b"1")
        second = await bench.gateway.put_file(job, "2.txt", b"2")
        foreign = await bench.gateway.put_file(other, "1.txt", b"1")
        assert [await call(job, "deleteFile", {"uri": first}) for _ in range(2)] == [True, False]
        with pytest.raises(UnauthorizedError):
            await call(job, "deleteFile", {"uri": foreign})
        assert await call(job, "purgeExecutionFiles", {}) == [second]
        assert await call(other, "fileExists", {"uri": foreign}) is True

    async def test_call_task_cache_finds_outputs_of_the_same_flow_while_their_files_are_there(
        self, bench: GatewayBench
    ) -> None:
        """BEY-010, ENG-326, ENG-410."""
        job = await _job(bench)
        call = bench.gateway.call
        about = {"task": "hello", "digest": "abc", "ttl": 60 * SECOND}
        assert await call(job, "findCachedOutputs", about) is None
        uri = await bench.gateway.put_file(job, "a.txt", b"1")
        await call(job, "keepOutputs", {**about, "outputs": {"uri": uri}})
        assert await call(job, "findCachedOutputs", about) == {"uri": uri}
        assert await call(job, "findCachedOutputs", {**about, "ttl": 0}) is None
        assert await call(job, "findCachedOutputs", {**about, "digest": "def"}) is None
        await call(job, "deleteFile", {"uri": uri})
        assert await call(job, "findCachedOutputs", about) is None

    async def test_call_directory_cache_keeps_one_archive_per_task(self, bench: GatewayBench, tmp_path: Path) -> None:
        """BEY-010, ENG-328."""
        job = await _job(bench)
        call, gateway = bench.gateway.call, bench.gateway
        assert await call(job, "findDirectoryCache", {"task": "dir"}) is None
        for content in (b"1", b"2"):
            uri = await gateway.put_file(job, "cache.tar.gz", content)
            await call(job, "keepDirectoryCache", {"task": "dir", "uri": uri})
        assert await call(job, "fileExists", {"uri": uri}) is False
        found = await call(job, "findDirectoryCache", {"task": "dir"})
        assert 0 <= found["age"] < 60 * SECOND
        await gateway.get_file(job, found["uri"], tmp_path / "archive")
        assert (tmp_path / "archive").read_bytes() == b"2"
        with pytest.raises(InvalidRequestError):
            await call(job, "keepDirectoryCache", {"task": "../dir", "uri": found["uri"]})


async def _job(bench: GatewayBench) -> Job:
    await bench.offer(1)
    await bench.gateway.register("w1", "", 2)
    return (await bench.gateway.claim("w1", 2, SECOND))[0].job


async def _claim(gateway: WorkerGateway, worker_id: str, count: int) -> list[Assignment]:
    """Claim until there are so many; a gateway may give them in several parts."""
    claimed: list[Assignment] = []
    while len(claimed) < count:
        more = await gateway.claim(worker_id, count - len(claimed), SECOND)
        assert more, f"only {len(claimed)} of {count} jobs came"
        claimed.extend(more)
    return claimed


def _line(job: Job, message: str) -> LogLine:
    return LogLine(
        tenant=job.tenant,
        namespace=job.namespace,
        flow_id=job.flow_id,
        date=1_000,
        level="INFO",
        message=message,
        execution_id=job.execution_id,
        task_id=job.task_id,
        task_run_id=job.task_run_id,
        attempt=job.attempt,
    )


async def _second_time(gateway: WorkerGateway, told: Evaluated) -> bool:
    """Report again what was reported before; one who holds the job no more may not even do that."""
    try:
        return await gateway.evaluated(told)
    except UnauthorizedError:
        return False
