"""What is looked at, and what was found."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from penstock.wiring.config import Configuration


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Args:
        subject: What it is about: `database`, `storage`, `containers` ...
        level: How bad it is.
        message: What was seen.
        remedy: The command that mends it; empty when nothing is to be done.
    """

    subject: str
    level: Level
    message: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Patient:
    """A server as it would be started here.

    Args:
        configuration: What is configured.
        environment: The environment variables.
        data: The data folder of `server local`.
        image: The container image that is asked for.
        reach: Addresses that flows need.
    """

    configuration: Configuration
    environment: Mapping[str, str]
    data: Path | None = None
    image: str = "python:3.13-slim"
    reach: tuple[str, ...] = ()


Check = Callable[[Patient], Iterator[Finding]]


@dataclass(frozen=True, slots=True)
class Subject:
    """Makes the findings about one subject."""

    name: str

    def ok(self, message: str) -> Finding:
        """Return that all is well."""
        return Finding(self.name, Level.OK, message)

    def warning(self, message: str, remedy: str) -> Finding:
        """Return something a server can live with."""
        return Finding(self.name, Level.WARNING, message, remedy)

    def failure(self, message: str, remedy: str) -> Finding:
        """Return something a server cannot live with."""
        return Finding(self.name, Level.FAILURE, message, remedy)
