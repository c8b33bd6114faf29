"""Namespace files over HTTP."""

from __future__ import annotations

import io
import zipfile

import httpx

from penstock.api import schemas
from tests.api.test_shapes import check
from tests.support.live import LiveServer

API = "/api/v1/main"
FILES = f"{API}/namespaces/team/files"


async def put(client: httpx.AsyncClient, path: str, content: bytes = b"x") -> None:
    answer = await client.post(FILES, params={"path": path}, files={"fileContent": ("file", content)})
    assert answer.status_code == 200, answer.text


async def test_file_uploaded_is_downloaded(client: httpx.AsyncClient) -> None:
    """API-106."""
    content = bytes(range(256)) * 10_000
    await put(client, "dir/data.bin", content)
    answer = await client.get(FILES, params={"path": "/dir/data.bin"})
    assert answer.content == content
    assert answer.headers["content-disposition"].startswith('attachment; filename="data.bin"')
    assert (await client.get(FILES, params={"path": "none"})).status_code == 404
    assert (await client.get(FILES, params={"path": "dir"})).status_code == 404
    assert (await client.get(FILES, params={"path": "../x"})).status_code == 422


async def test_file_may_be_sent_as_a_field_or_be_empty(client: httpx.AsyncClient) -> None:
    """API-106."""
    assert (await client.post(FILES, params={"path": "a"}, data={"fileContent": "täxt"})).status_code == 200
    assert (await client.get(FILES, params={"path": "a"})).text == "täxt"
    assert (await client.post(FILES, params={"path": "b"})).status_code == 200
    assert (await client.get(FILES, params={"path": "b"})).content == b""


async def test_revisions_are_listed_read_restored_and_removed(client: httpx.AsyncClient) -> None:
    """ENG-352."""
    for text in (b"first", b"second", b"third"):
        await put(client, "a.txt", text)
    of_file = {"path": "a.txt"}
    listed = (await client.get(f"{FILES}/revisions", params=of_file)).json()
    for entry in listed:
        check(schemas.NamespaceFileRevision, entry)
    assert listed == [{"revision": 0}, {"revision": 1}, {"revision": 2}]
    assert (await client.get(FILES, params={**of_file, "revision": 1})).text == "second"
    assert (await client.get(FILES, params={**of_file, "revision": 7})).status_code == 404
    restored = await client.post(f"{FILES}/revisions/restore", params={**of_file, "revision": 0})
    assert restored.status_code == 200
    assert (await client.get(FILES, params=of_file)).text == "first"
    removed = await client.delete(f"{FILES}/revisions", params={**of_file, "revision": 2, "older": True})
    assert removed.json() == {"count": 2}
    listed = (await client.get(f"{FILES}/revisions", params=of_file)).json()
    assert listed == [{"revision": 2}, {"revision": 3}]


async def test_directories_are_made_and_listed(client: httpx.AsyncClient) -> None:
    """API-106, API-040."""
    await put(client, "b.txt", b"abc")
    assert (await client.post(f"{FILES}/directory", params={"path": "/empty"})).status_code == 200
    listed = (await client.get(f"{FILES}/directory")).json()
    for entry in listed:
        check(schemas.FileAttributes, entry)
    assert [(entry["fileName"], entry["type"], entry["size"]) for entry in listed] == [
        ("empty", "Directory", 0),
        ("b.txt", "File", 3),
    ]
    assert (await client.get(f"{FILES}/directory", params={"path": "empty"})).json() == []
    assert (await client.get(f"{FILES}/directory", params={"path": "none"})).status_code == 404
    stats = (await client.get(f"{FILES}/stats", params={"path": "b.txt"})).json()
    check(schemas.FileAttributes, stats)
    assert stats["lastModifiedTime"] > 1_700_000_000_000
    assert (await client.get(f"{FILES}/stats")).json()["type"] == "Directory"


async def test_files_are_moved_searched_exported_and_removed(client: httpx.AsyncClient) -> None:
    """API-106."""
    await put(client, "dir/a.sql", b"select 1")
    await put(client, "c.txt")
    moved = await client.put(FILES, params={"from": "/dir", "to": "/queries"})
    assert moved.status_code == 200
    assert (await client.put(FILES, params={"from": "/c.txt", "to": "/queries"})).status_code == 409
    assert (await client.get(f"{FILES}/search", params={"q": "SQL"})).json() == ["/queries/a.sql"]
    archive = await client.get(f"{FILES}/export")
    with zipfile.ZipFile(io.BytesIO(archive.content)) as file:
        assert sorted(file.namelist()) == ["c.txt", "queries/a.sql"]
    assert (await client.delete(FILES, params={"path": "queries"})).status_code == 200
    assert (await client.delete(FILES, params={"path": "queries"})).status_code == 404
    assert (await client.get(f"{FILES}/search", params={"q": ""})).json() == ["/c.txt"]


async def test_export_of_a_namespace_that_cannot_be_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.get(f"{API}/namespaces/..x/files/export")
    assert answer.status_code == 422
    assert "`..x` is no namespace" in answer.json()["message"]


async def test_file_is_what_a_flow_reads_and_a_script_finds(server: LiveServer) -> None:
    """ENG-347, ENG-349, ENG-351."""
    await put(server.client, "queries/q.sql", b"select 1")
    await put(server.client, "main.sh", b"echo from the namespace")
    await server.flow(
        """\
id: reads
namespace: team
tasks:
  - id: show
    type: io.kestra.plugin.core.debug.Return
    format: "{{ read('queries/q.sql') }} {{ fileURI('queries/q.sql') }}"
  - id: script
    type: io.kestra.plugin.scripts.shell.Commands
    taskRunner: {type: io.kestra.plugin.core.runner.Process}
    namespaceFiles: {enabled: true, include: ["main.sh", "/queries/**"]}
    outputFiles: ["out.txt"]
    commands: ["sh main.sh > out.txt", "cat queries/q.sql >> out.txt"]
  - id: result
    type: io.kestra.plugin.core.debug.Return
    format: "{{ read(outputs.script.outputFiles['out.txt']) }}"
"""
    )
    ended = await server.run("reads")
    values = [run["outputs"].get("value") for run in ended["taskRunList"]]
    assert values[0] == "select 1 kestra:///team/_files/queries/q.sql"
    assert values[2] == "from the namespace\nselect 1"
