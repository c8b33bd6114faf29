"""The flows of `examples/flows`, each run by the command line and through the API where one way alone will not do."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.runners import Api, CommandLine, Runner, example
from tests.acceptance.server import YAML, Server, wait_until

pytestmark = pytest.mark.acceptance


def _ended(ran: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(ran["state"]["endDate"])


def _started(ran: dict[str, Any]) -> datetime:
    """Return when a worker began with a task run; a flowable begins when it is created."""
    histories = ran["state"]["histories"]
    return next(datetime.fromisoformat(one["date"]) for one in histories if one["state"] == "RUNNING")


def _paused(server: Server, source: str) -> str:
    server.put_flow(source)
    execution_id = str(server.launch("company.team", "pause_demo").json()["id"])
    wait_until(
        lambda: server.execution(execution_id)["state"]["current"] == "PAUSED", 10, lambda: "the flow does not pause"
    )
    return execution_id


def test_sibling_outputs_are_read_inside_and_outside_their_group(runner: Runner) -> None:
    result = runner.run(example("flows/sibling_tasks"))

    names = ["sequential", "first", "second", "log_siblings"]
    assert result.state == "SUCCESS"
    assert result.runs == [(name, "SUCCESS") for name in names]
    assert result.outputs("first") == result.outputs("second") == {"values": {"data": "hello from task 1"}}
    assert result.messages() == ["hello from task 1"]
    assert not result.outputs("log_siblings")


def test_dag_tasks_start_when_those_they_depend_on_have_ended(runner: Runner) -> None:
    result = runner.run(example("flows/dag"))

    assert result.state == "SUCCESS"
    assert len(result.runs) == 6
    runs = {run["taskId"]: run for run in result.execution["taskRunList"]}
    for later, earlier in [("task2", "task1"), ("task3", "task1"), ("task4", "task2"), ("task5", "task4")]:
        assert _started(runs[later]) >= _ended(runs[earlier])
    assert _started(runs["task5"]) >= _ended(runs["task3"])
    assert sorted(result.messages()) == [f"I'm the task {number}" for number in range(1, 6)]


def test_dag_with_a_cycle_is_refused(server: Server) -> None:
    source = example("flows/dag").replace("I'm the task 1\n", "I'm the task 1\n        dependsOn:\n          - task5\n")

    answer = server.request("POST", "/api/v1/main/flows/validate", content=source, headers=YAML)

    assert answer.status_code == 200
    assert "cycle" in answer.text


@pytest.mark.parametrize(
    ("inputs", "branch", "message"),
    [({}, "if_null", "No input provided"), ({"parameter": "abc"}, "if_not_null", "Received input abc")],
)
def test_optional_input_decides_the_branch(runner: Runner, inputs: dict[str, str], branch: str, message: str) -> None:
    result = runner.run(example("flows/conditional_branching"), inputs)

    assert result.state == "SUCCESS"
    assert result.runs == [("if", "SUCCESS"), (branch, "SUCCESS")]
    assert result.messages() == [message]


@pytest.mark.parametrize(
    ("param", "state", "child"),
    [("case1", "SUCCESS", "case1"), ("notexist", "FAILED", "fail"), ("other", "SUCCESS", "default")],
)
def test_switch_runs_the_case_of_its_value(runner: Runner, param: str, state: str, child: str) -> None:
    result = runner.run(example("flows/fail_on_switch"), {"param": param})

    assert result.state == state
    assert result.runs == [("switch", state), (child, state)]


def test_for_each_with_a_condition_runs_eight_task_runs(runner: Runner) -> None:
    result = runner.run(example("flows/foreach_example"))

    assert result.state == "SUCCESS"
    count = {name: len(result.runs_of(name)) for name in ("for_each", "before_if", "if", "after_if")}
    assert count == {"for_each": 1, "before_if": 3, "if": 3, "after_if": 1}
    assert len(result.runs) == 8
    assert [run["iteration"] for run in result.runs_of("before_if")] == [0, 1, 2]
    assert result.outputs("before_if", "value 1") == {"value": "Before if value 1"}
    assert [run["outputs"] for run in result.runs_of("after_if")] == [{"value": "After if value 2"}]


def test_for_each_with_a_limit_runs_two_iterations_at_a_time(runner: Runner) -> None:
    source = example("flows/parallel_tasks_example", **{"sleep {{": "sleep 0.0{{"})

    result = runner.run(source)

    assert result.state == "SUCCESS"
    assert len(result.runs) == 31
    spans = [(_started(run), _ended(run)) for run in result.runs_of("parallel")]
    assert max(sum(start < moment < end for start, end in spans) for moment, _ in spans) <= 1, "two, with itself"
    assert sorted(result.messages("log")) == sorted(f"Processing {number}" for number in range(1, 11))


def test_group_that_may_fail_leaves_a_warning(runner: Runner) -> None:
    result = runner.run(example("flows/allow_failure"))

    assert result.state == "WARNING"
    assert result.runs == [("allow_failure", "WARNING"), ("ko", "FAILED"), ("end", "SUCCESS")]
    name, date = result.outputs("end")["value"].split(" > ")
    assert name == "end"
    assert datetime.fromisoformat(date).tzinfo is not None


def test_pause_waits_for_a_resume_and_then_for_its_delay(server: Server) -> None:
    execution_id = _paused(server, example("flows/pause", PT5M="PT0.3S"))
    paused = server.execution(execution_id)
    assert [(run["taskId"], run["state"]["current"]) for run in paused["taskRunList"]] == [("validation", "PAUSED")]

    assert server.request("POST", f"/api/v1/main/executions/{execution_id}/resume").status_code < 300
    result = Api(server).result(execution_id)

    assert result.state == "SUCCESS"
    assert result.runs == [(name, "SUCCESS") for name in ("validation", "ok", "wait", "waited")]
    assert result.history == ["CREATED", "RUNNING", "PAUSED", "RUNNING", "PAUSED", "RUNNING", "SUCCESS"]


def test_paused_execution_killed_runs_nothing_more(server: Server) -> None:
    execution_id = _paused(server, example("flows/pause"))

    assert server.request("DELETE", f"/api/v1/main/executions/{execution_id}/kill").status_code < 300
    result = Api(server).result(execution_id)

    assert result.state == "KILLED"
    assert result.runs == [("validation", "KILLED")]


def test_errors_of_a_flow_run_after_a_failure(runner: Runner) -> None:
    result = runner.run(example("flows/errors"))

    assert result.state == "FAILED"
    assert result.runs == [("failed", "FAILED"), ("error_handler", "SUCCESS")]
    assert result.messages("error_handler") == ["I'm failing task 'failed'"]


def test_errors_of_a_group_run_after_a_failure_in_it(runner: Runner) -> None:
    result = runner.run(example("flows/errors_local"))

    assert result.state == "FAILED"
    assert result.runs == [
        ("parent-seq", "FAILED"),
        ("t1", "SUCCESS"),
        ("t2", "FAILED"),
        ("t2-t1", "FAILED"),
        ("error-t1", "SUCCESS"),
    ]
    assert result.outputs("error-t1") == {"value": "Error Trigger ! error-t1"}


def test_finally_sees_a_running_execution_and_after_execution_its_end(runner: Runner) -> None:
    result = runner.run(example("flows/state_demo"))

    assert result.state == "FAILED"
    expected = [("run", "SUCCESS"), ("fail", "FAILED"), ("finally", "SUCCESS"), ("afterExecution", "SUCCESS")]
    assert result.runs == expected
    assert result.messages() == ["Execution RUNNING", "Execution RUNNING", "Execution FAILED"]


def test_retry_with_a_warning_wanted_leaves_one(runner: Runner) -> None:
    result = runner.run(example("flows/retry", **{"PT0.25S": "PT0.05S"}))

    assert result.state == "WARNING"
    assert result.runs == [("failed", "WARNING")]
    attempts = [attempt["state"]["current"] for attempt in result.runs_of("failed")[0]["attempts"]]
    assert attempts == ["FAILED"] * 4 + ["SUCCESS"]


def test_retry_exhausted_runs_the_errors_tasks(runner: Runner) -> None:
    source = example("flows/retry", **{"PT0.25S": "PT0.05S", "maxAttempts: 5": "maxAttempts: 4"})

    result = runner.run(source)

    assert result.state == "FAILED"
    assert result.runs == [("failed", "FAILED"), ("never_happen", "SUCCESS")]
    assert len(result.runs_of("failed")[0]["attempts"]) == 4


@pytest.mark.parametrize(
    ("inputs", "state", "output"),
    [({}, "SUCCESS", "Hello World!"), ({"run_task": "false"}, "SKIPPED", "fallback output")],
)
def test_flow_output_depends_on_whether_a_task_ran(
    runner: Runner, inputs: dict[str, str], state: str, output: str
) -> None:
    result = runner.run(example("flows/conditionally_return_output"), inputs)

    assert result.state == "SUCCESS"
    assert result.runs == [("main", state), ("fallback", "SUCCESS")]
    assert result.execution["outputs"] == {"flow_output": output}


@pytest.mark.parametrize(("query", "greeting"), [("?name=Alice", "Hello Alice!"), ("", "Hello world!")])
def test_webhook_answers_with_the_outputs_of_the_flow(server: Server, query: str, greeting: str) -> None:
    server.put_flow(example("flows/webhook_return_outputs"))
    path = "/api/v1/main/executions/webhook/company.team/webhook_return_outputs"

    answer = server.request("GET", f"{path}/4wjtkzwVGBM9yKnjm3yv8r{query}")

    assert answer.status_code == 200
    assert answer.json() == {"greeting": greeting}


def test_webhook_with_a_wrong_key_starts_nothing(server: Server) -> None:
    server.put_flow(example("flows/webhook_return_outputs"))
    before = len(server.executions("webhook_return_outputs"))

    answer = server.request("GET", "/api/v1/main/executions/webhook/company.team/webhook_return_outputs/wrong")

    assert answer.status_code == 404
    assert len(server.executions("webhook_return_outputs")) == before


@pytest.mark.parametrize("name", ["Kestra", "kestra"])
def test_check_met_lets_the_execution_run(runner: Runner, name: str) -> None:
    result = runner.run(example("flows/simple_check"), {"name": name})

    assert result.state == "SUCCESS"
    assert result.runs == [("hello", "SUCCESS")]


def test_check_not_met_refuses_the_launch_with_its_message(server: Server) -> None:
    server.put_flow(example("flows/simple_check"))

    answer = server.launch("company.team", "simple_check", {"name": "John"})

    assert 400 <= answer.status_code < 500
    assert "Sorry, this flow can only be executed with 'Kestra'" in answer.text
    assert server.executions("simple_check") == [] or all(
        one["inputs"]["name"] != "John" for one in server.executions("simple_check")
    )


def test_missing_input_on_the_command_line_starts_nothing(tmp_path: Path) -> None:
    ended = CommandLine(tmp_path, {}).attempt(example("flows/fail_on_switch"))

    assert ended.returncode == 2
    assert ended.stdout == ""
    assert "param" in ended.stderr
