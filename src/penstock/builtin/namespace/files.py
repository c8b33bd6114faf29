"""Namespace files in bulk: `UploadFiles`, `DownloadFiles`, `DeleteFiles`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar, Literal
from urllib.parse import quote

from pydantic import Field

from penstock.builtin.namespace.selection import matching, namespace_of
from penstock.builtin.scripts.input_files import PRIVATE
from penstock.sdk import Output, PluginError, Property, RunContext, Task, file_name, is_file_uri, json_text

Patterns = str | list[str]
_PATTERNS = "`*.sql` is found at any depth, `/queries/**` from the root; `glob:` or `regex:` may stand in front."


class NamespaceFileConflict(PluginError):
    """A namespace file exists that may not be replaced."""

    code = "NAMESPACE_FILE_EXISTS"


class Transferred(Output):
    """What `UploadFiles` and `DownloadFiles` give."""

    files: dict[str, str] = Field(description="The URIs of the files by path, each path with a leading slash.")


class UploadFiles(Task):
    """Store files as namespace files: files of the working directory, stored files, or contents written in the flow.

    Put a result among the files of a namespace:

    ```yaml
    tasks:
      - id: report
        type: io.kestra.plugin.core.storage.Write
        content: All is well
        extension: .txt
      - id: publish
        type: io.kestra.plugin.core.namespace.UploadFiles
        namespace: company.sales
        filesMap:
          reports/today.txt: "{{ outputs.report.uri }}"
        conflict: OVERWRITE
    ```

    Implements ENG-354.
    """

    type_name = "io.kestra.plugin.core.namespace.UploadFiles"
    output_type: ClassVar[type[Output] | None] = Transferred

    namespace: Property[str] | None = Field(None, description="Where they go; the flow's namespace by default.")
    files: Property[Patterns | dict[str, Any]] | None = Field(
        None, description=f"Files of the working directory, or URIs of stored files. {_PATTERNS}"
    )
    files_map: Property[dict[str, Any]] | None = Field(
        None, description="Files by path: URIs of stored files, or contents."
    )
    destination: Property[str] = Field(Property.of("/"), description="The folder they go to.")
    conflict: Property[Literal["OVERWRITE", "ERROR", "SKIP"]] = Field(
        Property.of("OVERWRITE"), description="What to do with a file that exists."
    )

    def run(self, context: RunContext) -> Transferred:
        """Store the files one by one."""
        namespace = namespace_of(context, context.render(self.namespace))
        destination = context.render(self.destination).strip("/")
        conflict = context.render(self.conflict)
        present = set(context.call("namespaceFiles", namespace=namespace)) if conflict != "OVERWRITE" else set()
        stored: dict[str, str] = {}
        for name, source in self._sources(context):
            path = f"/{PurePosixPath(destination, name.lstrip('/'))}"
            if path in present:
                if conflict == "ERROR":
                    raise NamespaceFileConflict(
                        f"namespace file {path} exists already in {namespace}", hint="set `conflict: OVERWRITE`"
                    )
                context.logger.debug(f"namespace file {path} exists already; it is not replaced")
                continue
            stored[path] = upload(context, namespace, path, source)
        if not stored:
            context.logger.warning("no file was uploaded")
        return Transferred(files=stored)

    def _sources(self, context: RunContext) -> Iterator[tuple[str, str | Path]]:
        """Yield names with what stands behind them: a file of the working directory, a URI or a content."""
        files = context.render(self.files, default=[])
        if isinstance(files, Mapping):
            yield from ((name, json_text(value)) for name, value in files.items())
            files = []
        given = [files] if isinstance(files, str) else files
        patterns = [one for one in given if not is_file_uri(one)]
        yield from ((file_name(one), one) for one in given if is_file_uri(one))
        if patterns:
            root = context.working_directory
            for name in matching(_files(root), patterns):
                yield name, root / name
        for name, value in context.render(self.files_map, default={}).items():
            yield name, json_text(value)


class DownloadFiles(Task):
    """Copy namespace files into the execution, so that tasks and people get them as they are now.

    Read the queries of a namespace:

    ```yaml
    tasks:
      - id: queries
        type: io.kestra.plugin.core.namespace.DownloadFiles
        namespace: company.sales
        files:
          - queries/*.sql
    ```

    Implements ENG-354.
    """

    type_name = "io.kestra.plugin.core.namespace.DownloadFiles"
    output_type: ClassVar[type[Output] | None] = Transferred

    namespace: Property[str] | None = Field(None, description="Where they are; the flow's namespace by default.")
    files: Property[Patterns] = Field(description=f"Names or patterns. {_PATTERNS}")
    destination: Property[str] = Field(Property.of("/"), description="What the paths of the outputs begin with.")

    def run(self, context: RunContext) -> Transferred:
        """Copy the files one by one."""
        namespace = namespace_of(context, context.render(self.namespace))
        destination = context.render(self.destination).strip("/")
        stored: dict[str, str] = {}
        for name in _chosen(context, namespace, context.render(self.files)):
            local = context.resolve(f"{PRIVATE}/namespace/{name}")
            context.get_file(f"nsfile://{namespace}/{quote(name)}", local)
            stored[f"/{PurePosixPath(destination, name)}"] = context.put_file(local, name)
        return Transferred(files=stored)


class DeletedFiles(Output):
    """What `DeleteFiles` gives."""

    files: list[str] = Field(description="The paths of the files that were removed.")
    deleted: int = Field(description="How many they were.")


class DeleteFiles(Task):
    """Remove namespace files with all their revisions.

    Remove the reports of a namespace:

    ```yaml
    tasks:
      - id: tidy
        type: io.kestra.plugin.core.namespace.DeleteFiles
        namespace: company.sales
        files:
          - reports/**
    ```

    Implements ENG-354.
    """

    type_name = "io.kestra.plugin.core.namespace.DeleteFiles"
    output_type: ClassVar[type[Output] | None] = DeletedFiles

    namespace: Property[str] | None = Field(None, description="Where they are; the flow's namespace by default.")
    files: Property[Patterns] = Field(description=f"Names or patterns. {_PATTERNS}")
    delete_parent_folder: Property[bool] = Field(
        Property.of(True), description="Whether folders that hold nothing any more are removed too."
    )

    def run(self, context: RunContext) -> DeletedFiles:
        """Remove the files."""
        namespace = namespace_of(context, context.render(self.namespace))
        paths = [f"/{name}" for name in _chosen(context, namespace, context.render(self.files))]
        empty_parents = context.render(self.delete_parent_folder)
        deleted = context.call("deleteNamespaceFiles", namespace=namespace, paths=paths, emptyParents=empty_parents)
        return DeletedFiles(files=deleted, deleted=len(deleted))


def _chosen(context: RunContext, namespace: str, patterns: Patterns) -> list[str]:
    """Return the namespace files that fit; says so when there are none."""
    found = context.call("namespaceFiles", namespace=namespace)
    chosen = matching(found, [patterns] if isinstance(patterns, str) else patterns)
    if not chosen:
        context.logger.warning(f"no file of namespace {namespace} matches")
    return chosen


def upload(context: RunContext, namespace: str, path: str, source: str | Path) -> str:
    """Store a namespace file and return its URI; the source is a file of the working directory, a URI or a content."""
    if isinstance(source, str) and not is_file_uri(source):
        return str(context.call("putNamespaceFile", namespace=namespace, path=path, content=source))
    if isinstance(source, str) and not source.startswith("file://"):
        return str(context.call("putNamespaceFile", namespace=namespace, path=path, uri=source.strip()))
    if isinstance(source, str):
        local = context.resolve(f"{PRIVATE}/uploads/{PurePosixPath(path).name}")
        context.get_file(source.strip(), local)
        source = local
    uri = context.put_file(source, f"uploads{path}", keep=True)  # the server takes it over from there
    try:
        return str(context.call("putNamespaceFile", namespace=namespace, path=path, uri=uri))
    finally:
        context.call("deleteFile", uri=uri)


def _files(root: Path) -> Iterator[str]:
    for parent, folders, names in os.walk(root):
        if PRIVATE in folders:
            folders.remove(PRIVATE)
        for name in names:
            yield Path(parent, name).relative_to(root).as_posix()
