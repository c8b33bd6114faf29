"""A server whose database is another machine: that is cut off without a word, and lost to its standby, under load."""

from __future__ import annotations

import os
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.acceptance.server import Server, on_postgres, wait_until
from tests.chaos.cluster import LIVENESS, Load
from tests.chaos.databases import ReplicatedDatabase
from tests.chaos.network import Namespace, reason_against
from tests.support.postgres import USER
from tests.support.waiting import PATIENCE

pytestmark = [pytest.mark.chaos, pytest.mark.postgres, pytest.mark.timeout(300)]
CUT = 6.0
"""Seconds without the database: more than a worker may be silent, less than connections are given up after."""
FLOW = """
id: simple
namespace: company.team
tasks:
  - {id: one, type: io.kestra.plugin.core.debug.Return, format: x}
  - {id: two, type: io.kestra.plugin.core.flow.Sleep, duration: PT0.3S}
"""


@pytest.fixture
def namespace() -> Iterator[Namespace]:
    if reason := reason_against():
        pytest.skip(reason)
    made = Namespace(os.getpid() % 100_000)
    made.make()
    try:
        yield made
    finally:
        made.remove()


@pytest.fixture
def database(namespace: Namespace) -> Iterator[ReplicatedDatabase]:
    with tempfile.TemporaryDirectory(prefix="penstock-chaos-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)  # PostgreSQL runs as another user when the tests are root's
        made = ReplicatedDatabase(Path(folder) / "postgres", namespace.host, namespace.prefix)
        try:
            made.start()
            yield made
        finally:
            made.close()


@pytest.fixture
def server(database: ReplicatedDatabase, tmp_path: Path) -> Iterator[Server]:
    settings = on_postgres(database.dsn, tmp_path / "storage")
    hosts = ",".join(f"{database.host}:{port}" for port in database.ports)
    settings["datasources"]["postgres"]["url"] = f"jdbc:postgresql://{hosts}/{USER}"
    settings["kestra"]["server"] = LIVENESS
    made = Server(tmp_path, "standalone", settings)
    made.start()
    try:
        yield made
    finally:
        if made.process is not None:
            made.process.kill()
            made.process.wait()
        made.client.close()


def test_database_cut_off_and_then_lost_to_its_standby_loses_nothing_acknowledged(
    namespace: Namespace, database: ReplicatedDatabase, server: Server
) -> None:
    """BEY-001, BEY-003, OPS-016: the address lists both databases, as the guide for operators has it."""

    def more(load: Load) -> None:
        count = len(load.acknowledged) + 5
        complaint = f"nothing is acknowledged any more:\n{server.log()[-3000:]}"
        wait_until(lambda: len(load.acknowledged) >= count, PATIENCE, lambda: complaint)

    server.put_flow(FLOW)
    with Load([server], ["simple"], pause=0.2) as load:
        more(load)
        namespace.cut()
        before = len(load.acknowledged)
        time.sleep(CUT)
        assert len(load.acknowledged) <= before + 2  # what was under way when the cable was cut
        namespace.heal()
        more(load)
        database.fail_over()
        more(load)

    with psycopg.connect(database.dsn, autocommit=True) as connection:

        def left() -> int:
            rows = connection.execute("SELECT (SELECT count(*) FROM jobs) + count(*) FROM executions WHERE live")
            return int(rows.fetchall()[0][0])

        wait_until(lambda: left() == 0, PATIENCE, lambda: f"{left()} executions and jobs are left")
        states = dict(connection.execute("SELECT id, state FROM executions").fetchall())
    assert load.acknowledged.keys() <= states.keys()
    assert Counter(states.values()).keys() == {"SUCCESS"}
    assert server.json("GET", "/api/v1/main/audit")["orphans"] == 0
