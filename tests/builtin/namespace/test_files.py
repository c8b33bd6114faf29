"""Tasks on namespace files, run by a worker on a real server."""

from __future__ import annotations

from typing import Any

from tests.support.flows import CORE, RETURN, run_tasks
from tests.support.live import LiveServer

UPLOAD, DOWNLOAD = {"type": f"{CORE}namespace.UploadFiles"}, {"type": f"{CORE}namespace.DownloadFiles"}
DELETE = {"type": f"{CORE}namespace.DeleteFiles"}
WRITE = {"type": f"{CORE}storage.Write"}
FILES = "/api/v1/main/namespaces/{}/files"


async def put(server: LiveServer, *paths: str, namespace: str = "team", content: str = "x") -> None:
    for path in paths:
        answer = await server.client.post(
            FILES.format(namespace), params={"path": path}, files={"fileContent": ("f", content.encode())}
        )
        assert answer.status_code == 200


async def text(server: LiveServer, path: str, namespace: str = "team", **params: Any) -> str:
    answer = await server.client.get(FILES.format(namespace), params={"path": path, **params})
    assert answer.status_code == 200, answer.text
    return answer.text


async def paths(server: LiveServer, namespace: str = "team") -> list[str]:
    answer = await server.client.get(FILES.format(namespace) + "/search", params={"q": ""})
    found: list[str] = answer.json()
    return found


async def test_upload_takes_uris_and_contents_by_name(server: LiveServer) -> None:
    """ENG-354."""
    await put(server, "source.txt", namespace="other", content="from there")
    ended = await run_tasks(
        server,
        {**WRITE, "content": "written", "extension": "txt"},
        {
            **UPLOAD,
            "filesMap": {
                "etl.txt": "{{ outputs.t1.uri }}",
                "/dir/inline.txt": "{{ flow.id }} says ü",
                "copied.txt": "nsfile://other/source.txt",
            },
            "files": ["{{ outputs.t1.uri }}"],
            "destination": "/up",
        },
    )
    assert ended.state == "SUCCESS", ended.messages
    assert ended.outputs["t2"]["files"] == {
        f"/up/{name}": f"kestra:///team/_files/up/{name}"
        for name in ("content.txt", "etl.txt", "dir/inline.txt", "copied.txt")
    }
    assert await text(server, "up/etl.txt") == await text(server, "up/content.txt") == "written"
    assert await text(server, "up/dir/inline.txt") == "flow says ü"
    assert await text(server, "up/copied.txt") == "from there"


async def test_upload_to_another_namespace_makes_a_revision(server: LiveServer) -> None:
    """ENG-352, ENG-354."""
    await put(server, "a.txt", namespace="company.sales", content="old")
    task = {**UPLOAD, "namespace": "company.sales", "filesMap": {"a.txt": "new"}}
    assert (await run_tasks(server, task)).state == "SUCCESS"
    assert await text(server, "a.txt", "company.sales") == "new"
    assert await text(server, "a.txt", "company.sales", revision=0) == "old"


async def test_upload_takes_files_of_the_working_directory_by_patterns(server: LiveServer) -> None:
    """ENG-350, ENG-354."""
    ended = await run_tasks(
        server,
        {
            "id": "wd",
            "type": f"{CORE}flow.WorkingDirectory",
            "tasks": [
                {
                    "id": "make",
                    "type": "io.kestra.plugin.scripts.shell.Commands",
                    "taskRunner": {"type": f"{CORE}runner.Process"},
                    "commands": ["mkdir -p dbt/models other", "echo m > dbt/models/m.sql", "echo o > other/o.sql"],
                },
                {**UPLOAD, "id": "up", "files": ["glob:**/dbt/**"]},
            ],
        },
    )
    assert ended.state == "SUCCESS", ended.messages
    assert await paths(server) == ["/dbt/models/m.sql"]
    assert await text(server, "dbt/models/m.sql") == "m\n"


