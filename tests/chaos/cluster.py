"""Several servers on one database: each with every role, each with its own way to the database that can be cut."""

from __future__ import annotations

import random
import re
import signal
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Any

import httpx
import psycopg

from penstock.ports.journal import PARTITIONS
from tests.acceptance.server import Server, on_postgres, wait_until
from tests.chaos.databases import ReplicatedDatabase
from tests.chaos.proxy import Proxy
from tests.support.postgres import USER
from tests.support.waiting import PATIENCE

LIVENESS = {"liveness": {"timeout": "4s", "heartbeat-interval": "1s"}}
"""A dead worker's jobs are given to others soon, so that a test need not wait for the default of 45 seconds."""
AWAY = 13.0
"""Seconds for which a server is frozen or cut off: more than a lease of partitions, and than a worker may be silent."""

"""Seconds within which partitions are shared out anew: a lease, and the time until all have looked."""

MOMENT = 1.0
"""Seconds that a script may take from the worker's decision to begin it to its first command."""


@dataclass
class Member:
    """One server of the cluster."""

    server: Server
    proxy: Proxy
    pids: set[int] = field(default_factory=set)
    thawed: list[float] = field(default_factory=list)
    """When it went on after it had been frozen, by the clock."""

    def start(self) -> None:
        """Start its process."""
        self.server.start()
        assert self.server.process is not None
        self.pids.add(self.server.process.pid)

    def decided(self) -> float:
        """Return how many executions its executor has brought to an end since its start."""
        text = httpx.get(f"http://127.0.0.1:{self.server.management}/prometheus", timeout=PATIENCE).text
        lines = [line for line in text.splitlines() if line.startswith("kestra_executor_execution_end_count_total")]
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines)

    def signal(self, number: signal.Signals) -> None:
        """Send its process a signal."""
        assert self.server.process is not None
        self.server.process.send_signal(number)

    def was_thawing(self, at: float) -> bool:
        """Return whether it had been frozen until a moment before: what it was about to begin then begins now."""
        return any(0 <= at - moment <= MOMENT for moment in self.thawed)


class Cluster:
    """Servers and their database.

    Args:
        folder: Where everything lies.
        size: How many servers.
    """

    def __init__(self, folder: Path, size: int = 3) -> None:
        self.database = ReplicatedDatabase(folder / "postgres")
        self.database.start()
        self.members = [self._member(folder, number) for number in range(size)]

    def _member(self, folder: Path, number: int) -> Member:
        proxy = Proxy(self.database.port)
        own = folder / f"server{number}"
        own.mkdir()
        dsn = f"postgresql://{USER}@127.0.0.1:{proxy.port}/postgres"
        settings = on_postgres(dsn, folder / "storage")
        settings["kestra"]["server"] = LIVENESS
        return Member(Server(own, "standalone", settings), proxy)

    def start(self) -> None:
        """Start all servers, one after the other."""
        for member in self.members:
            member.start()

    def close(self) -> None:
        """End everything."""
        for member in self.members:
            with suppress(ProcessLookupError, AssertionError):
                member.signal(signal.SIGCONT)
            member.proxy.heal()
            if member.server.process is not None:
                member.server.process.kill()
                member.server.process.wait()
            member.server.client.close()
            member.proxy.close()
        self.database.close()

    # -- looking

    @property
    def first(self) -> Server:
        """A server to ask."""
        return self.members[0].server

    def shares(self) -> dict[str, int]:
        """Return how many partitions each executor holds."""
        return dict(self.query("SELECT owner, count(*) FROM partitions WHERE owner IS NOT NULL GROUP BY owner"))

    def share_out(self, executors: int) -> None:
        """Wait until so many executors hold all partitions, each its share."""
        most = -(-PARTITIONS // executors)

        def is_done() -> bool | None:
            shares = self.shares()
            return (
                len(shares) == executors and sum(shares.values()) == PARTITIONS and max(shares.values()) <= most
            ) or None

        wait_until(is_done, PATIENCE, lambda: f"the partitions are held by {self.shares()}")

    def deciding(self) -> Member:
        """Return the server whose executor counts limits, beside its share of the rest."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            rows = self.query('SELECT owner FROM partitions WHERE "partition" = 64 AND owner IS NOT NULL')
            for member in self.members:
                if rows and re.search(rf"partitions held.*{re.escape(rows[0][0])}", member.server.log()):
                    return member
            time.sleep(0.2)
        raise AssertionError("no server counts limits")

    def query(self, statement: str) -> list[Any]:
        """Ask the database, past all proxies."""
        with psycopg.connect(self.database.dsn, autocommit=True) as connection:
            return connection.execute(statement.encode()).fetchall()

    def counts(self) -> Mapping[str, int]:
        """Return how much is left to do."""
        tables = {"executions": " WHERE live", "jobs": "", "timers": "", "messages": ""}
        return {name: int(self.query(f"SELECT count(*) FROM {name}{only}")[0][0]) for name, only in tables.items()}

    # -- breaking

    def kill(self, member: Member) -> None:
        """End a server without a chance to clean up, and start it again."""
        member.server.kill()
        time.sleep(1)
        member.start()

    def freeze(self, member: Member) -> None:
        """Have a server stand still, until others have taken its work; then it goes on as if nothing had been."""
        member.signal(signal.SIGSTOP)
        time.sleep(AWAY)
        member.thawed.append(time.time())
        member.signal(signal.SIGCONT)

    def cut_off(self, member: Member) -> None:
        """Cut a server from the database, until others have taken its work."""
        member.proxy.cut()
        time.sleep(AWAY)
        member.proxy.heal()

    def restart_database(self) -> None:
        """Restart the database; all connections break."""
        self.database.restart()

    def fail_over(self) -> None:
        """Lose the database; a standby takes its place."""
        self.database.fail_over()
        for member in self.members:
            member.proxy.lead_to(self.database.port)


class Load:
    """Executes flows through servers until it is stopped; only what was acknowledged counts."""

    def __init__(self, servers: Sequence[Server], flows: list[str], pause: float) -> None:
        self._servers = servers
        self._flows = flows
        self._pause = pause
        self._stop = Event()
        self._threads = [Thread(target=self._run, args=(number,), daemon=True) for number in range(2)]
        self.acknowledged: dict[str, str] = {}
        """The flow of each execution by id."""
        self.refused = 0

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self, number: int) -> None:
        chance = random.Random(number)
        while not self._stop.wait(self._pause):
            server, flow = chance.choice(self._servers), chance.choice(self._flows)
            try:
                path = f"/api/v1/main/executions/company.team/{flow}"
                answer = server.request("POST", path, timeout=5)
            except (httpx.HTTPError, RuntimeError):  # RuntimeError: its client was closed by a restart
                self.refused += 1
                continue
            if answer.status_code == 200:
                self.acknowledged[str(answer.json()["id"])] = flow
            else:
                self.refused += 1
