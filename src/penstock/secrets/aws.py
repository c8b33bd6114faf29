"""Secrets of namespaces that AWS Secrets Manager keeps. Needs the extra `aws`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from typing import Any, TypeVar

from penstock.base.errors import PenstockError, UnavailableError
from penstock.ports.queries import Filter
from penstock.ports.secrets import SecretName, SecretsReadOnly
from penstock.secrets.picking import picked

T = TypeVar("T")
_CONNECT, _READ = 5, 15
_RECOVERY_DAYS = 7
_OWN = ("namespace", "key", "prefix", "tenant")
"""Tags that say whose a secret is."""


class LibraryMissing(PenstockError):
    """boto3 is not installed."""

    code = "LIBRARY_MISSING"


@dataclass(frozen=True, slots=True)
class AwsAccount:
    """Where secrets are and who asks; what is not given, AWS's own chain finds."""

    access_key: str | None = None
    secret_key: str | None = None
    session_token: str | None = None
    region: str | None = None
    endpoint: str | None = None


@dataclass(frozen=True, slots=True)
class Selection:
    """Which of an account's secrets are meant that others have made (GOV-249, GOV-250).

    Args:
        tags: Tags that they have.
        name_prefix: What their names start with.
        keeps_prefix: Whether that stays part of the key.
    """

    tags: Mapping[str, str] = field(default_factory=dict)
    name_prefix: str = ""
    keeps_prefix: bool = False

    def __bool__(self) -> bool:
        return bool(self.tags or self.name_prefix)


@dataclass(frozen=True, slots=True)
class _Entry:
    """A secret of the account."""

    arn: str
    told: SecretName
    tags: Mapping[str, str]


