"""The working directory of one attempt, and the host files it may read."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from penstock.base.errors import InvalidRequestError, UnauthorizedError


class WorkingDirectory:
    """A folder made when first asked for and removed at the end (SCR-018), and the paths inside it (PLG-021)."""

    __slots__ = ("_parent", "_path")

    def __init__(self, parent: Path | None) -> None:
        self._parent = parent
        self._path: Path | None = None

    @property
    def path(self) -> Path:
        """The folder itself."""
        if self._path is None:
            if self._parent is not None:
                self._parent.mkdir(parents=True, exist_ok=True)
            self._path = Path(tempfile.mkdtemp(prefix="penstock-", dir=self._parent)).resolve()
        return self._path

    def resolve(self, name: str | Path) -> Path:
        """Return a path inside the folder.

        Raises:
            InvalidRequestError: It leads out of the folder.
        """
        root = self.path
        path = (root / name).resolve()
        if path != root and root not in path.parents:
            raise InvalidRequestError(
                f"`{name}` lies outside the task's working directory",
                hint="use a relative path without `..`",
            )
        return path

    def remove(self) -> None:
        """Remove the folder with all in it, if it was ever made."""
        if self._path is not None:
            shutil.rmtree(self._path, ignore_errors=True)
            self._path = None


def allowed_host_file(uri: str, allowed: Sequence[Path]) -> Path:
    """Return the path of a `file://` URI. Implements ENG-346.

    Raises:
        UnauthorizedError: It lies under none of the allowed folders, links followed.
    """
    path = Path(unquote(urlsplit(uri).path)).resolve()
    roots = [root.resolve() for root in allowed]
    if not any(path == root or root in path.parents for root in roots):
        raise UnauthorizedError(
            f"The path {path} is not authorized. Only files inside the working directory are allowed by default, other "
            "paths must be allowed either globally inside the Kestra configuration using the "
            "`kestra.local-files.allowed-paths` property, or by plugin using the `allowed-paths` plugin configuration."
        )
    return path
