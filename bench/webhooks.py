"""`python -m bench.webhooks`: whether webhooks that come at an even rate are answered at once, time and again.

Requests leave by the clock, each on a connection of its own as senders of webhooks do, whether or not earlier ones were
answered: a server that falls behind shows it in the latencies. They count from when a request was due.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path

import httpx

from bench.client import flood, prepared
from bench.options import whole
from bench.server import USER, Server

FLOW = Path(__file__).parent / "flows" / "simple.yaml"
AIM = 20.0
"""Milliseconds, for 99 of 100 requests."""


async def sustained(port: int, request: bytes, per_minute: int, seconds: int) -> tuple[list[float], int]:
    """Send requests at an even rate; returns the latencies in milliseconds, in order, and how many were refused."""
    latencies: list[float] = []
    refused = 0

    async def one(due: float) -> None:
        nonlocal refused
        _, _, failures = await flood(port, request, 1, 1)
        latencies.append((time.perf_counter() - due) * 1000)
        refused += failures

    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(per_minute * seconds // 60):
            due = began + number * 60 / per_minute
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            group.create_task(one(due))
    return sorted(latencies), refused


async def run(per_minute: int, seconds: int) -> None:
    """Start a server, send webhooks, and say how they were answered."""
    with tempfile.TemporaryDirectory(prefix="penstock-bench-") as folder:
        server = Server(Path(folder))
        try:
            await server.start()
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}", auth=USER, timeout=60) as client:
                yaml = {"Content-Type": "application/x-yaml"}
                (await client.post("/api/v1/main/flows", content=FLOW.read_bytes(), headers=yaml)).raise_for_status()
                path = "/api/v1/main/executions/webhook/bench/simple/benchmark"
                request = prepared("POST", path, f"127.0.0.1:{server.port}", b'{"order": 7}', "application/json")
                await flood(server.port, request, 200, 4)  # what comes first pays for what is made once
                cpu = server.cpu()
                latencies, refused = await sustained(server.port, request, per_minute, seconds)
                busy = (server.cpu() - cpu) / seconds * 100
        finally:
            server.stop()
    p99 = latencies[int(len(latencies) * 0.99)]
    print(
        f"{len(latencies):,} webhooks at {per_minute:,} a minute, {refused} refused, {busy:.0f} % of a core;"
        f" median {statistics.median(latencies):.1f} ms, p99 {p99:.1f} ms, at most {latencies[-1]:.1f} ms"
        f"{'' if p99 < AIM and not refused else '   not good enough'}"
    )


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--per-minute", type=whole, default=2000)
    parser.add_argument("--seconds", type=whole, default=60)
    given = parser.parse_args()
    asyncio.run(run(given.per_minute, given.seconds))


if __name__ == "__main__":
    main()