class AwsSecrets:
    """The `SecretManager` on AWS Secrets Manager. Implements GOV-227, GOV-230, GOV-232, GOV-234, GOV-249, GOV-250.

    Tags say whose a secret is: `namespace`, `key` and `prefix`. With a selection all secrets count that fit, those
    without a `namespace` for all namespaces, and nothing can be written.

    Args:
        account: Where they are and who asks.
        prefix: Tells the secrets of this instance from those of others.
        selection: Which secrets of others count instead.
    """

    def __init__(self, account: AwsAccount, prefix: str = "kestra", selection: Selection | None = None) -> None:
        self._account = account
        self.prefix = prefix
        self._selection = selection or Selection()

    @property
    def refusal(self) -> SecretsReadOnly | None:
        """Why nothing can be written: the secrets are those of others."""
        if not self._selection:
            return None
        return SecretsReadOnly(
            "secrets cannot be written on this server", hint="it reads those of AWS that a filter picks"
        )

    async def find(self, tenant: str, namespaces: Sequence[str], key: str) -> str | None:
        """Return the value of the nearest secret; one for all namespaces is the farthest."""
        return await self._done(lambda: self._value(tenant, namespaces, key))

    async def list(self, tenant: str, filters: Sequence[Filter] = ()) -> Sequence[SecretName]:
        """Return what is told of the secrets that fit."""
        found = await self._done(lambda: [entry.told for entry in self._entries(tenant)])
        return picked(found, filters)

    async def put(self, tenant: str, namespace: str, secret: SecretName, value: str) -> None:
        """Insert or replace a secret."""
        await self._done(lambda: self._put(tenant, namespace, secret, value))

    async def describe(self, tenant: str, namespace: str, secret: SecretName) -> bool:
        """Replace what is told of a secret."""
        return await self._done(lambda: self._describe(tenant, namespace, secret))

    async def delete(self, tenant: str, namespace: str, key: str) -> bool:
        """Have AWS delete a secret, which it does after a week."""
        return await self._done(lambda: self._delete(tenant, namespace, key))

    def where(self, key: str) -> str:
        """Return where it is looked for."""
        return "AWS Secrets Manager"

    async def _done(self, work: Callable[[], T]) -> T:
        with _translated():
            return await asyncio.to_thread(work)

    @cached_property
    def _client(self) -> Any:
        try:
            boto3, config = import_module("boto3"), import_module("botocore.config")  # an extra
        except ImportError:
            raise LibraryMissing("the library boto3 is not installed", hint="pip install 'penstock[aws]'") from None
        return boto3.session.Session().client(
            "secretsmanager",
            aws_access_key_id=self._account.access_key,
            aws_secret_access_key=self._account.secret_key,
            aws_session_token=self._account.session_token,
            region_name=self._account.region,
            endpoint_url=self._account.endpoint,
            config=config.Config(connect_timeout=_CONNECT, read_timeout=_READ, retries={"max_attempts": 3}),
        )

    def _value(self, tenant: str, namespaces: Sequence[str], key: str) -> str | None:
        order = {name: number for number, name in enumerate((*namespaces, None))}
        found = [one for one in self._entries(tenant, key) if one.told.namespace in order]
        if not found:
            return None
        nearest = min(found, key=lambda one: order[one.told.namespace])
        try:
            value = self._client.get_secret_value(SecretId=nearest.arn)
        except self._client.exceptions.ResourceNotFoundException:
            return None  # it was deleted meanwhile
        text: str | None = value.get("SecretString")
        return value["SecretBinary"].decode(errors="replace") if text is None else text

    def _entries(self, tenant: str, key: str | None = None) -> Iterator[_Entry]:
        """Yield the secrets that count, of one key or all."""
        wanted = [{"Key": "name", "Values": [self._selection.name_prefix]}] if self._selection.name_prefix else []
        if not self._selection:
            wanted = [{"Key": "tag-key", "Values": ["key"]}]
            wanted += [{"Key": "tag-value", "Values": [key]}] if key is not None else []
        for page in self._client.get_paginator("list_secrets").paginate(Filters=wanted):
            for found in page["SecretList"]:
                entry = self._entry(tenant, found)
                if entry is not None and key in (None, entry.told.key):
                    yield entry

    def _entry(self, tenant: str, found: Mapping[str, Any]) -> _Entry | None:
        tags = {tag["Key"]: tag["Value"] for tag in found.get("Tags", ())}
        others = tuple(sorted((name, value) for name, value in tags.items() if name not in _OWN))
        name, key, namespace = found["Name"], tags.get("key"), tags.get("namespace")
        if tags.get("tenant", tenant) != tenant:
            return None
        if self._selection:
            chosen = self._selection
            if not name.startswith(chosen.name_prefix) or not chosen.tags.items() <= tags.items():
                return None
            key = key or (name if chosen.keeps_prefix else name.removeprefix(chosen.name_prefix))
        elif key is None or namespace is None or tags.get("prefix") != self.prefix:
            return None
        told = SecretName(key, namespace, found.get("Description") or None, others)
        return _Entry(found["ARN"], told, tags)

    def _kept(self, tenant: str, namespace: str, key: str) -> _Entry | None:
        return next((one for one in self._entries(tenant, key) if one.told.namespace == namespace), None)

    def _put(self, tenant: str, namespace: str, secret: SecretName, value: str) -> None:
        name = "/".join((self.prefix, tenant, *namespace.split("."), secret.key))
        tags, errors = self._tags(tenant, namespace, secret), self._client.exceptions
        kept = self._kept(tenant, namespace, secret.key)
        if kept is None:
            try:
                self._client.create_secret(
                    Name=name, SecretString=value, Description=secret.description or "", Tags=_pairs(tags)
                )
                return
            except (errors.ResourceExistsException, errors.InvalidRequestException):
                # A list tells of it only later, or it waits to be deleted.
                if "DeletedDate" in self._client.describe_secret(SecretId=name):
                    self._client.restore_secret(SecretId=name)
        place = name if kept is None else kept.arn
        self._client.update_secret(SecretId=place, SecretString=value, Description=secret.description or "")
        self._tag(place, tags, {} if kept is None else kept.tags)

    def _describe(self, tenant: str, namespace: str, secret: SecretName) -> bool:
        kept = self._kept(tenant, namespace, secret.key)
        if kept is None:
            return False
        self._client.update_secret(SecretId=kept.arn, Description=secret.description or "")
        self._tag(kept.arn, self._tags(tenant, namespace, secret), kept.tags)
        return True

    def _delete(self, tenant: str, namespace: str, key: str) -> bool:
        kept = self._kept(tenant, namespace, key)
        if kept is not None:
            self._client.delete_secret(SecretId=kept.arn, RecoveryWindowInDays=_RECOVERY_DAYS)
        return kept is not None

    def _tags(self, tenant: str, namespace: str, secret: SecretName) -> dict[str, str]:
        own = {"namespace": namespace, "key": secret.key, "prefix": self.prefix, "tenant": tenant}
        return {**dict(secret.tags), **own}

    def _tag(self, place: str, tags: Mapping[str, str], before: Mapping[str, str]) -> None:
        gone = [name for name in before if name not in tags]
        if gone:
            self._client.untag_resource(SecretId=place, TagKeys=gone)
        self._client.tag_resource(SecretId=place, Tags=_pairs(tags))


def _pairs(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": name, "Value": value} for name, value in tags.items()]


@contextmanager
def _translated() -> Iterator[None]:
    """Raise what AWS complains of as an error of ours."""
    try:
        yield
    except PenstockError:
        raise
    except Exception as error:
        if type(error).__module__.partition(".")[0] not in ("botocore", "boto3"):
            raise
        raise UnavailableError(
            f"AWS Secrets Manager does not answer as it should: {error}",
            hint="see kestra.secret.aws-secret-manager, and the rights of whoever asks",
        ) from None
