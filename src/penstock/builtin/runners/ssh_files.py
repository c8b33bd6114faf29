"""A folder copied to another machine by SFTP, and back again."""

from __future__ import annotations

import os
import posixpath
import stat
from collections.abc import Iterator
from pathlib import Path

from paramiko import SFTPAttributes, SFTPClient

_AGO = 60
"""Seconds by which copies look older than they are, so that what is written to one at once can be told by its age."""
_PERMISSIONS = 0o777


class RemoteFolder:
    """A folder of another machine that mirrors one of the worker.

    Args:
        client: The connection to it.
        path: Its path there.
    """

    def __init__(self, client: SFTPClient, path: str) -> None:
        self._client = client
        self._path = path
        self._given: dict[str, tuple[int | None, int | None]] = {}
        """Size and time of the files brought there, so that those nobody has changed need not come back."""

    def put(self, folder: Path) -> None:
        """Copy a folder with all that is in it."""
        self._client.mkdir(self._path, 0o700)
        for parent, folders, names in os.walk(folder):
            for name in sorted([*folders, *names]):
                local = Path(parent, name)
                self._put(local, local.relative_to(folder).as_posix())

    def _put(self, local: Path, name: str) -> None:
        remote = posixpath.join(self._path, name)
        if local.is_symlink():
            target = os.readlink(local)
            if not leads_out(name, target):
                self._client.symlink(target, remote)
        elif local.is_dir():
            self._client.mkdir(remote)
        elif local.is_file():
            self._client.put(str(local), remote)
            found = local.stat()
            self._client.chmod(remote, stat.S_IMODE(found.st_mode) & _PERMISSIONS)
            when = found.st_mtime - _AGO
            self._client.utime(remote, (when, when))
            self._given[name] = _looks(self._client.stat(remote))

    def get(self, folder: Path) -> list[str]:
        """Copy back what is new or changed; return the names of links that lead out, which are left."""
        left: list[str] = []
        for name, found in self._entries(""):
            remote, local = posixpath.join(self._path, name), folder / name
            mode = found.st_mode or 0
            if stat.S_ISDIR(mode):
                local.mkdir(exist_ok=True)
            elif stat.S_ISLNK(mode):
                target = self._client.readlink(remote) or ""
                if leads_out(name, target):
                    left.append(name)
                elif not os.path.lexists(local):
                    local.symlink_to(target)
            elif stat.S_ISREG(mode) and self._given.get(name) != _looks(found):
                if local.is_symlink():
                    local.unlink()
                self._client.get(remote, str(local))
                local.chmod(stat.S_IMODE(mode) & _PERMISSIONS | stat.S_IRUSR | stat.S_IWUSR)
        return left

    def _entries(self, parent: str) -> Iterator[tuple[str, SFTPAttributes]]:
        """Return what is in a folder, each folder before what is in it."""
        for found in self._client.listdir_attr(posixpath.join(self._path, parent)):
            name = posixpath.join(parent, found.filename)
            yield name, found
            if stat.S_ISDIR(found.st_mode or 0):
                yield from self._entries(name)


def leads_out(name: str, target: str) -> bool:
    """Return whether a link of that name leads out of the folder it is in."""
    return (
        posixpath.isabs(target)
        or posixpath.normpath(posixpath.join(posixpath.dirname(name), target)).split("/")[0] == ".."
    )


def _looks(found: SFTPAttributes) -> tuple[int | None, int | None]:
    return found.st_size, found.st_mtime
