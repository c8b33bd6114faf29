"""`python -m bench.flat`: what a task run costs in small and in large executions; a ratio near 1 means that it is flat.

Each case runs through the REST API of a server of its own, at two sizes. The time is that between creation and end in
the execution's own history, or from the first request until the last execution has ended.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from bench.server import USER, Server

LOG = "type: io.kestra.plugin.core.log.Log, message: x"


def many(count: int) -> str:
    """Return tasks in a row."""
    return "tasks:\n" + "".join(f"  - {{id: t{number}, {LOG}}}\n" for number in range(count))


def loop(count: int) -> str:
    """Return a loop."""
    values = f"{{{{ range(1, {count}) }}}}"
    return (
        f'tasks:\n  - id: each\n    type: io.kestra.plugin.core.flow.ForEach\n    values: "{values}"\n'
        f"    concurrencyLimit: 16\n    tasks:\n      - {{id: say, {LOG}}}\n"
    )


def skipping(count: int) -> str:
    """Return a loop of which nearly every task is skipped."""
    skipped = f"{{id: say, {LOG}, runIf: '{{{{ taskrun.iteration < 2 }}}}'}}"
    return loop(count).replace("concurrencyLimit: 16", "concurrencyLimit: 0").replace(f"{{id: say, {LOG}}}", skipped)


def nested(count: int) -> str:
    """Return tasks nested so deep, in YAML's flow style, since indentation would make the text quadratic."""
    before = "".join(
        f"{{id: s{number}, type: io.kestra.plugin.core.flow.Sequential, tasks: [" for number in range(count)
    )
    return f"tasks: [{before}{{id: say, {LOG}}}{']}' * count}]\n"


def batches(count: int) -> str:
    """Return a file of rows, each a batch."""
    return (
        'tasks:\n  - {id: rows, type: io.kestra.plugin.core.storage.Write, content: "{{ range(1, '
        f"{count}) | join('\\n') }}}}\"}}\n"
        "  - id: each\n    type: io.kestra.plugin.core.flow.ForEachItem\n    items: '{{ outputs.rows.uri }}'\n"
        "    batch: {rows: 1}\n    namespace: bench\n    flowId: child\n"
    )


@dataclass(frozen=True, slots=True)
class Case:
    """One thing that must cost the same however much of it there is."""

    name: str
    small: int
    large: int
    source: Callable[[int], str] | None
    """The flow of a size; None for many executions of one flow with a limit."""


CASES = (
    Case("tasks in a row", 500, 5_000, many),
    Case("values of a loop", 1_000, 10_000, loop),
    Case("skipped tasks of a loop", 1_000, 10_000, skipping),
    Case("nested tasks", 10, 100, nested),
    Case("executions with limit 10", 100, 1_000, None),
    Case("batches of ForEachItem", 1_000, 10_000, batches),
)


async def _put(client: httpx.AsyncClient, flow_id: str, source: str) -> None:
    answer = await client.post("/api/v1/main/flows", content=f"id: {flow_id}\nnamespace: bench\n{source}".encode())
    answer.raise_for_status()


async def one_execution(client: httpx.AsyncClient, flow_id: str, source: str) -> float:
    """Return seconds that one execution takes."""
    await _put(client, flow_id, source)
    answer = await client.post(f"/api/v1/main/executions/bench/{flow_id}", params={"wait": "true"})
    answer.raise_for_status()
    execution: dict[str, Any] = answer.json()
    if execution["state"]["current"] != "SUCCESS":
        raise SystemExit(f"{flow_id} ended {execution['state']['current']}")
    history = execution["state"]["histories"]
    first, last = history[0]["date"], history[-1]["date"]
    return (datetime.fromisoformat(last) - datetime.fromisoformat(first)).total_seconds()


async def limited(client: httpx.AsyncClient, flow_id: str, size: int) -> float:
    """Return seconds that so many executions of one flow take of which ten may run at a time."""
    await _put(client, flow_id, "concurrency: {limit: 10}\n" + many(1))
    path = f"/api/v1/main/executions/bench/{flow_id}"
    begin = time.perf_counter()
    for first in range(0, size, 50):
        await asyncio.gather(*(client.post(path) for _ in range(first, min(first + 50, size))))
    query = {"filters[flowId][EQUALS]": flow_id, "filters[state][EQUALS]": "SUCCESS", "size": "1"}
    while True:
        if (await client.get("/api/v1/main/executions/search", params=query)).json()["total"] >= size:
            break
        await asyncio.sleep(0.05)
    return time.perf_counter() - begin


async def measure(client: httpx.AsyncClient, case: Case) -> None:
    """Print what one task run costs at both sizes; the first run of a case only warms the caches."""
    each = []
    for number, size in enumerate((case.small, case.small, case.large)):
        flow_id = f"{case.name.replace(' ', '-')}-{number}"
        if case.source is None:
            seconds = await limited(client, flow_id, size)
        else:
            seconds = await one_execution(client, flow_id, case.source(size))
        each.append(seconds / size * 1e6)
    _, small, large = each
    print(f"{case.name:28} {case.small:7} {small:9.0f} {case.large:7} {large:9.0f} {large / small:7.2f}", flush=True)


async def main() -> None:
    """Measure the cases that are asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench.flat", description=__doc__)
    parser.add_argument("--only", default="", help="part of the name of the cases to run")
    only = parser.parse_args().only
    if not any(only in case.name for case in CASES):
        parser.error(f"no case is named `{only}`; there are {', '.join(case.name for case in CASES)}")
    print(f"{'':28} {'size':>7} {'us each':>9} {'size':>7} {'us each':>9} {'ratio':>7}")
    with tempfile.TemporaryDirectory(prefix="penstock-bench-") as folder:
        server = Server(Path(folder))
        try:
            await server.start()
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}", auth=USER, timeout=900) as client:
                client.headers["Content-Type"] = "application/x-yaml"
                await _put(client, "child", many(1))
                for case in CASES:
                    if only in case.name:
                        await measure(client, case)
        finally:
            server.stop()


if __name__ == "__main__":
    asyncio.run(main())
