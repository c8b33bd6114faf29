"""`python -m bench.memory`: whether a server's memory grows with what it has executed.

Runs real executions through one server, `--executions` of them (1,000,000 by default), and prints every `--every` of
them its memory (its own, and with the files that it sees through its memory, the database above all), its processor
time and the size of its data. `--keep` is how long executions are kept after their end: `PT5M` has them removed
meanwhile. Fails when its own memory has grown by more than `--growth` MB after the first tenth.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import httpx

from bench.load import put_flows, submitted
from bench.options import whole
from bench.postgres import postgres
from bench.server import USER, Server

ENDED_WITHIN = 120.0


def size_of(folder: Path) -> float:
    """Return the megabytes of the files in a folder."""
    return sum(one.stat().st_size for one in folder.rglob("*") if one.is_file()) / 1024**2


async def none_open(client: httpx.AsyncClient) -> None:
    """Wait until no execution is under way."""
    deadline = time.perf_counter() + ENDED_WITHIN
    query = {"size": "1", "filters[state][IN]": "CREATED,QUEUED,RUNNING"}
    while (left := (await client.get("/api/v1/main/executions/search", params=query)).json()["total"]) > 0:
        if time.perf_counter() > deadline:
            raise SystemExit(f"{left} executions have not ended")
        await asyncio.sleep(0.2)


async def run(server: Server, folder: Path, count: int, every: int, flow_id: str) -> list[tuple[int, float]]:
    """Execute, and print a line every so many; returns how many were executed and its own memory then, line by line."""
    await server.start()
    found: list[tuple[int, float]] = []
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}", auth=USER, timeout=120) as client:
        await put_flows(client)
        print(f"idle: {server.own_memory():.1f} MB of {server.memory():.1f}")
        done = 0
        while done < count:
            part = min(every, count - done)
            began, cpu = time.perf_counter(), server.cpu()
            await submitted([server.port], flow_id, part)
            await none_open(client)
            done += part
            seconds, used = time.perf_counter() - began, server.cpu() - cpu
            memory = server.own_memory()
            found.append((done, memory))
            print(
                f"{done:>11,} executions  {memory:6.1f} MB of {server.memory():6.1f}  {part / seconds * 60:9,.0f}/min"
                f"  {used / part * 1000:5.2f} CPU ms each  data {size_of(folder / 'data'):8,.0f} MB",
                flush=True,
            )
    return found


def growth(found: list[tuple[int, float]]) -> float:
    """Return the MB that memory grew by after the first tenth of the executions."""
    first = next(memory for done, memory in found if done * 10 >= found[-1][0])
    return found[-1][1] - first


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--executions", type=whole, default=1_000_000)
    parser.add_argument("--every", type=whole, default=20_000, help="executions between the lines")
    parser.add_argument("--flow", choices=["simple", "complex"], default="simple")
    parser.add_argument("--keep", default="PT5M", help="how long executions are kept after their end; `forever`")
    parser.add_argument("--growth", type=float, default=50.0, help="MB that memory may grow by after the first tenth")
    parser.add_argument("--postgresql", action="store_true", help="on PostgreSQL, which is started for it")
    given = parser.parse_args()
    keep = f"executions: {given.keep}, logs: {given.keep}, initial-delay: PT1M, fixed-delay: PT1M"
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="penstock-bench-")))
        url = stack.enter_context(postgres(None)) if given.postgresql else None
        server = Server(folder, url, settings=f"  retention: {{{keep}}}")
        stack.callback(server.stop)
        found = asyncio.run(run(server, folder, given.executions, given.every, given.flow))
    more = growth(found)
    print(f"its own memory grew by {more:.1f} MB after the first tenth")
    if more > given.growth:
        raise SystemExit(f"more than {given.growth:g} MB")


if __name__ == "__main__":
    main()
