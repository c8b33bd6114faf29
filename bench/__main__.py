"""`python -m bench`: Penstock through its REST API, beside a floor, in one run on one machine.

The load client shares the cores with the server. Figures of a shared machine drift: read the ratios.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import statistics
import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from bench.client import flood, prepared
from bench.floor import postgres_floor, sqlite_floor
from bench.load import put_flows, throughput
from bench.options import positive
from bench.server import USER, Server


async def idle_latency(port: int, count: int) -> dict[str, float]:
    """Return milliseconds from request to the ended execution, one at a time on an idle server."""
    path = "/api/v1/main/executions/bench/simple?wait=true"
    request = prepared("POST", path, f"127.0.0.1:{port}", credentials=USER)
    _, latencies, failures = await flood(port, request, count, 1)
    if failures:
        raise SystemExit(f"{failures} of {count} requests were refused")
    ordered = sorted(latencies)
    return {"median_ms": statistics.median(ordered) * 1000, "p99_ms": ordered[int(len(ordered) * 0.99)] * 1000}


async def loop_seconds(client: httpx.AsyncClient, values: int) -> float:
    """Return seconds that one execution of a loop takes, from its own history."""
    answer = await client.post(f"/api/v1/main/executions/bench/loop{values}", params={"wait": "true"}, timeout=600)
    answer.raise_for_status()
    execution = answer.json()
    if execution["state"]["current"] != "SUCCESS":
        raise SystemExit(f"loop of {values} ended {execution['state']['current']}")
    history = execution["state"]["histories"]
    first, last = history[0]["date"], history[-1]["date"]
    return (datetime.fromisoformat(last) - datetime.fromisoformat(first)).total_seconds()


async def measure(name: str, postgres: str | None, scale: float) -> dict[str, Any]:
    """Measure one database."""
    result: dict[str, Any] = {"database": name}
    with tempfile.TemporaryDirectory(prefix="penstock-bench-") as folder:
        path = Path(folder)
        floor = postgres_floor(postgres) if postgres else sqlite_floor(path)
        server = Server(path, postgres)
        try:
            result["cold_start_s"] = await server.start()
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}", auth=USER, timeout=120) as client:
                await put_flows(client)
                await asyncio.sleep(2)
                result["idle_memory_mb"] = server.memory()
                cpu = server.cpu()
                await asyncio.sleep(5)
                result["idle_cpu_percent"] = (server.cpu() - cpu) / 5 * 100
                result["idle_latency"] = await idle_latency(server.port, int(300 * scale) or 50)
                warm = int(1000 * scale) or 1
                done = int(300 * scale) or 50
                await throughput(client, [server.port], "simple", warm, done)
                count = int(20_000 * scale) or 1
                result["benchmark_1"] = await throughput(client, [server.port], "simple", count, done + warm)
                result["benchmark_2"] = await throughput(client, [server.port], "complex", int(6_000 * scale) or 1, 0)
                for values in (100, 1000, 10_000):
                    result[f"loop_{values}_s"] = await loop_seconds(client, values)
                result["memory_after_mb"] = server.memory()
        finally:
            server.stop()
        again = postgres_floor(postgres) if postgres else sqlite_floor(path)
        result["floor_executions_per_minute"] = (floor + again) / 2
    result["benchmark_1"]["ratio_to_floor"] = (
        result["benchmark_1"]["executions_per_minute"] / result["floor_executions_per_minute"]
    )
    return result


Show = Callable[[dict[str, Any]], str]


def table(results: list[dict[str, Any]]) -> str:
    """Return the figures as a table, one column per database."""
    rows: list[tuple[str, Show]] = [
        ("floor: plain durable commits, executions/min", lambda r: f"{r['floor_executions_per_minute']:,.0f}"),
        ("benchmark 1 (2 tasks), executions/min", lambda r: f"{r['benchmark_1']['executions_per_minute']:,.0f}"),
        ("  ratio to the floor", lambda r: f"{r['benchmark_1']['ratio_to_floor']:.2f}"),
        ("benchmark 2 (10 task runs), executions/min", lambda r: f"{r['benchmark_2']['executions_per_minute']:,.0f}"),
        ("idle latency of 2 tasks, median ms", lambda r: f"{r['idle_latency']['median_ms']:.1f}"),
        ("idle latency of 2 tasks, p99 ms", lambda r: f"{r['idle_latency']['p99_ms']:.1f}"),
        ("loop of 100 values, s", lambda r: f"{r['loop_100_s']:.3f}"),
        ("loop of 1,000 values, s", lambda r: f"{r['loop_1000_s']:.3f}"),
        ("loop of 10,000 values, s", lambda r: f"{r['loop_10000_s']:.3f}"),
        ("  per value at 100 / 10,000, ms", lambda r: f"{r['loop_100_s'] * 10:.2f} / {r['loop_10000_s'] / 10:.2f}"),
        ("cold start, s", lambda r: f"{r['cold_start_s']:.2f}"),
        ("idle memory, MB", lambda r: f"{r['idle_memory_mb']:.0f}"),
        ("memory after all, MB", lambda r: f"{r['memory_after_mb']:.0f}"),
        ("idle processor use, % of a core", lambda r: f"{r['idle_cpu_percent']:.1f}"),
    ]
    lines = [f"{'':48}" + "".join(f"{result['database']:>16}" for result in results)]
    lines += [f"{label:48}" + "".join(f"{show(result):>16}" for result in results) for label, show in rows]
    return "\n".join(lines)


async def _main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--postgres", help="URL of an empty PostgreSQL database; without it one is started if possible")
    parser.add_argument("--only", choices=["sqlite", "postgresql"], help="measure one database only")
    parser.add_argument(
        "--scale", type=positive, default=1.0, help="share of the usual numbers, such as 0.1 for a quick look"
    )
    parser.add_argument("--save", help="name of the release to keep the results under, in bench/results/")
    parser.add_argument("--json", type=Path, help="file to write the figures to")
    options = parser.parse_args()
    results = []
    if options.only != "postgresql":
        results.append(await measure("SQLite", None, options.scale))
    if options.only != "sqlite":
        from bench.postgres import postgres

        with postgres(options.postgres) as url:
            if url is not None:
                results.append(await measure("PostgreSQL", url, options.scale))
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, load client included")
    print(table(results))
    kept = Path(__file__).parent / "results" / f"{options.save}.json" if options.save else None
    for target in filter(None, (kept, options.json)):
        target.parent.mkdir(exist_ok=True)
        target.write_text(json.dumps(results, indent=2) + "\n")


asyncio.run(_main())
