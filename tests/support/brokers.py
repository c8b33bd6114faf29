"""Brokers of messages of a test run's own: real servers on ports of their own, with their files in a folder."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scripts.tooling import server_executable
from tests.support.missing import missing
from tests.support.nats_credentials import operator_in
from tests.support.ports import free_port
from tests.support.waiting import PATIENCE

USER, PASSWORD = "reader", "s3cret-word"
_SECONDS = 90


@dataclass(frozen=True, slots=True)
class Mosquitto:
    """An MQTT broker."""

    url: str
    secure_url: str
    """Encrypted, with the certificate of another host name."""
    certificate: str


@contextmanager
def mosquitto_in(folder: Path) -> Iterator[Mosquitto]:
    """Run an MQTT broker."""
    port, secure_port = free_port(), free_port()
    key, certificate, passwords = folder / "key.pem", folder / "certificate.pem", folder / "passwords"
    _run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=broker.example.com", "-keyout", str(key), "-out", str(certificate))  # fmt: skip
    passwords.write_text(f"{USER}:{PASSWORD}\n")
    _run("mosquitto_passwd", "-U", str(passwords))
    (folder / "mosquitto.conf").write_text(
        f"user root\nallow_anonymous true\npassword_file {passwords}\nlistener {port} 127.0.0.1\n"
        f"listener {secure_port} 127.0.0.1\ncertfile {certificate}\nkeyfile {key}\n"
    )
    with running("mosquitto", ["-c", str(folder / "mosquitto.conf")], folder, port):
        yield Mosquitto(f"tcp://127.0.0.1:{port}", f"ssl://127.0.0.1:{secure_port}", certificate.read_text())


@dataclass(frozen=True, slots=True)
class Nats:
    """A NATS server that keeps messages, and one that knows its users by credentials alone."""

    url: str
    strict_url: str
    credentials: str


@contextmanager
def nats_in(folder: Path) -> Iterator[Nats]:
    """Run both servers."""
    port, strict_port, operators = free_port(), free_port(), operator_in(folder)
    (folder / "open.conf").write_text(
        f"listen: 127.0.0.1:{port}\njetstream {{ store_dir: '{folder}' }}\nno_auth_user: anyone\n"
        f"authorization {{ users = [{{user: anyone}}, {{user: {USER}, password: '{PASSWORD}'}}] }}\n"
    )
    (folder / "strict.conf").write_text(f"listen: 127.0.0.1:{strict_port}\n{operators.configuration}")
    with (
        running("nats-server", ["-c", str(folder / "open.conf")], folder, port),
        running("nats-server", ["-c", str(folder / "strict.conf")], folder, strict_port),
    ):
        yield Nats(f"nats://127.0.0.1:{port}", f"nats://127.0.0.1:{strict_port}", operators.credentials)


@contextmanager
def running(
    name: str, arguments: Sequence[str], folder: Path, port: int, environment: dict[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server's program until the end of the block, from when it listens on a port."""
    program = server_executable(name)
    if program is None:
        missing(f"no {name} found: run `make setup`")
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen([str(program), *arguments], stdout=log, stderr=log, cwd=folder, env=environment)
    try:
        until(lambda: is_listening(port), process, folder / f"{name}.log")
        yield process
    finally:
        process.terminate()
        process.wait(PATIENCE)


def until(what: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until something holds of a process that has been started."""
    deadline = time.monotonic() + _SECONDS
    while not what():
        assert process.poll() is None, log.read_text()[-2000:]
        assert time.monotonic() < deadline, log.read_text()[-2000:]
        time.sleep(0.02)


def is_listening(port: int) -> bool:
    """Return whether somebody listens on a port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _run(*command: str) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
