"""The log of one attempt as a file on the worker's disk, until it is handed in whole (`logToFile`)."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path

from penstock.engine.records import LogLine
from penstock.services.log_text import line_text, lines_of


class LogFile:
    """Takes lines of several threads. Implements ENG-051 on the worker's side.

    Args:
        folder: Where temporary files are made; the system's by default.
    """

    def __init__(self, folder: Path | None) -> None:
        self._lock = threading.Lock()
        self._last: LogLine | None = None
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        # Open until the attempt is over, and gone with the process that has it open.
        self._file = tempfile.NamedTemporaryFile("w+", prefix="penstock-log-", dir=folder, encoding="utf-8")  # noqa: SIM115

    def write(self, line: LogLine) -> None:
        """Add a line; nothing once the file is closed."""
        with self._lock:
            if not self._file.closed:
                self._last = line
                self._file.write(line_text(line))

    @property
    def path(self) -> Path:
        """The file with all lines in it."""
        with self._lock:
            self._file.flush()
        return Path(self._file.name)

    def take_lines(self) -> list[LogLine]:
        """Close the file and return what is in it as lines, for when it cannot be handed in."""
        with self._lock:
            if self._file.closed:
                return []
            self._file.seek(0)
            text, last = self._file.read(), self._last
            self._file.close()
        return [] if last is None else list(lines_of(text, last))

    def close(self) -> None:
        """Remove the file."""
        with self._lock:
            self._file.close()
