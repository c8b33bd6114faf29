"""What tasks that sync have in common: the files of a branch, and a file that tells what became of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import Field

from penstock.builtin.git.program import Git
from penstock.builtin.git.repository import GitDirectoryError, Repository, clone, head, private_folder, tracked
from penstock.sdk import Property, RunContext, ion_text


@dataclass(frozen=True, slots=True)
class Copy:
    """A folder of a branch.

    Args:
        folder: Where it is.
        names: The paths of its files, seen from there.
        commit: The commit they are of.
    """

    folder: Path
    names: Sequence[str]
    commit: str | None


class Syncing(Repository):
    """Properties of what takes files from a branch of a repository."""

    branch: Property[str] = Field(Property.of("main"), description="The branch they are taken from.")
    dry_run: Property[bool] = Field(Property.of(False), description="Only tell what would be done.")

    @contextmanager
    def checked_out(self, context: RunContext, folder: PurePosixPath) -> Iterator[Copy]:
        """Give a copy of a folder.

        Raises:
            GitDirectoryError: There is nothing in it. Taking that for what is wanted would remove everything.
        """
        address, branch = self.address(context), context.render(self.branch)
        with private_folder(context) as private:
            git, copy = Git(context, address, private), private / "copy"
            clone(git, address, branch, copy, 1, links=False)
            names = [name for name in tracked(git, copy, folder) if (copy / folder / name).is_file()]
            if not names:
                raise GitDirectoryError(
                    f"branch {branch} has no files in `{folder}`", hint="see that `gitDirectory` is right"
                )
            yield Copy(copy / folder, names, head(git, copy))


def told(context: RunContext, rows: Sequence[Mapping[str, Any]], name: str) -> str:
    """Log what became of each, and return the URI of a file with the rows.

    Args:
        context: The task's.
        rows: Each with its `syncState`.
        name: The field that says what it is.
    """
    for row in rows:
        context.logger.log("DEBUG" if row["syncState"] == "UNCHANGED" else "INFO", f"{row[name]}: {row['syncState']}")
    return context.put_bytes("".join(f"{ion_text(row)}\n" for row in rows).encode(), "files.ion")