async def test_upload_conflict_is_skipped_or_an_error(server: LiveServer) -> None:
    """ENG-354."""
    await put(server, "a.txt", content="old")
    files = {"a.txt": "new", "b.txt": "new"}
    ended = await run_tasks(server, {**UPLOAD, "filesMap": files, "conflict": "SKIP"})
    assert list(ended.outputs["t1"]["files"]) == ["/b.txt"]
    assert await text(server, "a.txt") == "old"
    ended = await run_tasks(server, {**UPLOAD, "filesMap": files, "conflict": "ERROR"})
    assert ended.state == "FAILED"
    assert any("/a.txt exists already in team" in message for message in ended.messages)


async def test_upload_leaves_no_copies_behind(server: LiveServer) -> None:
    """ENG-354."""
    ended = await run_tasks(server, {**UPLOAD, "filesMap": {"a.txt": "kestra:///team/_files/none"}})
    assert ended.state == "FAILED"
    await put(server, "source")
    ended = await run_tasks(server, {**UPLOAD, "filesMap": {"a.txt": "nsfile:///source"}}, id="second")
    folder = f"/team/second/executions/{ended.id}"
    assert list(await server.core.storage.list("main", folder, recursive=True)) == []


async def test_download_gives_uris_by_path(server: LiveServer) -> None:
    """ENG-354, ENG-350."""
    await put(server, "example.ion", "dir/a b#1.sql", "dir/deep/c.sql", "d.txt", content="content")
    ended = await run_tasks(
        server,
        {**DOWNLOAD, "id": "namespace", "files": ["example.ion"]},
        {"type": RETURN, "format": "{{ read(outputs.namespace.files['/example.ion']) }}"},
        {**DOWNLOAD, "files": ["*.sql"], "namespace": "team", "destination": "got"},
        {**DOWNLOAD, "files": "regex:^d.*txt$"},
        {**DOWNLOAD, "files": ["/*.sql"]},
    )
    assert ended.state == "SUCCESS", ended.messages
    assert ended.outputs["t2"] == {"value": "content"}
    assert list(ended.outputs["t3"]["files"]) == ["/got/dir/a b#1.sql", "/got/dir/deep/c.sql"]
    assert list(ended.outputs["t4"]["files"]) == ["/d.txt"]
    assert ended.outputs["t5"] == {"files": {}}
    assert "no file of namespace team matches" in ended.messages


async def test_download_keeps_the_file_as_it_was(server: LiveServer) -> None:
    """ENG-354."""
    await put(server, "a.txt", content="old")
    ended = await run_tasks(
        server,
        {**DOWNLOAD, "files": ["a.txt"]},
        {**UPLOAD, "filesMap": {"a.txt": "new"}},
        {"type": RETURN, "format": "{{ read(outputs.t1.files['/a.txt']) }} {{ read('a.txt') }}"},
    )
    assert ended.outputs["t3"] == {"value": "old new"}


async def test_delete_removes_files_by_pattern_and_empty_folders(server: LiveServer) -> None:
    """ENG-354."""
    await put(server, "dir/a.sql", "dir/deep/b.sql", "c.txt", "kept/d.sql", "kept/e.txt")
    ended = await run_tasks(
        server, {**DELETE, "files": ["dir/**"]}, {**DELETE, "files": "/kept/*.sql"}, {**DELETE, "files": ["none"]}
    )
    assert ended.outputs["t1"] == {"files": ["/dir/a.sql", "/dir/deep/b.sql"], "deleted": 2}
    assert (ended.outputs["t2"]["deleted"], ended.outputs["t3"]["deleted"]) == (1, 0)
    assert await paths(server) == ["/c.txt", "/kept/e.txt"]
    shown = (await server.client.get(FILES.format("team") + "/directory")).json()
    assert [entry["fileName"] for entry in shown] == ["kept", "c.txt"]
