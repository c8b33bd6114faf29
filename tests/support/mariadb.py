"""A real MariaDB server for the tests: one per test run, one fresh database per test."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pymysql

USER, PASSWORD = "reader", "s3cret-word"
_SECONDS = 60


@dataclass(frozen=True, slots=True)
class MariaServer:
    """A running server that hands out databases."""

    port: int

    @contextmanager
    def database(self) -> Iterator[str]:
        """Give the address of a new database, dropped at the end."""
        name = f"test_{uuid.uuid4().hex}"
        self._command(f"CREATE DATABASE {name}")
        try:
            yield f"jdbc:mysql://127.0.0.1:{self.port}/{name}"
        finally:
            self._command(f"DROP DATABASE {name}")

    def _command(self, statement: str) -> None:
        with closing(pymysql.connect(host="127.0.0.1", port=self.port, user=USER, password=PASSWORD)) as connection:
            connection.cursor().execute(statement)


def maria_server_for(run_directory: Path, programs: Path) -> MariaServer:
    """Return the server of this test run, started by whoever asks first."""
    directory = run_directory / "mariadb"
    directory.mkdir(mode=0o755, exist_ok=True)
    port_file = directory / "port"
    with (directory / "server.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not port_file.exists():
            port_file.write_text(str(_start(directory, programs)))
    return MariaServer(int(port_file.read_text()))


def stop_maria_server(run_directory: Path) -> None:
    """Stop the server of this test run, when one was started. Its data is thrown away."""
    pid_file = run_directory / "mariadb" / "pid"
    if pid_file.exists():
        with suppress(ProcessLookupError):
            os.kill(int(pid_file.read_text()), signal.SIGKILL)


def _start(directory: Path, programs: Path) -> int:
    data, setup = directory / "data", directory / "setup.sql"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    user = ["--user=root"] if os.geteuid() == 0 else []
    install = ["mariadb-install-db", "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal"]
    with (directory / "setup.log").open("w+") as log:
        ended = subprocess.run([*install, *user], check=False, timeout=_SECONDS, stdout=log, stderr=log)
        assert ended.returncode == 0, (directory / "setup.log").read_text()
    setup.write_text(f"GRANT ALL ON *.* TO '{USER}'@'localhost' IDENTIFIED BY '{PASSWORD}';\n")
    command: list[str | Path] = [
        programs / "mariadbd", "--no-defaults", *user, f"--datadir={data}", f"--port={port}",
        "--bind-address=127.0.0.1", f"--socket={directory / 'socket'}", f"--init-file={setup}", "--server-id=1",
        "--log-bin=changes", "--binlog-format=ROW", "--binlog-row-metadata=FULL",
        "--innodb-flush-log-at-trx-commit=0", "--max-connections=300",
    ]  # fmt: skip
    with (directory / "server.log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    (directory / "pid").write_text(str(process.pid))  # it is stopped by whoever owns the run
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, (directory / "server.log").read_text()
        with suppress(pymysql.Error):
            pymysql.connect(host="127.0.0.1", port=port, user=USER, password=PASSWORD).close()
            process.returncode = 0  # or its end would be waited for here
            return port
        time.sleep(0.1)
    raise AssertionError("MariaDB does not answer")
