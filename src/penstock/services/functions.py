"""Functions of expressions that need the outside: secrets, keys, files, logs, HTTP. Answered on the server's side.

One door for all who render: the worker reaches it through its gateway, the executor between two attempts to decide.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from penstock.base.clock import Clock, to_iso
from penstock.base.errors import InvalidRequestError, NotFoundError, PenstockError
from penstock.engine.records import Execution, LogLine
from penstock.expressions.binary_ion import binary_as_text, is_binary_ion
from penstock.ports.jobs import JobQueue
from penstock.ports.keyvalue import KeyValueStore
from penstock.ports.objects import ObjectInfo, uri_of
from penstock.ports.queries import ExecutionQueries, LogSelection
from penstock.ports.secrets import SecretSource
from penstock.services.arguments import Effect, Function, path_argument, reading, text_argument
from penstock.services.file_access import Caller, FileAccess

__all__ = ["Caller", "ServerFunctions", "log_entry"]

_LOG_PAUSE, _LOG_TRIES = 0.1, 8


class FunctionError(PenstockError):
    """A function was called with something it does not take, or got an answer it cannot use."""

    code = "FUNCTION_FAILED"


class ServerFunctions:
    """Answers by function name.

    Implements ENG-363, ENG-372, EXP-144, EXP-146 to EXP-148, EXP-157, EXP-169, EXP-170, EXP-171, MIG-042.

    Args:
        secrets: Where secrets come from.
        key_values: The key-value store.
        files: Files as executions see them.
        queries: For the logs of the execution.
        clock: Decides which keys have expired.
        host_file: Returns the allowed path of a `file://` URI (ENG-346); raises UnauthorizedError.
        jobs: Tells whether a worker still has the attempt for which it asks.
        others: More functions by name: what tasks ask for, out of reach of expressions.
    """

    def __init__(
        self,
        *,
        secrets: SecretSource,
        key_values: KeyValueStore,
        files: FileAccess,
        queries: ExecutionQueries,
        clock: Clock,
        host_file: Callable[[str], Path],
        jobs: JobQueue,
        others: Mapping[str, Function] | None = None,
    ) -> None:
        self.files = files
        self._secrets = secrets
        self._key_values = key_values
        self._queries = queries
        self._clock = clock
        self._jobs = jobs
        self._host_file = host_file
        self._functions: dict[str, Function] = {
            "secret": reading(self._secret),
            "kv": reading(self._kv),
            "read": reading(self._read),
            "fileURI": reading(self._file_uri),
            "fileSize": reading(self._file_size),
            "fileExists": reading(self._file_exists),
            "isFileEmpty": reading(self._is_file_empty),
            "errorLogs": reading(self._error_logs),
            "http": reading(self._http),
            "randomPort": reading(self._random_port),
            **(others or {}),
        }

    @property
    def by_name(self) -> Mapping[str, Function]:
        """All that can be called here."""
        return self._functions

    def learn(self, others: Mapping[str, Function]) -> None:
        """Take in more functions, of services that ask for answers here themselves."""
        self._functions.update(others)

    async def call(self, caller: Caller, function: str, arguments: Mapping[str, Any]) -> Any:
        """Return a function's answer.

        Raises:
            InvalidRequestError: There is no such function here.
            JobTaken: It would change something, and the caller's attempt is its worker's no longer.
        """
        found = self._functions.get(function)
        if found is None:
            raise InvalidRequestError(f"function `{function}` is not available on this server")
        if caller.held is not None and found.effect is Effect.WRITES:
            await self._jobs.check(caller.held)
        return await found.answer(caller, arguments)

    async def answer(self, execution: Execution, function: str, arguments: Mapping[str, Any]) -> Any:
        """Return a function's answer to an execution; for the executor and the API."""
        caller = Caller(execution.tenant, execution.namespace, execution.flow_id, execution.id)
        return await self.call(caller, function, arguments)

    # -- secrets and keys

    async def _secret(self, caller: Caller, arguments: Mapping[str, Any]) -> str:
        key = text_argument(arguments, "key")
        value = await self._secrets.find(caller.tenant, arguments.get("namespace") or caller.namespace, key)
        if value is None:
            raise NotFoundError(f"there is no secret `{key}`", hint=f"looked for in {self._secrets.where(key)}")
        subkey = arguments.get("subkey")
        return value if subkey is None else _field(key, value, str(subkey))

    async def _kv(self, caller: Caller, arguments: Mapping[str, Any]) -> Any:
        key = text_argument(arguments, "key")
        namespace = arguments.get("namespace") or caller.namespace
        pair = await self._key_values.get(caller.tenant, namespace, key, self._clock.now())
        if pair is not None:
            return pair.value
        if arguments.get("errorOnMissing", True) is False:
            return None
        raise NotFoundError(
            f"there is no key `{key}` in the key-value store of namespace {namespace}",
            hint="set it, or call kv() with errorOnMissing=false",
        )

    # -- files

    async def _read(self, caller: Caller, arguments: Mapping[str, Any]) -> str:
        uri = path_argument(arguments, "path")
        if uri.startswith("file://"):
            content = await asyncio.to_thread(self._host_bytes, uri)
        else:
            content = await self.files.read(caller, uri, arguments.get("namespace"))
        if is_binary_ion(content):
            return await asyncio.to_thread(binary_as_text, content)
        try:
            return content.decode()
        except UnicodeDecodeError:
            raise FunctionError(f"{uri} is not text in UTF-8", hint="pass the URI on instead of its content") from None

    def _host_bytes(self, uri: str) -> bytes:
        path = self._host_file(uri)
        if not path.is_file():
            raise NotFoundError(f"there is no file {path}")
        return path.read_bytes()

    async def _file_uri(self, caller: Caller, arguments: Mapping[str, Any]) -> str:
        path = path_argument(arguments, "path")
        found = await self._info(caller, path, arguments)
        if found is None:
            raise NotFoundError(
                f"there is no namespace file `{path}` in {arguments.get('namespace') or caller.namespace}"
            )
        return uri_of(found.path)

    async def _file_size(self, caller: Caller, arguments: Mapping[str, Any]) -> int:
        uri = path_argument(arguments, "uri")
        found = await self._info(caller, uri, arguments)
        if found is None:
            raise NotFoundError(f"there is no file {uri}")
        return found.size

    async def _file_exists(self, caller: Caller, arguments: Mapping[str, Any]) -> bool:
        return await self._info(caller, path_argument(arguments, "uri"), arguments) is not None

    async def _is_file_empty(self, caller: Caller, arguments: Mapping[str, Any]) -> bool:
        return await self._file_size(caller, arguments) == 0

    async def _info(self, caller: Caller, uri: str, arguments: Mapping[str, Any]) -> ObjectInfo | None:
        if uri.startswith("file://"):
            path = self._host_file(uri)
            if not path.is_file():
                return None
            status = path.stat()
            return ObjectInfo(str(path), status.st_size, status.st_mtime_ns // 1000)
        return await self.files.info(caller, uri, arguments.get("namespace"))

    # -- the rest

    async def _error_logs(self, caller: Caller, arguments: Mapping[str, Any]) -> list[dict[str, Any]]:
        lines, _ = await self._queries.logs_of(caller.execution_id, LogSelection("ERROR"))
        for _ in range(_LOG_TRIES if not lines else 0):
            await asyncio.sleep(_LOG_PAUSE)
            lines, _ = await self._queries.logs_of(caller.execution_id, LogSelection("ERROR"))
            if lines:
                break
        return [log_entry(line) for line in lines]

    async def _random_port(self, caller: Caller, arguments: Mapping[str, Any]) -> int:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
            return port

    async def _http(self, caller: Caller, arguments: Mapping[str, Any]) -> Any:
        from penstock.services.http_function import answer_of  # its library is slow to import, and few ask for it

        return await answer_of(arguments)


def log_entry(line: LogLine) -> dict[str, Any]:
    """Return a line as the API shows it (API-036)."""
    entry = {
        "namespace": line.namespace,
        "flowId": line.flow_id,
        "taskId": line.task_id,
        "executionId": line.execution_id,
        "taskRunId": line.task_run_id,
        "attemptNumber": line.attempt,
        "timestamp": to_iso(line.date),
        "level": line.level,
        "thread": line.thread,
        "message": line.message,
    }
    return {key: value for key, value in entry.items() if value is not None}


def _field(key: str, value: str, subkey: str) -> str:
    """Return one field of a secret that holds JSON (EXP-144)."""
    try:
        fields = json.loads(value)
    except ValueError:
        fields = None
    if not isinstance(fields, dict):
        raise FunctionError(f"secret `{key}` is no JSON object, so it has no subkey `{subkey}`")
    if subkey not in fields:
        raise NotFoundError(f"secret `{key}` has no subkey `{subkey}`")
    found = fields[subkey]
    return found if isinstance(found, str) else json.dumps(found)
