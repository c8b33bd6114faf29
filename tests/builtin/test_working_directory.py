"""`WorkingDirectory` and `TemplatedTask` on a whole server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.live import LiveServer, live_server
from tests.support.waiting import PATIENCE

RUNNER = "taskRunner: {type: io.kestra.plugin.core.runner.Process}"
SHELL = "io.kestra.plugin.scripts.shell.Commands"
RETURN = "io.kestra.plugin.core.debug.Return"
FAIL = "io.kestra.plugin.core.execution.Fail"
STAY = f"""
id: stay
namespace: team
tasks:
  - id: dir
    type: io.kestra.plugin.core.flow.WorkingDirectory
    tasks:
      - id: first
        type: {SHELL}
        {RUNNER}
        commands:
          - 'echo "{{{{ taskrun.id }}}}" > {{{{ workingDir }}}}/stay.txt'
      - id: second
        type: {SHELL}
        {RUNNER}
        commands:
          - |
            echo '::{{"outputs": {{"stay":"'$(cat {{{{ workingDir }}}}/stay.txt)'"}}}}::'
  - {{id: after, type: {RETURN}, format: "{{{{ outputs.second.vars.stay }}}}"}}
"""


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[LiveServer]:
    async with live_server(tmp_path) as server:
        yield server


def runs_of(execution: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {run["taskId"]: run for run in execution["taskRunList"]}


def states_of(execution: dict[str, Any]) -> list[tuple[str, str]]:
    return [(run["taskId"], run["state"]["current"]) for run in execution["taskRunList"]]


def flow(children: str, more: str = "", after: str = "") -> str:
    """Return a flow `wd` with these children in its directory."""
    return f"""
id: wd
namespace: team
tasks:
  - id: dir
    type: io.kestra.plugin.core.flow.WorkingDirectory
{_indented(more, 4)}
    tasks:
{_indented(children, 6)}
{_indented(after, 2)}
"""


def _indented(text: str, by: int) -> str:
    return "\n".join(" " * by + line for line in text.strip("\n").splitlines())


async def running(live: LiveServer, execution_id: str, task_id: str) -> None:
    """Wait until a worker has told that it runs a task."""
    async with asyncio.timeout(PATIENCE):
        while True:
            runs = runs_of(await live.until(execution_id, "RUNNING"))
            if task_id in runs and runs[task_id]["state"]["current"] == "RUNNING":
                return
            await asyncio.sleep(0.02)


async def logs_of(live: LiveServer, execution: dict[str, Any]) -> list[dict[str, Any]]:
    answer = await live.client.get(f"/api/v1/main/logs/{execution['id']}")
    assert answer.status_code == 200, answer.text
    lines: list[dict[str, Any]] = answer.json()
    return lines


async def content_of(live: LiveServer, execution: dict[str, Any], uri: str) -> str:
    answer = await live.client.get(f"/api/v1/main/executions/{execution['id']}/file", params={"path": uri})
    assert answer.status_code == 200, answer.text
    return answer.text


async def test_child_reads_the_file_an_earlier_child_left(live: LiveServer) -> None:
    """ENG-097, ENG-098, SCR-024, worked example 10."""
    await live.flow(STAY)
    execution = await live.run("stay")
    assert states_of(execution) == [(name, "SUCCESS") for name in ("dir", "first", "second", "after")]
    runs = runs_of(execution)
    assert runs["second"]["outputs"]["vars"] == {"stay": runs["first"]["id"]}
    assert runs["after"]["outputs"]["value"] == runs["first"]["id"]


async def test_children_are_task_runs_of_their_own_under_the_directory(live: LiveServer) -> None:
    """ENG-414."""
    await live.flow(STAY)
    runs = runs_of(await live.run("stay"))
    assert "parentTaskRunId" not in runs["dir"]
    for name in ("first", "second"):
        assert runs[name]["parentTaskRunId"] == runs["dir"]["id"]
        assert [change["state"] for change in runs[name]["state"]["histories"]] == ["CREATED", "RUNNING", "SUCCESS"]
        (attempt,) = runs[name]["attempts"]
        assert attempt["state"]["current"] == "SUCCESS"


async def test_child_that_fails_keeps_the_following_ones_from_running(live: LiveServer) -> None:
    await live.flow(
        flow(
            f"""
