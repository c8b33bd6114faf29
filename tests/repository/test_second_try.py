"""The second try of tests that need foreign servers: who has it, and that nothing of the first is hidden."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.second_try import FOLDERS, FOREIGN

TESTS = Path(__file__).parents[1]
FLAKY = """
from pathlib import Path
from tests.support.second_try import is_second_try

import pytest

@pytest.fixture
def rabbitmq():
    return None

def fails_once(request):
    print("what was said")
    seen = Path(__file__).with_name(f"{request.node.name} seen")
    before = seen.exists()
    assert is_second_try(request.node) is before
    seen.touch()
    assert before, "not yet"
"""
PLAIN = """
def test_it(request):
    fails_once(request)
"""
WITH_SERVERS = """
@pytest.mark.postgres
def test_database(request):
    fails_once(request)

def test_broker(request, rabbitmq):
    fails_once(request)
"""
CONFTEST = """
from pathlib import Path
from tests.support.second_try import allow_second_tries, show_first_tries

def pytest_collection_modifyitems(items):
    allow_second_tries(items, Path(__file__).parent)

def pytest_terminal_summary(terminalreporter):
    show_first_tries(terminalreporter)
"""


def test_folders_and_fixtures_with_a_second_try_exist(request: pytest.FixtureRequest) -> None:
    assert [folder for folder in FOLDERS if not (TESTS / folder).is_dir()] == []
    known = request.session._fixturemanager
    assert [name for name in FOREIGN if not known.getfixturedefs(name, request.node)] == []


@pytest.mark.parametrize(
    ("folder", "tests", "ci", "summary"),
    [
        pytest.param("ui", PLAIN, "true", "1 passed, 1 rerun", id="folder"),
        pytest.param("engine", WITH_SERVERS, "true", "2 passed, 2 rerun", id="servers"),
        pytest.param("engine", PLAIN, "true", "1 failed", id="rules"),
        pytest.param("ui", PLAIN, "", "1 failed", id="developer"),
    ],
)
def test_second_try_is_had_by_some_tests_in_ci_alone_and_shows_the_first(
    tmp_path: Path, folder: str, tests: str, ci: str, summary: str
) -> None:
    (tmp_path / folder).mkdir()
    (tmp_path / folder / "test_it.py").write_text(FLAKY + tests)
    (tmp_path / "conftest.py").write_text(CONFTEST)
    settings = tmp_path / "pytest.ini"
    settings.write_text("[pytest]\nmarkers = postgres\n")
    command = [sys.executable, "-m", "pytest", "-c", str(settings), "--rootdir", str(tmp_path), "-p",
               "no:cacheprovider", "-p", "no:schemathesis", "-p", "no:xdist", "-raR", str(tmp_path)]  # fmt: skip
    environment = {**os.environ, "CI": ci, "PYTHONPATH": str(TESTS.parent)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path, check=False)
    assert summary in done.stdout.splitlines()[-1]
    assert "what was said" in done.stdout
    assert "AssertionError: not yet" in done.stdout
    assert (f"RERUN {folder}/test_it.py" in done.stdout) is ("rerun" in summary)
