"""A real RabbitMQ for the tests: one per test run. Its start costs several seconds of computing."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from scripts.tooling import server_executable
from tests.support.brokers import free_port, is_listening, until
from tests.support.missing import missing


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
    program = server_executable("rabbitmq-server")
    if program is None:
        missing("no rabbitmq-server found: run `make setup`")
    directory = run_directory / "rabbitmq"
    directory.mkdir(exist_ok=True)
    port_file = directory / "port"
    with (directory / "server.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not port_file.exists():
            port_file.write_text(str(_start(directory)))
    return RabbitMq(int(port_file.read_text()))


def stop_rabbitmq(run_directory: Path) -> None:
    """Stop the broker of this test run, when one was started. Its data is thrown away."""
    pids = run_directory / "rabbitmq" / "pids"
    for pid in pids.read_text().split() if pids.exists() else ():
        with suppress(ProcessLookupError):
            os.killpg(int(pid), signal.SIGKILL)


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
    _run("epmd", directory, environment, names_port)
    _run("rabbitmq-server", directory, environment, port)
    return port


def _run(name: str, directory: Path, environment: Mapping[str, str], port: int) -> None:
    log = directory / f"{name}.log"
    with log.open("w") as target:
        process = subprocess.Popen(
            [str(server_executable(name))], stdout=target, stderr=target, env=environment, start_new_session=True
        )
    with (directory / "pids").open("a") as pids:
        pids.write(f"{process.pid}\n")  # it is stopped by whoever owns the run
    until(lambda: is_listening(port), process, log)
    process.returncode = 0  # or its end would be waited for here
