"""What a worker far away is told at its start."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.wiring.config import ConfigurationError
from penstock.wiring.remote_worker import TOKEN_VARIABLE, read_token


def test_token_with_blanks_around_it_is_the_same_in_a_file_and_in_a_variable(tmp_path: Path) -> None:
    """BEY-010: a line's end, as files of variables bring it, is no part of a token; no header could carry it."""
    file = tmp_path / "token"
    file.write_text("tok-1\n")
    assert read_token(file, {}) == read_token(None, {TOKEN_VARIABLE: " tok-1\r\n"}) == "tok-1"
    with pytest.raises(ConfigurationError, match="has no token"):
        read_token(None, {TOKEN_VARIABLE: " \n"})
