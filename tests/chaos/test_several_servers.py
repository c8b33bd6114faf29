"""Three whole servers on one PostgreSQL, while servers are killed, frozen and cut off, and the database restarts and
fails over: whatever was acknowledged ends, nothing that has ended runs again, every date fires once, nothing is left.

The quick version takes each fault once. `make soak MINUTES=30` repeats them at random for as long as it is told.
"""

from __future__ import annotations

import contextlib
import os
import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock.base.clock import SECOND, from_iso
from tests.acceptance.server import wait_until
from tests.chaos.cluster import Cluster, Load
from tests.support.waiting import PATIENCE

pytestmark = [pytest.mark.chaos, pytest.mark.postgres]

SHELL = """type: io.kestra.plugin.scripts.shell.Commands
    taskRunner: {{type: io.kestra.plugin.core.runner.Process}}
    commands: ['echo "{{{{ taskrun.id }}}} $PPID $(date +%s%N)" >> {journal}', '{then}']"""
FLOWS = {
    "in_a_row": """
tasks:
  - id: one
    [sleep 0.3]
  - id: two
    [sleep 0.3]
""",
    "loop": """
tasks:
  - id: for_each
    type: io.kestra.plugin.core.flow.ForEach
    values: [1, 2, 3]
    concurrencyLimit: 2
    tasks: [{id: step, type: io.kestra.plugin.core.debug.Return, format: x}]
  - id: after
    [true]
""",
    "limited": """
concurrency: {limit: 3, behavior: QUEUE}
tasks:
  - id: alone
    [sleep 0.2]
""",
    "delay": """
tasks:
  - {id: wait, type: io.kestra.plugin.core.flow.Pause, pauseDuration: PT2S}
  - id: after
    [true]
""",
    "retries": """
tasks:
  - id: flaky
    [test "{{ taskrun.attemptsCount }}" -ge 1]
    retry: {type: constant, interval: PT1S, maxAttempts: 5}
""",
    "parent": """
tasks:
  - {id: call, type: io.kestra.plugin.core.flow.Subflow, namespace: company.team, flowId: in_a_row, wait: true}
""",
}
CLOCK = """
id: ticking
namespace: company.team
tasks: [{id: one, type: io.kestra.plugin.core.debug.Return, format: x}]
triggers:
  - {id: tick, type: io.kestra.plugin.core.trigger.Schedule, cron: '*/2 * * * * *', withSeconds: true}
"""
ENDED_WITHIN = 120.0
CLOCK_TOLERANCE = 0.05


def source(name: str, journal: Path) -> str:
    """Return a flow with its scripts written out."""
    lines = []
    for line in FLOWS[name].splitlines():
        text = line.strip()
        if text.startswith("["):
            line = "    " + SHELL.format(journal=journal, then=text[1:-1])
        lines.append(line)
    return f"id: {name}\nnamespace: company.team\n" + "\n".join(lines)


@contextlib.contextmanager
def own_folder() -> Iterator[str]:
    """A folder that is removed afterwards, or SOAK_FOLDER, which is kept with all logs."""
    kept = os.environ.get("SOAK_FOLDER")
    if kept is not None:
        Path(kept).mkdir(parents=True)
        yield kept
        return
    with tempfile.TemporaryDirectory(prefix="penstock-chaos-", ignore_cleanup_errors=True) as folder:
        yield folder


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with own_folder() as folder:
        Path(folder).chmod(0o755)  # PostgreSQL runs as another user when the tests are root's
        made = Cluster(Path(folder))
        try:
            made.start()
            yield made
        finally:
            made.close()


def check(cluster: Cluster, load: Load, journal: Path) -> None:
    """Count: what was acknowledged has ended, nothing is left, nothing ended ran again, no date fired twice."""
    wait_until(
        lambda: not any(cluster.counts().values()) or None,
        ENDED_WITHIN,
        lambda: f"left: {cluster.counts()}, {stuck(cluster)}",
    )
    states = dict(cluster.query("SELECT id, state FROM executions"))
    missing = load.acknowledged.keys() - states.keys()
    assert not missing, f"acknowledged, and gone: {missing}"
    assert Counter(states.values()).keys() <= {"SUCCESS"}, Counter(states.values())
    assert again(cluster, journal) == []
    dates = cluster.query("SELECT schedule_date, count(*) FROM executions WHERE flow_id = 'ticking' GROUP BY 1")
    assert len(dates) > 5
    assert {count for _, count in dates} == {1}
    assert cluster.first.json("GET", "/api/v1/main/audit")["orphans"] == 0


