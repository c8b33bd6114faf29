"""Benchmarks are asked for what can be measured."""

from __future__ import annotations

from argparse import ArgumentTypeError

import pytest

from bench.options import positive, rounds_of, whole


def test_bench_option_takes_numbers_of_which_a_measurement_can_be_made() -> None:
    assert (whole("100"), positive("0.1")) == (100, 0.1)
    for text in ("0", "-5", "1.5", "many", ""):
        with pytest.raises(ArgumentTypeError, match="no whole number"):
            whole(text)
    for text in ("0", "-0.1", "nan", "inf", "all"):
        with pytest.raises(ArgumentTypeError, match="no number above 0"):
            positive(text)


def test_bench_of_fewer_than_a_batch_measures_one_batch() -> None:
    assert (rounds_of(100, 200), rounds_of(2050, 200)) == (1, 10)
