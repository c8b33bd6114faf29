"""What people and machines get wrong: each is one clear error, the server stays up, what is stored stays."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.runners import Api, CommandLine, example
from tests.acceptance.server import YAML, Server, running, wait_until
from tests.support.waiting import PATIENCE

pytestmark = pytest.mark.acceptance

BROKEN = "id: broken\nnamespace: company.team\ntasks:\n  - id: one\n   type: wrong\n"
PROCESS = "taskRunner: {type: io.kestra.plugin.core.runner.Process}"


def _shell(flow_id: str, *commands: str, more: str = "") -> str:
    lines = "\n".join(f"      - {command}" for command in commands)
    return (
        f"id: {flow_id}\nnamespace: company.team\ntasks:\n  - id: script\n"
        f"    type: io.kestra.plugin.scripts.shell.Commands\n    {PROCESS}\n    commands:\n{lines}\n{more}"
    )


def _lives(pid: str) -> bool:
    """Return whether a process is there and no zombie."""
    try:
        return ") Z " not in Path(f"/proc/{int(pid)}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def _resident(server: Server) -> int:
    """Return how many bytes of memory a server holds."""
    assert server.process is not None
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    (line,) = [one for one in status.splitlines() if one.startswith("VmRSS:")]
    return int(line.split()[1]) * 1024


def _refused(server: Server, source: str) -> dict[str, Any]:
    """Return the answer to a flow that must not be stored."""
    answer = server.request("POST", "/api/v1/main/flows", content=source, headers=YAML)
    assert answer.status_code == 422, answer.text
    body: dict[str, Any] = answer.json()
    assert server.is_up()
    return body


def test_broken_yaml_is_refused_with_its_line_and_column(server: Server) -> None:
    body = _refused(server, BROKEN)

    (problem,) = body["problems"]
    assert (problem["line"], problem["severity"]) == (5, "error")
    assert problem["column"] > 0


def test_broken_yaml_on_the_command_line_shows_the_line_and_runs_nothing(tmp_path: Path) -> None:
    ended = CommandLine(tmp_path, {}).attempt(
        "id: broken\nnamespace: company.team\ntasks:\n  - id: one\n   type: wrong\n"
    )

    assert ended.returncode == 2
    assert "flow.yaml:5:" in ended.stderr
    assert "   type: wrong" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_unknown_type_is_refused_with_the_nearest_name(server: Server) -> None:
    body = _refused(server, example("hello").replace("core.log.Log", "core.log.Logg"))

    (problem,) = body["problems"]
    assert problem["path"] == "tasks[0].type"
    assert problem["line"] == 7
    assert "io.kestra.plugin.core.log.Logg" in problem["message"]
    assert "io.kestra.plugin.core.log.Log`" in problem["hint"]


def test_unknown_type_on_the_command_line_names_the_nearest(tmp_path: Path) -> None:
    ended = CommandLine(tmp_path, {}).attempt(example("hello").replace("core.log.Log", "core.log.Logg"))

    assert ended.returncode == 2
    assert "flow.yaml:7:" in ended.stderr
    assert "io.kestra.plugin.core.log.Log`" in ended.stderr


def test_missing_input_is_refused_by_name(server: Server) -> None:
    server.put_flow(example("flows/fail_on_switch"))
    before = len(server.executions("fail_on_switch"))

    answer = server.launch("company.team", "fail_on_switch")

    assert answer.status_code == 422
    assert "param" in answer.json()["message"]
    assert len(server.executions("fail_on_switch")) == before


def test_input_of_a_wrong_type_is_refused_by_name_type_and_value(server: Server) -> None:
    server.put_flow(
        "id: typed\nnamespace: company.team\ninputs:\n  - id: count\n    type: INT\n"
        "tasks:\n  - id: log\n    type: io.kestra.plugin.core.log.Log\n    message: '{{ inputs.count }}'\n"
    )

    answer = server.launch("company.team", "typed", {"count": "many"})

    assert answer.status_code == 422
    message = answer.json()["message"]
    assert "count" in message
    assert "many" in message
    assert server.executions("typed") == []


def test_choice_that_is_none_of_the_values_is_refused_with_the_values(server: Server) -> None:
    server.put_flow(example("tutorial/flowable_if"))

    answer = server.launch("company.team", "getting_started", {"category": "cars"})

    assert answer.status_code == 422
    assert "cars" in answer.text
    assert "notebooks" in answer.text


def test_expression_error_shows_template_position_and_names(server: Server) -> None:
    source = example("tutorial/inputs_demo").replace("{{ inputs.user }}", "{{ inputs['u' ~ 'sr'] }}")

    result = Api(server).run(source)

    assert result.state == "FAILED"
    assert result.runs == [("hello", "FAILED")]
    (message,) = result.messages("hello", "ERROR")
    assert "Hey there, {{ inputs['u' ~ 'sr'] }}" in message, "the template"
    assert "line 1, column" in message, "the position"
    assert "user" in message.replace("Hey there, {{ inputs['u' ~ 'sr'] }}", ""), "the names there are"
    assert server.is_up()


def test_expression_with_a_syntax_error_is_refused_with_its_position(server: Server) -> None:
    source = example("tutorial/inputs_demo").replace("{{ inputs.user }}", "{{ inputs.user | }}")

    body = _refused(server, source)

    (problem,) = [one for one in body["problems"] if one["severity"] == "error"]
    assert problem["path"] == "tasks[0].message"
    assert problem["line"] == 13


def test_missing_secret_is_one_line_that_says_where_to_put_it(tmp_path: Path) -> None:
    result = CommandLine(tmp_path, {}).run(example("tutorial/errors_alert"))

    assert result.runs == [("fail", "FAILED"), ("alert_on_failure", "FAILED")]
    (line,) = [line for line in result.logs if line["taskId"] == "alert_on_failure"]
    assert line["level"] == "ERROR"
    assert "there is no secret `SLACK_WEBHOOK`" in line["message"]
    assert "SECRET_SLACK_WEBHOOK" in line["message"]


def test_log_line_of_a_hundred_megabytes_is_cut_and_costs_no_memory(server: Server) -> None:
    before = _resident(server)
    source = _shell("long_line", "head -c 100000000 /dev/zero | tr '\\0' x", "echo; echo done")

    result = Api(server).run(source)

    assert result.state == "SUCCESS"
    (long, *rest) = result.messages("script")
    assert rest == ["done"]
    assert len(long) < 100_000
    kept = len(long) - len(long.lstrip("x"))
    assert long.endswith(f"... ({100_000_000 - kept} more bytes were cut)")
    assert _resident(server) - before < 150_000_000
    assert server.is_up()


def test_task_that_ignores_sigterm_ends_at_its_timeout(server: Server, tmp_path: Path) -> None:
    began = time.monotonic()
    source = _shell(
        "stubborn", f"trap '' TERM; echo $$ > {tmp_path}/pid; sleep 300 & wait; wait", more="    timeout: PT1S\n"
    )

    result = Api(server).run(source)

    assert result.state == "FAILED"
    assert time.monotonic() - began < PATIENCE
    assert not _lives((tmp_path / "pid").read_text())
    assert any("PT1S" in message for message in result.messages("script", "ERROR")), result.logs


def test_task_that_ignores_sigterm_is_ended_by_a_kill(server: Server, tmp_path: Path) -> None:
    server.put_flow(_shell("stubborn_too", f"trap '' TERM; echo $$ > {tmp_path}/pid; while true; do sleep 1; done"))
    execution_id = server.launch("company.team", "stubborn_too").json()["id"]
    pid_file = tmp_path / "pid"
    wait_until(lambda: pid_file.exists() and pid_file.read_text().strip(), PATIENCE, lambda: "no script begins")

    assert server.request("DELETE", f"/api/v1/main/executions/{execution_id}/kill").status_code < 300
    result = Api(server).result(execution_id)

    assert result.state == "KILLED"
    assert result.runs == [("script", "KILLED")]
    assert not _lives(pid_file.read_text())


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[tuple[Server, Path]]:
    """Return a server whose data lie on a disk of 32 MB, and the disk as this process sees it."""
    unshare = shutil.which("unshare")
    probe = [unshare or "unshare", "--user", "--map-root-user", "--mount", "true"]
    if unshare is None or subprocess.run(probe, check=False, capture_output=True).returncode != 0:
        pytest.skip("this machine does not let users mount a disk of their own (unshare)")
    disk = tmp_path / "data"
    disk.mkdir()
    mount = f'mount -t tmpfs -o size=32m tmpfs {disk} && exec "$@"'
    server = Server(tmp_path, prefix=[*probe[:-1], "sh", "-c", mount, "sh"])
    with running(server):
        assert server.process is not None
        yield server, Path(f"/proc/{server.process.pid}/root{disk}")


def test_full_disk_is_one_clear_error_and_loses_nothing(small_disk: tuple[Server, Path]) -> None:
    server, disk = small_disk
    ids = [Api(server).run(example("hello")).execution["id"] for _ in range(3)]
    server.put_flow(_shell("running", "sleep 3", "sleep 1"))
    in_between = [str(server.launch("company.team", "running").json()["id"]) for _ in range(3)]
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        while True:
            try:
                file.write(bytes(4096))
            except OSError:
                break

    refused = wait_until(lambda: _failing_launch(server), PATIENCE, lambda: "the disk does not fill up")

    assert refused["code"] == "UNAVAILABLE"
    assert "disk is full" in refused["message"]
    assert server.is_up()
    for execution_id in ids:
        assert server.execution(execution_id)["state"]["current"] == "SUCCESS"

    time.sleep(4)  # the running executions would end now, and cannot say so
    assert server.is_up()
    filler.unlink()
    result = wait_until(lambda: _launched(server), PATIENCE, lambda: f"no recovery:\n{server.log()[-3000:]}")

    assert server.ended(result)["state"]["current"] == "SUCCESS"
    for execution_id in [*in_between, *(one["id"] for one in server.executions("hello"))]:
        assert server.ended(execution_id)["state"]["current"] == "SUCCESS"


def test_file_too_large_for_the_disk_fails_its_task_with_one_clear_error(small_disk: tuple[Server, Path]) -> None:
    server, _ = small_disk
    source = _shell("large_file", "head -c 50000000 /dev/zero > large.bin", more="    outputFiles: [large.bin]\n")

    result = Api(server).run(source)

    assert result.state == "FAILED"
    (message,) = result.messages("script", "ERROR")
    assert "disk" in message
    assert "full" in message
    assert server.is_up()
    assert Api(server).run(example("hello")).state == "SUCCESS"


def _failing_launch(server: Server) -> dict[str, Any] | None:
    answer = server.launch("company.team", "hello")
    return None if answer.status_code < 300 else answer.json()


def _launched(server: Server) -> str | None:
    answer = server.launch("company.team", "hello")
    return str(answer.json()["id"]) if answer.status_code < 300 else None
