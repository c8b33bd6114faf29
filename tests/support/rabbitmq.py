"""A real RabbitMQ for the tests: one per test run. Its start costs several seconds of computing."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from scripts.tooling import server_executable
from tests.support.missing import missing
from tests.support.ports import free_port
from tests.support.shared import shared_port, start_shared

RABBITMQ = "rabbitmq"


@dataclass(frozen=True, slots=True)
class RabbitMq:
    """A running broker with the user `guest`."""

    port: int

    @property
    def url(self) -> str:
        """The broker's address."""
        return f"amqp://guest:guest@127.0.0.1:{self.port}/%2F"


def rabbitmq_for(run_directory: Path) -> RabbitMq:
    """Return the broker of this test run, started by whoever asks first."""
    if server_executable("rabbitmq-server") is None:
        missing("no rabbitmq-server found: run `make setup`")
    return RabbitMq(shared_port(run_directory, RABBITMQ, _start))


def _start(directory: Path) -> int:
    port, names_port = free_port(), free_port()
    environment = {
        **os.environ,
        "HOME": str(directory),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_EPMD_PORT": str(names_port),
        "RABBITMQ_NODENAME": "penstock-tests@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(free_port()),
        "RABBITMQ_MNESIA_BASE": str(directory / "data"),
        "RABBITMQ_LOG_BASE": str(directory / "log"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(directory / "plugins"),
        "RABBITMQ_CONFIG_FILE": str(directory / "configuration"),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none",
    }
    # Started here, the registry of Erlang's names can be stopped; else the broker would start one for ever.
    start_shared([str(server_executable("epmd"))], directory, names_port, environment)
    start_shared([str(server_executable("rabbitmq-server"))], directory, port, environment)
    return port
