"""Where things are copied from: another server, or an archive of one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

from penstock.cli.carrying.origin import Pair, Trigger
from penstock.cli.ctl.files import RemoteFile


class Files(Protocol):
    """The files of a namespace."""

    def walk(self) -> Iterator[RemoteFile]:
        """Yield all files, and maybe folders."""
        ...

    def read(self, path: str) -> Iterable[bytes]:
        """Return the content of a file."""
        ...


class Source(Protocol):
    """Where things are copied from: a server or an archive."""

    def flows(self) -> Iterator[tuple[str, str]]:
        """Yield (namespace, id) of all flows."""
        ...

    def source(self, namespace: str, flow_id: str) -> str:
        """Return the latest source of a flow."""
        ...

    def earlier(self, namespace: str, flow_id: str) -> Sequence[str]:
        """Return the sources of the revisions before it that are to be copied too, oldest first."""
        ...

    def namespaces(self) -> list[str]:
        """Return the namespaces that may hold something beside flows."""
        ...

    def settings(self, namespace: str) -> tuple[dict[str, Any], list[str]]:
        """Return what is set for a namespace and can be copied, and the names of what else is set."""
        ...

    def files(self, namespace: str) -> Files:
        """Return the files of a namespace."""
        ...

    def pairs(self, namespace: str) -> Iterator[Pair]:
        """Yield the pairs of a namespace."""
        ...

    def triggers(self) -> Iterator[Trigger]:
        """Yield the states of all triggers."""
        ...

    def dashboards(self) -> Iterator[tuple[str, str]]:
        """Yield (id, YAML source) of dashboards."""
        ...

    def secrets(self, namespace: str) -> set[str]:
        """Return the names of the secrets of a namespace."""
        ...

    def others(self) -> Iterator[tuple[str, int, str]]:
        """Yield (kind, how many, what to do about them) of what cannot be copied."""
        ...
