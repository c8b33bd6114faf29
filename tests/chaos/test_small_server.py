"""A server with little memory: a flood of executions neither ends it nor keeps other flows waiting."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from bench.cgroup import ControlGroup, NoControlGroups

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]


def test_server_in_256_mb_takes_a_flood_and_serves_others_meanwhile() -> None:
    """BEY-070; `make soak` floods it with 100,000."""
    try:
        ControlGroup(256).remove()
    except NoControlGroups as reason:
        pytest.skip(str(reason))
    command = [sys.executable, "-m", "bench.small", "--limit", "256", "--executions", "1500", "--every", "1"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "1,500 submitted" in ran.stdout
    by_time = [int(one) for one in re.findall(r"executions +(\d+) MB", ran.stdout)]
    assert by_time
    assert max(by_time) < 256
