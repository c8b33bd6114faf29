"""Secrets of namespaces: written through the API, read by expressions alone, kept encrypted or by another service."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from penstock.base.clock import Clock
from penstock.base.errors import InvalidRequestError, NotFoundError
from penstock.ports.queries import Filter
from penstock.ports.secrets import (
    NamespaceSecret,
    SecretManager,
    SecretName,
    SecretSource,
    SecretsReadOnly,
    SecretStore,
    Tags,
)
from penstock.services.encryption import Encryption, EncryptionError
from penstock.services.namespaces import check_namespace, lineage

_KEY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}")
_NO_KEY = "set `kestra.encryption.secret-key` (make one with `openssl rand -base64 32`) and restart the server"


class SealedSecrets:
    """The `SecretManager` that keeps secrets in the database, encrypted. Implements GOV-223, GOV-231.

    Args:
        secrets: Where they are kept.
        encryption: Encrypts and opens them; None where there is no key.
        clock: Dates changes.
    """

    def __init__(self, secrets: SecretStore, encryption: Encryption | None, clock: Clock) -> None:
        self._secrets = secrets
        self._encryption = encryption
        self._clock = clock

    @property
    def refusal(self) -> SecretsReadOnly | None:
        """Why nothing can be written: there is no key."""
        if self._encryption is not None:
            return None
        return SecretsReadOnly("secrets cannot be kept: the server has no encryption key", hint=_NO_KEY)

    async def find(self, tenant: str, namespaces: Sequence[str], key: str) -> str | None:
        """Return the value of the nearest secret.

        Raises:
            EncryptionError: There is one, but the server has no key, or another one.
        """
        found = await self._secrets.nearest(tenant, namespaces, key)
        if found is None:
            return None
        if self._encryption is None:
            raise EncryptionError(
                f"secret `{key}` of namespace {found.namespace} cannot be decrypted: there is no key", hint=_NO_KEY
            )
        return self._encryption.open_secret(tenant, found.namespace, key, found.sealed)

    async def list(self, tenant: str, filters: Sequence[Filter] = ()) -> Sequence[SecretName]:
        """Return what is told of the secrets that fit."""
        return [
            SecretName(one.key, one.namespace, one.description, one.tags)
            for one in await self._secrets.list(tenant, filters)
        ]

    async def put(self, tenant: str, namespace: str, secret: SecretName, value: str) -> None:
        """Encrypt a secret for its place alone, and store it."""
        if self._encryption is None:
            raise SecretsReadOnly("secrets cannot be kept: the server has no encryption key", hint=_NO_KEY)
        sealed, now = self._encryption.seal_secret(tenant, namespace, secret.key, value), self._clock.now()
        kept = NamespaceSecret(namespace, secret.key, sealed, secret.description, tuple(secret.tags), now, now)
        await self._secrets.put(tenant, kept)

    async def describe(self, tenant: str, namespace: str, secret: SecretName) -> bool:
        """Replace what is told of a secret."""
        found = await self._secrets.nearest(tenant, [namespace], secret.key)
        if found is not None:
            changed = replace(found, description=secret.description, tags=tuple(secret.tags), updated=self._clock.now())
            await self._secrets.put(tenant, changed)
        return found is not None

    async def delete(self, tenant: str, namespace: str, key: str) -> bool:
        """Remove a secret."""
        return await self._secrets.delete(tenant, namespace, key)

    def where(self, key: str) -> str:
        """Return where it is looked for."""
        return "the secrets of the namespace and of those above it"


class NamespaceSecrets:
    """The `SecretSource` of what namespaces keep: of a flow's namespace first, then of those above it.

    Implements ENG-374, GOV-219.
    """

    def __init__(self, manager: SecretManager) -> None:
        self._manager = manager

    async def find(self, tenant: str, namespace: str, key: str) -> str | None:
        """Return the secret's value."""
        return await self._manager.find(tenant, lineage(namespace), key)

    async def names(self, tenant: str, namespace: str) -> list[str]:
        """Return the names of the secrets that flows of a namespace may read."""
        wanted = [Filter("namespace", "IN", lineage(namespace))]
        return sorted({one.key for one in await self._manager.list(tenant, wanted)})

    def where(self, key: str) -> str:
        """Return where it is looked for."""
        return self._manager.where(key)


