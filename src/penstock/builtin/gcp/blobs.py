"""Objects of Cloud Storage: where they are, what is known of them, and which of a bucket's are meant."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Any, Literal

from pydantic import Field, PositiveInt

from penstock.builtin.gcp.account import Account, GcpError
from penstock.builtin.name_pattern import NamePattern
from penstock.builtin.serdes.files import new_file
from penstock.sdk import Output, Property, RunContext
from penstock.sdk.items import stop_if_killed

_SCHEME = "gs://"


class StoredBlob(Output):
    """An object."""

    uri: str = Field(description="Its address; of one that was downloaded, the file in internal storage.")
    bucket: str = Field(description="The bucket.")
    name: str = Field(description="Its name.")
    generation: int | None = Field(None, description="What tells its content from an earlier one.")
    size: int | None = Field(None, description="How many bytes it has.")
    content_type: str | None = Field(None, description="What it holds.")
    update_time: datetime | None = Field(None, description="When it was stored.")
    metadata: dict[str, str] | None = Field(None, description="What else is known of it.")
    is_directory: bool = Field(False, description="Whether it stands for a folder.")

    @classmethod
    def of(cls, blob: Any) -> StoredBlob:
        """Return what is known of an object."""
        return cls(
            uri=f"{_SCHEME}{blob.bucket.name}/{blob.name}",
            bucket=blob.bucket.name,
            name=blob.name,
            generation=blob.generation,
            size=blob.size,
            content_type=blob.content_type,
            update_time=blob.updated,
            metadata=blob.metadata,
            is_directory=blob.name.endswith("/"),
        )

    @property
    def version(self) -> str:
        """What tells it from the same name with another content."""
        return str(self.generation)


class Listing(Account):
    """Objects of a bucket."""

    from_: Property[str] = Field(alias="from", description="The bucket, and with what names begin: gs://bucket/new/.")
    reg_exp: Property[str] | None = Field(
        None, description="A regular expression that the whole of an address has to match."
    )
    listing_type: Property[Literal["DIRECTORY", "RECURSIVE"]] = Field(
        Property.of("DIRECTORY"), description="Whether what is in folders below counts, too: RECURSIVE."
    )
    filter: Property[Literal["FILES", "DIRECTORY", "BOTH"]] = Field(
        Property.of("BOTH"), description="Whether objects that stand for folders count, alone, or not at all."
    )
    max_files: Property[PositiveInt] = Field(Property.of(1_000), description="The most objects.")

    def found(self, context: RunContext, client: Any) -> Iterator[StoredBlob]:
        """Yield the objects, all of them."""
        bucket, prefix = place_of(context.render(self.from_))
        delimiter = "/" if context.render(self.listing_type) == "DIRECTORY" else None
        kind, pattern = context.render(self.filter), NamePattern(context.render(self.reg_exp), "regExp", GcpError)
        for blob in client.list_blobs(bucket, prefix=prefix or None, delimiter=delimiter):
            stop_if_killed(context)
            one = StoredBlob.of(blob)
            if kind in ("BOTH", "DIRECTORY" if one.is_directory else "FILES") and pattern.fits(one.uri):
                yield one

    def some(self, context: RunContext, client: Any) -> list[StoredBlob]:
        """Return as many objects as are wanted."""
        return list(islice(self.found(context, client), context.render(self.max_files)))


class Acting(Listing):
    """Objects of which something becomes when they have been downloaded."""

    action: Property[Literal["MOVE", "DELETE", "NONE"]] = Field(
        description="What becomes of the objects: they are moved, deleted, or left."
    )
    move_directory: Property[str] | None = Field(None, description="The folder they are moved to: gs://bucket/old/.")

    def target(self, context: RunContext) -> tuple[str, str] | None:
        """Return the bucket and the folder that objects are moved to, if they are.

        Raises:
            GcpError: It is not said.
        """
        if context.render(self.action) != "MOVE":
            return None
        directory = context.render(self.move_directory)
        if not directory:
            raise GcpError("it is not said where objects are moved to", hint="set `moveDirectory`")
        bucket, folder = place_of(directory)
        return bucket, f"{folder.rstrip('/')}/".lstrip("/")

    def act(self, context: RunContext, client: Any, found: list[StoredBlob]) -> None:
        """Move or delete objects."""
        if context.render(self.action) == "NONE":
            return
        target = self.target(context)
        for one in found:
            if target is not None:
                name = one.name.rstrip("/").rsplit("/", 1)[-1] + ("/" if one.is_directory else "")
                copy(client, (one.bucket, one.name), (target[0], f"{target[1]}{name}"))
            client.bucket(one.bucket).blob(one.name).delete()


def place_of(address: str) -> tuple[str, str]:
    """Return the bucket and the name of an address.

    Raises:
        GcpError: It is none.
    """
    bucket, _, name = address.strip().removeprefix(_SCHEME).partition("/")
    if not address.strip().startswith(_SCHEME) or not bucket:
        raise GcpError(f"`{address}` is no address of an object", hint="write it like gs://bucket/folder/name")
    return bucket, name


def downloaded(context: RunContext, client: Any, one: StoredBlob) -> StoredBlob:
    """Return an object whose content has been stored; folders have none."""
    if one.is_directory:
        return one
    stop_if_killed(context)
    local = new_file(context, "download")
    client.bucket(one.bucket).blob(one.name).download_to_filename(str(local))
    return one.model_copy(update={"uri": context.put_file(local, one.name.rsplit("/", 1)[-1])})


def copy(client: Any, source: tuple[str, str], target: tuple[str, str]) -> Any:
    """Copy an object, also a large one between regions, and return the copy."""
    made, token = client.bucket(target[0]).blob(target[1]), None
    blob = client.bucket(source[0]).blob(source[1])
    while True:
        token, _, _ = made.rewrite(blob, token=token)
        if token is None:
            return made
