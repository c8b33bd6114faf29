"""Namespace files into a repository: `PushNamespaceFiles`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

from pydantic import Field

from penstock.builtin.git.program import Git
from penstock.builtin.git.pushing import Pushing
from penstock.builtin.git.repository import inside, tracked
from penstock.builtin.namespace.selection import matching, namespace_of
from penstock.sdk import Output, Property, RunContext, Task

_EVERYTHING = "**"


class Pushed(Output):
    """What `PushNamespaceFiles` gives."""

    commit_id: str | None = Field(None, description="The commit; nothing when nothing has changed or in a dry run.")
    commit_url: str | None = Field(None, alias="commitURL", description="The commit's page, for a URL of HTTP.")
    files: str = Field(description="A file with a row for each changed file: `file`, `additions`, `deletions`.")


class PushNamespaceFiles(Pushing, Task):
    """Commit files of a namespace to a branch of a repository; a branch that does not exist is made.

    ```yaml
    tasks:
      - id: push
        type: io.kestra.plugin.git.PushNamespaceFiles
        namespace: company.team
        files: ["*.py", "/queries/**"]
        url: https://git.example.com/team/scripts
        branch: dev
        username: robot
        password: "{{ secret('GIT_TOKEN') }}"
        commitMessage: "Edit of {{ now() }}"
    ```

    Implements ENG-355.
    """

    type_name = "io.kestra.plugin.git.PushNamespaceFiles"
    output_type: ClassVar[type[Output] | None] = Pushed

    namespace: Property[str] | None = Field(None, description="Where the files are; the flow's namespace by default.")
    files: Property[str | list[str]] = Field(
        Property.of(_EVERYTHING), description="Names or patterns of the files; all by default."
    )
    git_directory: Property[str] = Field(Property.of("_files"), description="The folder of the repository they go to.")
    delete: Property[bool] = Field(
        Property.of(True),
        description="Whether files of `gitDirectory` that fit `files` and are gone from the namespace are removed.",
    )

    def run(self, context: RunContext) -> Pushed:
        """Commit the files."""
        pushed = self.push(
            context, f"Update files of namespace {self._namespace(context)}", partial(self._fill, context)
        )
        return Pushed(commit_id=pushed.commit, commit_url=pushed.page, files=pushed.changes)

    def _fill(self, context: RunContext, git: Git, copy: Path) -> None:
        """Make the chosen files of the copy those of the namespace."""
        namespace = self._namespace(context)
        given, folder = context.render(self.files), inside(context.render(self.git_directory))
        patterns = [given] if isinstance(given, str) else given
        chosen = matching(context.call("namespaceFiles", namespace=namespace), patterns)
        if not chosen:
            context.logger.warning(f"no file of namespace {namespace} matches")
        for name in chosen:
            context.get_file(f"nsfile://{namespace}/{quote(name)}", copy / folder / inside(name))
        if context.render(self.delete):
            for name in set(matching(tracked(git, copy, folder), patterns)) - set(chosen):
                (copy / folder / name).unlink(missing_ok=True)

    def _namespace(self, context: RunContext) -> str:
        return namespace_of(context, context.render(self.namespace))
