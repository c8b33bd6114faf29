"""Seeds in which nothing may go wrong, and known bugs that some seed must find.

Implements the proof of BEY-001 to BEY-006: what is acknowledged ends, once, whatever breaks meanwhile.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


ENVIRONMENT = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}


def _run(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(command, env=ENVIRONMENT, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def search() -> Iterator[Callable[..., str]]:
    """Return what looks for known bugs; in one process, whose imports take longer than most of the searches."""
    command = [sys.executable, "-m", "tests.simulation.mutants"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=ENVIRONMENT, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as process:
        asked, answers = process.stdin, process.stdout
        assert asked is not None
        assert answers is not None

        def ask(*arguments: object) -> str:
            asked.write(" ".join(map(str, arguments)) + "\n")
            asked.flush()
            return answers.readline()

        yield ask
        asked.close()
        assert process.wait() == 0


@pytest.mark.timeout(600)
@pytest.mark.parametrize("first", [0, 25])
def test_simulation_of_some_seeds_finds_nothing(first: int) -> None:
    """BEY-001, BEY-002, BEY-003, BEY-004, BEY-006, BEY-041: what `make simulate` does for as long as one likes."""
    ran = _run("penstock.simulation.main", "--first", str(first), "--seeds", "25")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "25 seeds" in ran.stdout
    assert ran.stderr == ""


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("mutant", "first"),
    [
        ("unfenced_commits", 24),
        ("unkeyed_firings", 0),
        ("leaked_slots", 2),
        ("forgotten_limits", 29),
        ("jobs_of_the_dead", 14),
        ("lost_claims", 249),  # rare: a claim's answer must get lost while nothing else wakes the worker
        ("late_ends", 5),
        ("eager_workers", 70),
        ("unheard_answers", 4),
        ("dropped_reports", 1),
        ("hasty_files", 1),
        ("shared_folders", 0),
        ("scattered_limits", 51),
        ("hasty_hand_backs", 0),
        ("kept_memories", 3),
        ("sticky_counts", 2),
        ("late_notes", 0),
        ("half_seen_states", 2),
        ("old_hearsay", 6770),  # rare: a scheduler must stand still for just as long as somebody else's pause lasts
        ("unheard_pauses", 0),
        ("pauses_made_up_for", 0),
        ("unread_switches", 0),
        ("orders_in_pieces", 0),
        ("forgotten_switches", 3),
    ],
)
def test_simulation_of_a_known_bug_finds_it(search: Callable[..., str], mutant: str, first: int) -> None:
    """The seeds are the cheap ones that find it: some look on for long at what will never end."""
    found = search(mutant, 60, first)
    assert found.startswith("seed "), found


def test_seed_that_is_replayed_tells_how_it_ended() -> None:
    ran = _run("penstock.simulation.main", "--seed", "3")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.startswith("seed 3: ")
    assert "all holds" in ran.stdout
