from __future__ import annotations

from collections.abc import Iterator

import pytest

from penstock.expressions import DEFAULT_RENDERER, Settings
from penstock.services.jq_process import JqProcesses


@pytest.fixture(scope="session", autouse=True)
def jq_processes() -> Iterator[None]:
    """Let templates use all of jq, as on a server."""
    processes = JqProcesses()
    DEFAULT_RENDERER.configure(Settings(jq=processes))
    yield
    processes.close()
