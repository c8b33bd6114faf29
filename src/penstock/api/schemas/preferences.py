"""What users chose for themselves."""

from __future__ import annotations

from typing import Any

from penstock.api.schemas.base import Shape


class Preferences(Shape):
    """The settings of a user, by name; what is not there is as it is at first."""

    username: str
    values: dict[str, Any]


class Bookmark(Shape):
    """A page under a name."""

    id: str
    name: str
    path: str
    created: str


class BookmarkList(Shape):
    """The bookmarks of a user."""

    results: list[Bookmark]
    total: int


class NewBookmark(Shape):
    """A page to be kept under a name."""

    name: str
    path: str


class BookmarkName(Shape):
    """Another name of a bookmark."""

    name: str
