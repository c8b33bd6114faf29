"""Starts a server of its own for a measurement, in a folder of its own, and stops it afterwards."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import httpx

USER = ("bench@example.com", "Bench1234")


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _memory(pid: int, kind: str) -> float:
    """Return the memory of a process in MB: `VmRSS` or another line of its status."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{kind}:"):
            return int(line.split()[1]) / 1024
    return 0.0


def _cpu(pid: int) -> float:
    """Return the processor seconds a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Server:
    """`penstock server local` on SQLite, or `server standalone` on PostgreSQL, as a real process.

    Args:
        folder: Where it keeps everything.
        postgres: The database's address; SQLite without one.
        prefix: What stands before the command.
        settings: More lines of its configuration, of what is below `kestra`.
    """

    def __init__(
        self, folder: Path, postgres: str | None = None, prefix: Sequence[str] = (), settings: str = ""
    ) -> None:
        self.port = free_port()
        management = free_port()
        self._folder = folder
        config = folder / "config.yml"
        text = f"""
kestra:
  server:
    basic-auth: {{username: {USER[0]}, password: {USER[1]}}}
  storage: {{type: local, local: {{base-path: {folder / "storage"}}}}}
{settings}
micronaut: {{server: {{port: {self.port}}}}}
endpoints: {{all: {{port: {management}}}}}
"""
        if postgres:
            address = postgres.split("://", 1)[1]
            credentials, rest = address.rsplit("@", 1) if "@" in address else ("postgres:", address)
            user, _, password = credentials.partition(":")
            text += f"""
datasources:
  postgres: {{url: "jdbc:postgresql://{rest}", username: "{user}", password: "{password}"}}
"""
            text = text.replace("kestra:\n", "kestra:\n  repository: {type: postgres}\n  queue: {type: postgres}\n", 1)
        config.write_text(text)
        role = ["standalone"] if postgres else ["local", "--data", str(folder / "data")]
        self._command = [*prefix, sys.executable, "-m", "penstock", "server", *role, "--config", str(config)]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The server's process id."""
        assert self._process is not None
        return self._process.pid

    async def start(self) -> float:
        """Start the server and return the seconds until it answers."""
        started = time.perf_counter()
        self._launch()
        async with httpx.AsyncClient(auth=USER) as client:
            while True:
                if self._process is None or self._process.poll() is not None:
                    raise SystemExit(f"the server ended at once: {(self._folder / 'server.log').read_text()[-3000:]}")
                try:
                    answer = await client.get(f"http://127.0.0.1:{self.port}/api/v1/main/flows/search")
                    if answer.status_code == 200:
                        return time.perf_counter() - started
                except httpx.HTTPError:
                    pass
                await asyncio.sleep(0.01)

    def _launch(self) -> None:
        with (self._folder / "server.log").open("ab") as output:
            self._process = subprocess.Popen(self._command, stdout=output, stderr=output)

    def is_alive(self) -> bool:
        """Return whether the process has not ended."""
        return self._process is not None and self._process.poll() is None

    def memory(self) -> float:
        """Return the server's resident memory in MB."""
        return _memory(self.pid, "VmRSS")

    def own_memory(self) -> float:
        """Return the part of it in MB that is no file's: without the database, which it sees through its memory."""
        return _memory(self.pid, "RssAnon")

    def cpu(self) -> float:
        """Return the processor seconds the server has used."""
        return _cpu(self.pid)

    def stop(self) -> None:
        """Stop the server and wait for its end."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
