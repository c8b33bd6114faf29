from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from penstock.base.errors import InvalidRequestError
from penstock.cli.run.given import environment_file, given_inputs, pairs
from tests.cli.conftest import Command, wait_until
from tests.support.waiting import PATIENCE

HELLO = """
id: hello
namespace: company.team
inputs:
  - {id: name, type: STRING, defaults: World}
  - {id: count, type: INT, required: false}
tasks:
  - id: greeting
    type: io.kestra.plugin.core.output.OutputValues
    values: {message: "Hello {{ inputs.name }}!"}
  - id: say
    type: io.kestra.plugin.core.log.Log
    message: "{{ outputs.greeting.values.message }}"
outputs:
  - {id: message, type: STRING, value: "{{ outputs.greeting.values.message }}"}
"""
FAILING = """
id: failing
namespace: company.team
tasks:
  - {id: boom, type: io.kestra.plugin.core.execution.Fail, errorMessage: no good}
"""
SLEEPING = """
id: sleeping
namespace: company.team
tasks:
  - {id: nap, type: io.kestra.plugin.core.flow.Sleep, duration: PT60S}
"""
RENDERING = """
id: rendering
namespace: company.team
tasks:
  - {id: show, type: io.kestra.plugin.core.log.Log, message: "{{ %s }}"}
"""


pytestmark = pytest.mark.acceptance


def test_run_without_terminal_writes_plain_lines_and_ends_with_zero(penstock: Command) -> None:
    done = penstock("run", penstock.write("hello.yaml", HELLO))
    assert done.code == 0, done.err
    assert "\x1b" not in done.out
    lines = [line.split(" ", 1)[1] for line in done.out.splitlines() if line.startswith("20")]
    assert any(line.startswith("STARTED  company.team.hello") for line in lines)
    assert "INFO     [say] Hello World!" in lines
    assert any(re.fullmatch(r"SUCCESS  say \(\d+ ms\)", line) for line in lines)
    assert "output message: Hello World!" in done.out
    assert re.search(r"^SUCCESS after ", done.out, re.MULTILINE)


def test_run_json_prints_one_document_with_execution_and_logs(penstock: Command) -> None:
    done = penstock("run", penstock.write("hello.yaml", HELLO), "-i", "name=Ada", "--label", "team=data", "--json")
    assert done.code == 0, done.err
    document = json.loads(done.out)
    assert document["state"]["current"] == "SUCCESS"
    assert document["inputs"] == {"name": "Ada", "count": None}
    assert document["outputs"] == {"message": "Hello Ada!"}
    assert {"key": "team", "value": "data"} in document["labels"]
    assert [run["taskId"] for run in document["taskRunList"]] == ["greeting", "say"]
    assert [(line["taskId"], line["message"]) for line in document["logs"]] == [("say", "Hello Ada!")]


def test_run_quiet_prints_nothing(penstock: Command) -> None:
    done = penstock("run", penstock.write("hello.yaml", HELLO), "--quiet")
    assert (done.code, done.out, done.err) == (0, "", "")


def test_run_failed_execution_ends_with_one(penstock: Command) -> None:
    done = penstock("run", penstock.write("failing.yaml", FAILING))
    assert done.code == 1
    assert "ERROR    [boom] no good" in done.out
    assert "FAILED after" in done.out


def test_run_warning_counts_as_success(penstock: Command) -> None:
    allowed = FAILING.replace("errorMessage", "allowFailure: true, errorMessage")
    done = penstock("run", penstock.write("allowed.yaml", allowed))
    assert done.code == 0
    assert "WARNING after" in done.out


