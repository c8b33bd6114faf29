"""Tasks on objects of Cloud Storage."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from penstock.builtin.gcp.account import Account, GcpError
from penstock.builtin.gcp.blobs import Acting, Listing, StoredBlob, copy, downloaded, place_of
from penstock.builtin.serdes.files import local_file
from penstock.sdk import MetricNote, Output, Property, RunContext, Task


class Upload(Account, Task):
    """Put a file into a bucket of Cloud Storage. Needs `penstock[gcp]`.

    ```yaml
    - id: report
      type: io.kestra.plugin.gcp.gcs.Upload
      serviceAccount: "{{ secret('GCP_SERVICE_ACCOUNT') }}"
      from: "{{ outputs.make.uri }}"
      to: gs://reports/2026/january.csv
    ```

    Implements ENG-309.
    """

    type_name = "io.kestra.plugin.gcp.gcs.Upload"
    output_type: ClassVar[type[Output] | None] = StoredBlob
    type_metrics = (MetricNote("file.size", "counter", "How many bytes were stored."),)

    from_: Property[str] = Field(alias="from", description="The file's URI.")
    to: Property[str] = Field(description="The object's address: gs://bucket/name.")
    content_type: Property[str] | None = Field(None, description="What its content is.")
    content_encoding: Property[str] | None = Field(None, description="How its content is packed.")
    content_disposition: Property[str] | None = Field(None, description="How it is shown.")
    cache_control: Property[str] | None = Field(None, description="How it may be cached.")
    metadata: Property[dict[str, str]] | None = Field(None, description="What else is known of it.")

    def run(self, context: RunContext) -> StoredBlob:
        """Upload."""
        bucket, name = place_of(context.render(self.to))
        file = local_file(context, context.render(self.from_), "upload")
        with self.storage(context) as client:
            blob = client.bucket(bucket).blob(name)
            blob.content_encoding = context.render(self.content_encoding)
            blob.content_disposition = context.render(self.content_disposition)
            blob.cache_control = context.render(self.cache_control)
            blob.metadata = context.render(self.metadata)
            blob.upload_from_filename(str(file), content_type=context.render(self.content_type))
            stored = StoredBlob.of(blob)
        context.counter("file.size", stored.size or 0)
        return stored


class Download(Account, Task):
    """Copy an object of Cloud Storage into internal storage. Needs `penstock[gcp]`.

    ```yaml
    - id: orders
      type: io.kestra.plugin.gcp.gcs.Download
      from: gs://shop/orders.csv
    ```

    Implements ENG-309.
    """

    type_name = "io.kestra.plugin.gcp.gcs.Download"
    output_type: ClassVar[type[Output] | None] = StoredBlob

    from_: Property[str] = Field(alias="from", description="The object's address: gs://bucket/name.")

    def run(self, context: RunContext) -> StoredBlob:
        """Download."""
        bucket, name = place_of(context.render(self.from_))
        with self.storage(context) as client:
            blob = client.bucket(bucket).blob(name)
            blob.reload()
            return downloaded(context, client, StoredBlob.of(blob))


class DeletedBlob(Output):
    """What `Delete` gives."""

    uri: str = Field(description="The object's address.")
    deleted: bool = Field(description="Whether there was such an object.")


class Delete(Account, Task):
    """Delete an object of Cloud Storage. Needs `penstock[gcp]`.

    ```yaml
    - id: tidy
      type: io.kestra.plugin.gcp.gcs.Delete
      uri: gs://shop/orders.csv
    ```

    Implements ENG-309.
    """

    type_name = "io.kestra.plugin.gcp.gcs.Delete"
    output_type: ClassVar[type[Output] | None] = DeletedBlob

    uri: Property[str] = Field(description="The object's address: gs://bucket/name.")

    def run(self, context: RunContext) -> DeletedBlob:
        """Delete."""
        uri = context.render(self.uri)
        bucket, name = place_of(uri)
        with self.storage(context) as client:
            blob = client.bucket(bucket).get_blob(name)
            if blob is not None:
                blob.delete()
        return DeletedBlob(uri=uri, deleted=blob is not None)


class Copy(Account, Task):
    """Copy an object of Cloud Storage, or move it. Needs `penstock[gcp]`.

    ```yaml
    - id: archive
      type: io.kestra.plugin.gcp.gcs.Copy
      from: gs://shop/orders.csv
      to: gs://archive/2026/orders.csv
      delete: true
    ```

    Implements ENG-309.
    """

    type_name = "io.kestra.plugin.gcp.gcs.Copy"
    output_type: ClassVar[type[Output] | None] = StoredBlob

    from_: Property[str] = Field(alias="from", description="The object's address.")
    to: Property[str] = Field(description="The copy's address.")
    delete: Property[bool] = Field(Property.of(False), description="Delete the first, so that it is moved.")

    def run(self, context: RunContext) -> StoredBlob:
        """Copy, then delete if that is wanted."""
        source, target = place_of(context.render(self.from_)), place_of(context.render(self.to))
        if source == target:
            raise GcpError("`from` and `to` are the same object", hint="name another bucket or name in `to`")
        with self.storage(context) as client:
            made = copy(client, source, target)
            if context.render(self.delete):
                client.bucket(source[0]).blob(source[1]).delete()
            return StoredBlob.of(made)


class FoundBlobs(Output):
    """What `List` gives."""

    blobs: list[StoredBlob] = Field(description="The objects.")


class List(Listing, Task):
    """List objects of a bucket of Cloud Storage. Needs `penstock[gcp]`.

    ```yaml
    - id: reports
      type: io.kestra.plugin.gcp.gcs.List
      from: gs://reports/2026/
      listingType: RECURSIVE
      regExp: ".*\\\\.csv"
    ```

    Implements ENG-309.
    """

    type_name = "io.kestra.plugin.gcp.gcs.List"
    output_type: ClassVar[type[Output] | None] = FoundBlobs
    type_metrics = (MetricNote("size", "counter", "How many objects were found."),)

    def run(self, context: RunContext) -> FoundBlobs:
        """List."""
        with self.storage(context) as client:
            found = self.some(context, client)
        context.counter("size", len(found))
        return FoundBlobs(blobs=found)


class FoundFiles(FoundBlobs):
    """What `Downloads` gives."""

    output_files: dict[str, str] = Field(description="The files in internal storage, by the names of the objects.")


class Downloads(Acting, Task):
    """Copy objects of a bucket of Cloud Storage into internal storage. Needs `penstock[gcp]`.

    ```yaml
    - id: reports
      type: io.kestra.plugin.gcp.gcs.Downloads
      from: gs://reports/new/
      action: MOVE
      moveDirectory: gs://reports/old/
    ```

    Implements ENG-309.
    """

    type_name = "io.kestra.plugin.gcp.gcs.Downloads"
    output_type: ClassVar[type[Output] | None] = FoundFiles

    def run(self, context: RunContext) -> FoundFiles:
        """Download all, then do with the objects as is wanted."""
        self.target(context)
        with self.storage(context) as client:
            found = self.some(context, client)
            stored = [downloaded(context, client, one) for one in found]
            self.act(context, client, found)
        files = {one.name.rsplit("/", 1)[-1]: one.uri for one in stored if not one.is_directory}
        return FoundFiles(blobs=stored, output_files=files)


class DeletedBlobs(Output):
    """What `DeleteList` gives."""

    count: int = Field(description="How many objects were deleted.")
    size: int = Field(description="How many bytes they had.")


class DeleteList(Listing, Task):
    """Delete objects of a bucket of Cloud Storage. Needs `penstock[gcp]`.

    ```yaml
    - id: tidy
      type: io.kestra.plugin.gcp.gcs.DeleteList
      from: gs://reports/2025/
      listingType: RECURSIVE
    ```

    Implements ENG-309.
    """

    type_name = "io.kestra.plugin.gcp.gcs.DeleteList"
    output_type: ClassVar[type[Output] | None] = DeletedBlobs

    concurrent: Property[int] | None = Field(None, description="Has no effect: they are deleted one by one.")
    error_on_empty: Property[bool] = Field(Property.of(False), description="Fail when there is nothing to delete.")

    def run(self, context: RunContext) -> DeletedBlobs:
        """Delete."""
        with self.storage(context) as client:
            found = self.some(context, client)
            if not found and context.render(self.error_on_empty):
                raise GcpError("there is no object to delete", hint="see `from`, `regExp` and `filter`")
            for one in found:
                client.bucket(one.bucket).blob(one.name).delete()
        return DeletedBlobs(count=len(found), size=sum(one.size or 0 for one in found))
