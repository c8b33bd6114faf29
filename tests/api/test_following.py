"""Live views over a real socket: events, their ends, readers that leave."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import uvicorn

from tests.api.flows import GREETING, HELLO, HOOKED, PAUSED, SLEEPY
from tests.support.live import BASIC, LiveServer
from tests.support.waiting import PATIENCE, eventually

API = "/api/v1/main"


@pytest.fixture
async def wire(server: LiveServer) -> AsyncIterator[httpx.AsyncClient]:
    """Serve the application on a socket and give a client of it."""
    config = uvicorn.Config(server.app, port=0, log_config=None, lifespan="off", ws="none")
    web = uvicorn.Server(config)
    task = asyncio.create_task(web.serve())
    await eventually(lambda: web.started)
    port = web.servers[0].sockets[0].getsockname()[1]
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", auth=BASIC, timeout=PATIENCE) as client:
        yield client
    web.should_exit = True
    await task


@asynccontextmanager
async def stream(client: httpx.AsyncClient, path: str, **options: Any) -> AsyncIterator[AsyncIterator[dict[str, str]]]:
    async with client.stream("GET", path, **options) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield events(answer)


async def events(answer: httpx.Response) -> AsyncIterator[dict[str, str]]:
    """Yield each frame as its fields."""
    frame: dict[str, str] = {}
    async for line in answer.aiter_lines():
        if line:
            name, _, value = line.partition(":")
            frame[name] = value.removeprefix(" ")
        elif frame:
            yield frame
            frame = {}


async def collect(client: httpx.AsyncClient, path: str, **options: Any) -> list[dict[str, str]]:
    async with stream(client, path, **options) as frames:
        return [frame async for frame in frames if "" not in frame]


async def test_follow_begins_with_an_empty_frame_and_ends_with_the_execution(
    server: LiveServer, wire: httpx.AsyncClient
) -> None:
    """API-023."""
    await server.flow(PAUSED)
    started = await server.start("paused")
    await server.until(started["id"], "PAUSED")
    seen: list[dict[str, Any]] = []
    async with stream(wire, f"{API}/executions/{started['id']}/follow") as frames:
        assert await anext(frames) == {"data": ""}
        async for frame in frames:
            if not frame.get("data"):
                continue
            seen.append({**json.loads(frame["data"]), "event": frame["id"]})
            if len(seen) == 1:
                await server.client.post(f"{API}/executions/{started['id']}/resume")
    assert seen[0]["state"]["current"] == "PAUSED"
    assert seen[-1]["state"]["current"] == "SUCCESS"
    assert seen[-1]["event"] == "end"
    assert [run["taskId"] for run in seen[-1]["taskRunList"]] == ["wait", "after"]
    positions = [int(one["event"]) for one in seen[:-1]]
    assert positions == sorted(set(positions))


@pytest.mark.parametrize("what", ["executions", "logs"])
async def test_follow_ends_when_the_server_stops(server: LiveServer, wire: httpx.AsyncClient, what: str) -> None:
    await server.flow(PAUSED)
    started = await server.start("paused")
    await server.until(started["id"], "PAUSED")
    async with asyncio.timeout(PATIENCE), stream(wire, f"{API}/{what}/{started['id']}/follow") as frames:
        await anext(frames)
        server.core.followers.leave()
        assert [frame async for frame in frames if frame.get("id") == "end"] == []


async def test_follow_of_an_ended_execution_shows_it_once(server: LiveServer, wire: httpx.AsyncClient) -> None:
    await server.flow(HELLO)
    ended = await server.run("hello")
    frames = await collect(wire, f"{API}/executions/{ended['id']}/follow")
    assert [bool(frame["data"]) for frame in frames] == [False, True]


async def test_follow_resumed_after_the_end_is_told_that_nothing_comes(
    server: LiveServer, wire: httpx.AsyncClient
) -> None:
    await server.flow(HELLO)
    ended = await server.run("hello")
    answer = await wire.get(f"{API}/executions/{ended['id']}/follow", headers={"Last-Event-ID": "end"})
    assert answer.status_code == 204


async def test_follow_resumed_leaves_out_what_was_seen(server: LiveServer, wire: httpx.AsyncClient) -> None:
    await server.flow(PAUSED)
    started = await server.start("paused")
    await server.until(started["id"], "PAUSED")
    path = f"{API}/executions/{started['id']}/follow"
    async with stream(wire, path) as frames:
        await anext(frames)
        first = await anext(frames)
    async with stream(wire, path, headers={"Last-Event-ID": first["id"]}) as frames:
        await anext(frames)
        kept_alive = await anext(frames)
        assert kept_alive == {"": "still here"}
        await server.client.delete(f"{API}/executions/{started['id']}/kill")
        states = [json.loads(one["data"])["state"]["current"] async for one in frames if one.get("data")]
    assert states[-1] == "KILLED"


async def test_follow_of_an_unknown_execution_is_not_found(wire: httpx.AsyncClient) -> None:
    answer = await wire.get(f"{API}/executions/unknown/follow")
    assert answer.status_code == 404
    assert answer.json()["code"] == "NOT_FOUND"


async def test_follower_that_leaves_is_forgotten(server: LiveServer, wire: httpx.AsyncClient) -> None:
    await server.flow(SLEEPY)
    started = await server.start("sleepy")
    async with stream(wire, f"{API}/executions/{started['id']}/follow") as frames:
        await anext(frames)
        await anext(frames)
        assert server.core.followers.count == 1
    await eventually(lambda: not server.core.followers.count)
    await server.client.delete(f"{API}/executions/{started['id']}/kill")
    await server.until(started["id"], "KILLED")


async def test_log_follow_shows_earlier_and_later_lines_until_the_end(
    server: LiveServer, wire: httpx.AsyncClient
) -> None:
    """API-024."""
    await server.flow(
        "id: talk\nnamespace: team\ntasks:\n"
        "  - {id: one, type: io.kestra.plugin.core.log.Log, message: first}\n"
        "  - {id: wait, type: io.kestra.plugin.core.flow.Pause}\n"
        "  - {id: two, type: io.kestra.plugin.core.log.Log, message: [second, third], level: WARN}\n"
    )
    started = await server.start("talk")
    await server.until(started["id"], "PAUSED")
    messages: list[str] = []
    async with stream(wire, f"{API}/logs/{started['id']}/follow") as frames:
        assert await anext(frames) == {"data": ""}
        async for frame in frames:
            if frame.get("data"):
                messages.append(json.loads(frame["data"])["message"])
                last = frame.get("id", "")
            if messages == ["first"]:
                await server.client.post(f"{API}/executions/{started['id']}/resume")
    assert messages == ["first", "second", "third"]
    await server.until(started["id"], "SUCCESS")
    warnings = await collect(wire, f"{API}/logs/{started['id']}/follow", params={"minLevel": "WARN"})
    assert [json.loads(one["data"])["message"] for one in warnings if one["data"]] == ["second", "third"]
    rest = await collect(wire, f"{API}/logs/{started['id']}/follow", headers={"Last-Event-ID": last})
    assert [one for one in rest if one["data"]] == []


async def test_log_follow_with_an_unknown_level_is_refused(server: LiveServer, wire: httpx.AsyncClient) -> None:
    await server.flow(HELLO)
    ended = await server.run("hello")
    answer = await wire.get(f"{API}/logs/{ended['id']}/follow", params={"minLevel": "LOUD"})
    assert answer.status_code == 422
    assert "ERROR" in answer.json()["hint"]


async def test_execution_started_with_a_chunked_body_reads_it(server: LiveServer, wire: httpx.AsyncClient) -> None:
    """ENG-122."""
    await server.flow(GREETING)

    async def body() -> AsyncIterator[bytes]:
        yield b'--edge\r\nContent-Disposition: form-data; name="name"\r\n\r\nChu'
        yield b"nk\r\n--edge--\r\n"

    headers = {"Content-Type": "multipart/form-data; boundary=edge"}
    path = f"{API}/executions/team/greeting"
    answer = await wire.post(path, params={"wait": "true"}, content=body(), headers=headers)
    assert answer.json()["outputs"] == {"greeting": "Hello Chunk"}


async def test_head_tells_what_get_would_and_starts_nothing(server: LiveServer, wire: httpx.AsyncClient) -> None:
    """API-001: monitors ask so, and an answer without an end keeps nobody waiting."""
    await server.flow(PAUSED)
    execution = await server.start("paused")
    for path in ("/health", "/api/v1/main/flows/team/paused", f"{API}/executions/{execution['id']}/follow"):
        async with asyncio.timeout(PATIENCE):
            answer = await wire.head(path)
        assert (answer.status_code, answer.content) == (200, b""), path
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert (await wire.head("/api/v1/main/flows/team/missing")).status_code == 404
    await server.flow(HOOKED)
    hook = "/api/v1/main/executions/webhook/team/hooked/abc123"
    assert (await wire.head(hook)).status_code == 405
    assert (await wire.get(f"{API}/executions/search?flowId=hooked")).json()["total"] == 0
    assert (await wire.get(hook)).status_code == 200