def test_run_invalid_flow_shows_line_and_caret_and_ends_with_two(penstock: Command) -> None:
    broken = HELLO.replace("    message:", "    mesage:")
    done = penstock("run", penstock.write("broken.yaml", broken))
    assert done.code == 2
    assert "broken.yaml:13:5: error: tasks[1].mesage: unknown property `mesage`" in done.err
    assert '   13 |     mesage: "{{ outputs.greeting.values.message }}"\n            ^\n' in done.err
    assert "did you mean `message`?" in done.err
    assert done.out == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-i", "count=many"], "`count`"),
        (["-i", "nme=x"], "`nme`"),
        (["-i", "name"], "`name` given to --input is no pair"),
        (["--input-file", "missing.yaml"], "there is no file missing.yaml"),
        (["--config", "missing.yml"], "missing.yml cannot be read"),
    ],
)
def test_run_wrong_input_says_so_and_ends_with_two(penstock: Command, arguments: list[str], message: str) -> None:
    done = penstock("run", penstock.write("hello.yaml", HELLO), *arguments)
    assert done.code == 2
    assert message in done.err
    assert "Traceback" not in done.err


def test_run_missing_file_is_named_and_ends_with_two(penstock: Command) -> None:
    done = penstock("run", "nothing.yaml")
    assert done.code == 2
    assert "there is no file or folder nothing.yaml" in done.err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_run_interrupted_kills_the_execution_and_ends_with_130(penstock: Command, number: signal.Signals) -> None:
    process = penstock.start("run", penstock.write("sleeping.yaml", SLEEPING))
    wait_until(lambda: "RUNNING  nap" in penstock.out, "the task to run")
    process.send_signal(number)
    assert process.wait(PATIENCE) == 130
    assert "KILLED   nap" in penstock.out
    assert "interrupted" in penstock.err


def test_run_input_files_give_values_and_files(penstock: Command) -> None:
    flow = """
id: files
namespace: company.team
inputs:
  - {id: data, type: FILE}
  - {id: more, type: FILE}
  - {id: who, type: STRING}
tasks:
  - id: show
    type: io.kestra.plugin.core.log.Log
    message: "{{ read(inputs.data) }}-{{ read(inputs.more) }}-{{ inputs.who }}"
"""
    penstock.write("a.txt", "one")
    penstock.write("b.txt", "two")
    penstock.write("values.yaml", "who: Ada\n")
    done = penstock(
        "run", penstock.write("files.yaml", flow), "-i", "data=@a.txt", "--input-file", "more=b.txt",
        "--input-file", "values.yaml",
    )  # fmt: skip
    assert done.code == 0, done.out + done.err
    assert "[show] one-two-Ada" in done.out


def test_run_secret_is_readable_and_masked(penstock: Command) -> None:
    flow = RENDERING % "secret('API_KEY')"
    done = penstock("run", penstock.write("secret.yaml", flow), "--secret", "API_KEY=hunter22")
    assert done.code == 0, done.out + done.err
    assert "[show] ******" in done.out
    assert "hunter22" not in done.out + done.err


def test_run_environment_file_gives_variables(penstock: Command) -> None:
    penstock.write("dev.env", "# comment\nexport ENV_CITY='New York'\n")
    done = penstock("run", penstock.write("env.yaml", RENDERING % "envs.city"), "--env-file", "dev.env")
    assert done.code == 0, done.out + done.err
    assert "[show] New York" in done.out


def test_run_configuration_gives_globals_and_plugin_defaults(penstock: Command) -> None:
    config = """
kestra:
  variables: {globals: {city: Rome}}
  plugins: {defaults: [{type: io.kestra.plugin.core.log.Log, values: {level: WARN}}]}
"""
    flow = penstock.write("globals.yaml", RENDERING % "globals.city")
    done = penstock("run", flow, "-c", penstock.write("config.yml", config))
    assert done.code == 0, done.out + done.err
    assert "WARN     [show] Rome" in done.out


def test_run_data_folder_keeps_the_execution(penstock: Command) -> None:
    flow = penstock.write("hello.yaml", HELLO)
    assert penstock("run", flow, "--data", "kept").code == 0
    assert (penstock.folder / "kept" / "penstock.db").is_file()
    assert penstock("run", flow, "--data", "kept").code == 0


