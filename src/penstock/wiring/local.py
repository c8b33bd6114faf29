"""`server local`: where its data lives, and the settings nobody need write. Implements ENG-386, OPS-197, OPS-212."""

from __future__ import annotations

import base64
import contextlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from penstock.wiring.datasource import sqlite_file

IMAGE_DATA = Path("/app/data")
DATABASE = "penstock.db"
KEY = "encryption.key"
_KEY_BYTES = 32


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
    key = folder / KEY
    return {
        **({"kestra.encryption.secret-key": key.read_text()} if key.is_file() else {}),
        "datasources.h2.url": database_file(folder),
        "kestra.repository.type": "h2",
        "kestra.queue.type": "h2",
        "kestra.storage.type": "local",
    }


def ensure_key(folder: Path) -> None:
    """Have a key in a data folder that encrypts secrets where none is configured; only its owner may read it."""
    if (folder / KEY).is_file():
        return
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder) as whole:
        whole.write(base64.b64encode(os.urandom(_KEY_BYTES)))
        whole.flush()
        os.fsync(whole.fileno())
        with contextlib.suppress(FileExistsError):  # another server was quicker: its key holds
            os.link(whole.name, folder / KEY)
