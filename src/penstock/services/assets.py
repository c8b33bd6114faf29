"""Assets: what flows use and make, how it was made, and who uses it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from penstock.base.clock import Clock
from penstock.base.errors import InvalidRequestError, NotFoundError
from penstock.model.problems import InvalidFlow
from penstock.model.scalars import plain
from penstock.model.yaml import read_yaml
from penstock.ports.assets import Asset, AssetEvent, AssetStore, AssetUse
from penstock.ports.queries import Filter, Page, PageRequest
from penstock.services.arguments import Function, text_argument, writing
from penstock.services.file_access import Caller
from penstock.services.namespaces import check_namespace

EXTERNAL = "io.kestra.core.models.assets.External"
_OLDER = "io.kestra.core.models.assets."
_KNOWN = {name: f"io.kestra.plugin.ee.assets.{name}" for name in ("Dataset", "File", "Table", "VM")}
_SHORT = {name.upper(): full for name, full in _KNOWN.items()}
_KEYS = {"id", "type", "namespace", "displayName", "description", "metadata"}
_LONGEST = 255


@dataclass(frozen=True, slots=True)
class AssetGraph:
    """Assets and flows around an asset: ids of assets, (namespace, id) of flows, and (asset or flow) pairs."""

    assets: Sequence[str]
    flows: Sequence[tuple[str, str]]
    edges: Sequence[tuple[str, str]]
    """From, to; flows by `namespace.id`, with `flow:` before it, assets with `asset:`."""


class AssetService:
    """Implements API-121, GOV-333, GOV-336 to GOV-339.

    Args:
        assets: Where they are kept.
        clock: Dates changes.
    """

    def __init__(self, assets: AssetStore, clock: Clock) -> None:
        self._assets = assets
        self._clock = clock

    async def put(self, tenant: str, source: str) -> Asset:
        """Create an asset from YAML, or replace it.

        Raises:
            InvalidFlow: It is no YAML.
            InvalidRequestError: It is no asset.
        """
        yaml = read_yaml(source)
        if yaml.problems:
            raise InvalidFlow(yaml.problems)
        return await self._assets.save(tenant, self._asset(plain(yaml.data), None))

    async def get(self, tenant: str, asset_id: str, *, deleted: bool = False) -> Asset:
        """Return an asset.

        Raises:
            NotFoundError: There is none.
        """
        found = await self._assets.get(tenant, asset_id, deleted=deleted)
        if found is None:
            raise NotFoundError(f"there is no asset {asset_id}")
        return found

    async def search(self, tenant: str, filters: Sequence[Filter], page: PageRequest) -> Page[Asset]:
        """Return a page of assets."""
        return await self._assets.search(tenant, filters, page)

    async def uses(self, tenant: str, filters: Sequence[Filter], page: PageRequest) -> Page[AssetUse]:
        """Return a page of uses of assets."""
        return await self._assets.uses(tenant, filters, page)

    async def events(self, tenant: str, filters: Sequence[Filter], page: PageRequest) -> Page[AssetEvent]:
        """Return a page of the task runs that used or made assets."""
        return await self._assets.events(tenant, filters, page)

    async def around(
        self, tenant: str, asset_id: str, *, destination_only: bool = False, expand: bool = False
    ) -> AssetGraph:
        """Return what an asset is made of and what is made of it.

        Args:
            tenant: Whose.
            asset_id: The asset.
            destination_only: Leave out what it is made of.
            expand: Go on from there to the ends.

        Raises:
            NotFoundError: There is no such asset.
        """
        await self.get(tenant, asset_id, deleted=True)
        edges: dict[tuple[str, str], None] = {}
        await self._walk(tenant, asset_id, edges, expand=expand, is_forward=True)
        if not destination_only:
            await self._walk(tenant, asset_id, edges, expand=expand, is_forward=False)
        ends = {f"asset:{asset_id}", *(end for edge in edges for end in edge)}
        assets = sorted(end.removeprefix("asset:") for end in ends if end.startswith("asset:"))
        flows = sorted(end.removeprefix("flow:") for end in ends if end.startswith("flow:"))
        return AssetGraph(assets, [_flow_name(one) for one in flows], sorted(edges))

    async def delete(self, tenant: str, filters: Sequence[Filter], *, purge: bool = False) -> int:
        """Delete assets; without `purge` they can still be read by who asks for those that are deleted."""
        return await self._assets.delete(tenant, filters, purge=purge)

    async def delete_uses(self, tenant: str, filters: Sequence[Filter]) -> int:
        """Forget uses of assets."""
        return await self._assets.delete_uses(tenant, filters)

    async def delete_events(self, tenant: str, filters: Sequence[Filter]) -> int:
        """Forget task runs that used or made assets."""
        return await self._assets.delete_events(tenant, filters)

    def functions(self) -> Mapping[str, Function]:
        """Return what workers call when a task has used or made assets."""
        return {"recordAssets": writing(self._record)}

    async def _record(self, caller: Caller, arguments: Mapping[str, Any]) -> None:
        used = [self._asset(one, EXTERNAL) for one in arguments.get("inputs") or ()]
        made = [self._asset(one, EXTERNAL) for one in arguments.get("outputs") or ()]
        now = self._clock.now()
        event = AssetEvent(
            text_argument(arguments, "taskRunId"),
            caller.namespace,
            caller.flow_id,
            int(arguments.get("revision") or 0),
            caller.execution_id,
            text_argument(arguments, "taskId"),
            str(arguments.get("state")),
            sorted({one.id for one in used}),
            sorted({one.id for one in made}),
            now,
            int(arguments.get("started") or now),
            now,
        )
        await self._assets.record(caller.tenant, used, made, event)

    def _asset(self, data: Any, default_type: str | None) -> Asset:
        """Return an asset as it is written."""
        if not isinstance(data, dict):
            raise InvalidRequestError("an asset is a map", hint="it has an `id` and a `type`")
        unknown = sorted(set(map(str, data)) - _KEYS)
        if unknown:
            raise InvalidRequestError(f"an asset has no `{unknown[0]}`", hint=f"it may have {', '.join(sorted(_KEYS))}")
        kind, metadata = data.get("type") or default_type, data.get("metadata") or {}
        if not isinstance(data.get("id"), str | int) or not kind or len(str(data["id"])) > _LONGEST:
            raise InvalidRequestError("an asset needs an `id` and a `type`", hint=f"at most {_LONGEST} characters")
        if not isinstance(metadata, dict):
            raise InvalidRequestError("`metadata` of an asset is a map", hint="write names and values")
        namespace = str(data.get("namespace") or "")
        if namespace:
            check_namespace(namespace)
        texts = {key: None if data.get(key) is None else str(data[key]) for key in ("displayName", "description")}
        now = self._clock.now()
        asset = Asset(str(data["id"]), _type(str(kind)), namespace, texts["displayName"], texts["description"])
        return replace(asset, metadata=metadata, created=now, updated=now)

    async def _walk(
        self, tenant: str, asset_id: str, edges: dict[tuple[str, str], None], *, expand: bool, is_forward: bool
    ) -> None:
        """Add the edges that lead from an asset, or to it, one step or all the way."""
        seen, frontier = {asset_id}, [asset_id]
        while frontier:
            reached: set[str] = set()
            runs: dict[str, list[AssetUse]] = {}
            for use in await self._assets.uses_beside(tenant, frontier):
                runs.setdefault(use.task_run_id, []).append(use)
            for uses in runs.values():
                near = [one for one in uses if one.is_output is not is_forward]
                if not {one.asset_id for one in near} & set(frontier):
                    continue
                far = {one.asset_id for one in uses if one.is_output is is_forward}
                flow = f"flow:{uses[0].namespace}.{uses[0].flow_id}"
                for one in near:
                    if one.asset_id in frontier:
                        edges[_way(f"asset:{one.asset_id}", flow, is_forward)] = None
                for other in far:
                    edges[_way(flow, f"asset:{other}", is_forward)] = None
                reached |= far
            frontier = sorted(reached - seen) if expand else []
            seen |= reached


def _way(here: str, there: str, is_forward: bool) -> tuple[str, str]:
    return (here, there) if is_forward else (there, here)


def _flow_name(text: str) -> tuple[str, str]:
    namespace, _, flow_id = text.rpartition(".")
    return namespace, flow_id


def _type(name: str) -> str:
    """Return the name of a type; older and short names of those that are known become today's (GOV-338)."""
    return _SHORT.get(name) or _KNOWN.get(name.removeprefix(_OLDER) if name.startswith(_OLDER) else "") or name
