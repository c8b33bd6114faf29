"""Two sides that hold flows and namespace files: a repository's folder, and the server.

Below a folder, a flow of a namespace is `<namespace>/flows/<id>.yaml`, and a file `<namespace>/files/<path>`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol
from urllib.parse import quote

from penstock.builtin.git.push_flows import FLOW_FILES
from penstock.builtin.git.repository import inside
from penstock.builtin.namespace.files import upload
from penstock.sdk import RunContext

FLOWS, FILES = "flows", "files"


class Item(NamedTuple):
    """A flow or a file of a namespace."""

    namespace: str
    kind: str
    name: str
    """A flow's id; the path of a file."""

    @property
    def path(self) -> str:
        """Where it is in a folder."""
        return f"{self.namespace}/{self.kind}/{self.name}{'.yaml' if self.kind == FLOWS else ''}"


class Side(Protocol):
    """Something that holds items."""

    def items(self) -> set[Item]:
        """Return all."""
        ...

    def read(self, item: Item) -> bytes:
        """Return an item's content."""
        ...

    def write(self, item: Item, content: bytes) -> None:
        """Make or change an item."""
        ...

    def delete(self, item: Item) -> None:
        """Remove an item."""
        ...


class FolderSide:
    """The items of a folder.

    Args:
        root: The folder.
        names: The paths of its files.
        namespaces: Which namespaces count; all by default.
    """

    def __init__(self, root: Path, names: Iterable[str], namespaces: Sequence[str] | None) -> None:
        self._root = root
        self._names = {
            item: name
            for name in names
            if (item := _item(name)) is not None and (namespaces is None or item.namespace in namespaces)
        }

    def items(self) -> set[Item]:
        """Return all."""
        return set(self._names)

    def read(self, item: Item) -> bytes:
        """Return an item's content."""
        return (self._root / self._names[item]).read_bytes()

    def write(self, item: Item, content: bytes) -> None:
        """Make or change a file."""
        target = self._root / inside(self._names.get(item, item.path))
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)

    def delete(self, item: Item) -> None:
        """Remove a file."""
        (self._root / self._names[item]).unlink()


class ServerSide:
    """The items of the server.

    Args:
        context: Of the task.
        namespaces: Which namespaces count; all by default.
        local: A folder for files on their way.
    """

    def __init__(self, context: RunContext, namespaces: Sequence[str] | None, local: Path) -> None:
        self._context = context
        self._local = local
        known = namespaces or sorted({*context.call("flowNamespaces"), *context.call("fileNamespaces")})
        self._flows = {
            Item(namespace, FLOWS, flow["id"]): str(flow["source"])
            for namespace in known
            for flow in context.call("flowSources", namespace=namespace)
        }
        self._files = {
            Item(namespace, FILES, path.lstrip("/"))
            for namespace in known
            for path in context.call("namespaceFiles", namespace=namespace)
        }

    def items(self) -> set[Item]:
        """Return all."""
        return {*self._flows, *self._files}

    def read(self, item: Item) -> bytes:
        """Return an item's content."""
        if item in self._flows:
            return self._flows[item].encode()
        return b"".join(self._context.stream_file(f"nsfile://{item.namespace}/{quote(item.name)}"))

    def problems(self, item: Item, content: bytes) -> list[str]:
        """Return why a flow cannot be stored."""
        found = self._context.call("checkFlow", source=content.decode(errors="replace"), namespace=item.namespace)
        if found.get("problems"):
            return list(found["problems"])
        return [] if found["id"] == item.name else [f"the file is called `{item.name}`, and the flow `{found['id']}`"]

    def write(self, item: Item, content: bytes) -> None:
        """Store a flow or a file."""
        if item.kind == FLOWS:
            self._context.call("putFlow", source=content.decode(), namespace=item.namespace)
            return
        self._local.write_bytes(content)
        upload(self._context, item.namespace, f"/{item.name}", self._local)

    def delete(self, item: Item) -> None:
        """Delete a flow or a file."""
        if item.kind == FLOWS:
            self._context.call("deleteFlow", namespace=item.namespace, id=item.name)
        else:
            paths = [f"/{item.name}"]
            self._context.call("deleteNamespaceFiles", namespace=item.namespace, paths=paths, emptyParents=True)


def _item(name: str) -> Item | None:
    """Return what a file of a folder stands for; None for one that has no place there."""
    namespace, _, rest = name.partition("/")
    kind, _, path = rest.partition("/")
    if kind == FILES and path:
        return Item(namespace, kind, path)
    if kind == FLOWS and path.endswith(FLOW_FILES) and "/" not in path:
        return Item(namespace, kind, path.rpartition(".")[0])
    return None
