"""Logs, metrics and files of executions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from penstock.api import schemas
from tests.api.test_shapes import check
from tests.support.live import LiveServer, live_server

API = "/api/v1/main"
TALK = """\
id: talk
namespace: team
tasks:
  - {id: quiet, type: io.kestra.plugin.core.log.Log, message: low, level: DEBUG}
  - {id: loud, type: io.kestra.plugin.core.log.Log, message: high, level: ERROR}
"""
FILED = """\
id: filed
namespace: team
inputs:
  - id: data
    type: FILE
tasks:
  - id: show
    type: io.kestra.plugin.core.debug.Return
    format: "{{ inputs.data }}"
"""


async def test_logs_are_listed_in_order_and_by_level_and_task(server: LiveServer) -> None:
    """API-103, API-036."""
    await server.flow(TALK)
    ended = await server.run("talk")
    lines = (await server.client.get(f"{API}/logs/{ended['id']}")).json()
    assert [line["message"] for line in lines] == ["low", "high"]
    assert (lines[0]["level"], lines[0]["taskId"], lines[0]["attemptNumber"]) == ("DEBUG", "quiet", 1)
    assert lines[0]["executionId"] == ended["id"]
    warned = (await server.client.get(f"{API}/logs/{ended['id']}", params={"minLevel": "WARN"})).json()
    assert [line["message"] for line in warned] == ["high"]
    one = (await server.client.get(f"{API}/logs/{ended['id']}", params={"taskId": "quiet"})).json()
    assert [line["message"] for line in one] == ["low"]


async def test_logs_are_downloaded_as_text(server: LiveServer) -> None:
    await server.flow(TALK)
    ended = await server.run("talk")
    answer = await server.client.get(f"{API}/logs/{ended['id']}/download")
    assert answer.headers["content-disposition"].startswith(f'attachment; filename="{ended["id"]}.log"')
    first, second = answer.text.splitlines()
    assert first.endswith("DEBUG [quiet] low")
    assert second.endswith("ERROR [loud] high")


async def test_window_of_a_log_is_read_by_its_mark(server: LiveServer) -> None:
    """UI-125: any part of a long log is read by itself, and found by a text."""
    await server.flow(TALK)
    path = f"{API}/logs/{(await server.run('talk'))['id']}"
    outline = (await server.client.get(f"{path}/marks", params={"step": 1})).json()
    assert (outline["total"], [mark["before"] for mark in outline["marks"]]) == (2, [0, 1])
    second = {"after": outline["marks"][1]["after"], "limit": 1}
    assert [line["message"] for line in (await server.client.get(f"{path}/window", params=second)).json()] == ["high"]
    behind = await server.client.get(f"{path}/marks", params={"after": outline["end"]})
    assert behind.json() == {"total": 0, "marks": [], "end": outline["end"]}
    last = (await server.client.get(f"{path}/window", params={"last": "true", "limit": 1, "q": "LO"})).json()
    assert [line["message"] for line in last] == ["low"]
    counts = (await server.client.get(f"{path}/counts")).json()
    assert [(one["taskId"], one["count"]) for one in counts] == [("quiet", 1), ("loud", 1)]


@pytest.mark.parametrize("query", ["after=x", "after=1.y", "limit=0", "limit=many", "minLevel=LOUD"])
async def test_window_of_a_log_asked_for_wrongly_is_refused(client: httpx.AsyncClient, query: str) -> None:
    answer = await client.get(f"{API}/logs/any/window?{query}")
    assert answer.status_code == 422


async def test_logs_of_all_executions_are_searched(server: LiveServer) -> None:
    await server.flow(TALK)
    await server.run("talk")
    await server.run("talk")
    params = {"filters[level][EQUALS]": "ERROR", "filters[namespace][EQUALS]": "team"}
    page = (await server.client.get(f"{API}/logs/search", params=params)).json()
    assert (page["total"], page["totalIsExact"]) == (2, True)
    assert {line["message"] for line in page["results"]} == {"high"}


async def test_lists_that_ask_for_no_time_reach_back_as_far_as_is_configured(tmp_path: Path) -> None:
    """BEY-022: executions and log lines, unless a time or a certain execution is asked for."""
    async with live_server(tmp_path, change=lambda settings: replace(settings, list_range=0)) as server:
        await server.flow(TALK)
        ended = await server.run("talk")
        for path, all_there_is in (("executions/search", 1), ("logs/search", 2)):
            for params, total in (
                ({}, 0),
                ({"filters[timeRange][EQUALS]": "P1D"}, all_there_is),
                ({"filters[executionId][EQUALS]": ended["id"]}, all_there_is),
            ):
                page = (await server.client.get(f"{API}/{path}", params=params)).json()
                assert page["total"] == total, (path, params)


async def test_logs_are_removed(server: LiveServer) -> None:
    await server.flow(TALK)
    ended = await server.run("talk")
    answer = await server.client.delete(f"{API}/logs/{ended['id']}")
    assert answer.json() == {"count": 2}
    assert (await server.client.get(f"{API}/logs/{ended['id']}")).json() == []


async def test_logs_of_an_unknown_execution_are_not_found(client: httpx.AsyncClient) -> None:
    for path in (
        "logs/unknown",
        "logs/unknown/download",
        "logs/unknown/marks",
        "logs/unknown/window",
        "metrics/unknown",
    ):
        assert (await client.get(f"{API}/{path}")).status_code == 404


async def test_metrics_of_an_execution_are_listed(server: LiveServer) -> None:
    """API-104, ENG-063, SCR-040."""
    log = "type: io.kestra.plugin.core.log.Log, message: low, level: DEBUG"
    await server.flow(TALK.replace(log, "type: io.kestra.plugin.core.debug.Return, format: abc"))
    ended = await server.run("talk")
    page = (await server.client.get(f"{API}/metrics/{ended['id']}")).json()
    metrics = {metric["name"]: metric for metric in page["results"]}
    assert metrics["length"]["value"] == 3
    assert metrics["length"]["taskId"] == "quiet"
    other = (await server.client.get(f"{API}/metrics/{ended['id']}", params={"taskId": "loud"})).json()
    assert other == {"results": [], "total": 0}


async def test_file_of_an_execution_is_downloaded_and_measured(server: LiveServer) -> None:
    """API-101."""
    await server.flow(FILED)
    ended = await server.run("filed", files={"data": ("déjà vu.csv", b"a,b\n1,2\n", "text/csv")})
    path = ended["inputs"]["data"]
    answer = await server.client.get(f"{API}/executions/{ended['id']}/file", params={"path": path})
    assert answer.content == b"a,b\n1,2\n"
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment")
    metas = await server.client.get(f"{API}/executions/{ended['id']}/file/metas", params={"path": path})
    assert metas.json() == {"size": 8}


async def test_size_of_an_execution_counts_its_records_and_files(server: LiveServer) -> None:
    """BEY-021."""
    await server.flow(FILED)
    ended = await server.run("filed", files={"data": ("rows.csv", b"a,b\n1,2\n", "text/csv")})
    size = (await server.client.get(f"{API}/executions/{ended['id']}/size")).json()
    check(schemas.ExecutionSize, size)
    assert size["files"] == {"name": "files", "count": 1, "bytes": 8}
    assert {part["name"] for part in size["records"]} >= {"executions", "task_runs"}
    assert size["bytes"] == 8 + sum(part["bytes"] for part in size["records"])
    assert (await server.client.get(f"{API}/executions/nobody/size")).status_code == 404


async def test_file_is_previewed_as_rows_up_to_a_bound(server: LiveServer) -> None:
    await server.flow(FILED)
    ended = await server.run("filed", files={"data": ("rows.csv", b"a,b\n1,2\n3,4\n", "text/csv")})
    params = {"path": ended["inputs"]["data"], "maxRows": "1"}
    shown = (await server.client.get(f"{API}/executions/{ended['id']}/file/preview", params=params)).json()
    assert shown == {"extension": "csv", "type": "LIST", "content": [{"a": "1", "b": "2"}], "truncated": True}


async def test_file_of_another_execution_is_not_shown(server: LiveServer) -> None:
    await server.flow(FILED)
    mine = await server.run("filed", files={"data": ("mine.txt", b"mine")})
    other = await server.run("filed", files={"data": ("other.txt", b"other")})
    for path in (
        other["inputs"]["data"],
        f"kestra:///team/filed/executions/{mine['id']}/../{other['id']}/inputs/data/other.txt",
        "kestra:///../../../../etc/passwd",
        "file:///etc/passwd",
    ):
        for kind in ("", "/metas", "/preview"):
            answer = await server.client.get(f"{API}/executions/{mine['id']}/file{kind}", params={"path": path})
            assert answer.status_code in (403, 422), path
    gone = f"kestra:///team/filed/executions/{mine['id']}/gone.txt"
    answer = await server.client.get(f"{API}/executions/{mine['id']}/file", params={"path": gone})
    assert answer.status_code == 404
