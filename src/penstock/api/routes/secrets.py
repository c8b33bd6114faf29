"""Secrets of namespaces: written, never told (API-105)."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from penstock.api import schemas
from penstock.api.answers import JsonAnswer, no_content
from penstock.api.bodies import read_json
from penstock.api.routes.table import FILTERS, PAGE, Routes, json_body, parameter
from penstock.api.search import cut, filters_of, page_of
from penstock.api.settings import ApiSettings
from penstock.base.clock import Clock
from penstock.base.errors import InvalidRequestError
from penstock.ports.queries import Filter
from penstock.ports.secrets import SecretName
from penstock.services.secrets import SecretService


class _Tag(msgspec.Struct):
    key: str
    value: str


class _About(msgspec.Struct):
    key: str | None = None
    namespace: str | None = None
    description: str | None = None
    tags: list[_Tag] | None = None

    @property
    def pairs(self) -> list[tuple[str, str]]:
        return [(tag.key, tag.value) for tag in self.tags or ()]


class _Secret(_About, kw_only=True):
    key: str
    value: str


class SecretRoutes:
    """Implements API-105 for secrets, ENG-374.

    Args:
        secrets: The use cases.
        clock: The present, for time ranges.
        settings: Bounds.
    """

    def __init__(self, secrets: SecretService, clock: Clock, settings: ApiSettings) -> None:
        self._secrets = secrets
        self._clock = clock
        self._settings = settings

    def router(self) -> APIRouter:
        """Return the routes."""
        routes = Routes("/api/v1/{tenant}", "Namespaces")
        add, page, known = routes.add, schemas.SecretNames, list[schemas.KeptSecret]
        place = "/namespaces/{namespace}/secrets"
        add("GET", "/secrets", self.search, "listSecrets", answers=page,
            parameters=[parameter("q"), *PAGE, *FILTERS])  # fmt: skip
        add("GET", place, self.of_namespace, "listNamespaceSecrets", answers=page,
            parameters=[parameter("q"), *PAGE, *FILTERS])  # fmt: skip
        add("PUT", place, self.put, "putSecrets", answers=known, body=json_body(schemas.SecretValue))
        add("PATCH", place + "/{key}", self.describe, "patchSecret", answers=known,
            body=json_body(schemas.AboutSecret))  # fmt: skip
        add("DELETE", place + "/{key}", self.delete, "deleteSecret", status=204)
        add("GET", "/namespaces/{namespace}/inherited-secrets", self.inherited, "inheritedSecrets",
            answers=dict[str, list[str]])  # fmt: skip
        return routes.router

    async def search(self, request: Request, tenant: str) -> Response:
        """Return a page of the secrets of all namespaces by name; their values are never told."""
        return await self._page(request, tenant, [])

    async def of_namespace(self, request: Request, tenant: str, namespace: str) -> Response:
        """Return a page of the secrets of a namespace by name; their values are never told."""
        return await self._page(request, tenant, [Filter("namespace", "EQUALS", namespace)])

    async def put(self, request: Request, tenant: str, namespace: str) -> Response:
        """Set a secret of a namespace; the answer tells of all that it has."""
        wanted = await read_json(request, self._settings, _Secret)
        _check_namespace(wanted, namespace)
        found = await self._secrets.put(tenant, namespace, wanted.key, wanted.value, wanted.description, wanted.pairs)
        return JsonAnswer([_render(one) for one in found])

    async def describe(self, request: Request, tenant: str, namespace: str, key: str) -> Response:
        """Replace the description and the tags of a secret; its value stays."""
        wanted = await read_json(request, self._settings, _About)
        _check_namespace(wanted, namespace)
        if wanted.key not in (None, key):
            raise InvalidRequestError(
                f"secret `{key}` cannot be renamed to `{wanted.key}`", hint="set a new one, and delete this one"
            )
        found = await self._secrets.describe(tenant, namespace, key, wanted.description, wanted.pairs)
        return JsonAnswer([_render(one) for one in found])

    async def delete(self, tenant: str, namespace: str, key: str) -> Response:
        """Remove a secret of a namespace."""
        await self._secrets.delete(tenant, namespace, key)
        return no_content()

    async def inherited(self, tenant: str, namespace: str) -> Response:
        """Return the names of the secrets that may be read in each namespace above; their values are never told."""
        return JsonAnswer(await self._secrets.inherited(tenant, namespace))

    async def _page(self, request: Request, tenant: str, narrowing: list[Filter]) -> Response:
        pairs = request.query_params.multi_items()
        page, filters = page_of(pairs), filters_of(pairs, self._clock.now())
        text = next((str(one.value) for one in filters if one.field == "q"), "")
        found = await self._secrets.search(tenant, [*narrowing, *filters], text)
        for field, is_ascending in reversed(page.sort):
            if field not in ("key", "namespace"):
                raise InvalidRequestError(f"secrets cannot be sorted by `{field}`", hint="sort by `key` or `namespace`")
            found.sort(key=lambda one: getattr(one, field) or "", reverse=not is_ascending)
        return JsonAnswer(
            {
                "readOnly": self._secrets.is_read_only,
                "results": [_render(one) for one in cut(found, page)],
                "total": len(found),
            }
        )


def _check_namespace(wanted: _About, namespace: str) -> None:
    if wanted.namespace not in (None, namespace):
        raise InvalidRequestError(
            f"the secret is one of namespace {wanted.namespace}, not of {namespace}",
            hint="write the same name in the path and in `namespace`, or leave it out",
        )


def _render(one: SecretName) -> dict[str, Any]:
    body: dict[str, Any] = {"key": one.key, "tags": [{"key": key, "value": value} for key, value in one.tags]}
    if one.namespace is not None:
        body["namespace"] = one.namespace
    if one.description is not None:
        body["description"] = one.description
    return body
