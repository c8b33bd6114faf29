"""`Clone` on a whole server, and by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from penstock.builtin.git.address import address_of
from penstock.builtin.git.clone import Clone
from penstock.builtin.git.program import GitMissing
from penstock.services.worker.settings import WorkerSettings
from penstock.testing.run_context import RunContextFactory
from tests.builtin.git.repositories import Bare, git, served
from tests.support.flows import CORE, run_tasks
from tests.support.live import LiveServer

CLONE = {"id": "clone", "type": "io.kestra.plugin.git.Clone"}


def shell(*commands: str) -> dict[str, Any]:
    runner = {"type": f"{CORE}runner.Process"}
    return {
        "id": "look",
        "type": "io.kestra.plugin.scripts.shell.Commands",
        "taskRunner": runner,
        "commands": [*commands],
    }


def directory(*tasks: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": "wd", "type": f"{CORE}flow.WorkingDirectory", "tasks": [*tasks], **more}


def alone(**properties: Any) -> Clone:
    return Clone.model_validate({**CLONE, **properties})


async def test_clone_as_first_child_puts_the_files_beside_those_of_the_directory(
    server: LiveServer, repository: Bare
) -> None:
    """SCR-025, IAC-125."""
    commit = repository.commit({"etl/run.sh": "cat data.csv", "data.csv": "of the repository"})
    ended = await run_tasks(
        server,
        directory(
            {**CLONE, "url": repository.url, "branch": "main"},
            shell("sh etl/run.sh > out.txt", "git rev-list --count HEAD >> out.txt"),
            inputFiles={"data.csv": "given", "etl/more.txt": "m"},
            outputFiles=["out.txt", "etl/*"],
        ),
        {"type": f"{CORE}debug.Return", "format": "{{ read(outputs.wd.outputFiles['out.txt']) }}"},
    )
    assert ended.state == "SUCCESS", ended.messages
    assert ended.outputs["t2"]["value"] == "given1\n"
    assert ended.outputs["clone"]["commitId"] == commit
    assert sorted(ended.outputs["wd"]["outputFiles"]) == ["etl/more.txt", "etl/run.sh", "out.txt"]
    assert "`data.csv` was there already; the repository's file is left out" in ended.messages


async def test_clone_after_a_child_that_left_files_fails(server: LiveServer, repository: Bare) -> None:
    """SCR-025."""
    repository.commit({"a": "a"})
    clone = {**CLONE, "url": repository.url}
    ended = await run_tasks(server, directory(shell("touch left"), clone))
    assert ended.state == "FAILED"
    assert any(
        message.startswith('Destination path "') and "already exists and is not an empty directory" in message
        for message in ended.messages
    )
    ended = await run_tasks(server, directory(shell("touch left"), {**clone, "directory": "repo"}), id="second")
    assert ended.state == "SUCCESS", ended.messages


def test_clone_fetches_as_many_commits_as_depth_says(contexts: RunContextFactory, repository: Bare) -> None:
    """SCR-025."""
    for content in "abc":
        last = repository.commit({"file": content})
    for depth, count in ((None, 1), (2, 2), (0, 3)):
        context = contexts.of()
        output = alone(url=repository.url, **({} if depth is None else {"depth": depth})).run(context)
        assert output.commit_id == last
        assert git("rev-list", "--count", "HEAD", folder=context.working_directory).strip() == str(count)


def test_clone_over_http_leaves_no_credentials_in_the_directory(contexts: RunContextFactory, repository: Bare) -> None:
    """SCR-025."""
    repository.commit({"file": "content"})
    with served(repository, "robot", "s3cret") as url:
        for given in ({"url": url, "password": "s3cret", "username": "robot"}, {"url": _with_credentials(url)}):
            context = contexts.of()
            alone(**given).run(context)
            files = [file for file in context.working_directory.rglob("*") if file.is_file()]
            assert (context.working_directory / "file").read_text() == "content"
            assert not [file for file in files if b"s3cret" in file.read_bytes()]


def _with_credentials(url: str) -> str:
    return url.replace("http://", "http://robot:s3cret@")


def test_credentials_of_a_url_are_taken_out_of_it() -> None:
    """SCR-025."""
    address = address_of("https://robot:a%40b@example.com:81/x.git")
    assert (address.url, address.username, address.password) == ("https://example.com:81/x.git", "robot", "a@b")
    assert address.server == "https://example.com:81"
    assert "a@b" not in repr(address)
    assert address_of("git@example.com:x.git").url == "git@example.com:x.git"


def test_clone_by_ssh_uses_the_key_and_its_passphrase(tmp_path: Path, repository: Bare) -> None:
    """SCR-025. A program `ssh` stands for the real one: it notes its key and serves the repository."""
    repository.commit({"file": "content"})
    ssh = tmp_path / "bin" / "ssh"
    ssh.parent.mkdir()
    ssh.write_text(
        f'#!/bin/sh\ntest "$1" = -i || exit 1\ncp "$2" {tmp_path}/key\nstat -c %a "$2" > {tmp_path}/mode\n'
        f'"$SSH_ASKPASS" > {tmp_path}/passphrase\nfor last; do :; done\nexec sh -c "$last"\n'
    )
    ssh.chmod(0o755)
    settings = WorkerSettings(threads=1, environment={"PATH": f"{ssh.parent}:/usr/bin:/bin"})
    with RunContextFactory(settings=settings) as contexts:
        context = contexts.of()
        alone(url=f"ssh://git@host{repository.path}", privateKey="the key", passphrase="open").run(context)
        assert (context.working_directory / "file").read_text() == "content"
        assert not list(context.working_directory.rglob("key"))
    assert (tmp_path / "key").read_text() == "the key\n"
    assert (tmp_path / "mode").read_text() == "600\n"
    assert (tmp_path / "passphrase").read_text() == "open\n"


def test_clone_on_a_worker_without_git_names_the_package(tmp_path: Path, repository: Bare) -> None:
    """SCR-025."""
    settings = WorkerSettings(threads=1, environment={"PATH": str(tmp_path / "none")})
    with RunContextFactory(settings=settings) as contexts, pytest.raises(GitMissing, match="package `git`"):
        alone(url=repository.url).run(contexts.of())
