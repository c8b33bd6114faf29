"""Internal storage: files of any size under a tenant's root, addressed by URI `kestra:///path` (ENG-331)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import quote, unquote

from penstock.base.clock import Instant


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """What is known of a stored file or folder without reading it."""

    path: str
    """Absolute path within the tenant's root, such as `/company/team/flow/executions/ID/tasks/t/RUN/1-WORKER/f.csv`."""
    size: int
    modified: Instant
    is_directory: bool = False


class ObjectStorage(Protocol):
    """Files. Paths are absolute and normalised; one that leaves the root is refused with InvalidRequestError."""

    async def put(self, tenant: str, path: str, content: bytes | Path | AsyncIterator[bytes]) -> str:
        """Store a file whole or not at all (written aside, then renamed) and return its URI (`uri_of`)."""
        ...

    async def read(self, tenant: str, path: str) -> bytes:
        """Return a whole file. Raises NotFoundError."""
        ...

    def stream(self, tenant: str, path: str, chunk: int = 65_536) -> AsyncIterator[bytes]:
        """Return a file's bytes in pieces. Raises NotFoundError at the first."""
        ...

    async def fetch(self, tenant: str, path: str, target: Path) -> None:
        """Copy a file to the local disk. Raises NotFoundError."""
        ...

    async def info(self, tenant: str, path: str) -> ObjectInfo | None:
        """Return what is known of a path; None when there is nothing."""
        ...

    async def list(self, tenant: str, path: str, *, recursive: bool = False) -> Sequence[ObjectInfo]:
        """Return what lies under a folder, sorted by path; empty when there is no such folder."""
        ...

    async def delete(self, tenant: str, path: str) -> bool:
        """Remove a file, or a folder with all below it; False when there was nothing."""
        ...


def uri_of(path: str) -> str:
    """Return the `kestra://` URI of a storage path: ASCII without blanks, so that commands and texts can hold it."""
    return "kestra://" + quote(path, safe="/+~=")


def path_of(uri: str) -> str:
    """Return the storage path of a `kestra://` URI (a bare absolute path is returned as it is).

    Raises:
        ValueError: The URI has another scheme.
    """
    if uri.startswith("kestra://"):
        return unquote(uri.removeprefix("kestra://"))
    if uri.startswith("/"):
        return uri
    raise ValueError(f"`{uri}` is not an internal-storage URI (kestra:///...)")
