"""The second try of tests that need foreign servers: who has it, and that nothing of the first is hidden."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.second_try import FOLDERS, has_second_try

TESTS = Path(__file__).parents[1]
FLAKY = """
from pathlib import Path
from tests.support.second_try import is_second_try

def test_fails_once(request):
    print("what was said")
    seen = Path(__file__).with_name("seen")
    before = seen.exists()
    assert is_second_try(request.node) is before
    seen.touch()
    assert before, "not yet"
"""
CONFTEST = """
from pathlib import Path
from tests.support.second_try import allow_second_tries, show_first_tries

def pytest_collection_modifyitems(items):
    allow_second_tries(items, Path(__file__).parent)

def pytest_terminal_summary(terminalreporter):
    show_first_tries(terminalreporter)
"""


def test_folders_with_a_second_try_exist() -> None:
    assert [folder for folder in FOLDERS if not (TESTS / folder).is_dir()] == []
    assert has_second_try(TESTS / "ui" / "test_flows.py", TESTS)
    assert not has_second_try(TESTS / "engine" / "test_states.py", TESTS)


@pytest.mark.parametrize(
    ("folder", "ci", "summary"),
    [("ui", "true", "1 passed, 1 rerun"), ("engine", "true", "1 failed"), ("ui", "", "1 failed")],
)
def test_second_try_is_had_by_some_tests_in_ci_alone_and_shows_the_first(
    tmp_path: Path, folder: str, ci: str, summary: str
) -> None:
    (tmp_path / folder).mkdir()
    (tmp_path / folder / "test_it.py").write_text(FLAKY)
    (tmp_path / "conftest.py").write_text(CONFTEST)
    command = [sys.executable, "-m", "pytest", "-c", os.devnull, "--rootdir", str(tmp_path), "-p", "no:cacheprovider",
               "-p", "no:schemathesis", "-p", "no:xdist", "-raR", str(tmp_path)]  # fmt: skip
    environment = {**os.environ, "CI": ci, "PYTHONPATH": str(TESTS.parent)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path, check=False)
    assert summary in done.stdout.splitlines()[-1]
    assert "what was said" in done.stdout
    assert "AssertionError: not yet" in done.stdout
    assert ("RERUN ui/test_it.py" in done.stdout) is ("rerun" in summary)
