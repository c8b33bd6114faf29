"""Seeds simulated by several processes."""

from __future__ import annotations

import pytest

from penstock.simulation import main


def test_seeds_simulated_by_processes_that_are_renewed_end_as_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A long run renews its processes, and neither loses a seed nor stands still."""
    monkeypatch.setattr(main, "_PART", 1)
    monkeypatch.setattr(main, "_PARTS_EACH", 1)
    (one_process,) = main.several(range(2, 3), jobs=1)
    several = list(main.several(range(3), jobs=2))
    assert [number for number, _, _ in several] == [0, 1, 2]
    assert several[-1] == one_process
