"""Blueprints that people write themselves: flows to begin with, with a title, a description and tags."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from penstock.base.clock import Clock, Instant
from penstock.base.codec import to_json_text
from penstock.base.errors import InvalidRequestError, NotFoundError
from penstock.base.ids import new_id
from penstock.expressions import ExpressionError
from penstock.model.flow import ParsedFlow
from penstock.model.problems import InvalidFlow, Severity
from penstock.model.yaml import read_yaml
from penstock.ports.documents import Document, DocumentKind, DocumentStore
from penstock.services.blueprints.templates import Parse, arguments_of, check_arguments, made_of
from penstock.services.flows import FlowChecker

_TITLE = 150
_TYPE = re.compile(r"(?:^|[\s{,])type:\s*[\"']?([a-z]\w*(?:\.\w+)+)", re.MULTILINE)


class OwnBlueprint:
    """A blueprint as it is kept.

    Args:
        document: The stored text, and what is told of it.
    """

    def __init__(self, document: Document) -> None:
        self.id = document.id
        self.source = document.source
        self.title: str = document.about["title"]
        self.description: str | None = document.about.get("description")
        self.tags: Sequence[str] = document.about.get("tags", ())
        self.published: Instant = document.created
        self.included = sorted(set(_TYPE.findall(document.source)))
        """The types it uses."""
        self.arguments = arguments_of(document.source)
        """What is asked of who uses it; None when it is a flow already."""

    def fits(self, text: str, tags: Sequence[str]) -> bool:
        """Return whether a text occurs in what is told about it, and all tags are its own."""
        told = f"{self.id} {self.title} {self.description or ''} {' '.join(self.tags)}".casefold()
        return text.casefold() in told and set(tags) <= set(self.tags)


class OwnBlueprints:
    """Implements API-111 for one's own blueprints, ENG-378, GOV-347 to GOV-351.

    Args:
        documents: Where they are kept.
        checker: Reads flows and their inputs.
        clock: Dates changes.
    """

    def __init__(self, documents: DocumentStore, checker: FlowChecker, clock: Clock) -> None:
        self._documents = documents
        self._checker = checker
        self._clock = clock

    async def create(
        self, tenant: str, title: str, source: str, description: str | None, tags: Sequence[str]
    ) -> OwnBlueprint:
        """Keep a new blueprint.

        Raises:
            InvalidRequestError: It has no title.
            InvalidFlow: Its text is neither YAML nor a template.
        """
        return await self._save(tenant, new_id(), _about(title, description, tags), source, is_new=True)

    async def update(
        self, tenant: str, blueprint_id: str, title: str, source: str, description: str | None, tags: Sequence[str]
    ) -> OwnBlueprint:
        """Replace a blueprint.

        Raises:
            NotFoundError: There is none.
            InvalidRequestError: It has no title.
            InvalidFlow: Its text is neither YAML nor a template.
        """
        await self.get(tenant, blueprint_id)
        return await self._save(tenant, blueprint_id, _about(title, description, tags), source, is_new=False)

    async def get(self, tenant: str, blueprint_id: str) -> OwnBlueprint:
        """Return a blueprint.

        Raises:
            NotFoundError: There is none.
        """
        found = await self._documents.get(tenant, DocumentKind.BLUEPRINT, "", blueprint_id)
        if found is None:
            raise NotFoundError(f"there is no blueprint {blueprint_id}")
        return OwnBlueprint(found)

    async def search(self, tenant: str, text: str = "", tags: Sequence[str] = ()) -> list[OwnBlueprint]:
        """Return the blueprints that fit, by title."""
        kept = map(OwnBlueprint, await self._documents.all(tenant, DocumentKind.BLUEPRINT))
        return sorted((one for one in kept if one.fits(text, tags)), key=lambda one: (one.title, one.id))

    async def tags(self, tenant: str, text: str = "") -> list[str]:
        """Return the tags of all blueprints."""
        known = {tag for one in await self.search(tenant) for tag in one.tags}
        return sorted(tag for tag in known if text.casefold() in tag.casefold())

    async def delete(self, tenant: str, blueprint_id: str) -> None:
        """Remove a blueprint; flows that were made of it stay.

        Raises:
            NotFoundError: There is none.
        """
        if not await self._documents.delete(tenant, DocumentKind.BLUEPRINT, "", blueprint_id):
            raise NotFoundError(f"there is no blueprint {blueprint_id}")

    async def used(self, tenant: str, blueprint_id: str, values: Mapping[str, Any]) -> str:
        """Return the source of the flow that a blueprint makes; nothing is stored.

        Raises:
            NotFoundError: There is none.
            InvalidInputs: An argument is missing, wrong or unknown.
            InvalidRequestError: Its text cannot be rendered.
            InvalidFlow: What comes out is no valid flow.
        """
        found = await self.get(tenant, blueprint_id)
        return self.made(tenant, found.source, values, found.title)

    def made(self, tenant: str, text: str, values: Mapping[str, Any], title: str = "") -> str:
        """Return the source of the flow that the text of a blueprint makes.

        Raises:
            InvalidInputs: An argument is missing, wrong or unknown.
            InvalidRequestError: The text cannot be rendered.
            InvalidFlow: What comes out is no valid flow.
        """
        try:
            source = made_of(text, values, self._parser(tenant))
        except ExpressionError as error:
            name = f"blueprint {title}" if title else "the blueprint"
            raise InvalidRequestError(f"{name} makes no flow: {error.message}", hint=error.hint) from error
        wrong = [one for one in self._checker.parse(tenant, source).problems if one.severity is Severity.ERROR]
        if wrong and arguments_of(text) is not None:
            raise InvalidFlow(wrong)
        return source

    async def _save(
        self, tenant: str, blueprint_id: str, about: Mapping[str, Any], source: str, *, is_new: bool
    ) -> OwnBlueprint:
        arguments = arguments_of(source)
        if arguments is not None:
            check_arguments(arguments, self._parser(tenant))
        elif problems := read_yaml(source).problems:
            raise InvalidFlow(problems)
        now = self._clock.now()
        document = Document(tenant, DocumentKind.BLUEPRINT, "", blueprint_id, source, now, now, about)
        return OwnBlueprint(await self._documents.save(document, is_new=is_new))

    def _parser(self, tenant: str) -> Parse:
        def parse(data: Mapping[str, Any]) -> ParsedFlow:
            return self._checker.parse(tenant, to_json_text(data))

        return parse


def _about(title: str, description: str | None, tags: Sequence[str]) -> dict[str, Any]:
    if not title.strip() or len(title) > _TITLE:
        raise InvalidRequestError("a blueprint needs a title", hint=f"write one of at most {_TITLE} characters")
    return {"title": title, "description": description, "tags": sorted(set(tags))}
