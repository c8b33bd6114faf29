"""Files of one namespace of a server: listed, read, uploaded and deleted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock.base.errors import (
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    PenstockError,
    UnauthorizedError,
    UnavailableError,
)
from penstock.cli.remote import Remote, path_of

_CHUNK = 65_536
_SKIPPED = frozenset({".git"})


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file or folder of the namespace; its path has no slash in front."""

    path: str
    is_folder: bool
    size: int
    modified: int
    """Milliseconds since 1970."""

    def as_row(self) -> dict[str, Any]:
        """Return it as it is shown."""
        from datetime import UTC, datetime

        date = datetime.fromtimestamp(self.modified / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        kind = "Directory" if self.is_folder else "File"
        return {"path": self.path, "type": kind, "size": self.size, "lastModifiedTime": date}


@dataclass(frozen=True, slots=True)
class Uploaded:
    """What became of one local file.

    Attributes:
        action: `created`, `updated`, `unchanged` or `failed`.
        path: Its path in the namespace.
        file: The local file.
        message: Why it failed.
        hint: What to do about that.
    """

    action: str
    path: str
    file: str
    message: str = ""
    hint: str = ""


class NamespaceFiles:
    """The files of one namespace. Implements ENG-356.

    Args:
        remote: The server.
        namespace: The namespace.
    """

    def __init__(self, remote: Remote, namespace: str) -> None:
        self._remote = remote
        self._base = path_of("namespaces", namespace, "files")

    def walk(self, folder: str = "", *, recursive: bool = True) -> Iterator[RemoteFile]:
        """Yield what lies in a folder, by name; what is in its folders comes after each.

        Raises:
            NotFoundError: There is no such folder; the whole namespace may well be without files.
        """
        folder = folder.strip("/")
        answer = self._remote.find(f"{self._base}/directory", path=f"/{folder}" if folder else None)
        if answer is None and folder:
            raise NotFoundError(f"there is no folder {folder}", hint="`nsfiles list --recursive` shows all there is")
        for entry in sorted(answer or (), key=lambda one: str(one["fileName"])):
            path = f"{folder}/{entry['fileName']}".lstrip("/")
            is_folder = entry.get("type") == "Directory"
            yield RemoteFile(path, is_folder, int(entry.get("size") or 0), int(entry.get("lastModifiedTime") or 0))
            if is_folder and recursive:
                yield from self.walk(path)

    def read(self, path: str, revision: int | None = None) -> Iterable[bytes]:
        """Return the pieces of a file."""
        params = {"path": _absolute(path)} | ({} if revision is None else {"revision": str(revision)})
        return self._remote.ask("GET", self._base, params=params).iter_bytes(_CHUNK)

    def put(self, path: str, content: bytes) -> None:
        """Store a file as its newest revision."""
        form = {"fileContent": (path.rpartition("/")[2], content)}
        self._remote.ask("POST", self._base, params={"path": _absolute(path)}, files=form)

    def holds(self, there: RemoteFile, content: bytes) -> bool:
        """Return whether a file that is there holds this already."""
        return there.size == len(content) and b"".join(self.read(there.path)) == content

    def delete(self, path: str, *, recursive: bool) -> None:
        """Delete a file, or a folder with all that is in it.

        Raises:
            ConflictError: It is a folder, and only a file was meant.
        """
        params = {"path": _absolute(path)}
        about = self._remote.get(f"{self._base}/stats", **params)
        if about.get("type") == "Directory" and not recursive:
            raise ConflictError(f"{path} is a folder", hint="give --recursive to delete it with all that is in it")
        self._remote.ask("DELETE", self._base, params=params)

    def upload(
        self, local: Path, folder: str = "", *, override: bool = False, fail_fast: bool = False
    ) -> Iterator[Uploaded]:
        """Upload a file or what lies in a folder; yields what became of each file.

        Raises:
            NotFoundError: There is no such file or folder here.
        """
        there = {one.path: one for one in self.walk() if not one.is_folder}
        for file, name in _local_files(local):
            path = f"{folder.strip('/')}/{name}".lstrip("/")
            done = self._upload(file, path, there.get(path), override=override)
            yield done
            if done.action == "failed" and fail_fast:
                return

    def _upload(self, file: Path, path: str, there: RemoteFile | None, *, override: bool) -> Uploaded:
        try:
            content = file.read_bytes()
            if there is not None and self.holds(there, content):
                return Uploaded("unchanged", path, str(file))
            if there is not None and not override:
                raise ConflictError(f"{path} exists and differs", hint="give --override to replace it")
            self.put(path, content)
        except (UnavailableError, UnauthorizedError):
            raise
        except PenstockError as error:
            return Uploaded("failed", path, str(file), error.message, error.hint)
        except OSError as error:
            return Uploaded("failed", path, str(file), error.strerror or str(error))
        return Uploaded("created" if there is None else "updated", path, str(file))


def _absolute(path: str) -> str:
    if not path.strip("/"):
        raise InvalidRequestError("the path of a file is empty")
    return f"/{path.lstrip('/')}"


def _local_files(local: Path) -> Iterator[tuple[Path, str]]:
    """Yield (file, path below the folder it was found in)."""
    if local.is_file():
        yield local, local.name
        return
    if not local.is_dir():
        raise NotFoundError(f"there is no file or folder {local}", hint="check the path")
    for file in sorted(local.rglob("*")):
        inner = file.relative_to(local)
        if file.is_file() and not _SKIPPED & set(inner.parts):
            yield file, inner.as_posix()
