"""Writes docs/status.md: which requirement is done, by which test, and what is still missing.

A requirement is `done` when a test names its ID and docs/status-notes.toml has nothing to say against it; the notes
hold what a test cannot know: what is missing (`part`) and what is not there at all (`open`). A requirement that only
the code names is `part`: no test shows it yet.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NOTES = ROOT / "docs" / "status-notes.toml"
TARGET = ROOT / "docs" / "status.md"
FAMILIES = {
    "ENG": "Flow language and engine",
    "EXP": "Expressions",
    "SCR": "Scripts and task runners",
    "PLG": "Plugin development",
    "OPS": "Operations",
    "API": "REST API",
    "UI": "Web interface",
    "USE": "Use cases",
    "MIG": "Older spellings",
    "CON": "Conflicts between pages",
    "BEY": "Beyond",
}
ID = re.compile(r"\b(ENG|EXP|SCR|PLG|OPS|API|UI|USE|MIG|BEY)-([A-Z]?)(\d{3})(?:\s*(?:to|\.\.)\s*(?:\1-)?\2(\d{3}))?")
HEAD = """# Status

What is there, and how that is known. `scripts/status.py` writes this page from the IDs that tests name and from
`docs/status-notes.toml`, which says what is missing; `make status` runs it.

| state | meaning |
|---|---|
| done | works as required; the evidence is a test |
| part | works in part; the evidence column says what is missing |
| open | not there yet |

Requirements that are not listed have not been touched.

## Repository and build

| matter | state | evidence |
|---|---|---|
| one command from clone to server | done | `make run`, `tests/cli/test_server.py` |
| all packages pinned and hash-checked | done | `tests/repository/test_locks.py`, `scripts/bootstrap` |
| no package source named in any file | done | `tests/repository/test_files.py` |
| base install at most 120 MB | done | `scripts/installed_size.py`, in `make check` |
| layers enforced | done | `lint-imports`, in `make check` |
"""


def ids_in(text: str) -> Iterator[str]:
    """Yield the requirement IDs a text names, ranges such as `ENG-076 to ENG-081` spelled out."""
    for family, letter, first, last in ID.findall(text):
        width = len(first)
        for number in range(int(first), int(last or first) + 1):
            yield f"{family}-{letter}{number:0{width}d}"


def evidence() -> dict[str, list[str]]:
    """Return the tests that name each ID: `path::test` where a docstring does, `path` where the module does."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted((ROOT / "tests").rglob("*.py")):
        source = path.read_text()
        name = path.relative_to(ROOT).as_posix()
        tree = ast.parse(source)
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                segment = ast.get_source_segment(source, node) or ""
                for one in ids_in(segment):
                    found[one].append(f"{name}::{node.name}")
        for one in ids_in(source):
            if not found[one]:
                found[one].append(name)
    for path in sorted((ROOT / "ui" / "tests").rglob("*.ts")):
        for one in ids_in(path.read_text()):
            found[one].append(path.relative_to(ROOT).as_posix())
    return found


def named_in_code() -> set[str]:
    """Return the IDs that the product's own code names."""
    return {one for path in (ROOT / "src").rglob("*.py") for one in ids_in(path.read_text())}


def page() -> str:
    """Return the whole page."""
    tests = evidence()
    notes = tomllib.loads(NOTES.read_text())
    part: dict[str, str] = notes["part"]
    missing: dict[str, str] = notes["open"]
    lines = [HEAD]
    ids = {*tests, *named_in_code(), *part, *missing}
    for family, title in FAMILIES.items():
        own = sorted(one for one in ids if one.split("-")[0] == family)
        if not own:
            continue
        rows = []
        for one in own:
            shown = ", ".join(f"`{test}`" for test in tests.get(one, [])[:2])
            if one in missing:
                rows.append(f"| {one} | open | {missing[one]} |")
            elif one in part:
                rows.append(f"| {one} | part | {part[one]}{'; ' + shown if shown else ''} |")
            elif shown:
                rows.append(f"| {one} | done | {shown} |")
            else:
                rows.append(f"| {one} | part | no test names it yet |")
        done = sum(" | done | " in row for row in rows)
        lines.append(
            f"\n## {title}\n\n{done} of {len(rows)} touched are done.\n\n| ID | state | evidence |\n|---|---|---|"
        )
        lines.append("\n".join(rows))
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write the page, or with `--check` say whether it is up to date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="exit 1 when the page is out of date")
    text = page()
    if parser.parse_args().check:
        return 0 if TARGET.read_text() == text else 1
    TARGET.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
