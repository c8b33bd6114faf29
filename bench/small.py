"""`python -m bench.small`: a flood of executions on a server with little memory; other flows go on being served.

Prints, every few seconds, how many executions were submitted, what memory the server has, and how long an execution of
another flow takes meanwhile. With `--cgroup` the server is put into a control group that was given a limit before:

    mkdir /sys/fs/cgroup/memory/small
    echo 256M > /sys/fs/cgroup/memory/small/memory.limit_in_bytes
    python -m bench.small --cgroup /sys/fs/cgroup/memory/small
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

import httpx

from bench.client import flood, prepared
from bench.server import USER, Server

FLOOD = Path(__file__).parent / "flows" / "simple.yaml"
OTHER = """
id: other
namespace: bench
tasks:
  - {id: one, type: io.kestra.plugin.core.debug.Return, format: x}
  - {id: two, type: io.kestra.plugin.core.log.Log, message: y}
"""
EVERY = 10.0


async def watch(client: httpx.AsyncClient, server: Server, done: asyncio.Event) -> tuple[float, list[float]]:
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
            await asyncio.wait_for(done.wait(), EVERY)
        except TimeoutError:
            continue
    return most, latencies


async def run(count: int, cgroup: Path | None, connections: int) -> None:
    """Start a server, flood it, and say how it went."""
    with tempfile.TemporaryDirectory(prefix="penstock-bench-") as folder:
        server = Server(Path(folder))
        try:
            await server.start()
            if cgroup is not None:
                (cgroup / "cgroup.procs").write_text(str(server.pid))
            address = f"http://127.0.0.1:{server.port}"
            async with httpx.AsyncClient(base_url=address, auth=USER, timeout=120) as client:
                for source in (FLOOD.read_text(), OTHER):
                    yaml = {"Content-Type": "application/x-yaml"}
                    (await client.post("/api/v1/main/flows", content=source, headers=yaml)).raise_for_status()
                print(f"idle: {server.memory():.0f} MB")
                path = "/api/v1/main/executions/bench/simple"
                request = prepared("POST", path, f"127.0.0.1:{server.port}", credentials=USER)
                done = asyncio.Event()
                watching = asyncio.create_task(watch(client, server, done))
                seconds, _, failures = await flood(server.port, request, count, connections)
                done.set()
                most, latencies = await watching
            print(
                f"{count:,} submitted in {seconds:.0f} s, {failures} refused; at most {most:.0f} MB;"
                f" the other flow took {max(latencies) * 1000:.0f} ms at most"
            )
        finally:
            server.stop()


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--executions", type=int, default=100_000)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--cgroup", type=Path)
    given = parser.parse_args()
    asyncio.run(run(given.executions, given.cgroup, given.connections))


if __name__ == "__main__":
    main()
