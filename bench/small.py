"""`python -m bench.small`: a flood of executions on a server with little memory; other flows go on being served.

Prints, every few seconds, how many executions were submitted, what memory the server has, and how long an execution of
another flow takes meanwhile. With `--limit 256` the server lives in a control group of so many MB, as in a container.
Fails when anything was refused, has not ended, or the server was ended for want of memory.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

import httpx

from bench.cgroup import ControlGroup
from bench.client import flood, prepared
from bench.options import whole
from bench.server import USER, Server

FLOOD = Path(__file__).parent / "flows" / "simple.yaml"
OTHER = """
id: other
namespace: bench
tasks:
  - {id: one, type: io.kestra.plugin.core.debug.Return, format: x}
  - {id: two, type: io.kestra.plugin.core.log.Log, message: y}
"""
ENDED_WITHIN = 60.0


async def watch(
    client: httpx.AsyncClient, server: Server, done: asyncio.Event, every: float
) -> tuple[float, list[float]]:
    """Print a line every few seconds until it is done; returns the most memory, and how long the other flow took."""
    began, most, latencies = time.perf_counter(), 0.0, list[float]()
    while not done.is_set():
        asked = time.perf_counter()
        answer = await client.post("/api/v1/main/executions/bench/other", params={"wait": "true"})
        answer.raise_for_status()
        latencies.append(time.perf_counter() - asked)
        counted = await client.get("/api/v1/main/executions/search", params={"size": "1"})
        most = max(most, server.memory())
        print(
            f"{time.perf_counter() - began:6.0f} s  {counted.json()['total']:9,} executions"
            f"  {server.memory():5.0f} MB  other flow {latencies[-1] * 1000:7.0f} ms",
            flush=True,
        )
        try:
            async with asyncio.timeout(every):
                await done.wait()
        except TimeoutError:
            continue
    return most, latencies


async def run(server: Server, count: int, connections: int, every: float) -> str:
    """Flood a server and say how it went; raises SystemExit when it did not go well."""
    await server.start()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}", auth=USER, timeout=120) as client:
        for source in (FLOOD.read_text(), OTHER):
            yaml = {"Content-Type": "application/x-yaml"}
            (await client.post("/api/v1/main/flows", content=source, headers=yaml)).raise_for_status()
        print(f"idle: {server.memory():.0f} MB")
        path = "/api/v1/main/executions/bench/simple"
        request = prepared("POST", path, f"127.0.0.1:{server.port}", credentials=USER)
        done = asyncio.Event()
        watching = asyncio.create_task(watch(client, server, done, every))
        seconds, _, failures = await flood(server.port, request, count, connections)
        done.set()
        most, latencies = await watching
        if failures:
            raise SystemExit(f"{failures} executions were refused")
        await all_ended(client, count)
        return (
            f"{count:,} submitted in {seconds:.0f} s; at most {max(most, server.memory()):.0f} MB;"
            f" the other flow took {max(latencies) * 1000:.0f} ms at most"
        )


async def all_ended(client: httpx.AsyncClient, count: int) -> None:
    """Wait until all executions of the flood have succeeded."""
    deadline = time.perf_counter() + ENDED_WITHIN
    query = {"size": "1", "filters[flowId][EQUALS]": "simple", "filters[state][EQUALS]": "SUCCESS"}
    while True:
        found = (await client.get("/api/v1/main/executions/search", params=query)).json()["total"]
        if found >= count:
            return
        if time.perf_counter() > deadline:
            raise SystemExit(f"{found} of {count} executions have succeeded")
        await asyncio.sleep(0.2)


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--executions", type=whole, default=100_000)
    parser.add_argument("--connections", type=whole, default=64)
    parser.add_argument("--limit", type=int, help="MB of memory that the server may have (takes root)")
    parser.add_argument("--every", type=float, default=10.0, help="seconds between the lines")
    given = parser.parse_args()
    group = ControlGroup(given.limit) if given.limit else None
    try:
        with tempfile.TemporaryDirectory(prefix="penstock-bench-") as folder:
            server = Server(Path(folder), prefix=group.prefix if group else ())
            try:
                print(asyncio.run(run(server, given.executions, given.connections, given.every)))
                if not server.is_alive() or (group is not None and group.ended):
                    raise SystemExit("the server was ended for want of memory")
            finally:
                server.stop()
    finally:
        if group is not None:
            group.remove()


if __name__ == "__main__":
    main()
