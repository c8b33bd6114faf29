"""The page that says what there is can be made at any time."""

from __future__ import annotations

import tomllib

from scripts.status import NOTES, page


def test_status_page_has_a_row_for_each_note() -> None:
    rows = page().splitlines()
    notes = tomllib.loads(NOTES.read_text())
    for state in ("part", "open"):
        for requirement in notes[state]:
            assert any(row.startswith(f"| {requirement} | {state} |") for row in rows), requirement
