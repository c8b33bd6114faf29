"""A repository's files in the working directory: `Clone`."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from pydantic import Field

from penstock.builtin.git.program import Git
from penstock.builtin.git.repository import Repository, clone, head, inside, private_folder
from penstock.builtin.scripts.input_files import PRIVATE, is_untouched
from penstock.sdk import Output, PluginError, Property, RunContext, Task


class DestinationNotEmpty(PluginError):
    """The folder to clone into holds files of other tasks."""

    code = "DESTINATION_NOT_EMPTY"
    hint = "make it the first task of its WorkingDirectory, or give it a `directory` of its own"


class Cloned(Output):
    """What `Clone` gives."""

    directory: str = Field(description="The path of the folder with the repository's files.")
    commit_id: str | None = Field(description="The commit it is at; nothing when there is none yet.")


class Clone(Repository, Task):
    """Clone a repository into the working directory, for the tasks that follow in the same `WorkingDirectory`.

    There it is the first task. Files which the `WorkingDirectory` itself has put there stay, also where the repository
    has one of the same name.

    ```yaml
    tasks:
      - id: dir
        type: io.kestra.plugin.core.flow.WorkingDirectory
        tasks:
          - id: clone
            type: io.kestra.plugin.git.Clone
            url: https://git.example.com/team/scripts
            branch: main
            username: robot
            password: "{{ secret('GIT_TOKEN') }}"
          - id: run
            type: io.kestra.plugin.scripts.python.Commands
            commands: [python etl.py]
    ```

    Implements SCR-025.
    """

    type_name = "io.kestra.plugin.git.Clone"
    output_type: ClassVar[type[Output] | None] = Cloned

    branch: Property[str] | None = Field(
        None, description="A branch or a tag; the repository's main branch by default."
    )
    depth: Property[int] = Field(Property.of(1), description="How many commits to fetch; 0 for all there are.")
    directory: Property[str] | None = Field(
        None, description="A folder of the working directory to clone into; the working directory itself by default."
    )

    def run(self, context: RunContext) -> Cloned:
        """Clone beside the target, so that a failure leaves nothing there, and move the files."""
        target = context.resolve(str(inside(context.render(self.directory, default=""))))
        if not is_untouched(context) and _holds_files(target):
            raise DestinationNotEmpty(f'Destination path "{target.name}" already exists and is not an empty directory')
        address = self.address(context)
        with private_folder(context) as private:
            git = Git(context, address, private)
            copy = private / "copy"
            clone(git, address, context.render(self.branch), copy, context.render(self.depth), links=True)
            commit = head(git, copy)
            for name in _moved(copy, target):
                context.logger.warning(f"`{name}` was there already; the repository's file is left out")
        context.logger.info(f"cloned {address.url} at {commit or 'no commit'}")
        return Cloned(directory=str(target), commit_id=commit)


def _holds_files(folder: Path) -> bool:
    return folder.is_dir() and any(entry.name != PRIVATE for entry in folder.iterdir())


def _moved(source: Path, target: Path) -> list[str]:
    """Move what a folder holds into another, and return what had to be left since it exists."""
    target.mkdir(parents=True, exist_ok=True)
    left: list[str] = []
    for entry in sorted(source.iterdir()):
        there = target / entry.name
        if not there.exists() and not there.is_symlink():
            entry.rename(there)
        elif _is_folder(entry) and _is_folder(there):
            left += [f"{entry.name}/{name}" for name in _moved(entry, there)]
        else:
            left.append(entry.name)
    return left


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()
