"""Where secrets come from, and where those of namespaces are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from penstock.base.clock import Instant
from penstock.base.errors import ConflictError
from penstock.ports.queries import Filter

Tags = Sequence[tuple[str, str]]


class SecretsReadOnly(ConflictError):
    """Secrets cannot be written here."""

    code = "SECRETS_READ_ONLY"


class SecretSource(Protocol):
    """Looks secrets up by name. Values leave it only towards a rendering task; they are never stored or logged."""

    async def find(self, tenant: str, namespace: str, key: str) -> str | None:
        """Return the secret's value; None when there is none."""
        ...

    async def names(self, tenant: str, namespace: str) -> list[str]:
        """Return the names that exist, for validation and completion."""
        ...

    def where(self, key: str) -> str:
        """Return in words where a secret of that name is looked for, for the error of a missing one (BEY-060)."""
        ...


@dataclass(frozen=True, slots=True)
class SecretName:
    """What is told of a secret."""

    key: str
    namespace: str | None = None
    """Where it is kept; None when it is there for all namespaces."""
    description: str | None = None
    tags: Tags = ()


class SecretManager(Protocol):
    """Keeps the secrets of namespaces: in the database, or elsewhere (ENG-374, GOV-227)."""

    @property
    def refusal(self) -> SecretsReadOnly | None:
        """Why nothing can be written; None when it can."""
        ...

    async def find(self, tenant: str, namespaces: Sequence[str], key: str) -> str | None:
        """Return the value that the first of these namespaces that has the secret keeps; None when none has it."""
        ...

    async def list(self, tenant: str, filters: Sequence[Filter] = ()) -> Sequence[SecretName]:
        """Return what is told of the secrets that fit, by namespace and key."""
        ...

    async def put(self, tenant: str, namespace: str, secret: SecretName, value: str) -> None:
        """Insert or replace a secret."""
        ...

    async def describe(self, tenant: str, namespace: str, secret: SecretName) -> bool:
        """Replace what is told of a secret; False when there is none."""
        ...

    async def delete(self, tenant: str, namespace: str, key: str) -> bool:
        """Remove a secret; False when there was none."""
        ...

    def where(self, key: str) -> str:
        """Return in words where a secret of that name is looked for."""
        ...


@dataclass(frozen=True, slots=True)
class NamespaceSecret:
    """A secret of a namespace as it is kept (ENG-374)."""

    namespace: str
    key: str
    sealed: str
    """The value, encrypted; it can be opened as this secret alone."""
    description: str | None
    tags: tuple[tuple[str, str], ...]
    created: Instant
    updated: Instant


class SecretStore(Protocol):
    """Secrets by namespace, encrypted."""

    async def nearest(self, tenant: str, namespaces: Sequence[str], key: str) -> NamespaceSecret | None:
        """Return the secret of the first of these namespaces that has one of that name."""
        ...

    async def list(self, tenant: str, filters: Sequence[Filter] = ()) -> Sequence[NamespaceSecret]:
        """Return the secrets that fit, by namespace and key."""
        ...

    async def put(self, tenant: str, secret: NamespaceSecret) -> None:
        """Insert or replace a secret; the creation date of what is replaced stays."""
        ...

    async def delete(self, tenant: str, namespace: str, key: str) -> bool:
        """Remove a secret; False when there was none."""
        ...
