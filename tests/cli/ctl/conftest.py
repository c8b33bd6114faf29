"""`penstock ctl` against one server for each worker of the test run, with a configuration of its own for each test."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
import typer.main
from typer.testing import CliRunner, Result

from penstock.base.errors import PenstockError
from penstock.cli.ctl.app import app
from penstock.services.encryption import Encryption
from tests.support.listening import listening_server
from tests.support.live import USER
from tests.support.second_try import is_second_try
from tests.support.waiting import PATIENCE

_numbers = count(1)
_built = cache(typer.main.get_command)
"""Programs, put together once: that costs more than most of what they do."""


@dataclass(frozen=True)
class Ctl:
    """Runs `penstock ctl` as somebody who is logged in to a server."""

    url: str
    variables: dict[str, str | None]
    namespace: str
    """A namespace that nobody else uses."""

    def __call__(self, *arguments: str, stdin: str = "", **variables: str | None) -> Result:
        """Run a command that must succeed."""
        result = self.run(*arguments, stdin=stdin, **variables)
        assert result.exit_code == 0, (result.output, result.exception)
        return result

    def run(self, *arguments: str, stdin: str = "", **variables: str | None) -> Result:
        """Run a command."""
        return CliRunner().invoke(app, arguments, input=stdin, env={**self.variables, **variables})

    def json(self, *arguments: str, **options: Any) -> Any:
        """Run a command and return what it prints as JSON."""
        return json.loads(self(*arguments, "--output", "json", **options).stdout)

    def error(self, *arguments: str, **variables: str | None) -> PenstockError:
        """Return the error of a command."""
        result = self.run(*arguments, **variables)
        assert isinstance(result.exception, PenstockError), (result.output, result.exception)
        return result.exception

    @property
    def client(self) -> httpx.Client:
        """A client of the API itself."""
        return httpx.Client(base_url=f"{self.url}/api/v1/main/", auth=(USER.username, USER.password), timeout=PATIENCE)


@pytest.fixture(scope="session")
def shared_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with _server(tmp_path_factory.mktemp("server")) as url:
        yield url


@pytest.fixture
def server_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the server of all tests; a second try has one of its own, without what the first has left behind."""
    if not is_second_try(request.node):
        yield request.getfixturevalue("shared_url")
        return
    with _server(tmp_path_factory.mktemp("server")) as url:
        yield url


def _server(folder: Path) -> AbstractContextManager[str]:
    return listening_server(folder, encryption=Encryption.passing())


@pytest.fixture
def ctl(server_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ctl:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("typer.testing._get_command", _built, raising=False)
    variables = {
        "HOME": str(tmp_path),
        "KESTRACTL_HOST": server_url,
        "KESTRACTL_TENANT": None,
        "KESTRACTL_TOKEN": None,
        "KESTRACTL_USERNAME": USER.username,
        "KESTRACTL_PASSWORD": USER.password,
        "KESTRACTL_OUTPUT": None,
    }
    return Ctl(server_url, variables, f"ctl{next(_numbers)}")
