"""Where texts are kept that people write beside flows: blueprints of their own, test suites, accounts of programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from penstock.base.clock import Instant


class DocumentKind(StrEnum):
    """What a document is."""

    BLUEPRINT = "blueprint"
    SERVICE_ACCOUNT = "service account"
    TEST_SUITE = "test suite"


@dataclass(frozen=True, slots=True)
class Document:
    """A text as written, and what is known of it beside the text."""

    tenant: str
    kind: DocumentKind
    namespace: str
    """Empty for what belongs to no namespace."""
    id: str
    source: str
    created: Instant
    updated: Instant
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """How a message names it."""
        return f"{self.kind} {self.namespace}.{self.id}" if self.namespace else f"{self.kind} {self.id}"


class DocumentStore(Protocol):
    """Documents by kind, namespace and id."""

    async def get(self, tenant: str, kind: DocumentKind, namespace: str, document_id: str) -> Document | None:
        """Return a document; None when there is none."""
        ...

    async def all(self, tenant: str, kind: DocumentKind) -> Sequence[Document]:
        """Return all documents of a kind, by namespace and id."""
        ...

    async def save(self, document: Document, *, is_new: bool) -> Document:
        """Insert a document or replace one, which keeps the date of its creation.

        Raises:
            ConflictError: It is to be new, and is there already.
        """
        ...

    async def delete(self, tenant: str, kind: DocumentKind, namespace: str, document_id: str) -> bool:
        """Remove a document; False when there was none."""
        ...
