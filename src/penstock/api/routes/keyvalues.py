"""Key-value pairs of namespaces (API-107)."""

from __future__ import annotations

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from penstock.api import schemas
from penstock.api.answers import JsonAnswer, paged
from penstock.api.bodies import read_json, read_text
from penstock.api.render.keyvalues import render_detail, render_entry, render_value
from penstock.api.routes.table import FILTERS, PAGE, Routes, parameter
from penstock.api.search import filters_of, page_of
from penstock.api.settings import ApiSettings
from penstock.base.clock import Clock
from penstock.services.keyvalues import KeyValueService, read_body

_TEXT = {"text/plain": {"schema": {"type": "string"}}}
_KEYS = {"application/json": {"schema": schemas.Keys.model_json_schema(by_alias=True)}}
_ABOUT = [
    parameter("type", text="The value's type, where it is not the one the body shows by itself."),
    parameter("ttl", text="How long the pair lives, as ISO 8601 duration; or a header of that name."),
    parameter("description", text="What it is for; or a header of that name."),
]


class _Keys(msgspec.Struct):
    keys: list[str] = []


class KeyValueRoutes:
    """Implements API-107, ENG-366 to ENG-368.

    Args:
        pairs: The use cases.
        clock: The present, for time ranges.
        settings: Bounds.
    """

    def __init__(self, pairs: KeyValueService, clock: Clock, settings: ApiSettings) -> None:
        self._pairs = pairs
        self._clock = clock
        self._settings = settings

    def router(self) -> APIRouter:
        """Return the routes."""
        routes = Routes("/api/v1/{tenant}", "Key-value store")
        add = routes.add
        of_namespace = "/namespaces/{namespace}/kv"
        add("GET", "/kv", self.search, "listAllKeys", answers=schemas.PagedKeyValues, parameters=[*PAGE, *FILTERS])
        add("GET", "/kv/", self.search, "listAllKeysAtOldPath", hidden=True)  # scripts follow no redirection (ENG-367)
        add("GET", of_namespace, self.list, "listKeys", answers=list[schemas.KeyValueEntry])
        add("DELETE", of_namespace, self.delete_many, "deleteKeyValues", answers=schemas.Keys, body=_KEYS)
        add("GET", of_namespace + "/inheritance", self.inherited, "listKeysWithInheritence",
            answers=list[schemas.KeyValueEntry])  # fmt: skip
        add("GET", of_namespace + "/{key:path}/detail", self.detail, "keyValueDetail", answers=schemas.KeyValueDetail)
        add("GET", of_namespace + "/{key:path}", self.get, "keyValue", answers=schemas.KeyValue)
        add("PUT", of_namespace + "/{key:path}", self.put, "setKeyValue", body=_TEXT, parameters=_ABOUT)
        add("DELETE", of_namespace + "/{key:path}", self.delete, "deleteKeyValue", answers=bool)
        return routes.router

    async def search(self, request: Request, tenant: str) -> Response:
        """Return a page of the pairs of all namespaces, without their values."""
        pairs = request.query_params.multi_items()
        page = await self._pairs.search(tenant, filters_of(pairs, self._clock.now()), page_of(pairs))
        return paged([render_entry(pair) for pair in page.results], page.total)

    async def list(self, tenant: str, namespace: str) -> Response:
        """Return the pairs of a namespace, without their values."""
        return JsonAnswer([render_entry(pair) for pair in await self._pairs.list(tenant, namespace)])

    async def inherited(self, tenant: str, namespace: str) -> Response:
        """Return the pairs of a namespace and of those above it, without their values."""
        return JsonAnswer([render_entry(pair) for pair in await self._pairs.inherited(tenant, namespace)])

    async def get(self, tenant: str, namespace: str, key: str) -> Response:
        """Return the value of a key."""
        return JsonAnswer(render_value(await self._pairs.get(tenant, namespace, key)))

    async def detail(self, tenant: str, namespace: str, key: str) -> Response:
        """Return all there is to know of a key."""
        return JsonAnswer(render_detail(await self._pairs.get(tenant, namespace, key)))

    async def put(self, request: Request, tenant: str, namespace: str, key: str) -> Response:
        """Set the value of a key; the body is the value as JSON, or plain text."""
        body = await read_text(request, self._settings)
        value = read_body(body, request.query_params.get("type"))
        await self._pairs.put(
            tenant, namespace, key, value, ttl=_about(request, "ttl"), description=_about(request, "description")
        )
        return Response()

    async def delete(self, tenant: str, namespace: str, key: str) -> Response:
        """Remove a key; the answer says whether there was one."""
        return JsonAnswer(await self._pairs.delete(tenant, namespace, key))

    async def delete_many(self, request: Request, tenant: str, namespace: str) -> Response:
        """Remove several keys; the answer names those there were."""
        wanted = await read_json(request, self._settings, _Keys)
        return JsonAnswer({"keys": await self._pairs.delete_many(tenant, namespace, wanted.keys)})


def _about(request: Request, name: str) -> str | None:
    return request.query_params.get(name) or request.headers.get(name)
