"""What lists look like of which this server has nothing to put in."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from penstock.api.schemas.base import Shape


class Nothing(Shape):
    """What there is none of."""


class PagedNothing(Shape):
    """A page without results."""

    results: list[dict[str, Any]] = Field(max_length=0)
    total: int


class AppTags(Shape):
    """The tags of apps."""

    tags: list[str]