- {{id: ko, type: {FAIL}, errorMessage: no luck}}
- {{id: never, type: {RETURN}, format: x}}
"""
        )
    )
    execution = await live.run("wd")
    assert states_of(execution) == [("dir", "FAILED"), ("ko", "FAILED")]
    told = [(line["taskId"], line["message"]) for line in await logs_of(live, execution) if line["level"] == "ERROR"]
    assert told[0] == ("ko", "no luck")
    assert told[1][0] == "dir"
    assert "task `ko` failed" in told[1][1]


async def test_handlers_of_the_directory_run_in_it_after_a_failure(live: LiveServer) -> None:
    """ENG-226, EXP-157."""
    handlers = f"""
errors:
  - id: told
    type: {SHELL}
    {RUNNER}
    commands: ["cat left.txt", "echo {{{{ tasks.ko.state }}}} '{{{{ errorLogs() | jq('.[].message') | first }}}}'"]
finally:
  - {{id: last, type: {RETURN}, format: "{{{{ tasks.told.state }}}}"}}
"""
    children = f"""
- {{id: leave, type: {SHELL}, {RUNNER}, commands: ["echo here > left.txt"]}}
- {{id: ko, type: {FAIL}, errorMessage: no luck}}
- {{id: never, type: {RETURN}, format: x}}
"""
    await live.flow(flow(children, handlers))
    execution = await live.run("wd")
    named = ("dir", "FAILED"), ("leave", "SUCCESS"), ("ko", "FAILED"), ("told", "SUCCESS"), ("last", "SUCCESS")
    assert states_of(execution) == list(named)
    assert runs_of(execution)["last"]["outputs"]["value"] == "SUCCESS"
    told = [line["message"] for line in await logs_of(live, execution) if line["taskId"] == "told"]
    assert told == ["here", "FAILED no luck"]


async def test_replay_at_a_child_begins_with_the_directory(live: LiveServer) -> None:
    """ENG-154."""
    await live.flow(STAY)
    first = await live.run("stay")
    params = {"taskRunId": runs_of(first)["second"]["id"]}
    answer = await live.client.post(f"/api/v1/main/executions/{first['id']}/replay", params=params)
    assert answer.status_code == 200, answer.text
    again = await live.until(answer.json()["id"], "SUCCESS")
    assert states_of(again) == states_of(first)
    assert runs_of(again)["second"]["outputs"]["vars"] == {"stay": runs_of(again)["first"]["id"]}


async def test_child_allowed_to_fail_warns_and_the_others_go_on(live: LiveServer) -> None:
    await live.flow(
        flow(
            f"""
- {{id: ko, type: {FAIL}, allowFailure: true}}
- {{id: next, type: {RETURN}, format: "{{{{ tasks.ko.state }}}}"}}
"""
        )
    )
    execution = await live.run("wd")
    assert states_of(execution) == [("dir", "WARNING"), ("ko", "WARNING"), ("next", "SUCCESS")]
    assert runs_of(execution)["next"]["outputs"]["value"] == "WARNING"
    assert execution["state"]["current"] == "WARNING"


async def test_child_skipped_by_its_condition_or_disabled_counts_as_skipped(live: LiveServer) -> None:
    await live.flow(
        flow(
            f"""
- {{id: one, type: {RETURN}, format: "1"}}
- {{id: no, type: {RETURN}, runIf: "{{{{ outputs.one.value == '2' }}}}"}}
- {{id: off, type: {RETURN}, disabled: true}}
- {{id: yes, type: {RETURN}, format: "3", runIf: "{{{{ outputs.one.value == '1' }}}}"}}
"""
        )
    )
    execution = await live.run("wd")
    assert [state for _, state in states_of(execution)] == ["SUCCESS", "SUCCESS", "SKIPPED", "SKIPPED", "SUCCESS"]


async def test_child_with_a_condition_that_cannot_be_rendered_fails(live: LiveServer) -> None:
    await live.flow(flow(f'- {{id: one, type: {RETURN}, runIf: "{{{{ outputs.nothing.value }}}}"}}'))
    execution = await live.run("wd")
    assert states_of(execution) == [("dir", "FAILED"), ("one", "FAILED")]
    messages = [line["message"] for line in await logs_of(live, execution)]
    assert any("`runIf` of task `one` could not be rendered" in message for message in messages)


async def test_child_over_its_timeout_fails_in_time(live: LiveServer) -> None:
    """ENG-244."""
    await live.flow(flow("- {id: slow, type: io.kestra.plugin.core.flow.Sleep, duration: PT5M, timeout: PT0.1S}"))
    execution = await live.run("wd")
    assert states_of(execution) == [("dir", "FAILED"), ("slow", "FAILED")]
    messages = [line["message"] for line in await logs_of(live, execution)]
    assert any("longer than its timeout of PT0.1S" in message for message in messages)


async def test_kill_reaches_the_child_that_runs(live: LiveServer) -> None:
    """ENG-157."""
    await live.flow(
        flow(
            f"""
