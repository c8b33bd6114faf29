"""A real PostgreSQL server for the tests: one per test run, one fresh database per test.

Every xdist worker calls `server_for(run_directory)`; the first one starts the server under a file
lock, the others find it. The process that owns the run directory stops it at the end.
"""

from __future__ import annotations

import fcntl
import os
import pwd
import shutil
import signal
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from scripts.tooling import postgres_directory
from tests.support.ports import free_port
from tests.support.waiting import PATIENCE

USER = "postgres"
START_ATTEMPTS = 3
# The data is thrown away, so waiting for the disk proves nothing here.
SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_connections": "400",
    "wal_level": "logical",  # for those who follow changes
    "shared_buffers": "64MB",
    "listen_addresses": "127.0.0.1",
}


class PostgresMissingError(Exception):
    """No PostgreSQL programs were found on this machine."""


class PostgresStartError(Exception):
    """PostgreSQL is there and did not start."""


@dataclass(frozen=True, slots=True)
class Database:
    """Where one database is."""

    port: int
    name: str

    @property
    def dsn(self) -> str:
        """The address in the form of libpq and psycopg."""
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{self.name}"

    @property
    def url(self) -> str:
        """The address in the form of SQLAlchemy."""
        return f"postgresql+psycopg://{USER}@127.0.0.1:{self.port}/{self.name}"


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A running server that hands out databases."""

    port: int
    directory: Path

    def create(self, template: str = "template1") -> Database:
        """Create a database with a name nobody else has, as a copy of `template`."""
        name = f"test_{uuid.uuid4().hex}"
        self._command(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY wal_log").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
        return Database(self.port, name)

    def drop(self, database: Database) -> None:
        """Drop a database, cutting the connections that a test left open."""
        self._command(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database.name)))

    def template(self, name: str, fill: Callable[[Database], None]) -> str:
        """Return a template filled once per test run by `fill` (for example: the migrated schema).

        `fill` must close its connections, since PostgreSQL copies idle databases only.
        """
        with _locked(self.directory / f"template-{name}.lock"):
            done = self.directory / f"template-{name}.done"
            if not done.exists():
                database = Database(self.port, name)
                self.drop(database)
                self._command(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
                fill(database)
                done.touch()
        return name

    def _command(self, statement: sql.Composed) -> None:
        with psycopg.connect(Database(self.port, "postgres").dsn, autocommit=True) as connection:
            connection.execute(statement)


def server_for(run_directory: Path) -> PostgresServer:
    """Return the server of this test run, started by whoever asks first."""
    directory = run_directory / "postgres"
    directory.mkdir(mode=0o755, exist_ok=True)
    port_file = directory / "port"
    with _locked(directory / "server.lock"):
        if not port_file.exists():
            port_file.write_text(str(_start(directory)))
    return PostgresServer(int(port_file.read_text()), directory)


def stop_server(run_directory: Path) -> None:
    """Stop the server of this test run, when one was started; open connections are cut."""
    pid_file = run_directory / "postgres" / "data" / "postmaster.pid"
    if not pid_file.exists():
        return
    pid = int(pid_file.read_text().split("\n", 1)[0])
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGINT)  # PostgreSQL's fast shutdown
    deadline = time.monotonic() + PATIENCE
    while pid_file.exists() and time.monotonic() < deadline:
        time.sleep(0.02)


def programs_for(directory: Path) -> tuple[Path, str | None]:
    """Return where PostgreSQL's programs are, and the user who has to run them.

    Raises:
        PostgresMissingError: There are none on this machine.
    """
    programs = postgres_directory()
    if programs is None:
        raise PostgresMissingError(
            "no PostgreSQL found: run `make setup` (it installs one from a Python wheel) or install `postgresql`"
        )
    if os.geteuid() != 0:
        return programs, None
    return _readable_copy(programs, directory), "nobody"


def _start(directory: Path) -> int:
    programs, unprivileged = programs_for(directory)
    if unprivileged is not None:
        shutil.chown(directory, unprivileged)
    data = directory / "data"
    initdb: list[str | Path] = [
        programs / "initdb",
        "-D",
        data,
        "-U",
        USER,
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--no-locale",
        "--no-sync",
    ]
    run_program(initdb, directory, unprivileged)
    for attempt in range(1, START_ATTEMPTS + 1):
        port = free_port()
        settings = SETTINGS | {"port": str(port), "unix_socket_directories": ""}
        options = " ".join(f"-c {name}='{value}'" for name, value in settings.items())
        command: list[str | Path] = [
            programs / "pg_ctl",
            "-D",
            data,
            "-l",
            directory / "server.log",
            "-w",
            "-o",
            options,
            "start",
        ]
        try:
            run_program(command, directory, unprivileged)
        except PostgresStartError:
            if attempt == START_ATTEMPTS:  # another process may have taken the port in between
                raise
        else:
            return port
    raise AssertionError("the loop above returns or raises")


def run_program(
    command: Sequence[str | Path], directory: Path, user: str | None, namespace: Sequence[str] = ()
) -> None:
    """Run one of PostgreSQL's programs, as another user when we are root (which PostgreSQL refuses).

    Args:
        command: The program with its arguments.
        directory: Where it runs.
        user: The other user.
        namespace: What begins a command that is to run, as root, in another network namespace.
    """
    if namespace and user:
        to_user = ("setpriv", f"--reuid={user}", f"--regid={pwd.getpwnam(user).pw_gid}", "--clear-groups")
        command, user = (*namespace, *to_user, *command), None
    group = pwd.getpwnam(user).pw_gid if user else None
    others: list[int] | None = [] if user else None
    # A file, not a pipe: the server inherits it and would keep a pipe open for ever.
    with (directory / "setup.log").open("w+") as log:
        ended = subprocess.run(
            command,
            check=False,
            timeout=PATIENCE,
            cwd=directory,
            stdout=log,
            stderr=log,
            user=user,
            group=group,
            extra_groups=others,
        )
        if ended.returncode != 0:
            log.seek(0)
            raise PostgresStartError(f"{Path(command[0]).name} ended with {ended.returncode}: {log.read()}")


def _readable_copy(programs: Path, directory: Path) -> Path:
    """Copy the wheel's programs to where other users can read them: root's home is closed to everybody else."""
    if programs.is_relative_to("/usr"):
        return programs
    installation, package = programs.parent, programs.parent.parent
    copy = directory / "programs"
    leave_out = shutil.ignore_patterns("include", "*.a")
    shutil.copytree(installation, copy / package.name / installation.name, symlinks=True, ignore=leave_out)
    libraries = package.with_name(f"{package.name}.libs")  # the programs look for it at this relative place
    if libraries.is_dir():
        shutil.copytree(libraries, copy / libraries.name, symlinks=True)
    return copy / package.name / installation.name / "bin"


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock among all processes of the test run."""
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
