"""What tasks ask of the key-value store beyond the function `kv` of expressions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penstock.services.arguments import Function, fenced, namespace_argument, reading, text_argument, writing
from penstock.services.file_access import Caller
from penstock.services.keyvalues.service import KeyValueService
from penstock.services.keyvalues.values import convert, typed


class KeyValueFunctions:
    """The worker's door to pairs (BEY-010).

    Implements the server's side of ENG-361, ENG-362, OPS-166.

    Args:
        pairs: The use cases.
    """

    def __init__(self, pairs: KeyValueService) -> None:
        self._pairs = pairs

    def functions(self) -> Mapping[str, Function]:
        """Return the functions by name."""
        return {
            "kvSet": fenced(self._set),
            "kvKeys": reading(self._keys),
            "kvDelete": fenced(self._delete),
            "kvPurge": writing(self._purge),
        }

    async def _set(self, caller: Caller, arguments: Mapping[str, Any]) -> dict[str, Any]:
        kind = arguments.get("type")
        value = arguments.get("value")
        pair = await self._pairs.put(
            caller.tenant,
            namespace_argument(caller, arguments),
            text_argument(arguments, "key"),
            convert(str(kind), value) if kind else typed(value),
            ttl=arguments.get("ttl"),
            description=arguments.get("description"),
            overwrite=arguments.get("overwrite", True) is not False,
            held=caller.held,
        )
        return {"type": pair.type, "version": pair.version}

    async def _keys(self, caller: Caller, arguments: Mapping[str, Any]) -> list[str]:
        prefix = str(arguments.get("prefix") or "")
        found = await self._pairs.list(caller.tenant, namespace_argument(caller, arguments), prefix)
        return [pair.key for pair in found]

    async def _delete(self, caller: Caller, arguments: Mapping[str, Any]) -> bool:
        key = text_argument(arguments, "key")
        return await self._pairs.delete(caller.tenant, namespace_argument(caller, arguments), key, held=caller.held)

    async def _purge(self, caller: Caller, arguments: Mapping[str, Any]) -> int:
        return await self._pairs.purge(
            caller.tenant,
            [str(one) for one in arguments.get("namespaces") or ()],
            children=arguments.get("children", True) is not False,
            expired_only=arguments.get("expiredOnly", True) is not False,
        )
