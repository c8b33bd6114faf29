"""An archive of what a server holds: a ZIP file that people can read, written from one server and copied to another.

| in the archive | what it is |
|---|---|
| `archive.json` | the format, and when it was made |
| `flows/<namespace>/<id>/<revision>.yaml` | each revision of each flow |
| `files/<namespace>/<path>` | the files of namespaces |
| `pairs.json`, `namespaces.json`, `triggers.json` | pairs, settings of namespaces, states of triggers |
| `dashboards/<id>.yaml` | dashboards |
| `secrets.json` | names of secrets by namespace, never a value |
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from penstock.base.errors import InvalidRequestError, NotFoundError
from penstock.cli.carrying.origin import Origin, Pair, Trigger
from penstock.cli.carrying.source import Files
from penstock.cli.ctl.files import RemoteFile

FORMAT = 1
_NO_ARCHIVE = "make one with `penstock migrate export`"


def write_archive(origin: Origin, path: Path) -> int:
    """Write what a server holds into an archive and return how many entries it has; a file that exists is replaced."""
    part = path.with_name(f"{path.name}.part")
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
        names: set[str] = set(origin.namespaces())
        for namespace, flow_id in origin.flows():
            names.add(namespace)
            for number, source in origin.revisions(namespace, flow_id):
                archive.writestr(f"flows/{namespace}/{flow_id}/{number}.yaml", source)
        for namespace in sorted(names):
            files = origin.files(namespace)
            for file in files.walk():
                if not file.is_folder:
                    archive.writestr(f"files/{namespace}/{file.path}", b"".join(files.read(file.path)))
        for dashboard_id, source in origin.dashboards():
            archive.writestr(f"dashboards/{dashboard_id}.yaml", source)
        tables = {
            "archive": {"format": FORMAT, "created": datetime.now(UTC).isoformat()},
            "pairs": [asdict(pair) for name in sorted(names) for pair in origin.pairs(name)],
            "namespaces": {name: origin.settings(name)[0] for name in sorted(names)},
            "triggers": [asdict(trigger) for trigger in origin.triggers()],
            "secrets": {name: sorted(origin.secrets(name)) for name in sorted(names)},
        }
        for name, table in tables.items():
            archive.writestr(f"{name}.json", json.dumps(table, indent=1, ensure_ascii=False))
        count = len(archive.namelist())
    part.replace(path)
    return count


class Archive:
    """An archive to copy from.

    Args:
        path: The file.

    Raises:
        NotFoundError: There is no such file.
        InvalidRequestError: It is no archive, or one of a later release.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise NotFoundError(f"there is no file {path}", hint=_NO_ARCHIVE)
        try:
            self._zip = zipfile.ZipFile(path)
            found = self._table("archive")["format"]
        except (zipfile.BadZipFile, KeyError, ValueError) as error:
            raise InvalidRequestError(f"{path} is no archive of a server", hint=_NO_ARCHIVE) from error
        if found != FORMAT:
            raise InvalidRequestError(f"{path} has format {found}, not {FORMAT}", hint="use a later release")
        self._revisions: dict[tuple[str, str], list[int]] = {}
        for name in self._zip.namelist():
            parts = name.split("/")
            if parts[0] == "flows" and len(parts) == 4:
                number = int(parts[3].removesuffix(".yaml"))
                self._revisions.setdefault((parts[1], parts[2]), []).append(number)

    def flows(self) -> Iterator[tuple[str, str]]:
        """Yield (namespace, id) of all flows."""
        yield from sorted(self._revisions)

    def source(self, namespace: str, flow_id: str) -> str:
        """Return the latest source of a flow."""
        return self._flow(namespace, flow_id, max(self._revisions[namespace, flow_id]))

    def earlier(self, namespace: str, flow_id: str) -> Sequence[str]:
        """Return the sources of the revisions before it, oldest first."""
        numbers = sorted(self._revisions[namespace, flow_id])[:-1]
        return [self._flow(namespace, flow_id, number) for number in numbers]

    def namespaces(self) -> list[str]:
        """Return the namespaces that may hold something beside flows."""
        return sorted(self._table("namespaces"))

    def settings(self, namespace: str) -> tuple[dict[str, Any], list[str]]:
        """Return what is set for a namespace; there is nothing else."""
        return self._table("namespaces").get(namespace, {}), []

    def files(self, namespace: str) -> Files:
        """Return the files of a namespace."""
        return _ArchivedFiles(self._zip, f"files/{namespace}/")

    def pairs(self, namespace: str) -> Iterator[Pair]:
        """Yield the pairs of a namespace."""
        yield from (Pair(**one) for one in self._table("pairs") if one["namespace"] == namespace)

    def triggers(self) -> Iterator[Trigger]:
        """Yield the states of all triggers."""
        yield from (Trigger(**one) for one in self._table("triggers"))

    def dashboards(self) -> Iterator[tuple[str, str]]:
        """Yield (id, YAML source) of dashboards."""
        for name in self._zip.namelist():
            if name.startswith("dashboards/"):
                yield Path(name).stem, self._zip.read(name).decode()

    def secrets(self, namespace: str) -> set[str]:
        """Return the names of the secrets of a namespace."""
        return set(self._table("secrets").get(namespace, ()))

    def others(self) -> Iterator[tuple[str, int, str]]:
        """Yield nothing: what cannot be copied is in no archive."""
        yield from ()

    def _flow(self, namespace: str, flow_id: str, number: int) -> str:
        return self._zip.read(f"flows/{namespace}/{flow_id}/{number}.yaml").decode()

    def _table(self, name: str) -> Any:
        return json.loads(self._zip.read(f"{name}.json"))


class _ArchivedFiles:
    """The files of one namespace in an archive."""

    def __init__(self, archive: zipfile.ZipFile, folder: str) -> None:
        self._zip = archive
        self._folder = folder

    def walk(self) -> Iterator[RemoteFile]:
        """Yield all files."""
        for one in self._zip.infolist():
            if one.filename.startswith(self._folder):
                yield RemoteFile(one.filename.removeprefix(self._folder), False, one.file_size, 0)

    def read(self, path: str) -> Iterable[bytes]:
        """Return the content of a file."""
        return [self._zip.read(self._folder + path)]
