"""`server local`: where its data lives, and the settings nobody need write. Implements ENG-386, OPS-197, OPS-212."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from penstock.wiring.datasource import sqlite_file

IMAGE_DATA = Path("/app/data")
DATABASE = "penstock.db"


def data_folder(given: Path | None, environment: Mapping[str, str] | None = None) -> Path:
    """Return the folder of database and files.

    The one given, that of `PENSTOCK_DATA`, `/app/data` in an image, `.penstock` here when it exists, or `~/.penstock`.
    """
    variables = os.environ if environment is None else environment
    if given is not None:
        return given.expanduser()
    if variables.get("PENSTOCK_DATA"):
        return Path(variables["PENSTOCK_DATA"]).expanduser()
    if IMAGE_DATA.is_dir() and os.access(IMAGE_DATA, os.W_OK):
        return IMAGE_DATA
    here = Path(".penstock")
    return here if here.is_dir() else Path("~/.penstock").expanduser()


def database_file(folder: Path) -> str:
    """Return the address of the embedded database in a data folder."""
    return sqlite_file(folder / DATABASE)


def local_defaults(folder: Path) -> dict[str, Any]:
    """Return the settings `server local` starts from; every source of configuration may change them."""
    return {
        "datasources.h2.url": database_file(folder),
        "kestra.repository.type": "h2",
        "kestra.queue.type": "h2",
        "kestra.storage.type": "local",
    }
