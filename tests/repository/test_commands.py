"""The commands that people and CI are told to use."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = ["README.md", "CONTRIBUTING.md", "docs/index.md", "changes/README.md"]
PROGRAMS = Path(sys.executable).parent


def commands(page: str) -> list[str]:
    """Return the lines of a page's shell blocks, without comments."""
    blocks = re.findall(r"```(?:bash|sh|console)\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)
    lines = [line.split("#")[0].strip().removeprefix("$ ") for block in blocks for line in block.splitlines()]
    return [line for line in lines if line]


def targets() -> set[str]:
    return set(re.findall(r"(?m)^([a-z]+):", (ROOT / "Makefile").read_text()))


@pytest.mark.parametrize("page", PAGES)
def test_page_commands_of_make_are_targets(page: str) -> None:
    mentioned = {word for line in commands(page) for word in re.findall(r"^make ([a-z]+)", line)}
    assert mentioned <= targets()


@pytest.mark.parametrize("page", PAGES)
def test_page_commands_of_penstock_exist(page: str) -> None:
    for line in commands(page):
        words = line.split()
        if Path(words[0]).name not in {"penstock", "kestra"}:
            continue
        path = []
        for word in words[1:]:
            if not re.fullmatch(r"[a-z][a-z-]*", word):
                break
            path.append(word)
        answer = subprocess.run([PROGRAMS / "penstock", *path, "--help"], capture_output=True, text=True)
        assert answer.returncode == 0, f"{line}\n{answer.stderr}"


@pytest.mark.parametrize("page", PAGES)
def test_page_commands_name_files_that_exist(page: str) -> None:
    named = [
        word for line in commands(page) for word in line.split() if re.fullmatch(r"(examples|scripts|docs)/\S+", word)
    ]
    assert [word for word in named if not (ROOT / word).exists()] == []


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_page_links_to_files_that_exist(page: str) -> None:
    links = re.findall(r"]\((?!https?:|#|mailto:)([^)#]+)", (ROOT / page).read_text())
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_makefile_target_without_explanation_does_not_exist() -> None:
    answer = subprocess.run(["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True)
    explained = set(re.findall(r"(?m)^  make ([a-z]+)", answer.stdout))
    assert explained == targets()


@pytest.mark.parametrize("script", [".ci/run", "scripts/bootstrap"])
def test_shell_script_is_executable_and_parses(script: str) -> None:
    assert os.access(ROOT / script, os.X_OK)
    assert subprocess.run(["sh", "-n", ROOT / script], capture_output=True, text=True).stderr == ""


def test_bootstrap_asked_for_an_unknown_kind_refuses_and_names_the_known() -> None:
    answer = subprocess.run([ROOT / "scripts/bootstrap", "all"], capture_output=True, text=True)
    assert answer.returncode == 1
    assert "use run or dev" in answer.stderr


def test_bootstrap_without_venv_and_without_the_right_to_install_says_only_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts/bootstrap", tmp_path / "scripts")
    programs = tmp_path / "bin"  # of an ordinary user of a small machine: no sudo, a Python without its venv module
    programs.mkdir()
    python = 'case "$2" in *ensurepip*) exit 1 ;; *print*) echo 3.11 ;; esac'
    for name, says in {"id": "echo 1000", "apt-get": "exit 100", "python3": python}.items():
        (programs / name).write_text(f"#!/bin/sh\n{says}\n")
        (programs / name).chmod(0o755)
    for name in ("dirname", "rm"):
        (programs / name).symlink_to(shutil.which(name) or name)
    command = [str(tmp_path / "scripts/bootstrap"), "run"]
    answer = subprocess.run(command, capture_output=True, text=True, env={"PATH": str(programs)})
    assert answer.returncode == 1
    assert "run 'apt-get update && apt-get install python3.11-venv' as root" in answer.stderr
    assert "Installing" not in answer.stderr


def test_ci_run_calls_the_tests_everybody_runs() -> None:
    assert re.search(r"(?m)^exec make .*\btest$", (ROOT / ".ci/run").read_text())
