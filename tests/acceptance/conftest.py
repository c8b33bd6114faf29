"""One real server and one shop for each worker of the test run, and both ways to run a flow."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from examples.shop import Shop, open_shop
from tests.acceptance.runners import Api, CommandLine, Runner
from tests.acceptance.server import Server, running
from tests.support.second_try import is_second_try


@pytest.fixture(scope="session")
def open_shop_address() -> Iterator[tuple[Shop, str]]:
    """Return the shop of this worker and where it listens."""
    with open_shop() as opened:
        yield opened


@pytest.fixture
def shop(open_shop_address: tuple[Shop, str]) -> Shop:
    """Return the shop as if it had just opened."""
    found = open_shop_address[0]
    found.requests.clear()
    found.alerts.clear()
    return found


@pytest.fixture
def shop_url(shop: Shop, open_shop_address: tuple[Shop, str]) -> str:
    """Return the address of the freshly opened shop."""
    return open_shop_address[1]


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory, open_shop_address: tuple[Shop, str]) -> Iterator[Server]:
    """Return a running server, which knows where alerts go and what its colour is."""
    with running(_server(tmp_path_factory.mktemp("server"), open_shop_address[1])) as started:
        yield started


@pytest.fixture
def server(
    shared_server: Server, open_shop_address: tuple[Shop, str], request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Server]:
    """Return the server of all tests; a second try has one of its own, without what the first has left behind."""
    if not is_second_try(request.node):
        yield shared_server
        return
    with running(_server(tmp_path / "server", open_shop_address[1])) as fresh:
        yield fresh


def _server(folder: Path, shop: str) -> Server:
    folder.mkdir(exist_ok=True)
    alerts = base64.b64encode(f"{shop}/alerts".encode()).decode()
    return Server(folder, variables={"SECRET_SLACK_WEBHOOK": alerts, "ENV_COLOUR": "green"})


@pytest.fixture(params=["command", "api"])
def runner(request: pytest.FixtureRequest, tmp_path: Path, open_shop_address: tuple[Shop, str]) -> Runner:
    """Return each way to run a flow in turn."""
    if request.param == "command":
        return CommandLine(tmp_path, {"SLACK_WEBHOOK": f"{open_shop_address[1]}/alerts"})
    return Api(request.getfixturevalue("server"))