- {{id: quick, type: {RETURN}, format: x}}
- {{id: slow, type: io.kestra.plugin.core.flow.Sleep, duration: PT5M}}
- {{id: never, type: {RETURN}}}
"""
        )
    )
    started = await live.start("wd")
    await running(live, started["id"], "dir")
    answer = await live.client.delete(f"/api/v1/main/executions/{started['id']}/kill")
    assert answer.is_success, answer.text
    execution = await live.until(started["id"], "KILLED")
    assert states_of(execution) == [("dir", "KILLED"), ("quick", "SUCCESS"), ("slow", "KILLED")]


async def test_files_are_put_in_at_first_and_kept_at_last(live: LiveServer) -> None:
    """ENG-099: at the level of the directory, and of a child."""
    await live.flow(
        flow(
            f"""
- id: first
  type: {SHELL}
  {RUNNER}
  commands: ["tr a-z A-Z < in.txt > same.txt", "cp same.txt two.log"]
  outputFiles: [same.txt]
- id: second
  type: {SHELL}
  {RUNNER}
  commands: ["echo other > same.txt"]
  outputFiles: [same.txt]
""",
            more="""
inputFiles:
  in.txt: "hello {{ flow.id }}"
outputFiles: ["*.log"]
""",
        )
    )
    execution = await live.run("wd")
    runs = runs_of(execution)
    kept = runs["dir"]["outputs"]["outputFiles"]
    assert list(kept) == ["two.log"]
    assert await content_of(live, execution, kept["two.log"]) == "HELLO WD"
    assert await content_of(live, execution, runs["first"]["outputs"]["outputFiles"]["same.txt"]) == "HELLO WD"
    assert await content_of(live, execution, runs["second"]["outputs"]["outputFiles"]["same.txt"]) == "other\n"


async def test_output_folder_of_a_child_holds_nothing_of_an_earlier_child(live: LiveServer) -> None:
    """SCR-023."""
    children = [
        f"- id: {name}\n  type: {SHELL}\n  {RUNNER}\n  commands: ['echo x > {{{{ outputDir }}}}/{name}.txt']"
        for name in ("first", "second")
    ]
    await live.flow(flow("\n".join(children)))
    runs = runs_of(await live.run("wd"))
    assert list(runs["first"]["outputs"]["outputFiles"]) == ["first.txt"]
    assert list(runs["second"]["outputs"]["outputFiles"]) == ["second.txt"]


async def test_children_in_a_loop_read_each_other_plainly_and_by_value(live: LiveServer) -> None:
    """ENG-081, CON-15: siblings by name; later tasks by loop value."""
    await live.flow(
        f"""
id: loop
namespace: team
tasks:
  - id: each
    type: io.kestra.plugin.core.flow.ForEach
    values: [a, b]
    tasks:
      - id: dir
        type: io.kestra.plugin.core.flow.WorkingDirectory
        tasks:
          - {{id: one, type: {RETURN}, format: "{{{{ parent.taskrun.value }}}}"}}
          - {{id: plain, type: {RETURN}, format: "{{{{ outputs.one.value }}}}"}}
          - {{id: keyed, type: {RETURN}, format: "{{{{ outputs.one[parent.taskrun.value].value }}}}"}}
          - {{id: each_output, type: {RETURN}, format: "{{{{ currentEachOutput(outputs.one).value }}}}"}}
  - {{id: after, type: {RETURN}, format: "{{{{ outputs.plain.a.value }}}}{{{{ outputs.keyed.b.value }}}}"}}
