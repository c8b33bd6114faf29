"""The commands of `penstock flow` and `penstock namespace` that call a server, as pipelines use them."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from penstock.base.errors import InvalidRequestError, NotFoundError, PenstockError, UnauthorizedError
from penstock.cli.flow import app as flow_app
from penstock.cli.namespace import app as namespace_app
from tests.cli.ctl.conftest import Ctl
from tests.cli.ctl.test_flows import write
from tests.support.live import USER

LOGIN = f"{USER.username}:{USER.password}"


def flow(ctl: Ctl, *arguments: str) -> Result:
    return CliRunner().invoke(flow_app, [*arguments, "--server", ctl.url, f"--user={LOGIN}"])


def namespace(ctl: Ctl, *arguments: str) -> Result:
    return CliRunner().invoke(namespace_app, [*arguments, "--server", ctl.url, f"--user={LOGIN}"])


def lines(result: Result) -> list[str]:
    assert result.exit_code == 0, (result.output, result.exception)
    return result.stdout.splitlines()


def names(ctl: Ctl, of: str | None = None) -> list[str]:
    return [one["id"] for one in ctl.json("flows", "list", of or ctl.namespace)]


def test_flow_is_created_updated_listed_and_deleted(ctl: Ctl, tmp_path: Path) -> None:
    """OPS-108, OPS-112, IAC-062."""
    of = ctl.namespace
    write(tmp_path, "one.yaml", of)
    assert lines(flow(ctl, "create", "one.yaml")) == [f"{of}.one is created"]
    again = flow(ctl, "create", "one.yaml").exception
    assert isinstance(again, PenstockError)
    assert "exists" in again.message
    write(tmp_path, "one.yaml", of, hello="goodbye")
    assert lines(flow(ctl, "update", "one.yaml", of, "one")) == [f"{of}.one has revision 2"]
    assert [line.split() for line in lines(flow(ctl, "list", "--namespace", of))] == [
        ["ID", "NAMESPACE", "REVISION"],
        ["one", of, "2"],
    ]
    assert lines(flow(ctl, "delete", of, "one")) == [f"{of}.one is deleted"]
    assert isinstance(flow(ctl, "delete", of, "one").exception, NotFoundError)


def test_folder_replaces_the_flows_of_a_namespace(ctl: Ctl, tmp_path: Path) -> None:
    """OPS-112, IAC-061."""
    of = ctl.namespace
    write(tmp_path, "old/old.yaml", of)
    assert lines(flow(ctl, "namespace", "update", of, "old")) == [f"{of}.old"]
    write(tmp_path, "flows/new.yaml", of)
    assert lines(flow(ctl, "namespace", "update", of, "flows", "--no-delete")) == [f"{of}.new"]
    assert names(ctl) == ["new", "old"]
    assert lines(flow(ctl, "namespace", "update", "flows")) == [f"{of}.new"]
    assert names(ctl) == ["new"]


def test_flows_of_other_namespaces_are_put_into_one_when_that_is_wanted(ctl: Ctl, tmp_path: Path) -> None:
    """OPS-112."""
    of = ctl.namespace
    write(tmp_path, "flows/a.yaml", of)
    write(tmp_path, "flows/b.yaml", "elsewhere")
    refused = flow(ctl, "namespace", "update", of, "flows")
    assert isinstance(refused.exception, PenstockError)
    assert isinstance(flow(ctl, "namespace", "update", "flows").exception, InvalidRequestError)
    lines(flow(ctl, "namespace", "update", of, "flows", "--override-namespaces"))
    assert names(ctl) == ["a", "b"]


def test_flows_of_which_one_is_wrong_change_nothing_and_all_problems_are_told(ctl: Ctl, tmp_path: Path) -> None:
    """OPS-112, BEY-072."""
    of = ctl.namespace
    for name, change in {"a": {}, "b": {"log.Log": "log.Lgo"}, "c": {"tasks:": "taks:"}}.items():
        write(tmp_path, f"flows/{name}.yaml", of, **change)
    for command in (["updates", "flows"], ["namespace", "update", of, "flows"]):
        result = flow(ctl, *command)
        assert result.exit_code == 1
        assert "b.yaml:7:5" in result.stderr
        assert "c.yaml:5:1" in result.stderr
        assert "nothing was changed" in result.stderr
    assert names(ctl) == []


def test_updates_delete_other_flows_of_the_namespace_alone(ctl: Ctl, tmp_path: Path) -> None:
    """OPS-112."""
    of = ctl.namespace
    write(tmp_path, "all/a.yaml", of)
    write(tmp_path, "all/b.yaml", f"{of}.below")
    write(tmp_path, "all/c.yaml", f"{of}x")
    assert sorted(lines(flow(ctl, "updates", "all"))) == sorted([f"{of}.a", f"{of}.below.b", f"{of}x.c"])
    write(tmp_path, "some/d.yaml", of)
    assert isinstance(flow(ctl, "updates", "some", "--delete").exception, InvalidRequestError)
    lines(flow(ctl, "updates", "some", "--delete", "--namespace", of))
    assert (names(ctl), names(ctl, f"{of}.below"), names(ctl, f"{of}x")) == (["d"], [], ["c"])
    assert isinstance(flow(ctl, "updates", str(tmp_path / "none")).exception, NotFoundError)


def test_flows_are_exported_as_an_archive(ctl: Ctl, tmp_path: Path) -> None:
    """OPS-112."""
    source = write(tmp_path, "all/a.yaml", ctl.namespace).read_text()
    lines(flow(ctl, "updates", "all"))
    assert lines(flow(ctl, "export", "--namespace", ctl.namespace, "backup")) == ["backup/flows.zip"]
    with zipfile.ZipFile(tmp_path / "backup" / "flows.zip") as archive:
        assert {name: archive.read(name).decode() for name in archive.namelist()} == {f"{ctl.namespace}.a.yml": source}


def test_files_of_a_namespace_become_those_of_a_folder(ctl: Ctl, tmp_path: Path) -> None:
    """OPS-113, GOV-030."""
    of = ctl.namespace
    (tmp_path / "scripts" / "deep").mkdir(parents=True)
    (tmp_path / "scripts" / "a.py").write_text("a")
    (tmp_path / "scripts" / "deep" / "b.py").write_text("b")
    ctl("nsfiles", "upload", of, "scripts/a.py")
    assert lines(namespace(ctl, "files", "update", of, "scripts", "/code")) == ["2 created"]
    (tmp_path / "scripts" / "a.py").unlink()
    (tmp_path / "scripts" / "deep" / "b.py").write_text("c")
    assert lines(namespace(ctl, "files", "update", of, "scripts", "code/", "--delete")) == ["1 updated, 1 deleted"]
    found = [one["path"] for one in ctl.json("nsfiles", "list", of, "-r") if one["type"] == "File"]
    assert found == ["a.py", "code/deep/b.py"]
    assert lines(namespace(ctl, "files", "update", of, "scripts", ".", "--delete")) == ["1 created, 2 deleted"]


def test_pair_is_set_with_type_and_time_to_live(ctl: Ctl, tmp_path: Path) -> None:
    """OPS-113."""
    of = ctl.namespace
    lines(namespace(ctl, "kv", "update", of, "k", "42", "-t", "STRING", "-e", "1d"))
    assert ctl.json("kv", "get", of, "k")["type"] == "STRING"
    assert ctl.json("kv", "list", of)[0]["expirationDate"]
    (tmp_path / "value.json").write_text('{"a": 1}')
    lines(namespace(ctl, "kv", "update", of, "k", "-f", "value.json"))
    assert ctl.json("kv", "get", of, "k")["value"] == {"a": 1}
    for wrong in ((), ("x", "-f", "value.json"), ("-f", "none.json")):
        assert isinstance(namespace(ctl, "kv", "update", of, "k", *wrong).exception, InvalidRequestError)


def test_commands_log_in_by_token_and_send_headers(ctl: Ctl) -> None:
    """OPS-108, IAC-062, GOV-030, GOV-077."""
    with ctl.client as client:
        made = client.post(f"{ctl.url}/api/v1/me/api-tokens", json={"name": ctl.namespace}).json()
    server = ("list", "--namespace", ctl.namespace, "--server", ctl.url)
    for login in (("--api-token", made["fullToken"]), ("--headers", f"Authorization=Bearer {made['fullToken']}")):
        assert CliRunner().invoke(flow_app, [*server, *login]).exit_code == 0
    refused = CliRunner().invoke(flow_app, [*server, "--api-token", "wrong"]).exception
    assert isinstance(refused, UnauthorizedError)
    assert "--api-token" in refused.hint
    both = CliRunner().invoke(flow_app, [*server, "--api-token", "x", "--user", LOGIN]).exception
    assert isinstance(both, InvalidRequestError)


@pytest.mark.parametrize("command", ["create", "updates", "export", "list", "delete", "update"])
def test_help_of_server_commands_names_the_server(command: str) -> None:
    """OPS-108."""
    shown = CliRunner().invoke(flow_app, [command, "--help"]).stdout
    for option in ("--server", "--user", "--api-token", "--tenant", "--headers"):
        assert option in shown
    assert f"penstock flow {command}" in shown.split("Example", 1)[1]
