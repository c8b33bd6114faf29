"""Files of internal storage as wholes: `Size`, `Delete`, `Write`, `Concat`, `PurgeCurrentExecutionFiles`."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from penstock.builtin.storage.rows import encoded
from penstock.sdk import Output, Property, RunContext, Task
from penstock.sdk.items import FileTaskError, stop_if_killed


class FileSize(Output):
    """What `Size` gives."""

    size: int = Field(description="The size in bytes.")


class Size(Task):
    """Tell the size of a file.

    Tell how large a file is:

    ```yaml
    inputs:
      - id: orders
        type: FILE
    tasks:
      - id: size
        type: io.kestra.plugin.core.storage.Size
        uri: "{{ inputs.orders }}"
      - id: shown
        type: io.kestra.plugin.core.log.Log
        message: "{{ outputs.size.size }} bytes"
    ```

    Implements ENG-335.
    """

    type_name = "io.kestra.plugin.core.storage.Size"
    type_aliases = ("io.kestra.core.tasks.storages.Size",)
    output_type: ClassVar[type[Output] | None] = FileSize

    uri: Property[str] = Field(description="The file in internal storage.")

    def run(self, context: RunContext) -> FileSize:
        """Ask for the size."""
        return FileSize(size=context.call("fileSize", uri=context.render(self.uri)))


class DeletedFile(Output):
    """What `Delete` gives."""

    uri: str = Field(description="The file that was to be removed.")
    deleted: bool = Field(description="Whether there was such a file.")


class Delete(Task):
    """Remove a file.

    Delete a file once it is no longer needed:

    ```yaml
    inputs:
      - id: orders
        type: FILE
    tasks:
      - id: tidy
        type: io.kestra.plugin.core.storage.Delete
        uri: "{{ inputs.orders }}"
    ```

    Implements ENG-335.
    """

    type_name = "io.kestra.plugin.core.storage.Delete"
    type_aliases = ("io.kestra.core.tasks.storages.Delete",)
    output_type: ClassVar[type[Output] | None] = DeletedFile

    uri: Property[str] = Field(description="The file in internal storage.")
    error_on_missing: Property[bool] = Field(Property.of(False), description="Fail when there is no such file.")

    def run(self, context: RunContext) -> DeletedFile:
        """Remove the file."""
        uri = context.render(self.uri)
        deleted = bool(context.call("deleteFile", uri=uri))
        if not deleted and context.render(self.error_on_missing):
            raise FileTaskError(f"there is no file {uri}", hint="see whether an earlier task removed it")
        return DeletedFile(uri=uri, deleted=deleted)


class StoredFile(Output):
    """What tasks that make one file give."""

    uri: str = Field(description="The file in internal storage.")


class Write(Task):
    """Store a text as a file.

    Write a report other tasks can read:

    ```yaml
    tasks:
      - id: report
        type: io.kestra.plugin.core.storage.Write
        extension: .csv
        content: |
          article,amount
          chair,4
    ```

    Implements ENG-332.
    """

    type_name = "io.kestra.plugin.core.storage.Write"
    output_type: ClassVar[type[Output] | None] = StoredFile

    content: Property[str] = Field(description="What the file holds.")
    extension: Property[str] | None = Field(None, description="How its name ends, such as `.txt`.")

    def run(self, context: RunContext) -> StoredFile:
        """Store the text."""
        name = f"content{_extension(context.render(self.extension))}"
        return StoredFile(uri=context.put_bytes(context.render(self.content).encode(), name))


class Concat(Task):
    """Join files into one.

    Make one file of several:

    ```yaml
    inputs:
      - id: january
        type: FILE
      - id: february
        type: FILE
    tasks:
      - id: both
        type: io.kestra.plugin.core.storage.Concat
        files:
          - "{{ inputs.january }}"
          - "{{ inputs.february }}"
        extension: .csv
    ```

    Implements ENG-335.
    """

    type_name = "io.kestra.plugin.core.storage.Concat"
    type_aliases = ("io.kestra.core.tasks.storages.Concat",)
    output_type: ClassVar[type[Output] | None] = StoredFile

    files: Property[list[str] | dict[str, str]] = Field(
        description="The files in order: a list of URIs, or a map whose values are URIs."
    )
    separator: Property[str] | None = Field(None, description="What stands between two files.")
    extension: Property[str] = Field(Property.of(".tmp"), description="How the name of the result ends.")

    def run(self, context: RunContext) -> StoredFile:
        """Join the files piece by piece."""
        files = context.render(self.files)
        between = encoded(context.render(self.separator, default=""), "utf-8")
        local = context.resolve(".penstock/concat")
        local.parent.mkdir(parents=True, exist_ok=True)
        with local.open("wb") as target:
            for number, uri in enumerate(files.values() if isinstance(files, dict) else files):
                stop_if_killed(context)
                if number:
                    target.write(between)
                for piece in context.stream_file(uri):
                    target.write(piece)
        return StoredFile(uri=context.put_file(local, f"concat{_extension(context.render(self.extension))}"))


class PurgedFiles(Output):
    """What `PurgeCurrentExecutionFiles` gives."""

    uris: list[str] = Field(description="The files that were removed.")


class PurgeCurrentExecutionFiles(Task):
    """Remove all files of the running execution, its inputs among them.

    Leave no file behind:

    ```yaml
    tasks:
      - id: download
        type: io.kestra.plugin.core.http.Download
        uri: https://example.com/orders.csv
    finally:
      - id: tidy
        type: io.kestra.plugin.core.storage.PurgeCurrentExecutionFiles
    ```

    Implements ENG-336, OPS-170.
    """

    type_name = "io.kestra.plugin.core.storage.PurgeCurrentExecutionFiles"
    type_aliases = (
        "io.kestra.plugin.core.storage.PurgeExecution",
        "io.kestra.plugin.core.storage.PurgeExecutionFiles",
        "io.kestra.core.tasks.storages.PurgeExecution",
    )
    output_type: ClassVar[type[Output] | None] = PurgedFiles

    def run(self, context: RunContext) -> PurgedFiles:
        """Remove the files."""
        uris = context.call("purgeExecutionFiles")
        context.logger.info(f"{len(uris)} files removed")
        return PurgedFiles(uris=uris)


def _extension(given: str | None) -> str:
    if not given:
        return ""
    if "/" in given:
        raise FileTaskError(f"`{given}` is no extension of a file", hint="write one such as `.csv`")
    return given if given.startswith(".") else f".{given}"
