from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builtin.polling.conftest import polled
from tests.support.mail import Dovecot, dovecot_in

__all__ = ["polled"]


@pytest.fixture(scope="session")
def dovecot() -> Iterator[Dovecot]:
    folder = Path(os.environ["PENSTOCK_TEST_RUN_DIRECTORY"]) / f"dovecot-{os.getpid()}"  # which others may look into
    folder.mkdir()
    with dovecot_in(folder) as server:
        yield server
