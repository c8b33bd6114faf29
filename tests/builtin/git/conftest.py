from pathlib import Path

import pytest

from tests.builtin.git.repositories import Bare, bare


@pytest.fixture
def repository(tmp_path: Path) -> Bare:
    folder = tmp_path / "git"
    folder.mkdir()
    return bare(folder)
