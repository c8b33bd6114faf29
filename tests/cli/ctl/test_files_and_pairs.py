from __future__ import annotations

from pathlib import Path

import pytest

from penstock.base.errors import ConflictError, InvalidRequestError, NotFoundError
from penstock.cli.remote import RefusedError
from tests.cli.ctl.conftest import Ctl


@pytest.fixture
def assets(tmp_path: Path) -> Path:
    folder = tmp_path / "assets"
    (folder / "deep" / ".git").mkdir(parents=True)
    (folder / "a.txt").write_text("one")
    (folder / "deep" / "b ä.bin").write_bytes(b"\x00\xff\r\n")
    (folder / "deep" / ".git" / "config").write_text("no")
    return folder


def uploaded(ctl: Ctl, *arguments: str) -> list[tuple[str, str]]:
    return [(one["action"], one["path"]) for one in ctl.json("nsfiles", "upload", ctl.namespace, *arguments)]


def test_folder_is_uploaded_listed_and_read(ctl: Ctl, assets: Path, tmp_path: Path) -> None:
    """ENG-356, OPS-119, OPS-122."""
    arguments = ("./assets", "--path", "resources", "--override", "--fail-fast")
    assert uploaded(ctl, *arguments) == [("created", "resources/a.txt"), ("created", "resources/deep/b ä.bin")]
    assert uploaded(ctl, *arguments) == [("unchanged", "resources/a.txt"), ("unchanged", "resources/deep/b ä.bin")]
    assert [one["path"] for one in ctl.json("nsfiles", "list", ctl.namespace)] == ["resources"]
    found = ctl.json("nsfiles", "list", ctl.namespace, "--path", "/resources/", "-r")
    assert [(one["path"], one["type"], one["size"]) for one in found] == [
        ("resources/a.txt", "File", 3),
        ("resources/deep", "Directory", 0),
        ("resources/deep/b ä.bin", "File", 4),
    ]
    assert ctl("nsfiles", "get", ctl.namespace, "resources/deep/b ä.bin").stdout_bytes == b"\x00\xff\r\n"
    ctl("nsfiles", "get", ctl.namespace, "resources/a.txt", "--to", "copy.txt")
    assert (tmp_path / "copy.txt").read_text() == "one"


def test_file_that_exists_is_replaced_with_override_alone(ctl: Ctl, assets: Path) -> None:
    """ENG-356."""
    ctl("nsfiles", "upload", ctl.namespace, "assets/a.txt")
    (assets / "a.txt").write_text("two")
    (assets / "c.txt").write_text("new")
    result = ctl.run("nsfiles", "upload", ctl.namespace, "assets")
    assert result.exit_code == 1
    assert "a.txt exists and differs" in result.stderr
    assert ctl("nsfiles", "get", ctl.namespace, "c.txt").stdout == "new"
    ctl("nsfiles", "delete", ctl.namespace, "c.txt")
    assert ctl.run("nsfiles", "upload", ctl.namespace, "assets", "--fail-fast").exit_code == 1
    assert isinstance(ctl.error("nsfiles", "get", ctl.namespace, "c.txt"), NotFoundError)
    assert ("updated", "a.txt") in uploaded(ctl, "assets", "--override")
    assert ctl("nsfiles", "get", ctl.namespace, "a.txt").stdout == "two"
    assert ctl("nsfiles", "get", ctl.namespace, "a.txt", "--revision", "0").stdout == "one"


def test_folder_is_deleted_on_purpose_alone(ctl: Ctl, assets: Path) -> None:
    """ENG-356."""
    ctl("nsfiles", "upload", ctl.namespace, "assets")
    error = ctl.error("nsfiles", "delete", ctl.namespace, "deep")
    assert isinstance(error, ConflictError)
    assert "--recursive" in error.hint
    ctl("nsfiles", "delete", ctl.namespace, "deep", "--recursive")
    assert [one["path"] for one in ctl.json("nsfiles", "list", ctl.namespace, "-r")] == ["a.txt"]
    assert isinstance(ctl.error("nsfiles", "delete", ctl.namespace, "/"), InvalidRequestError)


def test_files_that_are_not_there_are_errors(ctl: Ctl) -> None:
    """ENG-356."""
    assert "no files" in ctl("nsfiles", "list", ctl.namespace).stderr
    assert isinstance(ctl.error("nsfiles", "list", ctl.namespace, "--path", "none"), NotFoundError)
    assert isinstance(ctl.error("nsfiles", "upload", ctl.namespace, "none"), NotFoundError)


def test_pairs_are_set_listed_read_updated_and_deleted(ctl: Ctl) -> None:
    """ENG-370, OPS-119."""
    ctl("kv", "set", ctl.namespace, "greeting", "Hello World", "--ttl", "PT1H", "--description", "zu grüßen")
    ctl("kv", "set", ctl.namespace, "settings", "-", stdin='{"a": [1, null]}')
    ctl("kv", "set", ctl.namespace, "an odd/key", "42", "--type", "string")
    assert ctl.json("kv", "get", ctl.namespace, "settings")["value"] == {"a": [1, None]}
    assert ctl("kv", "get", ctl.namespace, "settings", "--raw").stdout == '{"a": [1, null]}\n'
    assert ctl("kv", "get", ctl.namespace, "greeting").stdout.splitlines()[1].split(maxsplit=2) == [
        "greeting", "STRING", "Hello World",
    ]  # fmt: skip
    assert ctl.json("kv", "get", ctl.namespace, "an odd/key")["type"] == "STRING"
    [_, greeting, _] = ctl.json("kv", "list", ctl.namespace)
    assert greeting["description"] == "zu grüßen"
    assert greeting["expirationDate"]
    ctl("kv", "update", ctl.namespace, "greeting", '"Hello again"')
    assert ctl("kv", "get", ctl.namespace, "greeting", "--raw").stdout == "Hello again\n"
    ctl("kv", "delete", ctl.namespace, "greeting")
    for command in (("get",), ("delete",)):
        assert isinstance(ctl.error("kv", *command, ctl.namespace, "greeting"), NotFoundError)
    assert isinstance(ctl.error("kv", "update", ctl.namespace, "greeting", "x"), NotFoundError)
    assert {one["key"] for one in ctl.json("kv", "list") if one["namespace"] == ctl.namespace} == {
        "settings", "an odd/key",
    }  # fmt: skip


def test_pair_of_a_wrong_type_is_refused(ctl: Ctl) -> None:
    """ENG-370."""
    error = ctl.error("kv", "set", ctl.namespace, "k", "many", "--type", "NUMBER")
    assert isinstance(error, RefusedError)
    assert error.status == 422


def test_secrets_are_set_listed_and_deleted(ctl: Ctl) -> None:
    """ENG-374."""
    described = ("--description", "For the shop", "--tag", "owner:ops")
    ctl("secrets", "set", ctl.namespace, "API_KEY", *described, stdin="hidden-value\n")
    result = ctl("secrets", "list", ctl.namespace)
    assert "owner:ops" in result.stdout
    assert "hidden-value" not in result.stdout
    [found] = [one for one in ctl.json("secrets", "list") if one.get("namespace") == ctl.namespace]
    assert (found["key"], found["description"]) == ("API_KEY", "For the shop")
    assert isinstance(ctl.error("secrets", "set", ctl.namespace, "API_KEY", "--tag", "owner"), InvalidRequestError)
    ctl("secrets", "delete", ctl.namespace, "API_KEY")
    assert isinstance(ctl.error("secrets", "delete", ctl.namespace, "API_KEY"), NotFoundError)
