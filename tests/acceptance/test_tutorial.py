"""The flows of the tutorial, each run by the command line and through the API."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from examples.shop import Shop
from tests.acceptance.runners import Api, Runner, example
from tests.acceptance.server import Server, wait_until
from tests.support.waiting import PATIENCE

pytestmark = pytest.mark.acceptance

BEAUTY = "Found 4 products for category beauty"


def _rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


@pytest.mark.parametrize("name", ["hello", "tutorial/fundamentals_hello_world", "tutorial/triggers_daily"])
def test_hello_world_run_logs_its_greeting(runner: Runner, name: str) -> None:
    result = runner.run(example(name))

    assert result.state == "SUCCESS"
    assert result.history == ["CREATED", "RUNNING", "SUCCESS"]
    assert result.runs == [("hello_world", "SUCCESS")]
    assert result.messages("hello_world") == ["Hello World!"]


def test_documented_flow_run_gives_its_label_to_the_execution(runner: Runner) -> None:
    result = runner.run(example("tutorial/fundamentals_documented"))

    assert result.state == "SUCCESS"
    assert {"key": "tag", "value": "Getting Started"} in result.execution["labels"]
    assert result.runs == [("hello_world", "SUCCESS")]


def test_python_script_after_log_run_runs_second(runner: Runner) -> None:
    result = runner.run(example("tutorial/fundamentals_python"))

    assert result.state == "SUCCESS"
    assert result.runs == [("hello_world", "SUCCESS"), ("python", "SUCCESS")]
    assert result.messages("hello_world") == ["Hello World!"]
    assert "Hello World!" in result.messages("python")
    assert result.outputs("python")["exitCode"] == 0


def test_api_request_run_puts_out_code_and_body(runner: Runner, shop_url: str) -> None:
    result = runner.run(example("tutorial/fundamentals_api", shop_url))

    assert result.state == "SUCCESS"
    assert result.runs == [("api", "SUCCESS")]
    assert result.outputs("api")["code"] == 200
    assert result.outputs("api")["uri"] == f"{shop_url}/products"
    assert '"total": 5' in result.outputs("api")["body"]


@pytest.mark.parametrize(("inputs", "name"), [({}, "Zoyd Wheeler"), ({"user": "Ada"}, "Ada")])
def test_input_given_or_not_is_rendered(runner: Runner, inputs: dict[str, str], name: str) -> None:
    result = runner.run(example("tutorial/inputs_demo"), inputs)

    assert result.state == "SUCCESS"
    assert result.execution["inputs"] == {"user": name}
    assert result.messages("hello") == [f"Hey there, {name}"]


def test_api_url_given_is_the_one_asked(runner: Runner, shop_url: str, shop: Shop) -> None:
    result = runner.run(example("tutorial/inputs_api_url"), {"api_url": f"{shop_url}/products/category/furniture"})

    assert result.state == "SUCCESS"
    assert result.runs == [("api", "SUCCESS")]
    assert shop.requests == {"/products/category/furniture": 1}


def test_output_of_a_task_is_read_by_the_next(runner: Runner, shop_url: str) -> None:
    result = runner.run(example("tutorial/outputs_status_code", shop_url))

    assert result.runs == [("api", "SUCCESS"), ("log", "SUCCESS")]
    assert result.messages("log") == ["API Status Code: 200"]


def test_script_with_fetched_data_leaves_a_file(runner: Runner, shop_url: str) -> None:
    result = runner.run(example("tutorial/outputs_script", shop_url))

    assert result.state == "SUCCESS"
    assert result.runs == [("api", "SUCCESS"), ("log", "SUCCESS"), ("python", "SUCCESS")]
    assert list(result.outputs("python")["outputFiles"]) == ["products.csv"]
    assert _rows(result.files["products.csv"]) == [
        ["brand", "price"],
        ["Essence", "9.99"],
        ["Glamour", "19.99"],
        ["Velvet", "14.99"],
        ["Glamour", "12.99"],
        ["Velvet", "49.5"],
    ]


@pytest.mark.parametrize("name", ["outputs_files", "triggers_weekly"])
def test_file_of_one_script_is_the_next_ones_input(runner: Runner, shop_url: str, name: str) -> None:
    result = runner.run(example(f"tutorial/{name}", shop_url))

    assert result.state == "SUCCESS"
    assert result.runs == [("api", "SUCCESS"), ("python", "SUCCESS"), ("sqlQuery", "SUCCESS")]
    assert _rows(result.files["result.csv"]) == [
        ["brand", "avg_price"],
        ["Velvet", "32.25"],
        ["Glamour", "16.49"],
        ["Essence", "9.99"],
    ]


@pytest.mark.parametrize(
    ("name", "trigger_id", "weekday"),
    [("triggers_daily", "schedule_trigger", None), ("triggers_weekly", "every_monday_at_10_am", 1)],
)
def test_flow_with_a_schedule_stored_waits_for_the_next_ten_o_clock(
    server: Server, name: str, trigger_id: str, weekday: int | None
) -> None:
    server.put_flow(example(f"tutorial/{name}"))

    def listed() -> dict[str, Any] | None:
        found = server.json("GET", "/api/v1/main/triggers/company.team/getting_started")["results"]
        return next((one for one in found if one["triggerId"] == trigger_id), None)

    trigger = wait_until(listed, PATIENCE, lambda: "the schedule is not taken up")
    date = datetime.fromisoformat(trigger["nextExecutionDate"])
    assert (date.hour, date.minute, date.utcoffset()) == (10, 0, timedelta())
    assert timedelta() < date - datetime.now(UTC) <= timedelta(days=7 if weekday else 1)
    assert weekday in (None, date.isoweekday())


@pytest.mark.parametrize("name", ["tutorial/flowable_if", "tutorial/errors_category_check", "tutorial/errors_complete"])
def test_category_with_products_takes_the_then_branch(runner: Runner, shop_url: str, shop: Shop, name: str) -> None:
    result = runner.run(example(name, shop_url))

    assert result.state == "SUCCESS"
    assert result.execution["inputs"] == {"category": "beauty"}
    branch = [("log_status", "SUCCESS"), ("python", "SUCCESS"), ("sqlQuery", "SUCCESS")]
    assert result.runs == [("api", "SUCCESS"), ("check_products", "SUCCESS"), *branch]
    assert result.messages("log_status") == [BEAUTY]
    assert _rows(result.files["result.csv"])[:2] == [["brand", "avg_price", "cnt"], ["Glamour", "16.49", "2"]]
    assert shop.alerts == []


def test_category_without_products_takes_the_else_branch(runner: Runner, shop_url: str) -> None:
    result = runner.run(example("tutorial/flowable_if", shop_url), {"category": "notebooks"})

    assert result.state == "SUCCESS"
    assert result.runs == [("api", "SUCCESS"), ("check_products", "SUCCESS"), ("when_false", "SUCCESS")]
    assert result.messages("when_false") == ["No products found for category notebooks."]


def test_for_each_author_one_request_is_made(runner: Runner, shop_url: str) -> None:
    result = runner.run(example("tutorial/flowable_for_each", shop_url))

    assert result.state == "SUCCESS"
    assert result.runs == [("for_each", "SUCCESS"), *[("api", "SUCCESS")] * 3]
    assert [run["value"] for run in result.runs_of("api")] == ["pynchon", "dostoyevsky", "hedayat"]
    assert "The Blind Owl" in result.outputs("api", "hedayat")["body"]


def test_loop_until_service_is_well_asks_three_times(runner: Runner, shop_url: str, shop: Shop) -> None:
    result = runner.run(example("tutorial/flowable_loop_until", shop_url, PT30S="PT0.2S"))

    assert result.state == "SUCCESS"
    assert result.runs == [("loop", "SUCCESS"), *[("healthCheck", "SUCCESS")] * 3]
    assert [run["outputs"]["code"] for run in result.runs_of("healthCheck")] == [202, 202, 200]
    assert shop.requests == {"/health": 3}


def test_partitions_of_a_script_are_processed_by_as_many_scripts(runner: Runner) -> None:
    result = runner.run(example("tutorial/flowable_parallel"))

    partitions = [f"file_{number}.parquet" for number in range(1, 10)]
    assert result.state == "SUCCESS"
    assert result.outputs("getPartitions")["vars"] == {"partitions": partitions}
    assert len(result.runs) == 11
    assert sorted(run["value"] for run in result.runs_of("partition")) == partitions
    assert {f"Reading and processing partition {name}" for name in partitions} <= set(result.messages("partition"))


def test_metrics_of_partitions_are_kept(server: Server) -> None:
    result = Api(server).run(example("tutorial/flowable_parallel"))

    found = server.json("GET", f"/api/v1/main/metrics/{result.execution['id']}", params={"size": "100"})["results"]

    assert sorted(metric["name"] for metric in found) == ["nr_rows"] * 9 + ["processing_time"] * 9


def test_failing_task_raises_an_alert_before_the_end(runner: Runner, shop: Shop) -> None:
    result = runner.run(example("tutorial/errors_alert"))

    assert result.state == "FAILED"
    assert result.runs == [("fail", "FAILED"), ("alert_on_failure", "SUCCESS")]
    assert len(shop.alerts) == 1
    assert f"company.team.unreliable_flow with ID {result.execution['id']}" in shop.alerts[0]


def test_unreachable_service_raises_an_alert(runner: Runner, shop: Shop, shop_url: str) -> None:
    source = example("tutorial/errors_category_check", shop_url).replace("/products/category/", "/nothing/here/")

    result = runner.run(source)

    assert result.state == "FAILED"
    assert result.runs == [("api", "FAILED"), ("alert_on_failure", "SUCCESS")]
    assert "404" in result.messages("api", "ERROR")[0]
    assert len(shop.alerts) == 1


def test_retried_task_succeeds_at_the_fifth_attempt_without_alarm(runner: Runner) -> None:
    result = runner.run(example("tutorial/errors_retries", PT2S="PT0.1S"))

    assert result.state == "SUCCESS"
    assert result.runs == [("fail_four_times", "SUCCESS")]
    (run,) = result.runs_of("fail_four_times")
    assert [attempt["state"]["current"] for attempt in run["attempts"]] == ["FAILED"] * 4 + ["SUCCESS"]


def test_flaky_service_is_asked_again_and_leaves_a_warning(runner: Runner, shop: Shop, shop_url: str) -> None:
    result = runner.run(example("tutorial/errors_retry_request", shop_url, PT20S="PT0.2S"))

    assert result.state == "WARNING"
    assert result.runs == [("api", "WARNING")]
    assert len(result.runs_of("api")[0]["attempts"]) == 3
    assert shop.requests == {"/flaky": 3}
