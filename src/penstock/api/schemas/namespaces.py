"""Namespaces with their pairs, files and secrets."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from penstock.api.schemas.base import Shape


class KeyValueEntry(Shape):
    """A key-value pair without its value."""

    namespace: str
    key: str
    version: int
    description: str | None = None
    creation_date: datetime
    update_date: datetime
    expiration_date: datetime | None = None


class KeyValue(Shape):
    """The value of a key, and its type."""

    type: Literal["STRING", "NUMBER", "BOOLEAN", "DATETIME", "DATE", "DURATION", "JSON"]
    value: Any
    revision: int
    updated: datetime


class KeyValueDetail(KeyValueEntry):
    """All there is to know of a key-value pair."""

    type: str
    value: Any
    revision: int


class PagedKeyValues(Shape):
    """A page of key-value pairs."""

    results: list[KeyValueEntry]
    total: int


class Keys(Shape):
    """Keys of one namespace."""

    keys: list[str]


class FileAttributes(Shape):
    """A namespace file, or a folder of them."""

    file_name: str
    last_modified_time: int = Field(description="Milliseconds since 1970.")
    creation_time: int = Field(description="Milliseconds since 1970.")
    type: Literal["File", "Directory"]
    size: int


class NamespaceFileRevision(Shape):
    """One revision of a namespace file; the first is 0."""

    revision: int


class NamespaceSettings(Shape):
    """What is set for all flows of a namespace."""

    id: str
    description: str | None = None
    variables: dict[str, Any] | None = Field(None, description="Read as `namespace.<key>` in expressions.")
    plugin_defaults: list[dict[str, Any]] | None = Field(None, description="`type`, `values` and `forced` of each.")


class Namespace(NamespaceSettings):
    """A namespace with its own settings."""

    deleted: bool


class SecretTag(Shape):
    """A tag of a secret."""

    key: str
    value: str


class AboutSecret(Shape):
    """What is told of a secret."""

    description: str | None = None
    tags: list[SecretTag] | None = None


class SecretValue(AboutSecret):
    """A secret to be set."""

    key: str
    value: str = Field(min_length=1)


class SecretName(Shape):
    """A secret; its value is never told."""

    key: str
    namespace: str | None = Field(None, description="Where it is kept; absent when it is the environment's.")
    description: str | None = None
    tags: list[SecretTag]


class KeptSecret(SecretName):
    """A secret of a namespace."""

    namespace: str


class SecretNames(Shape):
    """A page of secrets."""

    read_only: bool = Field(description="Whether none can be set: there is no encryption key, or it is so configured.")
    results: list[SecretName]
    total: int


class PagedNamespaces(Shape):
    """A page of namespaces."""

    results: list[Namespace]
    total: int


class InheritedPluginDefault(Shape):
    """A plugin default of a namespace above."""

    namespace: str
    type: str
    values: dict[str, Any] | None = None
    forced: bool | None = None


class Autocomplete(Shape):
    """What names shall contain, or those that are looked for."""

    q: str | None = None
    ids: list[str] | None = None
