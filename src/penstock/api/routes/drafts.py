"""Texts that whoever asks has not saved yet (BEY-043)."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from penstock.api import schemas
from penstock.api.answers import JsonAnswer, no_content, paged
from penstock.api.bodies import read_json
from penstock.api.middleware import login_of
from penstock.api.render.instants import iso
from penstock.api.routes.table import Routes, json_body, parameter
from penstock.api.settings import ApiSettings
from penstock.ports.drafts import Draft
from penstock.services.drafts import Drafts


class _Text(msgspec.Struct):
    source: str
    revision: int | None = None
    seen: str | None = None


class DraftRoutes:
    """Implements BEY-043 over HTTP.

    Args:
        drafts: The use cases.
        settings: Bounds.
    """

    def __init__(self, drafts: Drafts, settings: ApiSettings) -> None:
        self._drafts = drafts
        self._settings = settings

    def router(self) -> APIRouter:
        """Return the routes."""
        routes = Routes("/api/v1/me/drafts", "Drafts")
        add = routes.add
        add("GET", "", self.get, "draftsOfCurrentUser", answers=schemas.DraftList,
            parameters=[parameter("name", text="only the draft of this name")])  # fmt: skip
        add("PUT", "/{name}", self.put, "keepDraftOfCurrentUser", answers=schemas.Draft,
            body=json_body(schemas.DraftText))  # fmt: skip
        add("DELETE", "/{name}", self.discard, "discardDraftOfCurrentUser", status=204,
            parameters=[parameter("seen", required=True, text="the version that is discarded")])  # fmt: skip
        return routes.router

    async def get(self, request: Request) -> Response:
        """Return the drafts of whoever asks, or the one of a name."""
        found = await self._drafts.of_user(login_of(request), request.query_params.get("name"))
        return paged([_render(one) for one in found], len(found))

    async def put(self, request: Request, name: str) -> Response:
        """Keep a text in place of the version that was seen; 409 when it was changed elsewhere since."""
        text = await read_json(request, self._settings, _Text)
        kept = await self._drafts.put(login_of(request), name, text.source, text.revision, text.seen)
        return JsonAnswer(_render(kept))

    async def discard(self, request: Request, name: str) -> Response:
        """Forget a draft; 409 when it was changed elsewhere since the version that was seen."""
        await self._drafts.discard(login_of(request), name, request.query_params.get("seen", ""))
        return no_content()


def _render(draft: Draft) -> dict[str, Any]:
    return {
        "name": draft.name,
        "version": draft.version,
        "source": draft.source,
        "revision": draft.revision,
        "updated": iso(draft.updated),
    }