class SecretService:
    """Reads names and writes values; no value is ever told. Implements API-105, ENG-374, GOV-224, GOV-247.

    Args:
        manager: Keeps them.
        others: What the server's environment gives to all namespaces.
        read_only: Whether nothing may be written.
        tags: Put on every secret that is written (GOV-229).
    """

    def __init__(
        self, manager: SecretManager, others: SecretSource, *, read_only: bool = False, tags: Tags = ()
    ) -> None:
        self._manager = manager
        self._others = others
        self._read_only = read_only
        self._tags = dict(tags)

    @property
    def is_read_only(self) -> bool:
        """Whether secrets cannot be written: that is configured, or what keeps them refuses it."""
        return self._read_only or self._manager.refusal is not None

    async def search(self, tenant: str, filters: Sequence[Filter], text: str = "") -> list[SecretName]:
        """Return what is told of the secrets that fit: those of namespaces, then those of the environment.

        Args:
            tenant: Whose.
            filters: Which of those that namespaces keep.
            text: What occurs in the names of those of the environment.
        """
        kept = await self._manager.list(tenant, filters)
        given = await self._others.names(tenant, "")
        return [*kept, *(SecretName(key) for key in given if text.lower() in key.lower())]

    async def inherited(self, tenant: str, namespace: str) -> dict[str, list[str]]:
        """Return the names of the secrets of each namespace above one; those without any are left out."""
        above = lineage(namespace)[1:]
        given = set(await self._others.names(tenant, namespace))
        found = {name: set(given) for name in reversed(above)}
        for one in await self._manager.list(tenant, [Filter("namespace", "IN", above)]) if above else ():
            for name in above if one.namespace is None else [one.namespace]:
                found[name].add(one.key)
        return {name: sorted(keys) for name, keys in found.items() if keys}

    async def put(
        self, tenant: str, namespace: str, key: str, value: str, description: str | None = None, tags: Tags = ()
    ) -> list[SecretName]:
        """Store a secret, whether there was one or not, and return what is told of those of the namespace.

        Raises:
            InvalidRequestError: Namespace, key or value cannot be used.
            SecretsReadOnly: Secrets cannot be written here.
        """
        self._check_writable()
        check_namespace(namespace)
        if not _KEY.fullmatch(key):
            raise InvalidRequestError(
                f"`{key}` is no name of a secret", hint="use letters, digits, `_`, `-` and `.`, at most 255"
            )
        if not value:
            raise InvalidRequestError("the value is empty", hint="delete the secret if it is not needed any more")
        await self._manager.put(tenant, namespace, self._named(namespace, key, description, tags), value)
        return await self._of(tenant, namespace)

    async def describe(
        self, tenant: str, namespace: str, key: str, description: str | None, tags: Tags
    ) -> list[SecretName]:
        """Replace what is told of a secret; its value stays.

        Raises:
            NotFoundError: There is none in the namespace.
            SecretsReadOnly: Secrets cannot be written here.
        """
        self._check_writable()
        if not await self._manager.describe(tenant, namespace, self._named(namespace, key, description, tags)):
            raise _missing(namespace, key)
        return await self._of(tenant, namespace)

    async def delete(self, tenant: str, namespace: str, key: str) -> None:
        """Remove a secret.

        Raises:
            NotFoundError: There is none in the namespace.
            SecretsReadOnly: Secrets cannot be written here.
        """
        self._check_writable()
        if not await self._manager.delete(tenant, namespace, key):
            raise _missing(namespace, key)

    async def _of(self, tenant: str, namespace: str) -> list[SecretName]:
        return list(await self._manager.list(tenant, [Filter("namespace", "IN", [namespace])]))

    def _named(self, namespace: str, key: str, description: str | None, tags: Tags) -> SecretName:
        return SecretName(key, namespace, description or None, tuple((self._tags | dict(tags)).items()))

    def _check_writable(self) -> None:
        if self._read_only:
            raise SecretsReadOnly(
                "secrets cannot be written on this server",
                hint="`kestra.secret.read-only` is set: it keeps them as they are",
            )
        if self._manager.refusal is not None:
            raise self._manager.refusal


def _missing(namespace: str, key: str) -> NotFoundError:
    return NotFoundError(
        f"namespace {namespace} has no secret `{key}`", hint="secrets of namespaces above are changed there"
    )
