"""What all Git tasks share: their properties, and a repository's copy for as long as the task runs."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import Field, field_validator

from penstock.builtin.git.address import Address, address_of
from penstock.builtin.git.program import Git
from penstock.builtin.scripts.input_files import PRIVATE
from penstock.sdk import PluginError, PluginModel, Property, RunContext

_TOKENS = ("ghp_", "gho_", "ghu_", "ghs_", "github_pat_", "glpat-", "ATBB")
"""How the access tokens of known services begin."""


class GitDirectoryError(PluginError):
    """A folder or a file that cannot be one of a repository."""

    code = "GIT_DIRECTORY_INVALID"


class Repository(PluginModel):
    """The properties that say which repository it is."""

    url: Property[str] = Field(description="The repository's URL, by HTTP, SSH, the Git protocol, or `file://`.")
    username: Property[str] | None = Field(None, description="The user, for HTTP.")
    password: Property[str] | None = Field(None, description="The user's password or access token, for HTTP.")
    private_key: Property[str] | None = Field(
        None, description="The private key for SSH, as its file's text. `known_hosts` on the worker knows the server."
    )
    passphrase: Property[str] | None = Field(None, description="What the private key is encrypted with.")

    @field_validator("password", mode="before")
    @classmethod
    def _hidden(cls, value: Any) -> Any:
        if isinstance(value, str) and value.strip().startswith(_TOKENS):
            raise ValueError("it is an access token, which everybody can read here: keep it as a secret")
        return value

    def address(self, context: RunContext) -> Address:
        """Return where the repository is."""
        return address_of(
            context.render(self.url),
            context.render(self.username),
            context.render(self.password),
            context.render(self.private_key),
            context.render(self.passphrase),
        )


@contextmanager
def private_folder(context: RunContext) -> Iterator[Path]:
    """Give a folder in the working directory that no pattern finds and that is removed at the end."""
    root = context.resolve(PRIVATE)
    root.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="git-", dir=root))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def inside(path: str) -> PurePosixPath:
    """Return a path as one inside of a repository's files.

    Raises:
        GitDirectoryError: It leads out of them, or to what `git` keeps there for itself.
    """
    parts = [part for part in PurePosixPath(path.strip().lstrip("/")).parts if part != "."]
    if ".." in parts or any(part.lower() == ".git" for part in parts):
        raise GitDirectoryError(f"`{path}` is no path in a repository", hint="name one without `..` and `.git`")
    return PurePosixPath(*parts)


def clone(git: Git, address: Address, branch: str | None, target: Path, depth: int, *, links: bool) -> None:
    """Clone a repository.

    Args:
        git: The program.
        address: The repository.
        branch: What to check out; the repository's own choice by default.
        target: Where to.
        depth: How many commits; 0 for all.
        links: Whether symbolic links become such; otherwise they are files that hold a path.
    """
    options = [*([f"--branch={branch}"] if branch else []), *([f"--depth={depth}"] if depth > 0 else [])]
    if not links:
        options += ["--config", "core.symlinks=false"]
    git.run("clone", "--quiet", *options, "--", address.url, str(target), folder=target.parent)


def head(git: Git, folder: Path) -> str | None:
    """Return the commit a copy is at; None as long as there is none."""
    found = git.run("rev-parse", "--revs-only", "HEAD", folder=folder).strip()
    return found or None


def tracked(git: Git, copy: Path, folder: PurePosixPath) -> list[str]:
    """Return the paths of a folder's files in a copy, seen from that folder."""
    root = f"{folder}/" if folder.parts else ""
    found = git.run("ls-files", "-z", folder=copy).split("\0")
    return [path.removeprefix(root) for path in found if path and path.startswith(root)]
