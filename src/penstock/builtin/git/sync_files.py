"""A repository's files into a namespace: `SyncNamespaceFiles`."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

from pydantic import Field

from penstock.builtin.git.repository import inside
from penstock.builtin.git.syncing import Syncing, told
from penstock.builtin.namespace.files import upload
from penstock.builtin.namespace.selection import namespace_of
from penstock.sdk import Output, Property, RunContext, Task


class Synced(Output):
    """What `SyncNamespaceFiles` gives."""

    commit_id: str | None = Field(description="The commit whose files they are.")
    files: str = Field(
        description="A file with a row for each file: `file`, `gitPath` and `syncState`, which is `ADDED`, `UPDATED`, "
        "`UNCHANGED` or `DELETED`."
    )


class SyncNamespaceFiles(Syncing, Task):
    """Make the files of a namespace those of a repository's folder. Files that are the same get no new revision.

    ```yaml
    tasks:
      - id: sync
        type: io.kestra.plugin.git.SyncNamespaceFiles
        namespace: company.team
        gitDirectory: _files
        url: https://git.example.com/team/scripts
        branch: main
        username: robot
        password: "{{ secret('GIT_TOKEN') }}"
    ```

    Implements ENG-355.
    """

    type_name = "io.kestra.plugin.git.SyncNamespaceFiles"
    output_type: ClassVar[type[Output] | None] = Synced

    namespace: Property[str] | None = Field(None, description="Where the files go; the flow's namespace by default.")
    git_directory: Property[str] = Field(Property.of("_files"), description="The folder of the repository they are in.")
    delete: Property[bool] = Field(
        Property.of(False), description="Whether files of the namespace that the repository has not are removed."
    )

    def run(self, context: RunContext) -> Synced:
        """Compare the files one by one, and store and remove what is to be."""
        namespace = namespace_of(context, context.render(self.namespace))
        folder, is_dry = inside(context.render(self.git_directory)), context.render(self.dry_run)
        with self.checked_out(context, folder) as copy:
            present = {path.lstrip("/") for path in context.call("namespaceFiles", namespace=namespace)}
            states: dict[str, str] = {}
            for name in copy.names:
                states[name] = _state(context, namespace, name, copy.folder / name, is_present=name in present)
                if states[name] != "UNCHANGED" and not is_dry:
                    upload(context, namespace, f"/{name}", copy.folder / name)
            surplus = sorted(present - set(copy.names)) if context.render(self.delete) else []
            if surplus and not is_dry:
                paths = [f"/{name}" for name in surplus]
                context.call("deleteNamespaceFiles", namespace=namespace, paths=paths, emptyParents=True)
            states |= dict.fromkeys(surplus, "DELETED")
        rows = [{"file": name, "gitPath": str(folder / name), "syncState": state} for name, state in states.items()]
        return Synced(commit_id=copy.commit, files=told(context, rows, "file"))


def _state(context: RunContext, namespace: str, name: str, file: Path, *, is_present: bool) -> str:
    if not is_present:
        return "ADDED"
    with file.open("rb") as wanted:
        for piece in context.stream_file(f"nsfile://{namespace}/{quote(name)}"):
            if wanted.read(len(piece)) != piece:
                return "UPDATED"
        return "UPDATED" if wanted.read(1) else "UNCHANGED"
