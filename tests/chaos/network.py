"""A machine of its own, as far as the network goes: a network namespace with an address that can go away."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass


def reason_against() -> str:
    """Return why no namespace can be made here; empty when one can."""
    if shutil.which("ip") is None:
        return "the command `ip` (iproute2) is missing"
    if os.geteuid() != 0:
        return "network namespaces take root"
    probe = f"penstock-probe-{os.getpid()}"
    if subprocess.run(["ip", "netns", "add", probe], capture_output=True, check=False).returncode:
        return "network namespaces are not allowed here"
    subprocess.run(["ip", "netns", "del", probe], check=True)
    return ""


@dataclass(frozen=True)
class Namespace:
    """A namespace that is joined to this one by a cable.

    Attributes:
        number: Makes names and addresses its own.
    """

    number: int

    @property
    def name(self) -> str:
        """Its name."""
        return f"penstock-{self.number}"

    @property
    def host(self) -> str:
        """The address of what runs within."""
        return f"10.213.{self.number % 256}.2"

    @property
    def prefix(self) -> tuple[str, ...]:
        """What a command begins with that is to run within."""
        return ("ip", "netns", "exec", self.name)

    def make(self) -> None:
        """Make it and lay the cable."""
        here, there = f"pst{self.number}a", f"pst{self.number}b"
        _ip("netns", "add", self.name)
        _ip("link", "add", here, "type", "veth", "peer", "name", there, "netns", self.name)
        _ip("addr", "add", f"10.213.{self.number % 256}.1/24", "dev", here)
        _ip("link", "set", here, "up")
        _ip("-n", self.name, "link", "set", "lo", "up")
        _ip("-n", self.name, "link", "set", there, "up")
        self.heal()

    def cut(self) -> None:
        """Let nothing in or out, and tell nobody: no connection breaks, no packet is refused."""
        _ip("-n", self.name, "addr", "del", f"{self.host}/24", "dev", f"pst{self.number}b")

    def heal(self) -> None:
        """Let everything through."""
        _ip("-n", self.name, "addr", "add", f"{self.host}/24", "dev", f"pst{self.number}b")

    def remove(self) -> None:
        """Remove it with the cable."""
        _ip("netns", "del", self.name)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)
