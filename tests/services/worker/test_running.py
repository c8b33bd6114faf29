"""What becomes of a task's result."""

import threading
from datetime import UTC, datetime
from typing import Any

import pytest

from penstock.engine.states import StateType
from penstock.engine.variables import VariableChange
from penstock.sdk import Output, PermanentError, PluginError, RunContext
from penstock.services.worker.context import WorkerRunContext
from tests.services.worker.conftest import Start
from tests.support.waiting import PATIENCE

LOG = "io.kestra.plugin.core.log.Log"
RETURN = "io.kestra.plugin.core.debug.Return"


@pytest.mark.parametrize("type_name", ["test.Call", "test.QuickCall"])
async def test_worker_attempt_that_breaks_around_its_task_fails_and_holds_nothing_up(
    start: Start, monkeypatch: pytest.MonkeyPatch, type_name: str
) -> None:
    """BEY-004."""
    close = WorkerRunContext.close

    def full(context: WorkerRunContext) -> None:
        close(context)
        raise OSError("no space left")

    async with start(threads=1) as bench:
        monkeypatch.setattr(WorkerRunContext, "close", full)
        (end,) = await bench.run(bench.call(lambda _: None, type_name))
        assert (end.state, end.error) == (StateType.FAILED, "OSError: no space left")
        monkeypatch.undo()
        (end,) = await bench.run(bench.call(lambda _: None, type_name))
        assert end.state is StateType.SUCCESS


async def test_worker_quick_task_reports_one_end_with_its_line(start: Start) -> None:
    """ENG-056, ENG-110."""
    async with start() as bench:
        (end,) = await bench.run(bench.assignment(LOG, {"name": "Ada"}, message="Hello {{ name }}"))
        assert end.state is StateType.SUCCESS
        assert end.worker_id == bench.worker.id
        assert 0 < end.started <= end.ended
        assert len(bench.gateway.reports) == 1
        (line,) = bench.gateway.lines
        assert (line.level, line.message, line.task_id, line.attempt) == ("INFO", "Hello Ada", "task1", 1)


async def test_worker_many_quick_tasks_all_run_in_order_in_one_thread(start: Start) -> None:
    async with start(threads=2000) as bench:
        jobs = [bench.assignment(RETURN, format=str(number)) for number in range(2000)]
        ends = await bench.run(*jobs)
        assert [end.outputs["value"] for end in ends] == [str(number) for number in range(2000)]
        assert [end.task_run_id for end in bench.gateway.ends] == [job.job.task_run_id for job in jobs]


async def test_worker_tasks_run_at_once_up_to_its_threads(start: Start) -> None:
    together = threading.Barrier(4, timeout=PATIENCE)

    def meet(_: RunContext) -> None:
        together.wait()

    async with start(threads=4) as bench:
        ends = await bench.run(*(bench.call(meet) for _ in range(8)))
        assert {end.state for end in ends} == {StateType.SUCCESS}


class Model(Output):
    row_count: int
    when: datetime
    absent: str | None = None


async def test_worker_output_model_becomes_plain_values_without_absent_fields(start: Start) -> None:
    """PLG-023."""
    async with start() as bench:
        model = Model(row_count=3, when=datetime(2026, 1, 31, 10, tzinfo=UTC))
        (end,) = await bench.run(bench.call(lambda _: model))
        assert end.outputs == {"rowCount": 3, "when": "2026-01-31T10:00:00Z"}


@pytest.mark.parametrize("result", [{"a": float("nan"), "b": [1, {"c": None}]}, {"n": 1, 2: "two"}])
async def test_worker_mapping_returned_becomes_json_values(start: Start, result: dict[Any, Any]) -> None:
    async with start() as bench:
        (end,) = await bench.run(bench.call(lambda _: result))
        assert end.state is StateType.SUCCESS
        assert all(isinstance(key, str) for key in end.outputs)


async def test_worker_outputs_too_large_fail_and_name_the_limit(start: Start) -> None:
    async with start(outputs_bound=1000) as bench:
        fits, large = await bench.run(
            bench.call(lambda _: {"text": "x" * 900}), bench.call(lambda _: {"text": "x" * 1001})
        )
        assert fits.state is StateType.SUCCESS
        assert large.state is StateType.FAILED
        assert large.outputs is None
        assert "at most 1000 are kept" in large.error
        assert "store the data as a file" in large.error


@pytest.mark.parametrize("result", ["text", 5, [1], {"loop": {"f": lambda: None}.keys}])
async def test_worker_result_that_is_no_outputs_fails(start: Start, result: object) -> None:
    async with start() as bench:
        (end,) = await bench.run(bench.call(lambda _: result))
        if not isinstance(result, dict):
            assert end.state is StateType.FAILED
            assert "instead of its outputs" in end.error


async def test_worker_deliberate_error_fails_with_message_and_hint(start: Start) -> None:
    """PLG-024."""

    def fail(_: RunContext) -> None:
        raise PluginError("the bucket is gone", hint="make it again")

    async with start() as bench:
        (end,) = await bench.run(bench.call(fail))
        assert (end.state, end.error, end.retryable) == (StateType.FAILED, "the bucket is gone (make it again)", True)
        assert [(line.level, line.message) for line in bench.gateway.lines] == [("ERROR", end.error)]


async def test_worker_permanent_error_is_not_to_be_retried(start: Start) -> None:
    def fail(_: RunContext) -> None:
        raise PermanentError("wrong password")

    async with start() as bench:
        (end,) = await bench.run(bench.call(fail))
        assert end.retryable is False


