"""What `make check` holds, held in every test run too: CI runs the tests and nothing else."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = Path(sys.executable).parent
CHECKS = re.findall(
    r"(?m)^\t\$\(BIN\)/(ruff check .*|ruff format --check .*|mypy.*|lint-imports.*)$", (ROOT / "Makefile").read_text()
)


def run(command: str) -> subprocess.CompletedProcess[str]:
    program, *arguments = command.split()
    quiet = os.environ | {"NO_MKDOCS_2_WARNING": "1", "NO_COLOR": "1"}
    return subprocess.run([PROGRAMS / program, *arguments], cwd=ROOT, env=quiet, capture_output=True, text=True)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("command", [each for each in CHECKS if "--fix" not in each])
def test_repository_checked_by_a_tool_has_no_findings(command: str) -> None:
    answer = run(command)
    assert answer.returncode == 0, f"{answer.stdout}{answer.stderr}"


def test_checks_read_from_the_makefile_cover_style_format_types_and_layers() -> None:
    assert {each.split()[0] for each in CHECKS} == {"ruff", "mypy", "lint-imports"}


def test_documentation_built_strictly_has_no_warnings(tmp_path: Path) -> None:
    answer = run(f"mkdocs build --strict --site-dir {tmp_path / 'site'}")
    assert answer.returncode == 0, f"{answer.stdout}{answer.stderr}"
    assert (tmp_path / "site" / "index.html").is_file()
