"""Many objects: `List`, `Downloads`, `DeleteList`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Any, ClassVar, Literal

from pydantic import Field, PositiveInt

from penstock.builtin.aws.buckets import Bucket, given
from penstock.builtin.aws.connection import AwsError, Text
from penstock.builtin.aws.objects import Place, downloaded
from penstock.builtin.name_pattern import NamePattern
from penstock.sdk import MetricNote, Output, Property, RunContext, Task
from penstock.sdk.items import stop_if_killed

Filter = Literal["FILES", "DIRECTORY", "BOTH"]
Action = Literal["MOVE", "DELETE", "NONE"]
_AT_ONCE = 1_000
"""How many objects are deleted with one request."""


class Found(Output):
    """An object of a bucket."""

    bucket: str = Field(exclude=True)
    key: str = Field(description="Its key.")
    uri: str | None = Field(None, description="The file in internal storage, where it was downloaded.")
    etag: str | None = Field(None, description="What its content is known by.")
    size: int | None = Field(None, description="How many bytes it has.")
    last_modified: datetime | None = Field(None, description="When it was stored.")
    owner: dict[str, Any] | None = Field(None, description="Whose it is.")

    @property
    def is_folder(self) -> bool:
        """Whether it stands for a folder."""
        return self.key.endswith("/")

    @property
    def version(self) -> str:
        """What tells it from the same key with another content."""
        stored = self.last_modified.isoformat() if self.last_modified else ""
        return f"{self.etag or ''} {stored}"


class Listing(Bucket):
    """Objects of a bucket."""

    prefix: Text = Field(None, description="With what their keys begin.")
    delimiter: Text = Field(None, description="Leave out what is behind this in a key, after the prefix.")
    marker: Text = Field(None, description="Begin after this key.")
    encoding_type: Text = Field(None, description="How the service writes keys on the way.")
    max_keys: Property[PositiveInt] = Field(Property.of(1_000), description="The most objects.")
    regexp: Text = Field(None, description="A regular expression that the whole of a key has to match.")
    filter: Property[Filter] = Field(
        Property.of("BOTH"), description="Whether objects that stand for folders count, alone, or not at all."
    )

    def found(self, context: RunContext, client: Any) -> Iterator[Found]:
        """Yield the objects, all of them."""
        kind, pattern = context.render(self.filter), NamePattern(context.render(self.regexp), "regexp", AwsError)
        wish = given(
            Prefix=context.render(self.prefix),
            Delimiter=context.render(self.delimiter),
            Marker=context.render(self.marker),
            EncodingType=context.render(self.encoding_type),
        )
        for page in client.get_paginator("list_objects").paginate(**self.who(context), **wish):
            stop_if_killed(context)
            for entry in page.get("Contents", ()):
                one = _found(context.render(self.bucket), entry)
                if kind in ("BOTH", "DIRECTORY" if one.is_folder else "FILES") and pattern.fits(one.key):
                    yield one

    def some(self, context: RunContext, client: Any) -> list[Found]:
        """Return as many objects as are wanted."""
        return list(islice(self.found(context, client), context.render(self.max_keys)))

    def with_file(self, context: RunContext, client: Any, one: Found) -> Found:
        """Return an object that has been downloaded; folders have nothing to download."""
        if one.is_folder:
            return one
        stop_if_killed(context)
        stored = downloaded(context, client, {**self.who(context), "Key": one.key})
        return one.model_copy(update={"uri": stored.uri})


class Acting(Listing):
    """Objects of which something becomes when they have been downloaded."""

    action: Property[Action] = Field(description="What becomes of the objects: they are moved, deleted, or left.")
    move_to: Place | None = Field(None, description="Where they are moved to: a bucket, and a folder as `key`.")

    def act(self, context: RunContext, client: Any, found: list[Found]) -> None:
        """Move or delete objects."""
        action = context.render(self.action)
        if action == "MOVE":
            place = self.move_to or Place()
            folder, bucket = context.render(place.key), context.render(place.bucket)
            for one in found:
                self._move(client, one, bucket or one.bucket, f"{(folder or '').strip('/')}/".lstrip("/"))
        if action in ("MOVE", "DELETE"):
            delete(client, self.who(context), found)

    def check(self, context: RunContext) -> None:
        """See that it is known where objects are moved to.

        Raises:
            AwsError: It is not.
        """
        if context.render(self.action) == "MOVE" and self.move_to is None:
            raise AwsError("it is not said where objects are moved to", hint="set `moveTo`")

    def _move(self, client: Any, one: Found, bucket: str, folder: str) -> None:
        name = one.key.rstrip("/").rsplit("/", 1)[-1] + ("/" if one.is_folder else "")
        client.copy({"Bucket": one.bucket, "Key": one.key}, bucket, f"{folder}{name}")


class FoundObjects(Output):
    """What `List` gives."""

    objects: list[Found] = Field(description="The objects.")


class List(Listing, Task):
    """List the objects of a bucket. Needs `penstock[aws]`.

    ```yaml
    - id: reports
      type: io.kestra.plugin.aws.s3.List
      region: eu-west-1
      bucket: reports
      prefix: 2026/
      regexp: ".*\\\\.csv"
    ```

    Implements ENG-309.
    """

    type_name = "io.kestra.plugin.aws.s3.List"
    output_type: ClassVar[type[Output] | None] = FoundObjects
    type_metrics = (MetricNote("size", "counter", "How many objects were found."),)

    def run(self, context: RunContext) -> FoundObjects:
        """List."""
        with self.objects(context) as client:
            found = self.some(context, client)
        context.counter("size", len(found))
        return FoundObjects(objects=found)


class FoundFiles(FoundObjects):
    """What `Downloads` gives."""

    output_files: dict[str, str] = Field(description="The files in internal storage, by the names of the objects.")


class Downloads(Acting, Task):
    """Copy objects of a bucket into internal storage. Needs `penstock[aws]`.

    ```yaml
    - id: reports
      type: io.kestra.plugin.aws.s3.Downloads
      region: eu-west-1
      bucket: reports
      prefix: new/
      action: MOVE
      moveTo: {bucket: reports, key: old}
    ```

    Implements ENG-309.
    """

    type_name = "io.kestra.plugin.aws.s3.Downloads"
    output_type: ClassVar[type[Output] | None] = FoundFiles

    def run(self, context: RunContext) -> FoundFiles:
        """Download all, then do with the objects as is wanted."""
        self.check(context)
        with self.objects(context) as client:
            found = [self.with_file(context, client, one) for one in self.some(context, client)]
            self.act(context, client, found)
        files = {one.key.rsplit("/", 1)[-1]: one.uri for one in found if one.uri is not None}
        return FoundFiles(objects=found, output_files=files)


class DeletedObjects(Output):
    """What `DeleteList` gives."""

    count: int = Field(description="How many objects were deleted.")
    size: int = Field(description="How many bytes they had.")


class DeleteList(Listing, Task):
    """Delete objects of a bucket. Needs `penstock[aws]`.

    ```yaml
    - id: tidy
      type: io.kestra.plugin.aws.s3.DeleteList
      region: eu-west-1
      bucket: reports
      prefix: 2025/
    ```

    Implements ENG-309.
    """

    type_name = "io.kestra.plugin.aws.s3.DeleteList"
    output_type: ClassVar[type[Output] | None] = DeletedObjects

    concurrent: Property[int] | None = Field(None, description="Has no effect: many are deleted with one request.")
    error_on_empty: Property[bool] = Field(Property.of(False), description="Fail when there is nothing to delete.")

    def run(self, context: RunContext) -> DeletedObjects:
        """Delete."""
        with self.objects(context) as client:
            found = self.some(context, client)
            if not found and context.render(self.error_on_empty):
                raise AwsError("there is no object to delete", hint="see `prefix`, `regexp` and `filter`")
            delete(client, self.who(context), found)
        return DeletedObjects(count=len(found), size=sum(one.size or 0 for one in found))


def delete(client: Any, who: Mapping[str, str], found: list[Found]) -> None:
    """Delete objects.

    Raises:
        AwsError: One of them could not be deleted.
    """
    for begin in range(0, len(found), _AT_ONCE):
        keys = [{"Key": one.key} for one in found[begin : begin + _AT_ONCE]]
        answer = client.delete_objects(**who, Delete={"Objects": keys, "Quiet": True})
        for error in answer.get("Errors", ()):
            raise AwsError(
                f"{error['Key']} was not deleted: {error.get('Message')}", hint="see what the account may do"
            )


def _found(bucket: str, entry: Mapping[str, Any]) -> Found:
    owner = entry.get("Owner")
    return Found(
        bucket=bucket,
        key=entry["Key"],
        etag=entry.get("ETag"),
        size=entry.get("Size"),
        last_modified=entry.get("LastModified"),
        owner={"id": owner.get("ID"), "displayName": owner.get("DisplayName")} if owner else None,
    )
