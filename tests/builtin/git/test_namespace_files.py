"""`PushNamespaceFiles` and `SyncNamespaceFiles` between a real server and real repositories."""

from __future__ import annotations

from typing import Any

from tests.builtin.git.repositories import Bare, served
from tests.support.flows import RETURN, Ended, run_tasks
from tests.support.live import LiveServer

PUSH = {"id": "git", "type": "io.kestra.plugin.git.PushNamespaceFiles"}
SYNC = {"id": "git", "type": "io.kestra.plugin.git.SyncNamespaceFiles"}
ROWS = {"id": "rows", "type": RETURN, "format": "{{ read(outputs.git.files) }}"}
FILES = "/api/v1/main/namespaces/team/files"


async def put(server: LiveServer, files: dict[str, str]) -> None:
    for path, content in files.items():
        answer = await server.client.post(FILES, params={"path": path}, files={"fileContent": ("f", content.encode())})
        assert answer.status_code == 200


async def contents(server: LiveServer) -> dict[str, str]:
    found = (await server.client.get(f"{FILES}/search", params={"q": ""})).json()
    return {path: (await server.client.get(FILES, params={"path": path})).text for path in found}


async def ran(server: LiveServer, task: dict[str, Any], **more: Any) -> Ended:
    ended = await run_tasks(server, {**task, **more}, ROWS)
    assert ended.state == "SUCCESS", ended.messages
    return ended


async def test_push_to_an_empty_repository_commits_every_file(server: LiveServer, repository: Bare) -> None:
    """ENG-355, USE-086."""
    await put(server, {"example.py": "print(1)\r\n", "dir/a b.sql": "select 'ü'"})
    ended = await ran(server, PUSH, url=repository.url, commitMessage="of {{ flow.id }}", authorName="Ada")
    assert repository.log("%H %an %s") == [f"{ended.outputs['git']['commitId']} Ada of flow"]
    assert "_files/example.py" in ended.outputs["rows"]["value"]
    assert "_files/dir/a b.sql" in ended.outputs["rows"]["value"]
    again = await ran(server, PUSH, url=repository.url)
    assert "commitId" not in again.outputs["git"]
    assert len(repository.log("%H")) == 1


async def test_push_of_some_files_makes_the_branch_and_leaves_the_others(server: LiveServer, repository: Bare) -> None:
    """ENG-355, USE-086."""
    repository.commit({"README": "r", "_files/old.py": "old", "_files/old.sh": "kept", ".gitignore": "*.py"})
    await put(server, {"example.py": "new", "example.sh": "not asked for"})
    ended = await ran(server, PUSH, url=repository.url, branch="dev", files=["*.py"])
    assert repository.files("dev") == {
        ".gitignore": "*.py",
        "README": "r",
        "_files/example.py": "new",
        "_files/old.sh": "kept",
    }
    assert ended.outputs["rows"]["value"].splitlines() == [
        '{file:"_files/example.py",additions:"+1",deletions:"-0"}',
        '{file:"_files/old.py",additions:"+0",deletions:"-1"}',
    ]
    assert "_files/old.py" in repository.files("main")
    assert len(repository.log("%H", "dev")) == 2


async def test_push_without_delete_keeps_what_the_namespace_has_no_more(server: LiveServer, repository: Bare) -> None:
    """ENG-355."""
    repository.commit({"_files/old.py": "old"})
    await put(server, {"example.py": "new"})
    await ran(server, PUSH, url=repository.url, delete=False)
    assert sorted(repository.files()) == ["_files/example.py", "_files/old.py"]


async def test_push_as_a_dry_run_tells_and_changes_nothing(server: LiveServer, repository: Bare) -> None:
    """ENG-355, USE-086."""
    repository.commit({"_files/a.py": "old\n"})
    await put(server, {"a.py": "new\nnewer\n"})
    ended = await ran(server, PUSH, url=repository.url, dryRun=True)
    assert ended.outputs["rows"]["value"].strip() == '{file:"_files/a.py",additions:"+2",deletions:"-1"}'
    assert "commitId" not in ended.outputs["git"]
    assert repository.files() == {"_files/a.py": "old\n"}


