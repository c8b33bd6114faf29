"""Earlier runs of `penstock run`, kept so that a later one can go on from them. Implements BEY-030 (`--reuse`).

A run is a folder of its own, readable by its owner only: the execution with its task runs, and its files. Values of
SECRET inputs are not kept. The folders are in the user's data directory, or where `PENSTOCK_RUNS` says.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from penstock.base.errors import NotFoundError
from penstock.engine.flow import ResolvedFlow
from penstock.engine.records import Execution, TaskRun
from penstock.ports.objects import ObjectStorage
from penstock.services.executions.inputs import document_of
from penstock.services.file_access import execution_folder

LAST = "last"
_KEPT = 20
_RECORD = "run.json"
_FILES = "files"


class SavedRun(msgspec.Struct, frozen=True):
    """An earlier run."""

    execution: Execution
    task_runs: tuple[TaskRun, ...]
    inputs: dict[str, Any]
    """By input id."""


def runs_folder(environment: Mapping[str, str]) -> Path:
    """Return the folder of earlier runs."""
    if environment.get("PENSTOCK_RUNS"):
        return Path(environment["PENSTOCK_RUNS"]).expanduser()
    data = environment.get("XDG_DATA_HOME") or str(Path("~/.local/share").expanduser())
    return Path(data) / "penstock" / "runs"


class RunHistory:
    """The earlier runs in a folder; the oldest go as new ones come."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, name: str, namespace: str, flow_id: str) -> SavedRun:
        """Return an earlier run of a flow by its execution's id, or the last one.

        Raises:
            NotFoundError: There is none.
        """
        for run_id in reversed(self._ids()) if name == LAST else [name]:
            found = self._read(run_id)
            if found is not None and (found.execution.namespace, found.execution.flow_id) == (namespace, flow_id):
                return found
        which = f"no earlier run of {namespace}.{flow_id}" + ("" if name == LAST else f" with the id {name}")
        raise NotFoundError(f"there is {which}", hint=f"run it first; the last {_KEPT} runs are kept in {self._folder}")

    def _ids(self) -> list[str]:
        return sorted(one.name for one in self._folder.iterdir()) if self._folder.is_dir() else []

    def _read(self, run_id: str) -> SavedRun | None:
        try:
            return msgspec.json.decode((self._folder / run_id / _RECORD).read_bytes(), type=SavedRun)
        except (OSError, ValueError, msgspec.MsgspecError):
            return None  # another release wrote it, or somebody else: it cannot be used

    async def save(
        self, flow: ResolvedFlow, execution: Execution, task_runs: Sequence[TaskRun], storage: ObjectStorage
    ) -> None:
        """Keep a run with its files. Raises OSError."""
        folder = self._folder / execution.id
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.mkdir(mode=0o700, exist_ok=True)
        place = execution_folder(execution.namespace, execution.flow_id, execution.id)
        for one in await storage.list(execution.tenant, place, recursive=True):
            if not one.is_directory:
                target = folder / _FILES / one.path.lstrip("/")
                target.parent.mkdir(parents=True, exist_ok=True)
                await storage.fetch(execution.tenant, one.path, target)
        given = _values(flow, execution.inputs or {})
        saved = SavedRun(msgspec.structs.replace(execution, inputs=None), tuple(task_runs), given)
        (folder / _RECORD).write_bytes(msgspec.json.encode(saved, enc_hook=str))
        for run_id in self._ids()[:-_KEPT]:
            shutil.rmtree(self._folder / run_id, ignore_errors=True)

    async def restore(self, run: SavedRun, storage: ObjectStorage) -> None:
        """Put the files of an earlier run back to where its outputs say they are."""
        root = self._folder / run.execution.id / _FILES
        for name in (os.path.join(path, file) for path, _, files in os.walk(root) for file in files):
            path = Path(name)
            await storage.put(run.execution.tenant, "/" + path.relative_to(root).as_posix(), path)


def _values(flow: ResolvedFlow, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the inputs by id, dotted ids looked up, without secret ones."""
    found = {}
    for one in document_of(flow).inputs:
        value: Any = inputs
        for part in one.id.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        if value is not None and one.type != "SECRET":
            found[one.id] = value
    return found
