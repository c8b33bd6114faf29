"""Single objects: `Upload`, `Download`, `Delete`, `Copy`; and `CreateBucket`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import urlencode

from pydantic import Field

from penstock.builtin.aws.buckets import Bucket, RequestPayer, Store, given
from penstock.builtin.aws.connection import AwsError, Text
from penstock.builtin.serdes.files import new_file
from penstock.sdk import MetricNote, Output, PluginModel, Property, RunContext, Task, file_name

_KEPT: Mapping[str, str] = {
    "acl": "ACL",
    "bucket_key_enabled": "BucketKeyEnabled",
    "cache_control": "CacheControl",
    "checksum_algorithm": "ChecksumAlgorithm",
    "content_disposition": "ContentDisposition",
    "content_encoding": "ContentEncoding",
    "content_language": "ContentLanguage",
    "content_type": "ContentType",
    "expires": "Expires",
    "metadata": "Metadata",
    "object_lock_legal_hold_status": "ObjectLockLegalHoldStatus",
    "object_lock_mode": "ObjectLockMode",
    "object_lock_retain_until_date": "ObjectLockRetainUntilDate",
    "server_side_encryption": "ServerSideEncryption",
    "storage_class": "StorageClass",
}
"""The properties of an upload that go to the service as they are."""


class StoredObject(Output):
    """What `Upload` and `Copy` give."""

    bucket: str = Field(description="The bucket.")
    key: str = Field(description="The object's key.")
    e_tag: str | None = Field(None, description="What its content is known by.")
    version_id: str | None = Field(None, description="Its version, where the bucket keeps versions.")


class Upload(Bucket, Task):
    """Put a file into a bucket, or several below a key. Needs `penstock[aws]`.

    ```yaml
    - id: report
      type: io.kestra.plugin.aws.s3.Upload
      region: eu-west-1
      accessKeyId: "{{ secret('AWS_ACCESS_KEY_ID') }}"
      secretKeyId: "{{ secret('AWS_SECRET_KEY_ID') }}"
      from: "{{ outputs.make.uri }}"
      bucket: reports
      key: 2026/january.csv
    ```

    Implements ENG-309.
    """

    type_name = "io.kestra.plugin.aws.s3.Upload"
    output_type: ClassVar[type[Output] | None] = StoredObject
    type_metrics = (MetricNote("files", "counter", "How many files were stored."),)

    from_: Property[str | list[str] | dict[str, str]] = Field(
        alias="from", description="The file's URI; or a list of them, or a map of names to them, and `key` is a folder."
    )
    key: Property[str] = Field(description="The object's key.")
    acl: Text = Field(None, description="Who may read it, such as public-read.")
    bucket_key_enabled: Property[bool] | None = Field(None, description="Whether the bucket's key encrypts it.")
    cache_control: Text = Field(None, description="How it may be cached.")
    checksum_algorithm: Text = Field(None, description="How its content is checked, such as SHA256.")
    content_disposition: Text = Field(None, description="How it is shown.")
    content_encoding: Text = Field(None, description="How its content is packed.")
    content_language: Text = Field(None, description="The language of its content.")
    content_type: Text = Field(None, description="What its content is.")
    expires: Property[datetime] | None = Field(None, description="When it is out of date.")
    metadata: Property[dict[str, str]] | None = Field(None, description="What else is known of it.")
    object_lock_legal_hold_status: Text = Field(None, description="Whether it is held: ON or OFF.")
    object_lock_mode: Text = Field(None, description="How it is locked.")
    object_lock_retain_until_date: Property[datetime] | None = Field(None, description="Until when it is locked.")
    server_side_encryption: Text = Field(None, description="How the service encrypts it.")
    storage_class: Text = Field(None, description="How it is stored, such as STANDARD_IA.")
    tagging: Property[dict[str, str]] | None = Field(None, description="Its tags.")

    def run(self, context: RunContext) -> StoredObject:
        """Upload, in parts if it is large."""
        key, who = context.render(self.key), self.who(context)
        tags = context.render(self.tagging)
        more = given(Tagging=urlencode(tags) if tags else None, **self._kept(context))
        more |= {name: value for name, value in who.items() if name != "Bucket"}
        bucket, found = who["Bucket"], _files(context.render(self.from_), key)
        stored: dict[str, Any] = {}
        with self.objects(context) as client:
            for number, (one, uri) in enumerate(found.items()):
                local = new_file(context, f"upload-{number}")
                context.get_file(uri, local)
                client.upload_file(str(local), bucket, one, ExtraArgs=more)
                stored = client.head_object(**who, Key=one)
                local.unlink()
        context.counter("files", len(found))
        return StoredObject(bucket=bucket, key=key, e_tag=stored.get("ETag"), version_id=stored.get("VersionId"))

    def _kept(self, context: RunContext) -> dict[str, Any]:
        return {name: context.render(getattr(self, own)) for own, name in _KEPT.items()}


def _files(given_files: str | list[str] | dict[str, str], key: str) -> Mapping[str, str]:
    """Return what is to be uploaded, by key.

    Raises:
        AwsError: There is nothing.
    """
    if isinstance(given_files, str) and given_files.lstrip().startswith(("[", "{")):
        given_files = json.loads(given_files)
    if isinstance(given_files, str):
        return {key: given_files}
    folder = f"{key.rstrip('/')}/" if key else ""
    names = given_files if isinstance(given_files, dict) else {file_name(uri): uri for uri in given_files}
    if not names:
        raise AwsError("there is no file to upload", hint="see what `from` holds")
    return {f"{folder}{name}": uri for name, uri in names.items()}


class DownloadedObject(Output):
    """What `Download` gives."""

    uri: str = Field(description="The file in internal storage.")
    content_length: int | None = Field(None, description="How many bytes it has.")
    content_type: str | None = Field(None, description="What it holds.")
    metadata: dict[str, str] | None = Field(None, description="What else is known of it.")
    e_tag: str | None = Field(None, description="What its content is known by.")
    version_id: str | None = Field(None, description="Its version, where the bucket keeps versions.")


class Download(Bucket, Task):
    """Copy an object into internal storage. Needs `penstock[aws]`.

    ```yaml
    - id: orders
      type: io.kestra.plugin.aws.s3.Download
      region: eu-west-1
      bucket: shop
      key: orders.csv
    ```

    Implements ENG-309.
    """

    type_name = "io.kestra.plugin.aws.s3.Download"
    output_type: ClassVar[type[Output] | None] = DownloadedObject

    key: Property[str] = Field(description="The object's key.")
    version_id: Text = Field(None, description="The version to take.")

    def run(self, context: RunContext) -> DownloadedObject:
        """Download."""
        who = self.who(context) | given(Key=context.render(self.key), VersionId=context.render(self.version_id))
        with self.objects(context) as client:
            return downloaded(context, client, who)


def downloaded(context: RunContext, client: Any, which: Mapping[str, str]) -> DownloadedObject:
    """Store an object in internal storage."""
    found = client.get_object(**which)
    local = new_file(context, "download")
    with local.open("wb") as target:
        for piece in found["Body"].iter_chunks(1 << 20):
            target.write(piece)
    return DownloadedObject(
        uri=context.put_file(local, which["Key"].rstrip("/").rsplit("/", 1)[-1]),
        content_length=found.get("ContentLength"),
        content_type=found.get("ContentType"),
        metadata=found.get("Metadata"),
        e_tag=found.get("ETag"),
        version_id=found.get("VersionId"),
    )


class DeletedObject(Output):
    """What `Delete` gives."""

    version_id: str | None = Field(None, description="The version that was deleted, or the mark that hides it.")
    delete_marker: bool | None = Field(None, description="Whether it is hidden by a mark.")
    request_charged: str | None = Field(None, description="Who pays.")


class Delete(Bucket, Task):
    """Delete an object. Needs `penstock[aws]`.

    ```yaml
    - id: tidy
      type: io.kestra.plugin.aws.s3.Delete
      region: eu-west-1
      bucket: shop
      key: orders.csv
    ```

    Implements ENG-309.
    """

    type_name = "io.kestra.plugin.aws.s3.Delete"
    output_type: ClassVar[type[Output] | None] = DeletedObject

    key: Property[str] = Field(description="The object's key.")
    version_id: Text = Field(None, description="The version to delete.")
    mfa: Text = Field(None, description="The number and code of a device, where the bucket asks for it.")
    bypass_governance_retention: Property[bool] | None = Field(None, description="Delete it though it is locked.")

    def run(self, context: RunContext) -> DeletedObject:
        """Delete."""
        which = self.who(context) | given(
            Key=context.render(self.key),
            VersionId=context.render(self.version_id),
            MFA=context.render(self.mfa),
            BypassGovernanceRetention=context.render(self.bypass_governance_retention),
        )
        with self.objects(context) as client:
            found = client.delete_object(**which)
        return DeletedObject(
            version_id=found.get("VersionId"),
            delete_marker=found.get("DeleteMarker"),
            request_charged=found.get("RequestCharged"),
        )


class Place(PluginModel):
    """Where a copy goes."""

    bucket: Text = Field(None, description="The bucket.")
    key: Text = Field(None, description="The object's key.")


class Origin(PluginModel):
    """What is copied."""

    bucket: Property[str] = Field(description="The bucket.")
    key: Property[str] = Field(description="The object's key.")
    version_id: Text = Field(None, description="Its version.")


class Copy(Store, Task):
    """Copy an object, or move it. Needs `penstock[aws]`.

    ```yaml
    - id: archive
      type: io.kestra.plugin.aws.s3.Copy
      region: eu-west-1
      from: {bucket: shop, key: orders.csv}
      to: {bucket: archive, key: 2026/orders.csv}
      delete: true
    ```

    Implements ENG-309.
    """

    type_name = "io.kestra.plugin.aws.s3.Copy"
    output_type: ClassVar[type[Output] | None] = StoredObject

    from_: Origin = Field(alias="from", description="What is copied.")
    to: Place | None = Field(None, description="Where it goes; what is left out is as in `from`.")
    delete: Property[bool] = Field(Property.of(False), description="Delete the first, so that it is moved.")
    server_side_encryption: Text = Field(None, description="How the service encrypts the copy.")

    def run(self, context: RunContext) -> StoredObject:
        """Copy, then delete if that is wanted."""
        source = given(
            Bucket=context.render(self.from_.bucket),
            Key=context.render(self.from_.key),
            VersionId=context.render(self.from_.version_id),
        )
        place = self.to or Place()
        target = {
            "Bucket": context.render(place.bucket) or source["Bucket"],
            "Key": context.render(place.key) or source["Key"],
        }
        if target.items() <= source.items():
            raise AwsError("`from` and `to` are the same object", hint="name another bucket or key in `to`")
        payer: RequestPayer | None = context.render(self.request_payer)
        encryption = context.render(self.server_side_encryption)
        more = given(RequestPayer=payer, ServerSideEncryption=encryption)
        with self.objects(context) as client:
            client.copy(source, target["Bucket"], target["Key"], ExtraArgs=more)
            stored = client.head_object(**target)
            if context.render(self.delete):
                client.delete_object(**source)
        return StoredObject(
            bucket=target["Bucket"],
            key=target["Key"],
            e_tag=stored.get("ETag"),
            version_id=stored.get("VersionId"),
        )
