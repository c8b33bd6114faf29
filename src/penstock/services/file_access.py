"""Which stored files an execution may touch: its own, those handed over to it, and files of namespaces.

A URI proves nothing. Whoever asks is an execution; a file of another execution is readable only when its URI has come
to this one as an input, a trigger variable, an output or a batch.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from penstock.base.errors import InvalidRequestError, UnauthorizedError
from penstock.ports.jobs import Held
from penstock.ports.objects import ObjectInfo, ObjectStorage, path_of
from penstock.ports.queries import ExecutionQueries


@dataclass(frozen=True, slots=True)
class Caller:
    """The execution on whose behalf something is asked."""

    tenant: str
    namespace: str
    flow_id: str
    execution_id: str
    held: Held | None = None
    """The lease of the attempt it asks for; None where no worker asks."""


def execution_folder(namespace: str, flow_id: str, execution_id: str) -> str:
    """Return the folder of an execution's files in internal storage."""
    return f"/{namespace.replace('.', '/')}/{flow_id}/executions/{execution_id}"


def cache_folder(namespace: str, flow_id: str) -> str:
    """Return the folder of what a flow's tasks keep for later executions of the flow."""
    return f"/{namespace.replace('.', '/')}/{flow_id}/_cache"


def locks_folder(namespace: str, flow_id: str) -> str:
    """Return the folder of the locks of a flow's dependencies, by revision."""
    return f"/{namespace.replace('.', '/')}/{flow_id}/_locks"


def namespace_file(namespace: str, path: str) -> str:
    """Return the storage path of a namespace file (ENG-347, ENG-393)."""
    return f"/{namespace.replace('.', '/')}/_files/{path.lstrip('/')}"


class FileAccess:
    """Files as executions see them. Implements ENG-333, ENG-343, ENG-345, ENG-347, ENG-348, ENG-418."""

    def __init__(self, storage: ObjectStorage, queries: ExecutionQueries) -> None:
        self._storage = storage
        self._queries = queries

    async def put(self, caller: Caller, task_id: str, task_run_id: str, name: str, content: bytes | Path) -> str:
        """Store a file of a task run and return its URI.

        Raises:
            InvalidRequestError: The name leads out of the task run's folder.
        """
        parts = name.replace("\\", "/").split("/")
        if not name or name.startswith("/") or any(part in ("", ".", "..") for part in parts):
            raise InvalidRequestError(f"`{name}` is no name for a stored file", hint="use a relative path without `..`")
        folder = execution_folder(caller.namespace, caller.flow_id, caller.execution_id)
        return await self._storage.put(caller.tenant, f"{folder}/tasks/{task_id}/{task_run_id}/{name}", content)

    async def read(self, caller: Caller, uri: str, namespace: str | None = None) -> bytes:
        """Return a whole file. Raises NotFoundError, UnauthorizedError."""
        return await self._storage.read(caller.tenant, await self.locate(caller, uri, namespace))

    async def fetch(self, caller: Caller, uri: str, target: Path) -> None:
        """Copy a file to the local disk. Raises NotFoundError, UnauthorizedError."""
        await self._storage.fetch(caller.tenant, await self.locate(caller, uri), target)

    async def stream(self, caller: Caller, uri: str) -> AsyncIterator[bytes]:
        """Return a file's bytes in pieces. Raises NotFoundError, UnauthorizedError at the first."""
        path = await self.locate(caller, uri)
        async for piece in self._storage.stream(caller.tenant, path):
            yield piece

    async def info(self, caller: Caller, uri: str, namespace: str | None = None) -> ObjectInfo | None:
        """Return what is known of a file; None when there is none. Raises UnauthorizedError."""
        found = await self._storage.info(caller.tenant, await self.locate(caller, uri, namespace))
        return None if found is None or found.is_directory else found

    async def locate(self, caller: Caller, uri: str, namespace: str | None = None) -> str:
        """Return the storage path a URI, or the name of a namespace file, stands for.

        Raises:
            UnauthorizedError: It belongs to an execution that has not handed it over.
            InvalidRequestError: It has another scheme, or leads somewhere by `..`.
        """
        if uri.startswith("nsfile://"):
            parts = urlsplit(uri)
            return namespace_file(parts.netloc or namespace or caller.namespace, _inside(unquote(parts.path)))
        if not uri.startswith("kestra://"):
            if "://" in uri:
                raise InvalidRequestError(
                    f"`{uri}` has a scheme that cannot be read here",
                    hint="use kestra:///..., nsfile:///..., file:///... or the path of a namespace file",
                )
            return namespace_file(namespace or caller.namespace, _inside(uri))
        path = "/" + _inside(path_of(uri))
        if path.startswith(execution_folder(caller.namespace, caller.flow_id, caller.execution_id) + "/"):
            return path
        if path.startswith(cache_folder(caller.namespace, caller.flow_id) + "/"):
            return path
        if path.startswith(f"/{caller.namespace.replace('.', '/')}/_files/"):
            return path
        if await self._was_handed_over(caller, path):
            return path
        raise UnauthorizedError(
            f"execution {caller.execution_id} may not read {uri}",
            hint="hand the file over as an input or an output",
        )

    async def _was_handed_over(self, caller: Caller, path: str) -> bool:
        found = await self._queries.get(caller.tenant, caller.execution_id)
        if found is None:
            return False
        execution, runs = found
        given: list[Any] = [execution.inputs, execution.trigger and execution.trigger.variables]
        given.extend((run.outputs, run.items) for run in runs if run.outputs or run.items)
        return any(_mentions(one, path) for one in given)


def _inside(path: str) -> str:
    if ".." in path.split("/"):
        raise InvalidRequestError(f"`{path}` may not contain `..`")
    return path.lstrip("/")


def _mentions(value: Any, path: str) -> bool:
    """Return whether a value holds the file's URI as a text of its own, at any depth."""
    if isinstance(value, str):
        return value.startswith("kestra://") and path_of(value) == path
    if isinstance(value, Mapping):
        return any(_mentions(item, path) for item in value.values())
    return isinstance(value, Sequence) and any(_mentions(item, path) for item in value)
