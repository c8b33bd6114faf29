"""What tasks that push have in common: a branch of a repository, and a commit of what has changed on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from penstock.builtin.git.address import Address
from penstock.builtin.git.program import Git
from penstock.builtin.git.repository import Repository, clone, head, private_folder
from penstock.sdk import Property, RunContext, ion_text

_EMAIL = "penstock@localhost"


@dataclass(frozen=True, slots=True)
class Push:
    """What has come of a push.

    Args:
        changes: The URI of a file with a row for each changed file.
        commit: The commit; None when nothing was pushed.
        page: Its page, where there is one.
    """

    changes: str
    commit: str | None = None
    page: str | None = None


class Pushing(Repository):
    """Properties of what commits files to a branch of a repository; a branch that does not exist is made."""

    branch: Property[str] = Field(Property.of("main"), description="The branch to commit to.")
    commit_message: Property[str] | None = Field(None, description="The commit's message.")
    author_name: Property[str] | None = Field(None, description="The commit's author; `username` by default.")
    author_email: Property[str] | None = Field(None, description="The author's e-mail address.")
    dry_run: Property[bool] = Field(Property.of(False), description="Only tell what would be committed.")

    def push(self, context: RunContext, message: str, fill: Callable[[Git, Path], None]) -> Push:
        """Put files into a copy of the branch, commit what has changed, and push it.

        Args:
            context: The task's.
            message: The commit's message by default.
            fill: Makes the files of a copy of the branch what they are to be.
        """
        address, branch = self.address(context), context.render(self.branch)
        with private_folder(context) as private:
            git, copy = Git(context, address, private), private / "copy"
            _check_out(git, address, branch, copy)
            fill(git, copy)
            git.run("add", "--all", "--force", ".", folder=copy)
            rows = _changes(git, copy)
            for row in rows:
                context.logger.info(f"{row['file']}: {row['additions']} {row['deletions']}")
            changes = context.put_bytes("".join(f"{ion_text(row)}\n" for row in rows).encode(), "files.ion")
            if not rows or context.render(self.dry_run):
                context.logger.info(f"{len(rows)} files differ; nothing was pushed")
                return Push(changes)
            self._commit(context, git, copy, message, address.username)
            git.run("push", "--quiet", "origin", f"HEAD:refs/heads/{branch}", folder=copy)
            commit = head(git, copy)
        page = address.commit_url(commit) if commit else None
        context.logger.info(f"pushed {page or commit} to {branch}")
        return Push(changes, commit, page)

    def _commit(self, context: RunContext, git: Git, copy: Path, otherwise: str, username: str | None) -> None:
        name = context.render(self.author_name) or username or "Penstock"
        email = context.render(self.author_email) or _EMAIL
        message = context.render(self.commit_message) or otherwise
        who = {f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER") for what, value in _named(name, email)}
        git.run("commit", "--quiet", "--file=-", folder=copy, given=message.encode(), settings=who)


def _named(name: str, email: str) -> tuple[tuple[str, str], ...]:
    return ("NAME", name), ("EMAIL", email)


def _check_out(git: Git, address: Address, branch: str, copy: Path) -> None:
    """Make a copy that stands on the branch, which begins where the main branch is when it does not exist."""
    found = git.run("ls-remote", "--", address.url, "HEAD", f"refs/heads/{branch}", folder=copy.parent)
    names = {line.partition("\t")[2] for line in found.splitlines()}
    if f"refs/heads/{branch}" in names:
        clone(git, address, branch, copy, 1, links=False)
        return
    clone(git, address, None, copy, 1, links=False)
    if "HEAD" in names:
        git.run("checkout", "--quiet", "-b", branch, folder=copy)
    else:
        git.run("symbolic-ref", "HEAD", f"refs/heads/{branch}", folder=copy)


def _changes(git: Git, copy: Path) -> list[dict[str, str]]:
    """Return a row for each file that the commit would change; for a binary file there are no numbers."""
    lines = git.run("diff", "--cached", "--numstat", "--no-renames", "-z", folder=copy).split("\0")
    parts = [line.split("\t", 2) for line in lines if line]
    return [
        {"file": name, "additions": "+" + more.strip("-"), "deletions": "-" + less.strip("-")}
        for more, less, name in parts
    ]
