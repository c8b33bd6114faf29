from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main
from typer.core import TyperGroup
from typer.testing import CliRunner

from penstock.cli.ctl.app import app
from penstock.cli.main import app as penstock
from tests.cli.ctl.conftest import Ctl

ROOT = Path(__file__).resolve().parents[3]


def commands(group: TyperGroup, *above: str) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from commands(command, *above, name)
        else:
            yield (*above, name)


def whole() -> TyperGroup:
    command = typer.main.get_command(app)
    assert isinstance(command, TyperGroup)
    return command


def test_documented_commands_are_there() -> None:
    """OPS-119."""
    documented = """
        config add, config show, config use, config remove,
        flows list, flows get, flows deploy, flows validate,
        executions run, executions get,
        namespaces list,
        nsfiles list, nsfiles get, nsfiles upload, nsfiles delete,
        kv list, kv set, kv update, kv get, kv delete"""
    assert {tuple(one.split()) for one in documented.split(",")} <= set(commands(whole()))


def test_help_of_every_client_command_teaches_by_example_and_knows_the_common_options(ctl: Ctl) -> None:
    """OPS-120."""
    for path in commands(whole()):
        shown = CliRunner().invoke(app, [*path, "--help"]).stdout
        assert " ".join(path) in shown.split("Example", 1)[1]
        if path != ("completion",):
            for option in ("--host", "--tenant", "-t, --token", "--username", "--password", "-o, --output", "--config"):
                assert option in shown, path


def test_client_commands_are_those_of_penstock_ctl() -> None:
    """OPS-119."""
    shown = CliRunner().invoke(penstock, ["ctl", "flows", "deploy", "--help"]).stdout
    assert "--fail-fast" in shown
    assert "nsfiles" in CliRunner().invoke(penstock, ["ctl", "--help"]).stdout
    assert CliRunner().invoke(penstock, ["ctl", "none"]).exit_code == 2


@pytest.mark.parametrize("arguments", [("-o", "json", "version"), ("version", "-o", "json")])
def test_version_in_json_is_told_by_name(arguments: tuple[str, ...]) -> None:
    """OPS-120."""
    told = json.loads(CliRunner().invoke(app, arguments).stdout)
    assert told.keys() == {"version", "python", "platform"}
    line = CliRunner().invoke(app, ["version", "-o", "table"]).stdout
    assert line == f"penstock {told['version']} (Python {told['python']}, {told['platform']})\n"


def kestractl(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the command as the installed program does."""
    entry = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]["kestractl"]
    module, _, function = entry.partition(":")
    program = f"import sys; sys.argv[0] = 'kestractl'; from {module} import {function}; {function}()"
    command = [sys.executable, "-W", "error", "-c", program, *arguments]
    return subprocess.run(command, env={"PYTHONPATH": str(ROOT / "src"), **variables}, capture_output=True, text=True)


def test_kestractl_is_a_program_whose_errors_are_told_with_the_remedy() -> None:
    """OPS-119."""
    done = kestractl("flows", "list", "--host", "http://127.0.0.1:1")
    assert done.returncode == 1
    assert done.stderr.startswith("error: http://127.0.0.1:1 does not answer")
    assert "hint:" in done.stderr
    assert done.stdout == ""


def test_shell_that_asks_is_told_the_commands() -> None:
    """OPS-119."""
    asked = kestractl(COMP_WORDS="kestractl flows de", COMP_CWORD="2", _KESTRACTL_COMPLETE="complete_bash")
    assert asked.stdout.split() == ["deploy", "delete"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_completion_script_asks_the_program(shell: str) -> None:
    """OPS-119."""
    script = CliRunner().invoke(app, ["completion", shell], prog_name="kestractl").stdout
    assert "_KESTRACTL_COMPLETE" in script


def test_completion_of_a_module_that_is_run_is_that_of_the_program() -> None:
    """OPS-119: `python` keeps its own completion."""
    script = CliRunner().invoke(app, ["completion", "bash"], prog_name="python -m penstock").stdout
    assert "_PENSTOCK_COMPLETE" in script
    assert "python" not in script


def test_completion_of_an_unknown_shell_names_those_known() -> None:
    """OPS-119."""
    error = CliRunner().invoke(app, ["completion", "tcsh"]).exception
    assert "bash" in getattr(error, "hint", "")
