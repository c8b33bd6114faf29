"""Assets: what flows use and make."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from penstock.api.schemas.base import Shape


class Asset(Shape):
    """What flows use or make."""

    id: str
    type: str
    namespace: str | None = None
    display_name: str | None = None
    description: str | None = None
    metadata: dict[str, Any]
    created: datetime
    updated: datetime
    deleted: bool


class PagedAssets(Shape):
    """A page of assets."""

    results: list[Asset]
    total: int


class AssetUse(Shape):
    """One asset in the hands of one task run."""

    asset_id: str
    namespace: str
    flow_id: str
    flow_revision: int
    execution_id: str
    task_id: str
    task_run_id: str
    created: datetime


class PagedAssetUses(Shape):
    """A page of uses of assets."""

    results: list[AssetUse]
    total: int


class AssetIdentifier(Shape):
    """An asset by its id."""

    id: str


class AssetEvent(Shape):
    """A task run that used or made assets."""

    uid: str
    namespace: str
    flow_id: str
    flow_revision: int
    execution_id: str
    task_id: str
    task_run_id: str
    state: str
    inputs: list[AssetIdentifier]
    outputs: list[AssetIdentifier]
    created: datetime
    start_date: datetime
    end_date: datetime


class PagedAssetEvents(Shape):
    """A page of task runs that used or made assets."""

    results: list[AssetEvent]
    total: int


class AssetNode(Shape):
    """An asset, or a flow that uses or makes some."""

    uid: str
    namespace: str | None = None
    id: str
    type: Literal["ASSET", "FLOW"]


class AssetEdge(Shape):
    """A way from an asset to a flow that uses it, or from a flow to an asset it makes."""

    source: str
    target: str


class AssetGraph(Shape):
    """What an asset is made of, and what is made of it."""

    nodes: list[AssetNode]
    edges: list[AssetEdge]
