"""JSON in one place."""

from __future__ import annotations

import pytest

from penstock.base.codec import from_json


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000 + "]" * 100_000], ids=["empty", "open", "deep"])
def test_json_that_cannot_be_read_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_json(text)
