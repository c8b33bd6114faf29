"""`penstock migrate check`: flows of folders and of servers."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from penstock.cli.migrate import app
from tests.cli.ctl.conftest import Ctl
from tests.support.live import USER

GOOD = "id: good\nnamespace: NAMESPACE\ntasks:\n  - {id: a, type: io.kestra.plugin.core.log.Log, message: x}\n"
OLDER = GOOD.replace("good", "older").replace("plugin.core", "core.tasks")
WRONG = GOOD.replace("good", "wrong").replace("log.Log", "log.Logg")


def check(*arguments: str) -> tuple[int, list[dict[str, str]]]:
    result = CliRunner().invoke(app, ["check", *arguments, "--output", "json"])
    return result.exit_code, json.loads(result.stdout)


def test_flows_of_a_folder_are_judged_and_rewritten_on_purpose_alone(tmp_path: Path) -> None:
    """BEY-051."""
    folder = tmp_path / "flows"
    folder.mkdir()
    for name, text in (("good", GOOD), ("older", f"{OLDER}---\n{GOOD}"), ("wrong", WRONG)):
        (folder / f"{name}.yaml").write_text(text.replace("NAMESPACE", "team"))
    code, told = check(str(folder))
    assert (code, [one["verdict"] for one in told]) == (1, ["ok", "rewritten", "refused"])
    assert "+  - {id: a, type: io.kestra.plugin.core.log.Log, message: x}\n" in told[1]["diff"]
    assert "did you mean `io.kestra.plugin.core.log.Log`" in told[2]["problems"][0]
    assert "core.tasks" in (folder / "older.yaml").read_text()
    shown = CliRunner().invoke(app, ["check", str(folder), "--write"])
    assert (shown.exit_code, "refused" in shown.stdout) == (1, True)
    assert (folder / "older.yaml").read_text() == f"{OLDER}---\n{GOOD}".replace("core.tasks", "plugin.core").replace(
        "NAMESPACE", "team"
    )
    (folder / "wrong.yaml").unlink()
    assert check(str(folder)) == (0, [one | {"diff": "", "verdict": "ok"} for one in told[:2]])


def test_flows_of_a_server_are_judged(ctl: Ctl) -> None:
    """BEY-051."""
    with ctl.client as client:
        for text in (GOOD, OLDER):
            answer = client.post("flows", content=text.replace("NAMESPACE", ctl.namespace))
            assert answer.status_code == 200
    login = ("--user", USER.username, "--password", USER.password, "--namespace", ctl.namespace)
    code, told = check(ctl.url, *login)
    assert (code, [(one["name"], one["verdict"]) for one in told]) == (
        0,
        [(f"{ctl.namespace}.good", "ok"), (f"{ctl.namespace}.older", "rewritten")],
    )


def test_file_that_is_no_text_is_named_and_left_alone(tmp_path: Path) -> None:
    """BEY-051."""
    file = tmp_path / "older.yaml"
    file.write_bytes(OLDER.replace("message: x", "message: café").encode("latin-1"))
    before = file.read_bytes()
    error = CliRunner().invoke(app, ["check", str(file), "--write"]).exception
    assert "older.yaml is no text in UTF-8" in getattr(error, "message", "")
    assert file.read_bytes() == before
