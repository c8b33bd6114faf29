"""One real server and one shop for each worker of the test run, and both ways to run a flow."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from examples.shop import Shop, open_shop
from tests.acceptance.runners import Api, CommandLine, Runner
from tests.acceptance.server import Server, running


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
def server(tmp_path_factory: pytest.TempPathFactory, open_shop_address: tuple[Shop, str]) -> Iterator[Server]:
    """Return a running server, which knows where alerts go and what its colour is."""
    alerts = base64.b64encode(f"{open_shop_address[1]}/alerts".encode()).decode()
    folder = tmp_path_factory.mktemp("server")
    with running(Server(folder, variables={"SECRET_SLACK_WEBHOOK": alerts, "ENV_COLOUR": "green"})) as started:
        yield started


@pytest.fixture(params=["command", "api"])
def runner(request: pytest.FixtureRequest, tmp_path: Path, open_shop_address: tuple[Shop, str]) -> Runner:
    """Return each way to run a flow in turn."""
    if request.param == "command":
        return CommandLine(tmp_path, {"SLACK_WEBHOOK": f"{open_shop_address[1]}/alerts"})
    return Api(request.getfixturevalue("server"))
