"""What tasks ask of flows: reading their sources, storing and deleting them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penstock.base.errors import NotFoundError
from penstock.ports.flows import Author, StoredFlow, Way
from penstock.services.arguments import Function, namespace_argument, reading, text_argument, writing
from penstock.services.file_access import Caller
from penstock.services.flows.bulk import moved
from penstock.services.flows.service import FlowService
from penstock.services.flows.verdicts import FlowChecker


class FlowFunctions:
    """The worker's door to flows (BEY-010).

    Implements the server's side of IAC-121, IAC-123.

    Args:
        flows: The use cases.
        checker: Finds problems before anything is written.
    """

    def __init__(self, flows: FlowService, checker: FlowChecker) -> None:
        self._flows = flows
        self._checker = checker

    def functions(self) -> Mapping[str, Function]:
        """Return the functions by name."""
        return {
            "flowNamespaces": reading(self._namespaces),
            "flowSources": reading(self._sources),
            "checkFlow": reading(self._check),
            "putFlow": writing(self._put),
            "deleteFlow": writing(self._delete),
        }

    async def _namespaces(self, caller: Caller, arguments: Mapping[str, Any]) -> list[str]:
        """Return the namespaces that have flows."""
        return list(await self._flows.namespaces(caller.tenant))

    async def _sources(self, caller: Caller, arguments: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the flows of a namespace, with `children` of those below it too; with `target` as flows of there."""
        namespace = namespace_argument(caller, arguments)
        target = str(arguments.get("target") or namespace)
        found = []
        for flow in await self._flows.all(caller.tenant):
            below = flow.namespace.removeprefix(namespace)
            if flow.namespace.startswith(namespace) and (not below or (arguments.get("children") and below[0] == ".")):
                source = flow.source if target == namespace else moved(flow.source, target + below)
                found.append({"id": flow.id, "namespace": target + below, "below": below[1:], "source": source})
        return sorted(found, key=lambda one: (one["namespace"], one["id"]))

    async def _check(self, caller: Caller, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return what storing a source as a flow of a namespace would do, or its problems; nothing is stored."""
        source = moved(text_argument(arguments, "source"), namespace_argument(caller, arguments))
        parsed = await self._checker.read(caller.tenant, source)
        document = parsed.document
        if document is None or parsed.errors:
            return {"problems": [str(problem) for problem in parsed.errors or parsed.problems]}
        present = await self._latest(caller.tenant, document.namespace, document.id)
        state = "ADDED" if present is None else "UNCHANGED" if present.source == source else "UPDATED"
        revision = 1 if present is None else present.revision + (state == "UPDATED")
        return {"namespace": document.namespace, "id": document.id, "state": state, "revision": revision}

    async def _put(self, caller: Caller, arguments: Mapping[str, Any]) -> int:
        """Store a source as a flow of a namespace; returns its revision."""
        source = moved(text_argument(arguments, "source"), namespace_argument(caller, arguments))
        author = Author(f"{caller.namespace}.{caller.flow_id}/{caller.execution_id}", Way.TASK)
        return (await self._flows.put(caller.tenant, source, author)).revision

    async def _delete(self, caller: Caller, arguments: Mapping[str, Any]) -> bool:
        """Delete a flow; returns whether there was one."""
        names = [(namespace_argument(caller, arguments), text_argument(arguments, "id"))]
        return await self._flows.delete_all(caller.tenant, names) == 1

    async def _latest(self, tenant: str, namespace: str, flow_id: str) -> StoredFlow | None:
        try:
            return await self._flows.get(tenant, namespace, flow_id)
        except NotFoundError:
            return None
