"""What tasks ask of purging: one batch each call, so that a task can tell how far it is and be stopped between two."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penstock.base.clock import Instant, from_iso
from penstock.base.errors import InvalidRequestError
from penstock.ports.purging import BEGINNING, Position
from penstock.services.arguments import Function, reading, text_argument, writing
from penstock.services.file_access import Caller
from penstock.services.namespace_files import NamespaceFileService
from penstock.services.purging.service import Parts, PurgeService, Selection

_MOST_EXECUTIONS = 1_000


class PurgeFunctions:
    """The worker's door to purging (BEY-010).

    Implements the server's side of OPS-166, OPS-167.

    Args:
        purging: Removes executions and logs.
        files: Removes revisions of namespace files.
    """

    def __init__(self, purging: PurgeService, files: NamespaceFileService) -> None:
        self._purging = purging
        self._files = files

    def functions(self) -> Mapping[str, Function]:
        """Return the functions by name."""
        return {
            "purgeExecutions": writing(self._executions),
            "purgeLogs": writing(self._logs),
            "purgeFileRevisions": writing(self._revisions),
            "fileNamespaces": reading(self._namespaces),
        }

    async def _executions(self, caller: Caller, arguments: Mapping[str, Any]) -> dict[str, Any]:
        parts = Parts(
            execution=arguments.get("purgeExecution", True) is not False,
            logs=arguments.get("purgeLog", True) is not False,
            metrics=arguments.get("purgeMetric", True) is not False,
            files=arguments.get("purgeStorage", True) is not False,
        )
        limit = max(1, min(int(arguments.get("limit") or 100), _MOST_EXECUTIONS))
        purged = await self._purging.executions(
            caller.tenant, _selection(arguments), parts, after=_position(arguments), limit=limit
        )
        return {
            "executions": purged.executions,
            "logs": purged.logs,
            "metrics": purged.metrics,
            "files": purged.files,
            "position": purged.position,
        }

    async def _logs(self, caller: Caller, arguments: Mapping[str, Any]) -> int:
        return await self._purging.logs(caller.tenant, _selection(arguments))

    async def _namespaces(self, caller: Caller, arguments: Mapping[str, Any]) -> list[str]:
        given = [str(one) for one in arguments.get("namespaces") or ()]
        return await self._files.namespaces(caller.tenant, given, children=arguments.get("children", True) is not False)

    async def _revisions(self, caller: Caller, arguments: Mapping[str, Any]) -> int:
        keep = arguments.get("keep")
        removed = 0
        for path in arguments.get("paths") or ():
            removed += await self._files.purge_revisions(
                caller.tenant,
                text_argument(arguments, "namespace"),
                str(path),
                keep=None if keep is None else int(keep),
                before=_instant(arguments, "before"),
            )
        return removed


def _selection(arguments: Mapping[str, Any]) -> Selection:
    return Selection(
        namespace=arguments.get("namespace") or None,
        flow_id=arguments.get("flowId") or None,
        start=_instant(arguments, "startDate"),
        end=_instant(arguments, "endDate"),
        states=[str(one) for one in arguments.get("states") or ()],
        levels=[str(one) for one in arguments.get("levels") or ()],
        execution_id=arguments.get("executionId") or None,
    )


def _position(arguments: Mapping[str, Any]) -> Position:
    after = arguments.get("after")
    if after is None:
        return BEGINNING
    end, execution_id = after
    return int(end), str(execution_id)


def _instant(arguments: Mapping[str, Any], name: str) -> Instant | None:
    value = arguments.get(name)
    if not value:
        return None
    try:
        return from_iso(str(value))
    except ValueError:
        raise InvalidRequestError(
            f"`{name}` is `{value}`, which is no date", hint="write 2026-01-31T10:00:00Z or an expression with now()"
        ) from None
