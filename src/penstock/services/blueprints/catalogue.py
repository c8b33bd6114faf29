"""The blueprints that come with the server: complete documents that run as they are, and what they are good for.

A file holds the document, and below `extend` what is told about it; its source is the file without that part.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from importlib import resources
from typing import Any

from penstock.base.errors import NotFoundError
from penstock.model.scalars import plain
from penstock.model.yaml import read_yaml
from penstock.services.blueprints.templates import EXTEND


class Kind(StrEnum):
    """What a blueprint is of."""

    FLOW = "FLOW"
    DASHBOARD = "DASHBOARD"
    APP = "APP"


@dataclass(frozen=True, slots=True)
class Blueprint:
    """A document to begin with (UI-144, UI-146)."""

    id: str
    kind: Kind
    title: str
    description: str
    tags: Sequence[str]
    included: Sequence[str]
    """The types it uses."""
    source: str

    def fits(self, text: str, tags: Sequence[str]) -> bool:
        """Return whether a text occurs in what is told about it, and all tags are its own."""
        told = f"{self.id} {self.title} {self.description} {' '.join(self.tags)}".casefold()
        return text.casefold() in told and set(tags) <= set(self.tags)


class BlueprintCatalogue:
    """Implements API-111 for the blueprints that come with the server, UI-144, UI-146."""

    def search(self, kind: Kind, text: str = "", tags: Sequence[str] = ()) -> list[Blueprint]:
        """Return the blueprints of a kind by title."""
        found = [one for one in self._all.values() if one.kind is kind and one.fits(text, tags)]
        return sorted(found, key=lambda one: one.title)

    def get(self, kind: Kind, blueprint_id: str) -> Blueprint:
        """Return a blueprint.

        Raises:
            NotFoundError: There is none.
        """
        found = self._all.get((kind, blueprint_id))
        if found is None:
            raise NotFoundError(f"there is no {kind.value.lower()} blueprint {blueprint_id}")
        return found

    def tags(self, kind: Kind, text: str = "") -> list[str]:
        """Return the tags of the blueprints of a kind."""
        known = {tag for one in self._all.values() if one.kind is kind for tag in one.tags}
        return sorted(tag for tag in known if text.casefold() in tag.casefold())

    @cached_property
    def _all(self) -> Mapping[tuple[Kind, str], Blueprint]:
        folder = resources.files(__package__) / "files"
        found: dict[tuple[Kind, str], Blueprint] = {}
        for kind in Kind:
            place = folder / f"{kind.value.lower()}s"
            for file in place.iterdir() if place.is_dir() else ():
                one = _read(kind, file.name.removesuffix(".yaml"), file.read_text("utf-8"))
                found[(kind, one.id)] = one
        return found


def _read(kind: Kind, blueprint_id: str, text: str) -> Blueprint:
    data: Mapping[str, Any] = plain(read_yaml(text).data)
    told = data["extend"]
    return Blueprint(
        blueprint_id,
        kind,
        told["title"],
        told["description"],
        tuple(told["tags"]),
        tuple(sorted(_types({key: value for key, value in data.items() if key != "extend"}))),
        EXTEND.sub("", text),
    )


def _types(value: Any) -> set[str]:
    if isinstance(value, Mapping):
        own = {value["type"]} if isinstance(value.get("type"), str) and "." in value["type"] else set()
        return own.union(*map(_types, value.values()))
    return set().union(*map(_types, value)) if isinstance(value, list) else set()
