"""Texts that users have not saved yet."""

from __future__ import annotations

from penstock.api.schemas.base import Shape


class Draft(Shape):
    """A text on its way; its version is another one with every change."""

    name: str
    version: str
    source: str
    revision: int | None
    updated: str


class DraftList(Shape):
    """The drafts of a user."""

    results: list[Draft]
    total: int


class DraftText(Shape):
    """A text to be kept, the revision it began with, and the version of the draft that it replaces."""

    source: str
    revision: int | None = None
    seen: str | None = None
