from __future__ import annotations

import json
import subprocess
import sys

import pytest

from penstock.cli.errors import refusal
from tests.cli.conftest import Command
from tests.cli.test_run import HELLO

GROUPS = [
    [],
    ["run"],
    ["server"],
    ["server", "local"],
    ["server", "standalone"],
    ["server", "executor"],
    ["server", "worker"],
    ["server", "scheduler"],
    ["server", "webserver"],
    ["server", "indexer"],
    ["auth", "token", "create"],
    ["auth", "token", "list"],
    ["auth", "token", "revoke"],
    ["flow"],
    ["flow", "validate"],
    ["flow", "expand"],
    ["flow", "dot"],
    ["flow", "test"],
    ["flow", "namespace", "update"],
    ["namespace", "files", "update"],
    ["namespace", "kv", "update"],
    ["expression", "eval"],
    ["plugins", "list"],
    ["configs", "properties"],
    ["migrate"],
    ["migrate", "from-kestra"],
    ["migrate", "metadata"],
    ["migrate", "default-tenant"],
    ["db", "size"],
    ["db", "purge"],
    ["db", "rollback"],
    ["why"],
    ["version"],
]


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: " ".join(group) or "penstock")
def test_help_of_every_command_teaches_by_example(group: list[str]) -> None:
    from typer.testing import CliRunner

    from penstock.cli.main import app

    result = CliRunner().invoke(app, [*group, "--help"])
    assert result.exit_code == 0
    is_group = group in (["server"], ["flow"])
    assert is_group or f"penstock {' '.join(group)}".strip() in result.output.split("Example", 1)[1]


def test_command_line_loads_nothing_heavy_before_a_command_runs() -> None:
    code = "import sys, penstock.cli.main; print(' '.join(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"pydantic", "fastapi", "sqlalchemy", "httpx", "uvicorn", "structlog", "yaml"} & set(loaded)


def test_version_is_shown(penstock: Command) -> None:
    assert penstock("version").out.startswith("penstock ")
    assert penstock("--version").out.startswith("penstock ")


def test_plugins_list_names_types(penstock: Command) -> None:
    assert "io.kestra.plugin.core.log.Log" in penstock("plugins", "list").out
    listed = json.loads(penstock("plugins", "list", "--json").out)
    [schedule] = [one for one in listed if one["type"] == "io.kestra.plugin.core.trigger.Schedule"]
    assert (schedule["kind"], schedule["plugin"]) == ("triggers", "penstock")


@pytest.mark.parametrize("arguments", [["metadata", "kv"], ["metadata", "nsfiles"], ["metadata", "secrets"],
                                       ["default-tenant", "--tenant-id", "main", "--dry-run"]])  # fmt: skip
def test_migration_that_other_servers_need_is_accepted(arguments: list[str]) -> None:
    """MIG-080, MIG-081, MIG-089."""
    from typer.testing import CliRunner

    from penstock.cli.main import app

    for _ in range(2):
        assert CliRunner().invoke(app, ["migrate", *arguments]).exit_code == 0
    assert CliRunner().invoke(app, ["migrate", "metadata", "other"]).exit_code == 2
    assert CliRunner().invoke(app, ["migrate", "default-tenant", "--tenant-id", "x"]).exit_code == 1


def test_expression_eval_renders_with_variables(penstock: Command) -> None:
    penstock.write("vars.yaml", "outputs: {t: {rows: [1, 2, 3]}}\n")
    done = penstock(
        "expression", "eval", "{{ outputs.t.rows | length }} {{ who | upper }}", "--vars", "vars.yaml", "--var", "who=a"
    )
    assert (done.code, done.out) == (0, "3 A\n")
    assert penstock("expression", "eval", "{{ [1, 'a'] }}", "--json").out == '[1,"a"]\n'
    assert penstock("expression", "eval", "-", "--var", "a.b=1", stdin="{{ a.b }}").out == "1\n"


