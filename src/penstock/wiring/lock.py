"""One server to an embedded database: a lock on a file beside it, which the system releases however the server ends."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO
from urllib.parse import unquote

from penstock.base.errors import NotFoundError, UnavailableError

_PREFIX = "sqlite:///"


class DatabaseInUse(UnavailableError):
    """Another server has the embedded database."""

    code = "DATABASE_IN_USE"
    hint = "stop the other server, choose another folder with --data, or use PostgreSQL for several servers"


class DatabaseLock:
    """Holds an embedded database for this process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str] | None = None

    @classmethod
    def of(cls, url: str) -> DatabaseLock | None:
        """Return the lock of a database; None for one that is not a file."""
        path = unquote(url.removeprefix(_PREFIX).split("?")[0])
        if not url.startswith(_PREFIX) or not path or path == ":memory:":
            return None
        return cls(Path(path))

    def acquire_existing(self) -> None:
        """Take the database if there is one: whoever looks after it must not make an empty one where none is.

        Raises:
            DatabaseInUse: Another process has it.
            NotFoundError: There is none.
        """
        if not self._path.exists():
            raise NotFoundError(
                f"there is no database {self._path}", hint="name the folder of a server with --data, or its --config"
            )
        self.acquire()

    def acquire(self) -> None:
        """Take the database.

        Raises:
            DatabaseInUse: Another process has it.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = self._path.with_name(self._path.name + ".lock").open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.seek(0)
            holder = file.read().strip()
            file.close()
            who = f" (process {holder})" if holder else ""
            raise DatabaseInUse(f"{self._path} is in use by another server{who}") from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        self._file = file

    def release(self) -> None:
        """Let go of the database; the file stays, since removing it would race with the next server."""
        if self._file is not None:
            self._file.close()
            self._file = None
