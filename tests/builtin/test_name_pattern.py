"""Names picked by a regular expression."""

from __future__ import annotations

import pytest

from penstock.builtin import name_pattern as module
from penstock.builtin.name_pattern import NamePattern
from penstock.sdk import PluginError


class OddError(PluginError):
    code = "ODD"


@pytest.mark.parametrize(("text", "fitting"), [(r".*\.csv", ["a.csv"]), (None, ["a.csv", "a.csv.old"]), ("a", [])])
def test_name_pattern_fits_whole_names_and_all_without_an_expression(text: str | None, fitting: list[str]) -> None:
    pattern = NamePattern(text, "regExp", OddError)
    assert [name for name in ("a.csv", "a.csv.old") if pattern.fits(name)] == fitting


@pytest.mark.parametrize("text", ["(", "(" * 5_000 + ")" * 5_000], ids=["open", "deep"])
def test_name_pattern_that_is_none_names_the_property(text: str) -> None:
    with pytest.raises(OddError, match="`regExp` is no regular expression"):
        NamePattern(text, "regExp", OddError)


def test_name_pattern_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LONGEST_SECONDS", 0.01)
    with pytest.raises(OddError, match="`regExp` takes too long"):
        NamePattern("(a|aa)+$", "regExp", OddError).fits("a" * 60 + "!")
