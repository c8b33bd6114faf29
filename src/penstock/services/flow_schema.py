"""The JSON Schema of flows with all types there are, kept the way it travels: as compressed JSON.

Making it takes the classes of all types, which is seconds of work and memory for good. So it is made when it is first
asked for, once, and not at all where it was made together with the package. Implements the schema part of PLG-048.
"""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable, Mapping
from typing import Any

from penstock.base.codec import from_json, to_json
from penstock.model.registry import TypeRegistry
from penstock.model.schema import flow_schema


def packed_flow_schema(registry: TypeRegistry) -> bytes:
    """Make the schema of flows with these types; returns compressed JSON, the same bytes for the same types."""
    return gzip.compress(to_json(flow_schema(registry)), mtime=0)


class FlowSchema:
    """The schema of an instance.

    Args:
        registry: The types.
        find: Returns the schema of just these types where it was made before; None where it was not.
    """

    def __init__(self, registry: TypeRegistry, find: Callable[[TypeRegistry], bytes | None] | None = None) -> None:
        self._registry = registry
        self._find = find
        self._packed: bytes | None = None
        self._making = asyncio.Lock()

    async def packed(self) -> bytes:
        """Return it as compressed JSON."""
        async with self._making:  # who asks meanwhile waits, instead of making it as well
            if self._packed is None:
                self._packed = await asyncio.to_thread(self._made)
        return self._packed

    async def read(self) -> Mapping[str, Any]:
        """Return it as a document, which is read anew each time: few ask, and it is large."""
        packed = await self.packed()
        found: Mapping[str, Any] = await asyncio.to_thread(lambda: from_json(gzip.decompress(packed)))
        return found

    def _made(self) -> bytes:
        found = self._find(self._registry) if self._find is not None else None
        return packed_flow_schema(self._registry) if found is None else found
