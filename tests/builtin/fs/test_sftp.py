"""Files of a machine reached by SFTP: this one's own SSH server."""

from __future__ import annotations

import asyncio
import getpass
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock.builtin.fs.sftp import Delete, Download, Downloads, List, Move, Upload, Uploads
from penstock.builtin.fs.sftp_session import SftpError
from penstock.builtin.fs.sftp_trigger import Trigger
from penstock.testing.run_context import RunContextFactory, messages_of
from tests.builtin.messages.conftest import Bench, bench
from tests.builtin.polling.conftest import Polled, polled
from tests.support.missing import missing
from tests.support.ssh import SshMissingError, SshServer, ssh_server
from tests.support.waiting import PATIENCE

__all__ = ["bench", "polled"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshServer]:
    try:
        with ssh_server(tmp_path_factory.mktemp("ssh")) as running:
            yield running
    except SshMissingError as error:
        missing(str(error))


@pytest.fixture
def at(server: SshServer) -> dict[str, Any]:
    """Give the properties that say where, and who asks."""
    return {
        "host": "127.0.0.1",
        "port": server.port,
        "username": server.username,
        "keyfile": server.private_key,
        "hostKey": server.host_key,
    }


@pytest.fixture
def there(tmp_path: Path) -> Path:
    """Give a folder of the machine with some files."""
    folder = tmp_path / "there"
    (folder / "sub").mkdir(parents=True)
    for name in ("a.csv", "b.txt", "sub/c.csv"):
        (folder / name).write_text(name)
    (folder / "link").symlink_to("a.csv")
    return folder


def names(folder: Path) -> list[str]:
    return sorted(str(one.relative_to(folder)) for one in folder.rglob("*") if one.is_file() and not one.is_symlink())


def test_upload_makes_the_folder_and_download_gives_the_file(bench: Bench, at: dict[str, Any], there: Path) -> None:
    """ENG-309."""
    context = bench.context()
    uri = context.put_bytes(b"hello", "x.txt")
    made = bench.made(Upload, **at, to=f"{there}/new/deep/y.txt", **{"from": uri}).run(context)
    assert (there / "new/deep/y.txt").read_text() == "hello"
    assert made.to == f"sftp://127.0.0.1:{at['port']}{there}/new/deep/y.txt"
    found = bench.run(Download, **at, **{"from": made.to})
    assert bench.contexts.gateway.files[found.to] == b"hello"
    several = bench.made(Uploads, **at, to=f"{there}/more/", **{"from": [uri]}).run(context)
    assert (there / "more/x.txt").read_text() == "hello"
    assert len(several.files) == 1


def test_list_finds_what_is_asked_for(bench: Bench, at: dict[str, Any], there: Path) -> None:
    def found(**more: Any) -> list[str]:
        files = bench.run(List, **at, **{"from": str(there), **more}).files
        return [f"{Path(one.server_path).relative_to(there)} {one.file_type}" for one in files]

    assert found() == ["a.csv FILE", "b.txt FILE", "sub FOLDER"]
    assert found(recursive=True, regExp=r".*\.csv") == ["a.csv FILE", "sub/c.csv FILE"]
    with pytest.raises(SftpError, match="regExp"):
        found(regExp="(")
    with pytest.raises(SftpError, match="No such file"):
        found(**{"from": f"{there}/none"})


def test_delete_says_whether_there_was_a_file(bench: Bench, at: dict[str, Any], there: Path) -> None:
    assert bench.run(Delete, **at, uri=f"{there}/a.csv").deleted is True
    assert bench.run(Delete, **at, uri=f"{there}/a.csv").deleted is False
    with pytest.raises(SftpError, match="no such file"):
        bench.run(Delete, **at, uri=f"{there}/a.csv", errorOnMissing=True)


def test_move_into_a_folder_replaces_only_where_it_may(bench: Bench, at: dict[str, Any], there: Path) -> None:
    bench.run(Move, **at, to=f"{there}/old/", **{"from": f"{there}/a.csv"})
    assert names(there) == ["b.txt", "old/a.csv", "sub/c.csv"]
    again = {"from": f"{there}/b.txt", "to": f"{there}/old/a.csv"}
    with pytest.raises(SftpError):
        bench.run(Move, **at, **again)
    bench.run(Move, **at, **again, overwrite=True)
    assert (there / "old/a.csv").read_text() == "b.txt"


def test_downloads_stores_files_and_deletes_them(bench: Bench, at: dict[str, Any], there: Path) -> None:
    found = bench.run(Downloads, **at, action="DELETE", recursive=True, **{"from": str(there)})
    stored = {name: bench.contexts.gateway.files[uri].decode() for name, uri in found.output_files.items()}
    assert stored == {"a.csv": "a.csv", "b.txt": "b.txt", "c.csv": "sub/c.csv"}
    assert names(there) == []
    with pytest.raises(SftpError, match="moved to"):
        bench.run(Downloads, **at, action="MOVE", **{"from": str(there)})