def stuck(cluster: Cluster) -> list[Any]:
    """Return why the first executions that have not ended have not."""
    rows = cluster.query("SELECT id FROM executions WHERE live ORDER BY id LIMIT 5")
    return [cluster.first.json("GET", f"/api/v1/main/executions/{row[0]}/why") for row in rows]


def again(cluster: Cluster, journal: Path) -> list[str]:
    """Return the task runs that began after they had ended.

    None may, but for what a worker was about to begin in the very moment in which it was frozen.
    """
    ends: dict[str, float] = {}
    for (execution_id,) in cluster.query("SELECT id FROM executions"):
        for run in cluster.first.execution(execution_id)["taskRunList"]:
            ends[run["id"]] = from_iso(run["state"]["endDate"]) / SECOND
    found = []
    for line in journal.read_text().splitlines():
        run_id, pid, nanos = line.split()
        began = int(nanos) / 1e9
        if began > ends[run_id] + CLOCK_TOLERANCE:
            worker = next((one for one in cluster.members if int(pid) in one.pids), None)
            if worker is None or not worker.was_thawing(began):
                found.append(f"{run_id} ended {ends[run_id]}, began {began} again in process {pid}")
    return found


def each_once(cluster: Cluster) -> None:
    """Let every fault happen once, to the server that decides where that matters most."""
    wait_until(lambda: all(member.decided() for member in cluster.members) or None, PATIENCE, lambda: "not all decide")
    cluster.kill(cluster.deciding())
    cluster.share_out(len(cluster.members))
    cluster.restart_database()
    cluster.freeze(cluster.deciding())
    cluster.cut_off(cluster.deciding())
    cluster.fail_over()
    time.sleep(3)


def at_random(cluster: Cluster, minutes: float) -> None:
    """Let faults happen for so long."""
    seed = int(os.environ.get("SOAK_SEED", time.time()))
    print(f"SOAK_SEED={seed}")
    chance = random.Random(seed)
    deadline = time.monotonic() + minutes * 60
    failed_over = False
    while time.monotonic() < deadline:
        time.sleep(chance.uniform(1, 6))
        member = cluster.deciding() if chance.random() < 0.5 else chance.choice(cluster.members)
        match chance.randrange(10):
            case 0 | 1 | 2:
                cluster.kill(member)
            case 3 | 4 | 5:
                cluster.freeze(member)
            case 6 | 7:
                cluster.cut_off(member)
            case 8:
                cluster.restart_database()
            case _ if not failed_over:
                failed_over = True
                cluster.fail_over()


def torment(cluster: Cluster, journal: Path, minutes: float | None, pause: float) -> None:
    """Execute flows while everything breaks, then see that all came to its end."""
    for name in FLOWS:
        cluster.first.put_flow(source(name, journal))
    cluster.first.put_flow(CLOCK)
    cluster.share_out(len(cluster.members))
    with Load([member.server for member in cluster.members], list(FLOWS), pause) as load:
        if minutes is None:
            each_once(cluster)
        else:
            at_random(cluster, minutes)
    cluster.first.request("DELETE", "/api/v1/main/flows/company.team/ticking")
    print(f"acknowledged {len(load.acknowledged)}, refused {load.refused}")
    assert len(load.acknowledged) > 20
    check(cluster, load, journal)


@pytest.mark.timeout(420)
def test_three_servers_under_every_fault_end_all_and_repeat_nothing(cluster: Cluster, tmp_path: Path) -> None:
    """BEY-001, BEY-003, BEY-006, OPS-124, OPS-129: each of them decides, before one is killed and after it is back."""
    torment(cluster, tmp_path / "journal", None, pause=0.5)


@pytest.mark.skipif("SOAK_MINUTES" not in os.environ, reason="takes as long as SOAK_MINUTES says (`make soak`)")
@pytest.mark.timeout(0)
def test_three_servers_under_faults_for_long_end_all_and_repeat_nothing(cluster: Cluster, tmp_path: Path) -> None:
    """BEY-001."""
    torment(cluster, tmp_path / "journal", float(os.environ["SOAK_MINUTES"]), pause=0.5)
