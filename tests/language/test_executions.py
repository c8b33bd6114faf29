"""What an execution shows of itself, and which switches keep it from running."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.language.conftest import Language, outputs

HELLO = """id: {id}
namespace: team
tasks:
  - {id: hello, type: io.kestra.plugin.core.log.Log, message: Hello}
"""


async def test_task_run_shows_its_states_attempts_and_outputs(language: Language) -> None:
    """ENG-059, ENG-060, ENG-061, ENG-118, ENG-140, ENG-141, ENG-150."""
    execution = await language.run(
        "id: {id}\nnamespace: team\ntasks:\n  - {id: made, type: io.kestra.plugin.core.debug.Return, format: x}\n"
    )
    [run] = execution["taskRunList"]
    assert {key: run[key] for key in ("executionId", "namespace", "flowId", "taskId", "outputs")} == {
        "executionId": execution["id"],
        "namespace": "team",
        "flowId": execution["flowId"],
        "taskId": "made",
        "outputs": {"value": "x"},
    }
    states = [change["state"] for change in run["state"]["histories"]]
    assert states[0] == "CREATED"
    assert states[-2:] == ["RUNNING", "SUCCESS"]
    assert set(run["state"]) >= {"current", "histories", "duration", "startDate", "endDate"}
    [attempt] = run["attempts"]
    assert attempt["state"]["current"] == "SUCCESS"
    assert [change["state"] for change in execution["state"]["histories"]] == ["CREATED", "RUNNING", "SUCCESS"]


async def test_failed_task_stops_those_after_it(language: Language) -> None:
    """ENG-005, ENG-143."""
    execution = await language.run(
        "id: {id}\nnamespace: team\ntasks:\n"
        "  - {id: one, type: io.kestra.plugin.core.log.Log, message: one}\n"
        "  - {id: two, type: io.kestra.plugin.core.execution.Fail}\n"
        "  - {id: three, type: io.kestra.plugin.core.log.Log, message: three}\n"
    )
    assert [(run["taskId"], run["state"]["current"]) for run in execution["taskRunList"]] == [
        ("one", "SUCCESS"),
        ("two", "FAILED"),
    ]
    assert execution["state"]["current"] == "FAILED"


async def test_disabled_task_is_skipped_and_the_others_run(language: Language) -> None:
    """ENG-041, ENG-046."""
    execution = await language.run(
        "id: {id}\nnamespace: team\ntasks:\n"
        "  - {id: one, type: io.kestra.plugin.core.log.Log, message: one, disabled: true, description: not *now*}\n"
        "  - {id: two, type: io.kestra.plugin.core.log.Log, message: two}\n"
    )
    assert await language.logs(execution) == ["two"]
    assert execution["state"]["current"] == "SUCCESS"


async def test_failure_allowed_is_a_warning_and_a_warning_allowed_a_success(language: Language) -> None:
    """ENG-048, ENG-049, ENG-142, ENG-228, ENG-229, ENG-406."""
    source = (
        "id: {id}\nnamespace: team\ntasks:\n"
        "  - {id: one, type: io.kestra.plugin.core.execution.Fail, allowFailure: true}\n"
        "  - {id: two, type: io.kestra.plugin.core.log.Log, message: two}\n"
    )
    warned = await language.run(source)
    assert [run["state"]["current"] for run in warned["taskRunList"]] == ["WARNING", "SUCCESS"]
    assert warned["state"]["current"] == "WARNING"
    passed = await language.run(source.replace("allowFailure: true", "allowFailure: true, allowWarning: true"))
    assert passed["state"]["current"] == "SUCCESS"


async def test_flow_of_the_same_name_in_two_namespaces_is_two_flows(language: Language) -> None:
    """ENG-003."""
    await language.server.flow(HELLO.replace("{id}", "twin"))
    await language.server.flow(HELLO.replace("{id}", "twin").replace("team", "other"))
    again = await language.server.client.post("/api/v1/main/flows", content=HELLO.replace("{id}", "twin"))
    assert again.status_code == 422
    assert "twin" in again.text


async def test_labels_that_are_no_text_become_text_and_filter_the_list(language: Language) -> None:
    """ENG-030, ENG-031, ENG-033."""
    execution = await language.run(HELLO + "labels:\n  team: finance\n  urgent: true\n")
    await language.run(HELLO)
    labels = {label["key"]: label["value"] for label in execution["labels"]}
    assert (labels["team"], labels["urgent"]) == ("finance", "true")
    found = await language.get("executions/search", params={"filters[labels][EQUALS][team]": "finance"})
    assert [one["id"] for one in found["results"]] == [execution["id"]]
    key = "filters[labels][EQUALS][system.correlationId]"
    found = await language.get("executions/search", params={key: execution["id"]})
    assert [one["id"] for one in found["results"]] == [execution["id"]]


@pytest.mark.parametrize(
    ("unwilling", "told"),
    [
        ("disabled: true", "Cannot execute a flow which is disabled"),
        ("checks: [{condition: false, message: not today, behavior: FAIL_EXECUTION}]", "not today"),
    ],
)
async def test_subflow_that_is_refused_fails_its_parent_with_the_reason(
    language: Language, unwilling: str, told: str
) -> None:
    """ENG-039, ENG-409."""
    await language.server.flow(HELLO.replace("{id}", "unwilling") + unwilling + "\n")
    call = "{id: call, type: io.kestra.plugin.core.flow.Subflow, namespace: team, flowId: unwilling}"
    execution = await language.run(f"id: {{id}}\nnamespace: team\ntasks: [{call}]\n")
    assert execution["state"]["current"] == "FAILED"
    assert await language.logs(execution) == [told]


async def test_disabled_flow_answers_and_its_execution_has_failed(language: Language) -> None:
    """ENG-037, ENG-038, ENG-390."""
    await language.server.flow(HELLO.replace("{id}", "off") + "disabled: true\n")
    answer = await language.server.client.post("/api/v1/main/executions/team/off")
    assert answer.status_code == 200
    assert answer.json()["state"]["current"] == "CREATED"
    ended = await language.server.until(answer.json()["id"], "FAILED")
    assert "Cannot execute a flow which is disabled" in " ".join(await language.logs(ended))
    assert not ended.get("taskRunList")


async def test_files_and_values_of_a_script_are_outputs(language: Language) -> None:
    """ENG-116, ENG-203, ENG-205, ENG-210, ENG-341."""
    execution = await language.run(
        """