def test_trigger_files_there_are_stored_and_moved_when_that_is_certain(
    bench: Bench, at: dict[str, Any], there: Path, tmp_path: Path
) -> None:
    """ENG-270, ENG-307, ENG-309."""
    look = {**at, "from": str(there), "regExp": r".*\.csv", "action": "MOVE", "moveDirectory": f"{tmp_path}/archive"}
    lost, again = (bench.poll(Trigger, **look) for _ in range(2))
    assert lost is not None
    assert again is not None
    assert lost.key == again.key
    (one,) = again.variables["files"]
    assert (one["name"], one["size"], one["serverPath"]) == ("a.csv", 5, f"{there}/a.csv")
    assert bench.contexts.gateway.files[one["path"]] == b"a.csv"
    again.acknowledge()
    assert names(there) == ["b.txt", "sub/c.csv"]
    assert names(tmp_path / "archive") == ["a.csv"]
    assert bench.poll(Trigger, **look) is None


def test_trigger_without_action_gives_each_version_of_a_file_once(at: dict[str, Any], there: Path) -> None:
    """ENG-307, ENG-309."""
    pairs: dict[str, Any] = {}

    def store(key: str, value: Any, **_: Any) -> None:
        pairs[key] = value

    with RunContextFactory({"kv": lambda key, **_: pairs.get(key), "kvSet": store}) as contexts:
        bench = Bench(contexts)
        look = {**at, "from": str(there), "action": "NONE", "stateKey": "seen"}
        event = bench.poll(Trigger, **look)
        assert event is not None
        assert [one["name"] for one in event.variables["files"]] == ["a.csv", "b.txt"]
        event.acknowledge()
        assert bench.poll(Trigger, **look) is None
        (there / "b.txt").write_text("changed")
        (there / "a.csv").unlink()
        event = bench.poll(Trigger, **look)
        assert event is not None
        assert [one["name"] for one in event.variables["files"]] == ["b.txt"]
        event.acknowledge()
        assert list(pairs["seen"]) == [f"{there}/b.txt"]


def test_machine_that_nobody_knows_is_talked_to_with_a_warning(
    bench: Bench, at: dict[str, Any], there: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    context = bench.context()
    bench.made(List, **{**at, "hostKey": None, "from": str(there)}).run(context)
    (said,) = (message for level, message in messages_of(context) if level == "WARN")
    assert at["hostKey"].split()[1] in said
    other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEp3VTs1cJ6BwYGPmZ0a9Cj1CPwCjR4PqMBbXcKk3XwH"
    with pytest.raises(SftpError, match="another key"):
        bench.run(List, **{**at, "hostKey": other, "from": str(there)})


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"keyfile": None}, "how to log in"),
        ({"keyfile": "no key"}, "cannot be read"),
        ({"keyfile": None, "password": "no-such-word"}, "let the user"),
        ({"port": 1}, "no SSH server answers"),
    ],
)
def test_machine_wrong_properties_says_what_is_wrong(
    bench: Bench, at: dict[str, Any], wrong: dict[str, Any], said: str
) -> None:
    with pytest.raises(SftpError, match=said) as caught:
        bench.run(List, **{**at, **wrong, "from": "/"})
    assert caught.value.hint
    assert "privateKey" not in caught.value.hint


def test_paths_below_the_own_folder_begin_there(bench: Bench, at: dict[str, Any]) -> None:
    found = bench.run(List, **at, rootDir=False, **{"from": "/"})
    assert {one.name for one in found.files} <= set(os.listdir(os.path.expanduser(f"~{getpass.getuser()}")))


async def test_trigger_of_a_server_starts_its_flow_with_the_files(
    polled: Polled, at: dict[str, Any], there: Path
) -> None:
    """ENG-309, ENG-270."""
    await asyncio.to_thread((there / "b.txt").unlink)
    where = ", ".join(f"{name}: {value!r}" for name, value in at.items() if name != "keyfile")
    key = at["keyfile"].replace("\n", "\\n")
    await polled.flow(
        f'type: io.kestra.plugin.fs.sftp.Trigger, {where}, keyfile: "{key}", from: {there}, action: DELETE, '
        "interval: PT0.1S",
        task='{id: show, type: io.kestra.plugin.core.debug.Return, format: "{{ read(trigger.files[0].path) }}"}',
    )
    (execution,) = await polled.executions(1)
    body = await polled.live.until(execution.id, "SUCCESS")
    assert body["taskRunList"][0]["outputs"]["value"] == "a.csv"
    async with asyncio.timeout(PATIENCE):
        while names(there) != ["sub/c.csv"]:  # noqa: ASYNC110  # a worker deletes the other
            await asyncio.sleep(0.02)
