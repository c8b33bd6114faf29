"""The server's side of the task cache: what a worker asks before it runs a task, and tells after."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from penstock.base.clock import Clock
from penstock.base.errors import InvalidRequestError
from penstock.ports.objects import ObjectStorage, path_of
from penstock.ports.task_cache import CacheKey, TaskCache
from penstock.services.arguments import Function, reading, text_argument, writing
from penstock.services.file_access import Caller


class TaskCacheFunctions:
    """Finds and keeps outputs for tasks of the caller's own flow. Implements ENG-326, ENG-327, ENG-410.

    Args:
        cache: Where they are kept.
        storage: Outputs that name files which are gone are not used again.
        clock: Decides what is too old.
    """

    def __init__(self, cache: TaskCache, storage: ObjectStorage, clock: Clock) -> None:
        self._cache = cache
        self._storage = storage
        self._clock = clock

    def functions(self) -> Mapping[str, Function]:
        """Return the functions by name."""
        return {"findCachedOutputs": reading(self._find), "keepOutputs": writing(self._keep)}

    async def _find(self, caller: Caller, arguments: Mapping[str, Any]) -> Mapping[str, Any] | None:
        now, ttl = self._clock.now(), _ttl(arguments)
        outputs = await self._cache.get(_key(caller, arguments), 0 if ttl is None else now - ttl, now)
        if outputs is None:
            return None
        infos = await asyncio.gather(*(self._storage.info(caller.tenant, path) for path in _files(outputs)))
        return outputs if all(info is not None for info in infos) else None

    async def _keep(self, caller: Caller, arguments: Mapping[str, Any]) -> None:
        outputs = arguments.get("outputs")
        if not isinstance(outputs, Mapping):
            raise InvalidRequestError("`outputs` has to be a map")
        now, ttl = self._clock.now(), _ttl(arguments)
        await self._cache.put(_key(caller, arguments), outputs, now, None if ttl is None else now + ttl)


def _key(caller: Caller, arguments: Mapping[str, Any]) -> CacheKey:
    task_id, digest = text_argument(arguments, "task"), text_argument(arguments, "digest")
    return CacheKey(caller.tenant, caller.namespace, caller.flow_id, task_id, digest)


def _ttl(arguments: Mapping[str, Any]) -> int | None:
    ttl = arguments.get("ttl")
    if ttl is not None and not isinstance(ttl, int):
        raise InvalidRequestError("`ttl` has to be a number of microseconds")
    return ttl


def _files(value: Any) -> Iterator[str]:
    """Yield the paths of all stored files a value names."""
    if isinstance(value, str):
        if value.startswith("kestra:///"):
            yield path_of(value)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _files(item)
    elif isinstance(value, Sequence):
        for item in value:
            yield from _files(item)