def test_run_leaves_nothing_in_the_folder_for_temporary_files(penstock: Command, tmp_path: Path) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    done = penstock("run", penstock.write("hello.yaml", HELLO), environment={"TMPDIR": str(temporary)})
    assert done.code == 0
    assert list(temporary.iterdir()) == []


def test_given_pairs_and_files_are_told_apart(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("a")
    values = tmp_path / "values.json"
    values.write_text('{"x": 1, "y": 2}')
    given = given_inputs(["x=3", f"data=@{file}"], [str(values), f"more={file}"])
    assert given.values == {"x": "3", "y": 2}
    assert given.files == {"data": file, "more": file}
    assert pairs(["a=b=c"], "--label") == {"a": "b=c"}


def test_given_environment_file_understands_quotes_and_comments(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("A=1 # one\nexport B=\"two\\nlines\"\nC='x # y'\n\n# D=4\nE=\n")
    assert environment_file(file) == {"A": "1", "B": "two\nlines", "C": "x # y", "E": ""}
    file.write_text("nonsense\n")
    with pytest.raises(InvalidRequestError, match=r"\.env:1"):
        environment_file(file)


STEPS = """
id: steps
namespace: company.team
inputs:
  - {id: city, type: STRING, defaults: Paris}
  - {id: code, type: SECRET, required: false}
tasks:
  - {id: one, type: io.kestra.plugin.core.storage.Write, content: "{{ inputs.city }} {{ now() }}"}
  - {id: two, type: io.kestra.plugin.core.debug.Return, format: "{{ read(outputs.one.uri) }}"}
  - {id: three, type: io.kestra.plugin.core.debug.Return, format: "{{ outputs.two.value }} {{ inputs.city }}"}
outputs:
  - {id: text, type: STRING, value: "{{ outputs.three.value }}"}
"""


def states(document: dict[str, Any]) -> dict[str, str]:
    return {run["taskId"]: run["state"]["current"] for run in document["taskRunList"]}


def test_run_until_a_task_goes_on_from_there_with_the_outputs_of_that_run(penstock: Command) -> None:
    """BEY-030: `--until`, `--from`, `--reuse`."""
    flow = penstock.write("steps.yaml", STEPS)
    first = json.loads(penstock("run", flow, "-i", "city=Rome", "-i", "code=hidden", "--until", "two", "--json").out)
    assert first["state"]["current"] == "SUCCESS"
    assert states(first) == {"one": "SUCCESS", "two": "SUCCESS", "three": "SKIPPED"}
    assert "outputs" not in first
    kept = b"".join(path.read_bytes() for path in penstock.folder.rglob("run.json"))
    assert b"Rome" in kept
    assert b"hidden" not in kept
    second = json.loads(penstock("run", flow, "--from", "two", "--json").out)
    assert states(second) == {"one": "SUCCESS", "two": "SUCCESS", "three": "SUCCESS"}
    written = first["taskRunList"][1]["outputs"]["value"]
    assert written.startswith("Rome 20")
    assert second["outputs"] == {"text": f"{written} Rome"}
    third = penstock("run", flow, "--from", "three", "--reuse", first["id"], "-i", "city=Oslo", "--json")
    assert json.loads(third.out)["outputs"] == {"text": f"{written} Oslo"}, third.err


def test_run_from_a_task_hides_the_secrets_that_reused_outputs_hold_and_keeps_variables(penstock: Command) -> None:
    """BEY-030, BEY-061, ENG-201."""
    source = """
id: hidden
namespace: company.team
variables: {place: Rome}
tasks:
  - {id: moved, type: io.kestra.plugin.core.execution.SetVariables, variables: {place: Oslo}}
  - {id: made, type: io.kestra.plugin.core.debug.Return, format: "key {{ secret('KEY') }}"}
  - {id: told, type: io.kestra.plugin.core.log.Log, message: "{{ outputs.made.value }} {{ vars.place }}"}
"""
    flow = penstock.write("hidden.yaml", source)
    for more in ((), ("--from", "told")):
        done = penstock("run", flow, "--secret", "KEY=sesame-open", *more)
        assert "key ****** Oslo" in done.out + done.err


def test_run_from_a_task_of_no_earlier_run_is_told(penstock: Command) -> None:
    flow = penstock.write("steps.yaml", STEPS)
    done = penstock("run", flow, "--from", "two")
    assert done.code == 2
    assert "no earlier run of company.team.steps" in done.err
    penstock("run", flow)
    done = penstock("run", flow, "--from", "four")
    assert done.code == 2
    assert "begin at one of: one, two, three" in done.err
    done = penstock("run", flow, "--until", "four")
    assert done.code == 2
    assert "no task `four` to stop at" in done.err


def test_run_watching_runs_again_when_the_flow_is_saved(penstock: Command) -> None:
    """BEY-030: watch mode; a save cuts a run short."""
    penstock.write("hello.yaml", HELLO)
    process = penstock.start("run", "hello.yaml", "--watch")
    wait_until(lambda: "watching for changes" in penstock.err, "the first run")
    assert "Hello World!" in penstock.out
    penstock.write("hello.yaml", SLEEPING)
    wait_until(lambda: "company.team.sleeping" in penstock.out, "the second run")
    penstock.write("hello.yaml", HELLO.replace("Hello", "Bye"))
    wait_until(lambda: "Bye World!" in penstock.out, "the third run")
    assert "a file was saved: killing the execution" in penstock.err
    wait_until(lambda: penstock.err.count("watching for changes") >= 2, "the end of the third run")
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE) == 0
    assert "Traceback" not in penstock.err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no full device")
@pytest.mark.parametrize("arguments", [("run", "hello.yaml"), ("run", "hello.yaml", "--json"), ("version",)])
def test_run_on_a_full_disk_ends_with_one_clear_error(penstock: Command, arguments: tuple[str, ...]) -> None:
    """BEY-030."""
    penstock.write("hello.yaml", HELLO)
    command = " ".join([sys.executable, "-W", "error", "-m", "penstock", *arguments])
    done = subprocess.run(
        f"{command} > /dev/full",
        shell=True,
        cwd=penstock.folder,
        env={**os.environ, "HOME": str(penstock.folder)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stderr.count("cannot be written: No space left on device") == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_run_names_of_secrets_and_keys_that_are_not_there_are_told_before_anything_runs(penstock: Command) -> None:
    """BEY-033: with line and column; what is given on the command line is there."""
    flow = RENDERING % "secret('API_KEY') }} {{ secret('API_KYE') }} {{ kv('city')"
    done = penstock("run", penstock.write("names.yaml", flow), "--secret", "API_KEY=hunter22")
    assert done.code == 1
    assert "warning: tasks[0].message: there is no secret `API_KYE`" in done.err
    assert "did you mean `API_KEY`?" in done.err
    assert "namespace company.team has no key `city`" in done.err
    assert "no secret `API_KEY`" not in done.err


def test_run_env_files_and_secrets_are_known_to_expressions(penstock: Command) -> None:
    """BEY-030: a later file wins, and a secret of the command line wins over both."""
    penstock.write(".env", "ENV_PLACE=Rome\nSECRET_A=b25l\nSECRET_B=dHdv\n")
    penstock.write("more.env", "export ENV_PLACE='Oslo' # moved\n")
    flow = penstock.write("r.yaml", RENDERING % "envs.place }} {{ secret('A') == 'five5' }} {{ secret('B') == 'two'")
    done = penstock("run", flow, "--env-file", ".env", "--env-file", "more.env", "--secret", "A=five5")
    assert "Oslo true true" in done.out, done.out + done.err


def test_flow_test_runs_a_flow_with_inputs_in_turn(penstock: Command) -> None:
    """OPS-112."""
    penstock.write("hello.yaml", HELLO)
    done = penstock("flow", "test", "hello.yaml", "name", "Ada")
    assert done.code == 0, done.err
    assert "Hello Ada!" in done.out + done.err
    assert penstock("flow", "test", "hello.yaml", "name").code == 1
