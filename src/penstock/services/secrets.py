"""Secrets of namespaces: kept encrypted, written through the API, read by expressions alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from penstock.base.clock import Clock
from penstock.base.errors import ConflictError, InvalidRequestError, NotFoundError
from penstock.ports.queries import Filter
from penstock.ports.secrets import NamespaceSecret, SecretSource, SecretStore
from penstock.services.encryption import Encryption, EncryptionError
from penstock.services.namespaces import check_namespace, lineage

_KEY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}")
_NO_KEY = "set `kestra.encryption.secret-key` (make one with `openssl rand -base64 32`) and restart the server"
Tags = Sequence[tuple[str, str]]


class SecretsReadOnly(ConflictError):
    """Secrets cannot be written here."""

    code = "SECRETS_READ_ONLY"


class NamespaceSecrets:
    """The `SecretSource` of what namespaces keep: of a flow's namespace first, then of those above it.

    Implements ENG-374, GOV-219, GOV-223.

    Args:
        secrets: Where they are kept.
        encryption: Opens them; None where there is no key.
    """

    def __init__(self, secrets: SecretStore, encryption: Encryption | None) -> None:
        self._secrets = secrets
        self._encryption = encryption

    async def find(self, tenant: str, namespace: str, key: str) -> str | None:
        """Return the secret's value.

        Raises:
            EncryptionError: There is one, but the server has no key, or another one.
        """
        found = await self._secrets.nearest(tenant, lineage(namespace), key)
        if found is None:
            return None
        if self._encryption is None:
            raise EncryptionError(
                f"secret `{key}` of namespace {found.namespace} cannot be decrypted: there is no key", hint=_NO_KEY
            )
        return self._encryption.open_secret(tenant, found.namespace, key, found.sealed)

    async def names(self, tenant: str, namespace: str) -> list[str]:
        """Return the names of the secrets that flows of a namespace may read."""
        wanted = [Filter("namespace", "IN", lineage(namespace))]
        return sorted({one.key for one in await self._secrets.list(tenant, wanted)})

    def where(self, key: str) -> str:
        """Return where it is looked for."""
        return "the secrets of the namespace and of those above it"


@dataclass(frozen=True, slots=True)
class SecretName:
    """What is told of a secret."""

    key: str
    namespace: str | None = None
    """Where it is kept; None when it comes from the server's environment, for all namespaces."""
    description: str | None = None
    tags: Tags = ()


class SecretService:
    """Reads names and writes values; no value is ever told. Implements API-105, ENG-374, GOV-224, GOV-247.

    Args:
        secrets: Where they are kept.
        others: What the server's environment gives to all namespaces.
        encryption: Encrypts them; None where there is no key.
        clock: Dates changes.
        read_only: Whether nothing may be written.
    """

    def __init__(
        self,
        secrets: SecretStore,
        others: SecretSource,
        encryption: Encryption | None,
        clock: Clock,
        *,
        read_only: bool = False,
    ) -> None:
        self._secrets = secrets
        self._others = others
        self._encryption = encryption
        self._clock = clock
        self._read_only = read_only

    @property
    def is_read_only(self) -> bool:
        """Whether secrets cannot be written: that is configured, or there is no key to encrypt them with."""
        return self._read_only or self._encryption is None

    async def search(self, tenant: str, filters: Sequence[Filter], text: str = "") -> list[SecretName]:
        """Return what is told of the secrets that fit: those of namespaces, then those of the environment.

        Args:
            tenant: Whose.
            filters: Which of those that namespaces keep.
            text: What occurs in the names of those of the environment.
        """
        kept = [_told(one) for one in await self._secrets.list(tenant, filters)]
        given = await self._others.names(tenant, "")
        return [*kept, *(SecretName(key) for key in given if text.lower() in key.lower())]

    async def inherited(self, tenant: str, namespace: str) -> dict[str, list[str]]:
        """Return the names of the secrets of each namespace above one; those without any are left out."""
        above = lineage(namespace)[1:]
        given = set(await self._others.names(tenant, namespace))
        found = {name: set(given) for name in reversed(above)}
        for one in await self._secrets.list(tenant, [Filter("namespace", "IN", above)]) if above else ():
            found[one.namespace].add(one.key)
        return {name: sorted(keys) for name, keys in found.items() if keys}

    async def put(
        self, tenant: str, namespace: str, key: str, value: str, description: str | None = None, tags: Tags = ()
    ) -> list[SecretName]:
        """Store a secret, whether there was one or not, and return what is told of those of the namespace.

        Raises:
            InvalidRequestError: Namespace, key or value cannot be used.
            SecretsReadOnly: Secrets cannot be written here.
        """
        encryption = self._writable()
        check_namespace(namespace)
        if not _KEY.fullmatch(key):
            raise InvalidRequestError(
                f"`{key}` is no name of a secret", hint="use letters, digits, `_`, `-` and `.`, at most 255"
            )
        if not value:
            raise InvalidRequestError("the value is empty", hint="delete the secret if it is not needed any more")
        sealed, now = encryption.seal_secret(tenant, namespace, key, value), self._clock.now()
        secret = NamespaceSecret(namespace, key, sealed, description or None, tuple(tags), now, now)
        await self._secrets.put(tenant, secret)
        return await self._of(tenant, namespace)

    async def describe(
        self, tenant: str, namespace: str, key: str, description: str | None, tags: Tags
    ) -> list[SecretName]:
        """Replace what is told of a secret; its value stays.

        Raises:
            NotFoundError: There is none in the namespace.
            SecretsReadOnly: Secrets cannot be written here.
        """
        self._writable()
        found = await self._secrets.nearest(tenant, [namespace], key)
        if found is None:
            raise _missing(namespace, key)
        changed = replace(found, description=description or None, tags=tuple(tags), updated=self._clock.now())
        await self._secrets.put(tenant, changed)
        return await self._of(tenant, namespace)

    async def delete(self, tenant: str, namespace: str, key: str) -> None:
        """Remove a secret.

        Raises:
            NotFoundError: There is none in the namespace.
            SecretsReadOnly: Secrets cannot be written here.
        """
        self._writable()
        if not await self._secrets.delete(tenant, namespace, key):
            raise _missing(namespace, key)

    async def _of(self, tenant: str, namespace: str) -> list[SecretName]:
        found = await self._secrets.list(tenant, [Filter("namespace", "IN", [namespace])])
        return [_told(one) for one in found]

    def _writable(self) -> Encryption:
        if self._read_only:
            raise SecretsReadOnly(
                "secrets cannot be written on this server",
                hint="`kestra.secret.read-only` is set: it keeps them as they are",
            )
        if self._encryption is None:
            raise SecretsReadOnly("secrets cannot be kept: the server has no encryption key", hint=_NO_KEY)
        return self._encryption


def _told(secret: NamespaceSecret) -> SecretName:
    return SecretName(secret.key, secret.namespace, secret.description, secret.tags)


def _missing(namespace: str, key: str) -> NotFoundError:
    return NotFoundError(
        f"namespace {namespace} has no secret `{key}`", hint="secrets of namespaces above are changed there"
    )