async def test_push_over_http_gives_the_password_and_never_tells_it(server: LiveServer, repository: Bare) -> None:
    """ENG-355."""
    await put(server, {"a.py": "x"})
    with served(repository, "robot", "s3cret-t0ken") as url:
        ended = await ran(server, PUSH, url=url, username="robot", password="s3cret-t0ken")
        refused = await run_tasks(server, {**PUSH, "url": url, "username": "robot", "password": "wrong-one"})
    commit = ended.outputs["git"]["commitId"]
    assert repository.files() == {"_files/a.py": "x"}
    assert ended.outputs["git"]["commitURL"] == f"{url.removesuffix('.git')}/commit/{commit}"
    assert refused.state == "FAILED"
    assert any("Authentication failed" in message for message in refused.messages)
    assert not [text for text in ended.messages + refused.messages if "s3cret" in text or "wrong-one" in text]


async def test_push_into_the_folder_of_git_is_refused(server: LiveServer, repository: Bare) -> None:
    """ENG-355."""
    await put(server, {".git/hooks/post-commit": "#!/bin/sh"})
    for directory in (".", "../out", "_files/.GIT"):
        ended = await run_tasks(server, {**PUSH, "url": repository.url, "gitDirectory": directory})
        assert ended.state == "FAILED"
        assert any("is no path in a repository" in message for message in ended.messages)


async def test_sync_makes_the_namespace_what_the_repository_is(server: LiveServer, repository: Bare) -> None:
    """ENG-355, USE-088."""
    commit = repository.commit({"README": "r", "_files/a.py": "new", "_files/dir/b.sql": "b", "_files/same": "s"})
    before = {"/a.py": "old", "/same": "s", "/other": "o"}
    await put(server, before)
    dry = await ran(server, SYNC, url=repository.url, delete=True, dryRun=True)
    assert await contents(server) == before
    ended = await ran(server, SYNC, url=repository.url, delete=True)
    assert await contents(server) == {"/a.py": "new", "/dir/b.sql": "b", "/same": "s"}
    assert ended.outputs["git"]["commitId"] == commit
    assert ended.outputs["rows"]["value"] == dry.outputs["rows"]["value"]
    assert ended.outputs["rows"]["value"].splitlines() == [
        '{file:"a.py",gitPath:"_files/a.py",syncState:"UPDATED"}',
        '{file:"dir/b.sql",gitPath:"_files/dir/b.sql",syncState:"ADDED"}',
        '{file:"same",gitPath:"_files/same",syncState:"UNCHANGED"}',
        '{file:"other",gitPath:"_files/other",syncState:"DELETED"}',
    ]


async def test_sync_again_takes_changes_and_keeps_other_files(server: LiveServer, repository: Bare) -> None:
    """ENG-355, USE-088."""
    repository.commit({"dbt/a.sql": "1"}, branch="dev")
    await put(server, {"/mine": "m"})
    await ran(server, SYNC, url=repository.url, branch="dev", gitDirectory="dbt")
    repository.commit({"dbt/a.sql": "2"}, branch="dev")
    await ran(server, SYNC, url=repository.url, branch="dev", gitDirectory="/dbt/")
    assert await contents(server) == {"/a.sql": "2", "/mine": "m"}
    older = await server.client.get(FILES, params={"path": "/a.sql", "revision": 0})
    assert older.text == "1"


async def test_sync_of_a_folder_that_is_not_there_removes_nothing(server: LiveServer, repository: Bare) -> None:
    """ENG-355."""
    repository.commit({"README": "r"})
    await put(server, {"/mine": "m"})
    ended = await run_tasks(server, {**SYNC, "url": repository.url, "delete": True})
    assert ended.state == "FAILED"
    assert any("branch main has no files in `_files`" in message for message in ended.messages)
    assert await contents(server) == {"/mine": "m"}
