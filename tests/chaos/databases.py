"""A PostgreSQL server with a standby: restarted, and failed over to the standby without losing a commit."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.ports import free_port
from tests.support.postgres import USER, programs_for, run_program

LOCAL = "127.0.0.1"
SETTINGS = ("-c fsync=off", "-c unix_socket_directories=''", "-c max_connections=200")


@dataclass
class ReplicatedDatabase:
    """Two PostgreSQL servers: the first writes and confirms what the second has; the second takes over.

    Args:
        folder: Where both keep their data.
        host: The address they are reached at.
        prefix: What their commands begin with, as to run in another network namespace.
    """

    folder: Path
    host: str = LOCAL
    prefix: tuple[str, ...] = ()
    ports: list[int] = field(default_factory=list)
    _failed_over: bool = False

    def start(self) -> None:
        """Make and start both."""
        self.folder.mkdir(mode=0o755)
        self._programs, self._user = programs_for(self.folder)
        if self._user is not None:
            shutil.chown(self.folder, self._user)
        self.ports = [free_port(), free_port()]
        self._run("initdb", "-D", self._data(0), "-U", USER, "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
        if self.host != LOCAL:
            with (self._data(0) / "pg_hba.conf").open("a") as rules:
                rules.write("host all all samenet trust\n")
        self._start(0, synchronous=False)
        self._run("pg_basebackup", "-D", self._data(1), "-h", LOCAL, "-p", str(self.ports[0]), "-U", USER,
                  "-R", "-X", "stream", "-c", "fast", "--no-sync")  # fmt: skip
        self._start(1, synchronous=False)
        self._stop(0, "fast")
        self._start(0, synchronous=True)

    @property
    def port(self) -> int:
        """The port of the server that writes."""
        return self.ports[1 if self._failed_over else 0]

    @property
    def dsn(self) -> str:
        """The address of the server that writes, past all proxies."""
        return f"postgresql://{USER}@{self.host}:{self.port}/postgres"

    def restart(self) -> None:
        """Stop the server that writes, cutting all connections, and start it again."""
        number = 1 if self._failed_over else 0
        self._stop(number, "immediate")
        self._start(number, synchronous=not self._failed_over)

    def fail_over(self) -> None:
        """Lose the server that writes; the standby takes over."""
        self._stop(0, "immediate")
        self._failed_over = True
        self._run("pg_ctl", "-D", self._data(1), "-w", "promote")

    def close(self) -> None:
        """Stop what runs."""
        for number in (0, 1):
            if (self._data(number) / "postmaster.pid").exists():
                self._stop(number, "immediate")

    def _data(self, number: int) -> Path:
        return self.folder / f"data{number}"

    def _start(self, number: int, *, synchronous: bool) -> None:
        names = "*" if synchronous else ""
        addresses = "-c listen_addresses=" + ("*" if self.host != LOCAL else LOCAL)
        options = " ".join(
            [*SETTINGS, addresses, f"-c port={self.ports[number]}", f"-c synchronous_standby_names='{names}'"]
        )
        self._run("pg_ctl", "-D", self._data(number), "-l", self.folder / f"log{number}", "-w", "-o", options, "start")

    def _stop(self, number: int, mode: str) -> None:
        self._run("pg_ctl", "-D", self._data(number), "-w", "-m", mode, "stop")

    def _run(self, program: str, *arguments: str | Path) -> None:
        run_program([self._programs / program, *arguments], self.folder, self._user, self.prefix)