"""
    )
    execution = await live.run("loop")
    assert execution["state"]["current"] == "SUCCESS"
    values = [
        (run["taskId"], run["outputs"]["value"])
        for run in execution["taskRunList"]
        if "value" in run.get("outputs", {})
    ]
    inside = [(name, value) for value in "ab" for name in ("one", "plain", "keyed", "each_output")]
    assert values == [*inside, ("after", "ab")]


async def test_logs_and_metrics_of_a_child_are_kept_under_its_task_run(live: LiveServer) -> None:
    await live.flow(
        flow(
            """
- {id: say, type: io.kestra.plugin.core.log.Log, message: hello}
- {id: hush, type: io.kestra.plugin.core.log.Log, message: unheard, logLevel: ERROR}
- {id: give, type: io.kestra.plugin.core.debug.Return, format: x}
"""
        )
    )
    execution = await live.run("wd")
    runs = runs_of(execution)
    lines = await logs_of(live, execution)
    assert [(line["taskRunId"], line["message"]) for line in lines] == [(runs["say"]["id"], "hello")]
    metrics = await live.core.store.queries.metrics_of(execution["id"])
    assert {(metric.task_id, metric.name) for metric in metrics} == {("give", "length"), ("give", "duration")}


async def test_variables_and_labels_set_by_a_child_reach_the_execution(live: LiveServer) -> None:
    """ENG-201, ENG-028."""
    await live.flow(
        flow(
            f"""
- {{id: set, type: io.kestra.plugin.core.execution.SetVariables, variables: {{who: Ada}}}}
- {{id: mark, type: io.kestra.plugin.core.execution.Labels, labels: {{done: "yes"}}}}
- {{id: inside, type: {RETURN}, format: "{{{{ vars.who }}}}"}}
""",
            after=f'- {{id: outside, type: {RETURN}, format: "{{{{ vars.who }}}} {{{{ labels.done }}}}"}}',
        )
    )
    runs = runs_of(await live.run("wd"))
    assert runs["inside"]["outputs"]["value"] == "Ada"
    assert runs["outside"]["outputs"]["value"] == "Ada yes"


async def test_retry_of_the_directory_runs_all_children_again(live: LiveServer) -> None:
    """ENG-235: an empty directory each time."""
    await live.flow(
        flow(
            f"""
- id: first
  type: {SHELL}
  {RUNNER}
  commands: ["test ! -e there", "touch there"]
- {{id: ko, type: {FAIL}}}
""",
            more="retry: {type: constant, interval: PT0.01S, maxAttempts: 2}",
        )
    )
    execution = await live.run("wd")
    assert states_of(execution) == [("dir", "FAILED"), ("first", "SUCCESS"), ("ko", "FAILED")]
    assert len(runs_of(execution)["dir"]["attempts"]) == 2


async def test_retry_of_a_child_tries_it_alone_again_in_the_same_directory(live: LiveServer) -> None:
    """ENG-097, ENG-235: what its failed attempts left is there, and the number of the attempt is told."""
    await live.flow(
        flow(
            f"""
- id: first
  type: {SHELL}
  {RUNNER}
  commands: ["echo x >> first.txt"]
- id: second
  type: {SHELL}
  {RUNNER}
  retry: {{type: constant, interval: PT0.01S, maxAttempts: 3, warningOnRetry: true}}
  commands:
    - echo x >> second.txt
    - test $(wc -l < second.txt) -eq 3
    - test {{{{ taskrun.attemptsCount }}}} = 2
- {{id: third, type: {RETURN}, format: "{{{{ tasks.second.state }}}}"}}
"""
        )
    )
    execution = await live.run("wd")
    runs = runs_of(execution)
    assert [len(runs[name]["attempts"]) for name in ("dir", "first", "second")] == [1, 1, 3]
    histories = [entry["state"] for entry in runs["second"]["state"]["histories"]]
    assert histories == ["CREATED", "RUNNING", "RETRYING", "RUNNING", "RETRYING", "RUNNING", "WARNING"]
    assert runs["third"]["outputs"]["value"] == "WARNING"
    assert execution["state"]["current"] == "WARNING"


async def test_child_that_waits_for_its_retry_ends_with_a_kill(live: LiveServer) -> None:
    """ENG-097, BEY-004."""
    await live.flow(flow(f"- {{id: ko, type: {FAIL}, retry: {{type: constant, interval: PT1H, maxAttempts: 3}}}}"))
    started = await live.start("wd")
    await running(live, started["id"], "dir")
    await live.client.delete(f"/api/v1/main/executions/{started['id']}/kill")
    execution = await live.until(started["id"], "KILLED")
    assert ("ko", "KILLED") in states_of(execution)


async def test_secret_a_child_reads_is_masked_for_the_others(tmp_path: Path) -> None:
    """ENG-372."""
    async with live_server(tmp_path, secrets={"TOKEN": "hunter2"}) as live:
        await live.flow(
            flow(
                """
