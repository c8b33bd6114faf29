"""Processes that outlive the worker which started them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from penstock.builtin.runners.orphans import Notes
from tests.support.waiting import PATIENCE

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
WORKER = """
import sys
from pathlib import Path
from penstock.builtin.runners.child import Child
from penstock.builtin.runners.orphans import Notes
from penstock.builtin.runners.runner import Command

class Sink:
    def write(self, stream, data):
        sys.stdout.write(data.decode())
        sys.stdout.flush()

command = Command(["/bin/sh", "-c", sys.argv[2]], {"PATH": "/bin:/usr/bin"}, Path("."), None)
Child(command, Notes(Path(sys.argv[1]))).follow(Sink())
"""
LEAVING = "echo $$; (setsid sleep 600 & echo $!); env -i sleep 600 & echo $!; echo ready; wait"


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def worker(folder: Path, script: str) -> tuple[subprocess.Popen[str], list[int]]:
    """Start a worker that runs a script; returns it and the processes of the script once they all run."""
    process = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(folder), script], stdout=subprocess.PIPE, text=True, cwd=folder.parent
    )
    assert process.stdout is not None
    pids = []
    for line in process.stdout:
        if line.strip() == "ready":
            break
        pids.append(int(line))
    return process, pids


def test_commands_of_a_killed_worker_are_ended_with_all_they_started(tmp_path: Path) -> None:
    """BEY-009."""
    folder = tmp_path / "notes"
    process, pids = worker(folder, LEAVING)
    assert len(pids) == 3
    assert Notes(folder).end_orphans() == 0  # the worker lives
    assert all(map(is_running, pids))
    process.kill()
    process.communicate()
    assert all(map(is_running, pids))
    assert Notes(folder).end_orphans() == 1
    until(lambda: not any(map(is_running, pids)))
    assert list(folder.iterdir()) == []
    assert Notes(folder).end_orphans() == 0


def test_command_that_ends_by_itself_leaves_no_note(tmp_path: Path) -> None:
    process, _ = worker(tmp_path / "notes", "echo $$; echo ready")
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert list((tmp_path / "notes").iterdir()) == []


def test_process_that_has_the_number_but_not_the_mark_is_left_alone(tmp_path: Path) -> None:
    """BEY-009: a note alone ends nothing."""
    folder = tmp_path / "notes"
    Notes(folder).add("0123456789abcdef")
    note = folder / "0123456789abcdef"
    note.write_text(note.read_text().replace(str(os.getpid()), "1"))
    with subprocess.Popen(["/bin/sleep", "600"]) as stranger:
        assert Notes(folder).end_orphans() == 0
        assert stranger.poll() is None
        stranger.send_signal(signal.SIGKILL)


def test_folder_that_others_may_write_to_is_not_believed(tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    process, pids = worker(folder, "echo $$; echo ready; sleep 600")
    process.kill()
    process.communicate()
    folder.chmod(0o777)
    assert Notes(folder).end_orphans() == 0
    assert is_running(pids[0])
    folder.chmod(0o700)
    assert Notes(folder).end_orphans() == 1
