"""Settings and bookmarks of whoever asks (UI-020, UI-160)."""

from __future__ import annotations

from collections.abc import Mapping
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
from penstock.api.routes.table import Routes, json_body
from penstock.api.settings import ApiSettings
from penstock.ports.preferences import Bookmark
from penstock.services.preferences import Preferences

_ANY = {"application/json": {"schema": {"type": "object", "additionalProperties": True}}}


class _New(msgspec.Struct):
    name: str
    path: str


class _Name(msgspec.Struct):
    name: str


class PreferenceRoutes:
    """Implements UI-020 and UI-160 on the server: what the interface keeps for a user is an API like any other.

    Args:
        preferences: The use cases.
        settings: Bounds.
    """

    def __init__(self, preferences: Preferences, settings: ApiSettings) -> None:
        self._preferences = preferences
        self._settings = settings

    def router(self) -> APIRouter:
        """Return the routes."""
        routes = Routes("/api/v1/me", "Preferences")
        add = routes.add
        add("GET", "/preferences", self.get, "preferencesOfCurrentUser", answers=schemas.Preferences)
        add("PATCH", "/preferences", self.change, "changePreferencesOfCurrentUser", answers=schemas.Preferences,
            body=_ANY)  # fmt: skip
        add("DELETE", "/preferences", self.clear, "clearPreferencesOfCurrentUser", status=204)
        add("GET", "/bookmarks", self.bookmarks, "bookmarksOfCurrentUser", answers=schemas.BookmarkList)
        add("POST", "/bookmarks", self.star, "createBookmarkForCurrentUser", answers=schemas.Bookmark,
            body=json_body(schemas.NewBookmark))  # fmt: skip
        add("PATCH", "/bookmarks/{bookmarkId}", self.rename, "renameBookmarkOfCurrentUser", answers=schemas.Bookmark,
            body=json_body(schemas.BookmarkName))  # fmt: skip
        add("DELETE", "/bookmarks/{bookmarkId}", self.unstar, "deleteBookmarkOfCurrentUser", status=204)
        return routes.router

    async def get(self, request: Request) -> Response:
        """Return the settings of whoever asks."""
        username = login_of(request)
        return _answer(username, await self._preferences.of_user(username))

    async def change(self, request: Request) -> Response:
        """Set some settings of whoever asks, forget those that are null, and return all."""
        username = login_of(request)
        values = await read_json(request, self._settings, dict[str, Any])
        return _answer(username, await self._preferences.change(username, values))

    async def clear(self, request: Request) -> Response:
        """Forget all settings and bookmarks of whoever asks."""
        await self._preferences.clear(login_of(request))
        return no_content()

    async def bookmarks(self, request: Request) -> Response:
        """Return the bookmarks of whoever asks, the oldest first."""
        found = await self._preferences.bookmarks(login_of(request))
        return paged([_render(one) for one in found], len(found))

    async def star(self, request: Request) -> Response:
        """Add a bookmark; an address is kept once."""
        wanted = await read_json(request, self._settings, _New)
        return JsonAnswer(_render(await self._preferences.star(login_of(request), wanted.name, wanted.path)))

    async def rename(self, request: Request, bookmarkId: str) -> Response:  # noqa: N803
        """Give a bookmark another name."""
        wanted = await read_json(request, self._settings, _Name)
        return JsonAnswer(_render(await self._preferences.rename(login_of(request), bookmarkId, wanted.name)))

    async def unstar(self, request: Request, bookmarkId: str) -> Response:  # noqa: N803
        """Remove a bookmark."""
        await self._preferences.unstar(login_of(request), bookmarkId)
        return no_content()


def _answer(username: str, values: Mapping[str, Any]) -> Response:
    return JsonAnswer({"username": username, "values": values})


def _render(bookmark: Bookmark) -> dict[str, str]:
    return {"id": bookmark.id, "name": bookmark.name, "path": bookmark.path, "created": iso(bookmark.created)}
