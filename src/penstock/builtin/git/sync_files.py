"""A repository's files into a namespace: `SyncNamespaceFiles`."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

from pydantic import Field

from penstock.builtin.git.program import Git
from penstock.builtin.git.repository import (
    GitDirectoryError,
    Repository,
    clone,
    head,
    inside,
    private_folder,
    tracked,
)
from penstock.builtin.namespace.files import upload
from penstock.builtin.namespace.selection import namespace_of
from penstock.sdk import Output, Property, RunContext, Task, ion_text


class Synced(Output):
    """What `SyncNamespaceFiles` gives."""

    commit_id: str | None = Field(description="The commit whose files they are.")
    files: str = Field(
        description="A file with a row for each file: `file`, `gitPath` and `syncState`, which is `ADDED`, `UPDATED`, "
        "`UNCHANGED` or `DELETED`."
    )


class SyncNamespaceFiles(Repository, Task):
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
    branch: Property[str] = Field(Property.of("main"), description="The branch they are taken from.")
    delete: Property[bool] = Field(
        Property.of(False), description="Whether files of the namespace that the repository has not are removed."
    )
    dry_run: Property[bool] = Field(Property.of(False), description="Only tell what would be done.")

    def run(self, context: RunContext) -> Synced:
        """Compare the files one by one, and store and remove what is to be."""
        namespace, address = namespace_of(context, context.render(self.namespace)), self.address(context)
        folder, branch = inside(context.render(self.git_directory)), context.render(self.branch)
        is_dry = context.render(self.dry_run)
        with private_folder(context) as private:
            git, copy = Git(context, address, private), private / "copy"
            clone(git, address, branch, copy, 1, links=False)
            names = [name for name in tracked(git, copy, folder) if (copy / folder / name).is_file()]
            if not names:
                raise GitDirectoryError(
                    f"branch {branch} has no files in `{folder}`", hint="see that `gitDirectory` is right"
                )
            present = {path.lstrip("/") for path in context.call("namespaceFiles", namespace=namespace)}
            states: dict[str, str] = {}
            for name in names:
                states[name] = _state(context, namespace, name, copy / folder / name, is_present=name in present)
                if states[name] != "UNCHANGED" and not is_dry:
                    upload(context, namespace, f"/{name}", copy / folder / name)
            surplus = sorted(present - set(names)) if context.render(self.delete) else []
            if surplus and not is_dry:
                paths = [f"/{name}" for name in surplus]
                context.call("deleteNamespaceFiles", namespace=namespace, paths=paths, emptyParents=True)
            states |= dict.fromkeys(surplus, "DELETED")
            commit = head(git, copy)
        for name, state in states.items():
            context.logger.log("DEBUG" if state == "UNCHANGED" else "INFO", f"{name}: {state}")
        rows = ({"file": name, "gitPath": str(folder / name), "syncState": state} for name, state in states.items())
        files = context.put_bytes("".join(f"{ion_text(row)}\n" for row in rows).encode(), "files.ion")
        return Synced(commit_id=commit, files=files)


def _state(context: RunContext, namespace: str, name: str, file: Path, *, is_present: bool) -> str:
    if not is_present:
        return "ADDED"
    with file.open("rb") as wanted:
        for piece in context.stream_file(f"nsfile://{namespace}/{quote(name)}"):
            if wanted.read(len(piece)) != piece:
                return "UPDATED"
        return "UPDATED" if wanted.read(1) else "UNCHANGED"
