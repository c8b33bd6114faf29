"""Where files of a namespace lie in internal storage.

The latest content of a file stands under `_files`, where expressions and tasks find it without asking anybody. Its
revisions stand beside that folder, under `_revisions/<path>/v<number>`, so that no name a user may choose meets them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from penstock.base.errors import InvalidRequestError
from penstock.services.file_access import namespace_file
from penstock.services.namespaces import check_namespace

FILES = "_files"
"""The folder of a namespace's files."""
MARKER = ".penstock-folder"
"""An empty file that keeps an empty folder: many storages know files alone."""
_REVISION = re.compile(r"v(0|[1-9]\d*)")


@dataclass(frozen=True, slots=True)
class Place:
    """A file or folder of a namespace."""

    namespace: str
    path: str
    """Relative to the namespace's root, which is empty itself."""

    @property
    def shown(self) -> str:
        """The path as people see it."""
        return f"/{self.path}"

    @property
    def content(self) -> str:
        """The storage path of the latest content, or of the folder."""
        return namespace_file(self.namespace, self.path).rstrip("/")

    @property
    def revisions(self) -> str:
        """The storage path of the folder with the revisions, of this file or of all in this folder."""
        return f"/{self.namespace.replace('.', '/')}/_revisions/{self.path}".rstrip("/")

    def revision(self, number: int) -> str:
        """Return the storage path of one revision."""
        return f"{self.revisions}/v{number}"

    def below(self, content: str) -> str:
        """Return the path, relative to the namespace's root, of something in this folder's storage."""
        return content.removeprefix(namespace_file(self.namespace, ""))


def place(namespace: str, path: str) -> Place:
    """Return the place of a path; slashes around it and doubled ones mean nothing.

    Raises:
        InvalidRequestError: There can be no such namespace or path.
    """
    check_namespace(namespace)
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if ".." in parts or "\0" in path or MARKER in parts:
        raise InvalidRequestError(f"`{path}` is no path of a namespace file", hint="use a path without `..`")
    return Place(namespace, "/".join(parts))


def file_place(namespace: str, path: str) -> Place:
    """Return the place of a file, which the root cannot be.

    Raises:
        InvalidRequestError: There can be no such file.
    """
    found = place(namespace, path)
    if not found.path:
        raise InvalidRequestError("the path of a namespace file is missing", hint="name the file, as in /queries/a.sql")
    return found


def revision_number(name: str) -> int | None:
    """Return the number of a revision's file; None when it is none."""
    match = _REVISION.fullmatch(name)
    return int(match[1]) if match else None
