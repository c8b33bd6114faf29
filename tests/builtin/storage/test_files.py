"""Tasks on files of internal storage, run by a worker on a real server."""

from __future__ import annotations

import pytest

from tests.support.flows import CORE, RETURN, run_tasks
from tests.support.live import LiveServer

STORAGE = f"{CORE}storage."
WRITE = {"type": f"{STORAGE}Write"}


async def test_write_size_and_concat_work_on_files(server: LiveServer) -> None:
    """ENG-332, ENG-335."""
    await _namespace_file(server, "n.txt", "n")
    ended = await run_tasks(
        server,
        {**WRITE, "content": "a,{{ flow.id }}", "extension": ".csv"},
        {**WRITE, "content": "bü", "extension": "csv"},
        {"type": f"{STORAGE}Size", "uri": "{{ outputs.t2.uri }}"},
        {
            "type": f"{STORAGE}Concat",
            "files": ["{{ outputs.t1.uri }}", "{{ outputs.t2.uri }}", "nsfile:///n.txt"],
            "separator": "\n--\n",
            "extension": "csv",
        },
        {"type": f"{STORAGE}Concat", "files": "{{ [outputs.t1.uri, outputs.t2.uri] }}"},
        {"type": f"{STORAGE}Concat", "files": {"b": "{{ outputs.t2.uri }}", "a": "{{ outputs.t1.uri }}"}},
        {
            "type": RETURN,
            "format": "{{ read(outputs.t4.uri) }}|{{ read(outputs.t5.uri) }}|{{ read(outputs.t6.uri) }}",
        },
    )
    assert ended.state == "SUCCESS", ended.messages
    assert ended.outputs["t1"]["uri"].endswith("/content.csv")
    assert ended.outputs["t3"] == {"size": 3}
    assert ended.outputs["t4"]["uri"].endswith("/concat.csv")
    assert ended.outputs["t7"] == {"value": "a,flow\n--\nbü\n--\nn|a,flowbü|büa,flow"}


async def _namespace_file(server: LiveServer, path: str, content: str) -> None:
    await server.services.namespace_files.put("main", "team", path, content.encode())


async def test_delete_removes_a_file_of_the_execution(server: LiveServer) -> None:
    """ENG-335."""
    delete = {"type": f"{STORAGE}Delete", "uri": "{{ outputs.t1.uri }}"}
    ended = await run_tasks(
        server,
        {**WRITE, "content": "x"},
        delete,
        delete,
        {"type": RETURN, "format": "{{ fileExists(outputs.t1.uri) }}"},
        {**delete, "errorOnMissing": True},
    )
    assert (ended.outputs["t2"]["deleted"], ended.outputs["t3"]["deleted"]) == (True, False)
    assert ended.outputs["t4"] == {"value": "false"}
    assert ended.state == "FAILED"


async def test_delete_of_what_is_not_the_execution_s_is_refused(server: LiveServer) -> None:
    """ENG-333, ENG-335."""
    await _namespace_file(server, "a.txt", "kept")
    other = await run_tasks(server, {**WRITE, "content": "kept"})
    for uri in ("nsfile:///a.txt", "kestra:///team/_files/a.txt", other.outputs["t1"]["uri"]):
        ended = await run_tasks(server, {"type": f"{STORAGE}Delete", "uri": uri}, id="deletes")
        assert ended.state == "FAILED", uri
    assert await server.core.storage.read("main", "/team/_files/a.txt") == b"kept"
    path = other.outputs["t1"]["uri"].removeprefix("kestra://")
    assert await server.core.storage.read("main", path) == b"kept"


@pytest.mark.parametrize("name", ["PurgeCurrentExecutionFiles", "PurgeExecution", "PurgeExecutionFiles"])
async def test_purge_removes_all_files_of_the_execution_alone(server: LiveServer, name: str) -> None:
    """ENG-336, OPS-170."""
    kept = await run_tasks(server, {**WRITE, "content": "kept"}, id="other")
    ended = await run_tasks(server, {**WRITE, "content": "x"}, {**WRITE, "content": "y"}, {"type": f"{STORAGE}{name}"})
    assert ended.state == "SUCCESS", ended.messages
    assert sorted(ended.outputs["t3"]["uris"]) == sorted(ended.outputs[task]["uri"] for task in ("t1", "t2"))
    storage = server.core.storage
    assert list(await storage.list("main", f"/team/flow/executions/{ended.id}", recursive=True)) == []
    assert await storage.read("main", kept.outputs["t1"]["uri"].removeprefix("kestra://")) == b"kept"


async def test_local_files_are_written_and_kept(server: LiveServer) -> None:
    """MIG-033."""
    ended = await run_tasks(
        server,
        {
            "type": "io.kestra.core.tasks.storages.LocalFiles",
            "inputs": {"dir/a.txt": "{{ flow.id }}", "b.txt": "b"},
            "outputs": ["dir/*"],
        },
        {"type": RETURN, "format": "{{ read(outputs.t1.uris['dir/a.txt']) }}"},
    )
    assert ended.state == "SUCCESS", ended.messages
    assert list(ended.outputs["t1"]["uris"]) == ["dir/a.txt"]
    assert ended.outputs["t2"] == {"value": "flow"}


async def test_stored_json_is_read_by_expressions(server: LiveServer) -> None:
    """ENG-334, ENG-333."""
    ended = await run_tasks(
        server,
        {**WRITE, "content": '{"rows": [{"n": 1}, {"n": 2}]}'},
        {
            "type": RETURN,
            "format": "{{ json(read(outputs.t1.uri)) | jq('.rows[].n') }} "
            "{{ fromJson(read(outputs.t1.uri)).rows[1].n }}",
        },
    )
    assert ended.outputs["t2"]["value"] == "[1,2] 2"
