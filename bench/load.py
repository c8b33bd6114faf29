"""What measurements have in common: the flows they run, a load of executions, and the wait for the end of them all."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

import httpx

from bench.client import flood, prepared

FLOWS = Path(__file__).parent / "flows"
CONNECTIONS = 64


async def put_flows(client: httpx.AsyncClient) -> None:
    """Create the flows that are measured."""
    for flow in sorted(FLOWS.glob("*.yaml")):
        headers = {"Content-Type": "application/x-yaml"}
        (await client.post("/api/v1/main/flows", content=flow.read_bytes(), headers=headers)).raise_for_status()


async def ended(client: httpx.AsyncClient, flow_id: str, count: int) -> None:
    """Wait until so many executions of a flow have ended, asking rarely."""
    query = {
        "filters[namespace][EQUALS]": "bench",
        "filters[flowId][EQUALS]": flow_id,
        "filters[state][IN]": "SUCCESS,WARNING,FAILED,KILLED",
        "size": "1",
    }
    while True:
        answer = (await client.get("/api/v1/main/executions/search", params=query)).json()
        if answer["total"] >= count:
            return
        await asyncio.sleep(0.1)


async def submitted(ports: Sequence[int], flow_id: str, count: int) -> list[float]:
    """Start executions by webhook, spread evenly over servers; returns the seconds each request took."""

    async def at(port: int, share: int) -> list[float]:
        path = f"/api/v1/main/executions/webhook/bench/{flow_id}/benchmark"
        request = prepared("POST", path, f"127.0.0.1:{port}")
        _, latencies, failures = await flood(port, request, share, CONNECTIONS // len(ports))
        if failures:
            raise SystemExit(f"{failures} of {share} requests were refused")
        return latencies

    each, more = divmod(count, len(ports))
    shares = [each + (number < more) for number in range(len(ports))]
    found = await asyncio.gather(*(at(port, share) for port, share in zip(ports, shares, strict=True)))
    return [one for latencies in found for one in latencies]


async def throughput(
    client: httpx.AsyncClient, ports: Sequence[int], flow_id: str, count: int, before: int
) -> dict[str, float]:
    """Return executions per minute from the first request until the last execution has ended."""
    started = time.perf_counter()
    latencies = await submitted(ports, flow_id, count)
    await ended(client, flow_id, before + count)
    elapsed = time.perf_counter() - started
    return {"executions_per_minute": count / elapsed * 60, "request_p50_ms": statistics.median(latencies) * 1000}
