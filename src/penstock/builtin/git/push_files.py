"""Namespace files into a repository: `PushNamespaceFiles`."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

from pydantic import Field

from penstock.builtin.git.address import Address
from penstock.builtin.git.program import Git
from penstock.builtin.git.repository import Repository, clone, head, inside, private_folder, tracked
from penstock.builtin.namespace.selection import matching, namespace_of
from penstock.sdk import Output, Property, RunContext, Task, ion_text

_EVERYTHING = "**"
_EMAIL = "penstock@localhost"


class Pushed(Output):
    """What `PushNamespaceFiles` gives."""

    commit_id: str | None = Field(None, description="The commit; nothing when nothing has changed or in a dry run.")
    commit_url: str | None = Field(None, alias="commitURL", description="The commit's page, for a URL of HTTP.")
    files: str = Field(description="A file with a row for each changed file: `file`, `additions`, `deletions`.")


class PushNamespaceFiles(Repository, Task):
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
    branch: Property[str] = Field(Property.of("main"), description="The branch to commit to.")
    commit_message: Property[str] | None = Field(None, description="The commit's message.")
    author_name: Property[str] | None = Field(None, description="The commit's author; `username` by default.")
    author_email: Property[str] | None = Field(None, description="The author's e-mail address.")
    delete: Property[bool] = Field(
        Property.of(True),
        description="Whether files of `gitDirectory` that fit `files` and are gone from the namespace are removed.",
    )
    dry_run: Property[bool] = Field(Property.of(False), description="Only tell what would be committed.")

    def run(self, context: RunContext) -> Pushed:
        """Put the files into a copy of the branch, commit what has changed, and push it."""
        namespace, address = namespace_of(context, context.render(self.namespace)), self.address(context)
        branch = context.render(self.branch)
        with private_folder(context) as private:
            git, copy = Git(context, address, private), private / "copy"
            _check_out(git, address, branch, copy)
            self._fill(context, git, copy, namespace)
            git.run("add", "--all", "--force", ".", folder=copy)
            rows = _changes(git, copy)
            for row in rows:
                context.logger.info(f"{row['file']}: {row['additions']} {row['deletions']}")
            files = context.put_bytes("".join(f"{ion_text(row)}\n" for row in rows).encode(), "files.ion")
            if not rows or context.render(self.dry_run):
                context.logger.info(f"{len(rows)} files differ; nothing was pushed")
                return Pushed(files=files)
            self._commit(context, git, copy, namespace, address.username)
            git.run("push", "--quiet", "origin", f"HEAD:refs/heads/{branch}", folder=copy)
            commit = head(git, copy)
        page = address.commit_url(commit) if commit else None
        context.logger.info(f"pushed {page or commit} to {branch}")
        return Pushed(commit_id=commit, commit_url=page, files=files)

    def _fill(self, context: RunContext, git: Git, copy: Path, namespace: str) -> None:
        """Make the chosen files of the copy those of the namespace."""
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

    def _commit(self, context: RunContext, git: Git, copy: Path, namespace: str, username: str | None) -> None:
        name = context.render(self.author_name) or username or "Penstock"
        email = context.render(self.author_email) or _EMAIL
        message = context.render(self.commit_message) or f"Update files of namespace {namespace}"
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
