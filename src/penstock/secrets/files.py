"""Secrets from a folder with a file each, as container platforms mount them; read anew each time."""

from __future__ import annotations

import asyncio
from pathlib import Path

from penstock.secrets.environment import Encoding, decoded


class FileSecrets:
    """Secrets of all namespaces in files named by their key. Implements BEY-060.

    Args:
        folder: Where the files are, such as `/run/secrets`.
        encoding: How they are encoded; files usually hold the plain value.
    """

    def __init__(self, folder: Path, encoding: Encoding = "plain") -> None:
        self._folder = folder
        self._encoding: Encoding = encoding

    async def find(self, tenant: str, namespace: str, key: str) -> str | None:
        """Return the content of the secret's file, without the line end at its end."""
        if "/" in key or key.startswith("."):
            return None
        return await asyncio.to_thread(self._read, key)

    def _read(self, key: str) -> str | None:
        path = self._folder / key
        if not path.is_file():
            return None
        return decoded(f"secret file {path}", path.read_text().removesuffix("\n"), self._encoding)

    async def names(self, tenant: str, namespace: str) -> list[str]:
        """Return the names that exist."""
        return await asyncio.to_thread(self._list)

    def _list(self) -> list[str]:
        if not self._folder.is_dir():
            return []
        return sorted(path.name for path in self._folder.iterdir() if path.is_file() and path.name[0] != ".")

    def where(self, key: str) -> str:
        """Return where it is looked for."""
        return f"file {self._folder / key}"
