"""`python -m bench.scale`: what one, two and three servers do on one PostgreSQL.

Each number of servers gets an empty database. The servers are processes with all parts, as on machines of their own;
here they share the cores with each other, the database and the load client, so that what more servers bring shows on
a machine with cores for them, and elsewhere what their sharing of the work costs: the processor time an execution
takes, of all servers together.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import httpx
import psycopg
from sqlalchemy import make_url

from bench.load import put_flows, throughput
from bench.options import whole
from bench.postgres import postgres
from bench.server import USER, Server
from penstock.store.postgres import conninfo

SETTLE = 12.0
"""Seconds until the servers have shared the partitions out."""


def fresh(url: str) -> str:
    """Create an empty database beside the one of the address; returns its address."""
    name = f"bench_{uuid4().hex[:12]}"
    with psycopg.connect(conninfo(url), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def commits(url: str) -> int:
    """Return how many transactions a database has committed."""
    with psycopg.connect(conninfo(url)) as connection:
        found = connection.execute(
            "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"
        ).fetchone()
    assert found is not None
    return int(found[0])


async def measure(url: str, number: int, count: int, flow_id: str) -> dict[str, float]:
    """Return what so many servers do."""
    with ExitStack() as stack:
        servers = []
        for _ in range(number):
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="penstock-bench-")))
            server = Server(folder, url)
            stack.callback(server.stop)
            await server.start()
            servers.append(server)
        ports = [server.port for server in servers]
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{ports[0]}", auth=USER, timeout=120) as client:
            await put_flows(client)
            await asyncio.sleep(SETTLE)
            warm = max(100, count // 20)
            await throughput(client, ports, flow_id, warm, 0)
            cpu, committed = sum(server.cpu() for server in servers), commits(url)
            found = await throughput(client, ports, flow_id, count, warm)
            found["cpu_ms"] = (sum(server.cpu() for server in servers) - cpu) / count * 1000
            found["commits"] = (commits(url) - committed) / count
            return found


async def run(url: str, numbers: Sequence[int], count: int, flow_id: str) -> None:
    """Measure and print each number of servers, beside the first."""
    print(f"{os.cpu_count()} cores, {count:,} executions of `{flow_id}` each")
    heads = ("servers", "executions/min", "ratio", "request ms", "CPU ms each", "commits each")
    print(" ".join(f"{head:>14}" for head in heads))
    first = 0.0
    for number in numbers:
        found = await measure(fresh(url), number, count, flow_id)
        rate = found["executions_per_minute"]
        first = first or rate
        print(
            f"{number:>14} {rate:>14,.0f} {rate / first:>14.2f} {found['request_p50_ms']:>14.1f}"
            f" {found['cpu_ms']:>14.2f} {found['commits']:>14.3f}",
            flush=True,
        )


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--servers", type=whole, nargs="+", default=[1, 2, 3], help="how many, one after another")
    parser.add_argument("--executions", type=whole, default=10_000)
    parser.add_argument("--flow", choices=["simple", "complex"], default="simple")
    parser.add_argument("--postgres", help="URL of a PostgreSQL whose user may create databases; else one is started")
    given = parser.parse_args()
    with postgres(given.postgres) as url:
        if url is not None:
            asyncio.run(run(url, given.servers, given.executions, given.flow))


if __name__ == "__main__":
    main()