id: {id}
namespace: team
tasks:
  - id: script
    type: io.kestra.plugin.scripts.shell.Commands
    taskRunner: {type: io.kestra.plugin.core.runner.Process}
    inputFiles: {in.txt: content}
    outputFiles: ["*.out"]
    beforeCommands: ["export WORD=kestrel"]
    commands:
      - cat in.txt > my.out
      - echo "::{\\"outputs\\":{\\"word\\":\\"$WORD\\"}}::"
  - id: made
    type: io.kestra.plugin.core.debug.Return
    format: "{{ outputs.script.vars.word }} {{ read(outputs.script.outputFiles['my.out']) }}"
"""
    )
    assert execution["state"]["current"] == "SUCCESS", await language.logs(execution)
    assert outputs(execution, "made") == {"value": "kestrel content"}
    assert outputs(execution, "script")["outputFiles"]["my.out"].startswith("kestra:///")


async def test_secret_is_masked_and_outputs_are_not(language: Language) -> None:
    """ENG-212, ENG-373."""
    execution = await language.run(
        "id: {id}\nnamespace: team\ntasks:\n"
        "  - {id: one, type: io.kestra.plugin.core.log.Log, message: \"<{{ secret('TOKEN') }}>\"}\n"
        "  - {id: two, type: io.kestra.plugin.core.debug.Return, format: open}\n"
    )
    assert "very-secret-value" not in " ".join(await language.logs(execution))
    assert outputs(execution, "two") == {"value": "open"}


async def test_flow_level_timeout_is_no_property(language: Language) -> None:
    """ENG-245, ENG-399."""
    answer = await language.server.client.post(
        "/api/v1/main/flows", content=HELLO.replace("{id}", "timed") + "timeout: PT1S\n"
    )
    assert answer.status_code == 422
    assert "timeout" in answer.text


async def test_read_only_flow_says_so_by_its_label(language: Language) -> None:
    """ENG-036."""
    flow = await language.server.flow(HELLO.replace("{id}", "kept") + "labels:\n  system.readOnly: true\n")
    assert {"key": "system.readOnly", "value": "true"} in flow["labels"]


async def test_execution_leaves_records_and_neither_messages_nor_jobs(language: Language, tmp_path: Path) -> None:
    """ENG-008, ENG-337: what moved it along is gone with its end; source, task runs and lines stay."""
    execution = await language.run(HELLO)
    assert await language.logs(execution) == ["Hello"]
    with closing(sqlite3.connect(f"file:{tmp_path}/penstock.db?mode=ro", uri=True)) as database:
        counts = {
            table: database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("flows", "executions", "task_runs", "messages", "jobs", "timers")
        }
    assert counts == {"flows": 1, "executions": 1, "task_runs": 1, "messages": 0, "jobs": 0, "timers": 0}
