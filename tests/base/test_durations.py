"""Durations of flows and of configuration files (ENG-240, OPS-050)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.base.clock import SECOND
from penstock.base.durations import DurationError, format_duration, parse_duration, parse_setting_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("PT0.25S", 0.25),
        ("PT2S", 2),
        ("PT1M", 60),
        ("PT3.5H", 12_600),
        ("P6DT4H", 532_800),
        ("P30D", 2_592_000),
        ("-PT5S", -5),
    ],
)
def test_iso_duration_is_read(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds * SECOND


@pytest.mark.parametrize("text", ["", "P", "PT", "5", "P1W", "P1M", "P1Y", "PT5X", "one hour"])
def test_text_that_is_no_duration_is_refused_with_a_hint(text: str) -> None:
    with pytest.raises(DurationError) as caught:
        parse_duration(text)
    assert "PT30S" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "seconds"), [("25ms", 0.025), ("5s", 5), ("60m", 3600), ("1h", 3600), ("7d", 604_800), ("PT1S", 1), (3, 3)]
)
def test_configuration_duration_is_read_in_short_and_long_form(text: str | int, seconds: float) -> None:
    assert parse_setting_duration(text) == seconds * SECOND


@given(st.integers(min_value=-(10**15), max_value=10**15))
def test_written_duration_reads_back_as_the_same_length(length: int) -> None:
    assert parse_duration(format_duration(length)) == pytest.approx(length, abs=1)