def test_expression_eval_wrong_template_shows_where(penstock: Command) -> None:
    done = penstock("expression", "eval", "{{ missing.name }}", "--var", "present=1")
    assert done.code == 1
    assert "missing" in done.err
    assert "present" in done.err
    assert "Traceback" not in done.err


def test_configs_properties_shows_the_effective_configuration_masked(penstock: Command) -> None:
    """OPS-052."""
    config = penstock.write("c.yml", "kestra: {url: http://x, encryption: {secret-key: abc}}\n")
    done = penstock("configs", "properties", "-c", config, environment={"KESTRA_URL": "http://env"})
    assert done.code == 0
    assert "url: http://env" in done.out
    assert "abc" not in done.out


def test_validate_valid_file_ends_with_zero(penstock: Command) -> None:
    done = penstock("flow", "validate", penstock.write("hello.yaml", HELLO))
    assert done.code == 0
    assert "hello.yaml: company.team.hello is valid" in done.out


def test_validate_folder_shows_all_problems_of_all_files(penstock: Command) -> None:
    """BEY-072."""
    penstock.write("flows/a.yaml", HELLO.replace("log.Log", "log.Lgo"))
    penstock.write("flows/deep/b.yml", HELLO.replace("{{ inputs.name }}", "{{ inputs.name }") + "surprise: 1\n")
    penstock.write("flows/c.yaml", HELLO)
    done = penstock("flow", "validate", "flows")
    assert done.code == 1
    assert "flows/a.yaml:12:5: error: tasks[1].type" in done.out
    assert "flows/deep/b.yml:10:" in done.out
    assert "flows/deep/b.yml:16:1: error: surprise" in done.out
    assert "flows/c.yaml: company.team.hello is valid" in done.out
    assert "3 flows, 3 errors" in done.err


def test_validate_several_documents_of_a_file_keep_their_lines(penstock: Command) -> None:
    done = penstock("flow", "validate", penstock.write("two.yaml", f"{HELLO}---{HELLO.replace('log.Log', 'log.Lgo')}"))
    assert done.code == 1
    assert "two.yaml:27:5: error" in done.out


def test_validate_json_is_one_document(penstock: Command) -> None:
    done = penstock("flow", "validate", penstock.write("a.yaml", HELLO.replace("log.Log", "log.Lgo")), "--json")
    assert done.code == 1
    (verdict,) = json.loads(done.out)
    assert (verdict["file"], verdict["flow"], verdict["valid"]) == ("a.yaml", "company.team.hello", False)
    (problem,) = verdict["problems"]
    assert (problem["line"], problem["column"], problem["severity"]) == (12, 5, "error")


def test_migrate_makes_and_judges_a_schema(penstock: Command) -> None:
    """OPS-115."""
    (penstock.folder / "data").mkdir()
    assert penstock("migrate", "--data", "data").code == 0
    done = penstock("migrate", "--data", "data", "--status")
    assert done.code == 0
    assert done.out.strip()


def test_streams_that_the_caller_closed_are_missed_by_nobody() -> None:
    """A file that takes the number of the standard output would get what is said, and uvloop would abort."""
    closed = subprocess.run(["sh", "-c", f"{sys.executable} -m penstock version <&- >&- 2>&-"], check=False)
    assert closed.returncode == 0


def test_refusals_of_the_system_are_told_with_path_and_remedy() -> None:
    told = refusal(PermissionError(13, "Permission denied", "/etc/key"))
    assert told is not None
    assert (told.message, bool(told.hint)) == ("/etc/key: Permission denied", True)
    assert refusal(ConnectionResetError(104, "Connection reset by peer")) is None


def test_run_of_a_folder_without_flows_says_so(penstock: Command) -> None:
    done = penstock("run", ".")
    assert done.code == 2
    assert "there is no flow in" in done.err


def test_unknown_command_is_refused(penstock: Command) -> None:
    done = penstock("srever")
    assert done.code == 2
    assert "srever" in done.err