@pytest.mark.parametrize("error", [ValueError("bad"), KeyError("k"), SystemExit(3), KeyboardInterrupt()])
@pytest.mark.parametrize("kind", ["test.Call", "test.QuickCall"])
async def test_worker_any_exception_fails_the_attempt_and_nothing_else(
    start: Start, error: BaseException, kind: str
) -> None:
    """PLG-024."""

    def fail(_: RunContext) -> None:
        raise error

    async with start() as bench:
        failed, well = await bench.run(bench.call(fail, kind), bench.call(lambda _: {"a": 1}, kind))
        assert failed.state is StateType.FAILED
        assert failed.error.startswith(type(error).__name__)
        assert well.state is StateType.SUCCESS
        told, trace = bench.gateway.lines[:2]
        assert (told.level, told.message) == ("ERROR", failed.error)
        assert trace.level == "DEBUG"
        assert "Traceback" in trace.message


async def test_worker_property_that_does_not_convert_fails_and_names_it(start: Start) -> None:
    """EXP-007."""
    async with start() as bench:
        right, wrong = await bench.run(
            bench.assignment("test.Typed", {"n": 5}, count="{{ n }}"),
            bench.assignment("test.Typed", {"n": "many"}, count="{{ n }}"),
        )
        assert right.outputs == {"count": 5}
        assert "`count`" in wrong.error
        assert "`many` was given" in wrong.error


async def test_worker_undefined_variable_fails_with_the_place(start: Start) -> None:
    """EXP-008, EXP-009."""
    async with start() as bench:
        (end,) = await bench.run(bench.assignment(LOG, {"name": "x"}, message="Hello {{ nmae }}"))
        assert end.state is StateType.FAILED
        assert "nmae" in end.error
        assert "Hello {{ nmae }}" in end.error


async def test_worker_unknown_type_fails_once_and_for_all(start: Start) -> None:
    async with start() as bench:
        (end,) = await bench.run(bench.assignment("io.kestra.plugin.core.log.Logg", message="x"))
        assert end.state is StateType.FAILED
        assert not end.retryable
        assert "did you mean io.kestra.plugin.core.log.Log?" in end.error


async def test_worker_wrong_definition_fails_and_names_the_property(start: Start) -> None:
    async with start() as bench:
        (end,) = await bench.run(bench.assignment(LOG, mesage="x"))
        assert end.state is StateType.FAILED
        assert "`mesage`" in end.error


async def test_worker_definition_changes_within_a_revision_uses_the_new_one(start: Start) -> None:
    async with start() as bench:
        one = bench.assignment(RETURN, format="one")
        await bench.run(one)
        two = type(one)(one.job, {**one.definition, "format": "two"}, one.type, one.variables)
        await bench.run(two)
        assert [end.outputs["value"] for end in bench.gateway.ends] == ["one", "two"]


async def test_worker_labels_and_variables_set_by_a_task_travel_with_its_end(start: Start) -> None:
    """ENG-029, ENG-201."""
    async with start() as bench:
        labels, variables = await bench.run(
            bench.assignment("io.kestra.plugin.core.execution.Labels", labels={"a": "b"}),
            bench.assignment("io.kestra.plugin.core.execution.SetVariables", {"vars": {"x": 1}}, variables={"y": "2"}),
        )
        assert labels.labels == (("a", "b"),)
        assert variables.variables == (VariableChange(("y",), "2"),)


async def test_worker_metrics_travel_with_the_end(start: Start) -> None:
    """PLG-025."""

    def count(context: RunContext) -> None:
        context.counter("rows", 3, {"zone": "EU"})
        context.timer("lasted", 0.5)

    async with start() as bench:
        await bench.run(bench.call(count))
        found = [(metric.type, metric.name, metric.value, metric.tags) for metric in bench.gateway.metric_list]
        assert found == [("counter", "rows", 3.0, {"zone": "EU"}), ("timer", "lasted", 0.5, {})]


async def test_worker_same_job_given_twice_while_it_runs_is_run_once(start: Start) -> None:
    release = threading.Event()
    runs = []

    def run(_: RunContext) -> None:
        runs.append(1)
        release.wait(PATIENCE)

    async with start() as bench:
        job = bench.call(run)
        await bench.gateway.offer(job, job)
        last = bench.assignment(LOG, message="x")
        await bench.run(last)
        release.set()
        await bench.gateway.settled(2)
        assert runs == [1]


async def test_worker_secret_used_is_masked_in_logs_and_errors_of_its_execution(start: Start) -> None:
    """ENG-373, BEY-061."""

    def leak(_: RunContext) -> None:
        raise ValueError("cannot log in with hunter2!")

    async with start({"secret": lambda key, **_: "hunter2!"}) as bench:
        await bench.run(bench.assignment(LOG, message="{{ secret('K') }} and {{ secret('K') | base64encode }}"))
        await bench.run(bench.assignment(LOG, message="it is {{ secret('K') | sha512 }}"))
        (end,) = await bench.run(bench.call(leak))
        text = "\n".join(bench.gateway.messages)
        assert "hunter2" not in text
        assert "aHVudGVyMi" not in text
        assert end.error == "ValueError: cannot log in with ******"
        assert bench.gateway.messages[:2] == ["****** and ******", "it is ******"]
        other = bench.assignment(LOG, message="hunter2! is a word elsewhere", execution_id="e2")
        await bench.run(other)
        assert bench.gateway.messages[-1] == "hunter2! is a word elsewhere"
