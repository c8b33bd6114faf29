"""An SSH server of this machine's own OpenSSH, for the user who runs the tests, on a port of its own."""

from __future__ import annotations

import getpass
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scripts.tooling import sshd_executable
from tests.support.ports import free_port
from tests.support.waiting import PATIENCE

_START = 10.0


class SshMissingError(Exception):
    """There is no SSH server on this machine."""


@dataclass(frozen=True, slots=True)
class SshServer:
    """A running server, and what one needs to log in."""

    port: int
    username: str
    private_key: str
    host_key: str
    process: subprocess.Popen[bytes]

    def cut(self) -> None:
        """End all connections, as a machine does that goes down."""
        found = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True, check=False)
        for pid in found.stdout.split():
            subprocess.run(["pkill", "-KILL", "-P", pid], check=False)  # the part that runs as the user
            subprocess.run(["kill", "-KILL", pid], check=False)


def make_key(path: Path, passphrase: str = "") -> Path:
    """Make a pair of keys; the public one is beside it."""
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-C", "", "-f", str(path)]
    subprocess.run(command, check=True)
    return path


@contextmanager
def ssh_server(folder: Path) -> Iterator[SshServer]:
    """Run a server while the block lasts.

    Raises:
        SshMissingError: This machine has none.
    """
    program = sshd_executable()
    if program is None:
        raise SshMissingError("there is no OpenSSH server on this machine: python -m scripts.machine installs it")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # what the server wants where it separates privileges
    host_key, user_key = make_key(folder / "host"), make_key(folder / "user")
    (folder / "authorized_keys").write_text((folder / "user.pub").read_text())
    port = free_port()
    (folder / "config").write_text(
        "\n".join(
            [
                f"Port {port}",
                "ListenAddress 127.0.0.1",
                f"HostKey {host_key}",
                f"AuthorizedKeysFile {folder}/authorized_keys",
                f"PidFile {folder}/pid",
                "StrictModes no",
                "UsePAM no",
                "PasswordAuthentication no",
                "PermitRootLogin yes",
                "MaxStartups 100",
                "Subsystem sftp internal-sftp",
            ]
        )
    )
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([str(program), "-D", "-e", "-f", str(folder / "config")], stdout=log, stderr=log)
    try:
        _await(process, port, folder / "log")
        yield SshServer(
            port, getpass.getuser(), user_key.read_text(), (folder / "host.pub").read_text().strip(), process
        )
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _await(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + _START
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.poll() is not None or time.monotonic() > deadline:
            raise SshMissingError(f"the SSH server does not start: {log.read_text()[-500:]}")
        time.sleep(0.05)
