"""Secrets that are printed in pieces."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from penstock.services.masked_pieces import Pieces
from penstock.services.masking import MASK
from penstock.testing.run_context import RunContextFactory, messages_of

SECRET = "s3cr3t-value-of-31-characters!x"


@pytest.fixture
def contexts() -> Iterator[RunContextFactory]:
    with RunContextFactory() as factory:
        yield factory


def hidden(lines: Sequence[str]) -> list[str]:
    pieces, shown = Pieces(), []
    for line in lines:
        shown.append(line)
        count = pieces.take(line, [SECRET])
        shown[len(shown) - count :] = [MASK] * count
    return shown


@pytest.mark.parametrize("width", [1, 2, 5, 10, 16, 30])
def test_secret_folded_to_any_width_is_hidden(width: int) -> None:
    """BEY-061."""
    lines = [SECRET[start : start + width] for start in range(0, len(SECRET), width)]
    assert hidden(["before", *lines, "after"]) == ["before", *[MASK] * len(lines), "after"]


def test_words_that_a_secret_happens_to_hold_stay() -> None:
    """BEY-061."""
    for lines in (["value", "of", "31"], ["value-of", "value-of"], ["-value-of-31-characters!"], ["s", "3", "", "c"]):
        assert hidden(lines) == lines


def test_log_of_a_task_hides_pieces_also_in_other_forms(contexts: RunContextFactory) -> None:
    """BEY-061: here as hexadecimal digits, by halves."""
    context = contexts.of()
    context.mask(SECRET)
    digits = SECRET.encode().hex()
    for line in ("begin", digits[:31], digits[31:], "end"):
        context.logger.info(line)
    assert [message for _, message in messages_of(context)] == ["begin", MASK, MASK, "end"]