- {id: read, type: io.kestra.plugin.core.debug.Return, format: "{{ secret('TOKEN') }}"}
- {id: say, type: io.kestra.plugin.core.log.Log, message: "it is hunter2"}
"""
            )
        )
        execution = await live.run("wd")
        assert [line["message"] for line in await logs_of(live, execution)] == ["it is ******"]


async def test_templated_task_runs_what_its_text_renders_to(live: LiveServer) -> None:
    """ENG-058, EXP-132."""
    await live.flow(
        """
id: templated
namespace: team
inputs:
  - {id: kind, type: STRING}
tasks:
  - id: made
    type: io.kestra.plugin.core.templating.TemplatedTask
    spec: |
      type: io.kestra.plugin.core.{{ inputs.kind }}
      format: "{{ flow.id }} {{ task.id }}"
"""
    )
    execution = await live.run("templated", files={"kind": (None, "debug.Return")})
    assert states_of(execution) == [("made", "SUCCESS")]
    assert runs_of(execution)["made"]["outputs"] == {"value": "templated made"}


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("debug.Retrun", "did you mean io.kestra.plugin.core.debug.Return?"),
        ("flow.Sequential", "cannot run inside one"),
        ("log.Log", "is wrong: `message` is required"),
        ("'", "is no YAML"),
    ],
)
async def test_templated_task_that_is_none_fails_with_the_reason(live: LiveServer, kind: str, told: str) -> None:
    await live.flow(
        """
id: templated
namespace: team
inputs:
  - {id: kind, type: STRING}
tasks:
  - id: made
    type: io.kestra.plugin.core.templating.TemplatedTask
    spec: |
      type: "io.kestra.plugin.core.{{ inputs.kind == "'" ? '"' : inputs.kind }}"
"""
    )
    execution = await live.run("templated", files={"kind": (None, kind)})
    assert states_of(execution) == [("made", "FAILED")]
    messages = [line["message"] for line in await logs_of(live, execution)]
    assert any(told in message for message in messages), messages


INSTALL = f"""
id: install
type: {SHELL}
{RUNNER}
commands:
  - 'if [ -f node_modules/a/index.js ]; then echo "::{{\\"outputs\\": {{\\"found\\": true}}}}::"; fi'
  - mkdir -p node_modules/a && echo code > node_modules/a/index.js && ln -sf index.js node_modules/a/main.js
  - echo other > other.txt
"""


def cached(ttl: str) -> str:
    """Return a flow whose directory keeps its modules for so long."""
    first, *rest = INSTALL.strip().splitlines()
    child = "\n".join([f"- {first}", *(f"  {line}" for line in rest)])
    return flow(child, f"cache: {{patterns: ['node_modules/**'], ttl: {ttl}}}")


async def test_cached_files_are_found_by_the_next_run_until_they_are_too_old(live: LiveServer) -> None:
    """ENG-328, ENG-329: an edited `ttl` counts at once."""
    await live.flow(cached("PT1H"))
    found = [runs_of(await live.run("wd"))["install"]["outputs"]["vars"] for _ in range(2)]
    assert found == [{}, {"found": True}]
    answer = await live.client.put("/api/v1/main/flows/team/wd", content=cached("PT0S"))
    assert answer.status_code == 200, answer.text
    assert runs_of(await live.run("wd"))["install"]["outputs"]["vars"] == {}


async def test_files_that_cannot_be_kept_fail_the_directory_after_its_tasks(live: LiveServer) -> None:
    """ENG-330."""
    child = f"- {{id: spoil, type: {SHELL}, {RUNNER}, commands: ['rm -rf .penstock; touch .penstock']}}"
    await live.flow(flow(child, "cache: {patterns: ['**']}"))
    execution = await live.run("wd")
    assert states_of(execution) == [("dir", "FAILED"), ("spoil", "SUCCESS")]
    lines = [line["message"] for line in await logs_of(live, execution)]
    assert any(line.startswith("Unable to execute WorkingDirectory post actions") for line in lines)
