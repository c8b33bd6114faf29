"""What to do about an outside program that is not there."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def missing(what: str) -> NoReturn:
    """Skip for people who lack an outside program; fail where everything must run."""
    if os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(what)
