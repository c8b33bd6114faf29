"""Changelog fragments."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FRAGMENTS = sorted(each for each in (ROOT / "changes").iterdir() if each.name not in {"README.md", "template.md.jinja"})


def test_fragment_names_follow_the_rule_of_the_changes_folder() -> None:
    kinds = [
        each["directory"] for each in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["towncrier"]["type"]
    ]
    name = re.compile(rf"[a-z0-9]+(-[a-z0-9]+)*\.({'|'.join(kinds)})\.md")
    assert [each.name for each in FRAGMENTS if not name.fullmatch(each.name)] == []


def test_release_notes_drafted_now_contain_every_fragment() -> None:
    command = [sys.executable, "-m", "towncrier", "build", "--draft", "--version", "next"]
    draft = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    words = " ".join(draft.split())
    assert FRAGMENTS
    assert [each.name for each in FRAGMENTS if " ".join(each.read_text().split()) not in words] == []
