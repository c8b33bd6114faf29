"""An embedded database of an older release is brought up to date, and a copy of how it was stays beside it.

For a server that has its database to itself: nobody else is there who would have to agree. Implements BEY-071 (part).
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import make_url

from penstock.base.clock import Instant, to_datetime
from penstock.base.errors import UnavailableError
from penstock.store.schema import migrate, status


@dataclass(frozen=True, slots=True)
class Upgrade:
    """What was done."""

    before: str
    """The version of the schema there was."""
    after: str
    copy: Path
    """The database as it was."""

    def __str__(self) -> str:
        return (
            f"the database was brought from schema version {self.before} to {self.after}; "
            f"{self.copy} is how it was before, for a return to the earlier release"
        )


def upgrade(url: str, now: Instant) -> Upgrade | None:
    """Bring an embedded database up to date; returns None when there was nothing to do, or a newer release made it.

    Whoever calls this holds the database: no server may have it open.

    Raises:
        UnavailableError: The database cannot be read or copied; it is as it was.
    """
    path = Path(make_url(url).database or "")
    if not path.is_file():
        return None
    found = status(url)
    if found.version is None or found.is_current or not found.is_known:
        return None
    copy = path.with_name(f"{path.stem}-{found.version}-{to_datetime(now):%Y%m%dT%H%M%SZ}{path.suffix}")
    _copy(path, copy)
    try:
        return Upgrade(found.version, migrate(url), copy)
    except BaseException:
        copy.unlink()  # the database is as it was; a server that is started over and over would fill the disk
        raise


def _copy(path: Path, copy: Path) -> None:
    """Copy a database with what its log holds; the copy bears its name only once it is whole."""
    partial = copy.with_name(f"{copy.name}.partial")
    partial.touch(mode=0o600)
    try:
        shutil.copymode(path, partial)
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(partial)) as target:
            source.backup(target)
        partial.rename(copy)
    except (OSError, sqlite3.Error) as error:
        partial.unlink(missing_ok=True)
        raise UnavailableError(
            f"the database {path} is of an earlier release, and cannot be copied before it is brought up to date "
            f"({error})",
            hint=f"make room in {path.parent}, or back it up yourself and run `penstock migrate`",
        ) from error
