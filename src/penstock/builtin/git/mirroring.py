"""Namespaces as a whole, in a repository and on the server: `NamespaceSync`, `TenantSync`."""

from __future__ import annotations

from collections.abc import Sequence, Set
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple

from pydantic import Field

from penstock.builtin.git.program import Git
from penstock.builtin.git.pushing import Pushing
from penstock.builtin.git.repository import GitDirectoryError, inside, private_folder, tracked
from penstock.builtin.git.sides import FLOWS, FolderSide, Item, ServerSide, Side
from penstock.builtin.git.syncing import Syncing, told
from penstock.sdk import Output, PluginError, Property, RunContext, Task

_WRITTEN = ("ADDED", "UPDATED")


class Change(NamedTuple):
    """What becomes of an item of the other side."""

    item: Item
    state: str

    @property
    def row(self) -> dict[str, str]:
        """What a file tells of it."""
        item = self.item
        return {"gitPath": item.path, "namespace": item.namespace, "kind": item.kind, "syncState": self.state}


class MirrorRefused(PluginError):
    """One side cannot be made what the other one is; then nothing is changed."""

    code = "MIRROR_REFUSED"


class Mirrored(Output):
    """What `NamespaceSync` and `TenantSync` give."""

    commit_id: str | None = Field(None, description="The commit that was taken, or made.")
    commit_url: str | None = Field(None, alias="commitURL", description="The page of one that was made.")
    diff: str = Field(
        description="A file with a row for each flow and file: `gitPath`, `namespace`, `kind` and `syncState`, which "
        "is `ADDED`, `UPDATED`, `UNCHANGED`, `DELETED` or `KEPT`."
    )


class Mirroring(Pushing, Syncing):
    """Properties of what makes a repository what the server is, or the other way round.

    Below `gitDirectory` a flow is the file `<namespace>/flows/<id>.yaml`, and a namespace file is
    `<namespace>/files/<path>`.
    """

    branch: Property[str] = Field(description="The branch.")
    git_directory: Property[str] = Field(
        Property.of(""), description="The folder of the repository; its root by default."
    )
    source_of_truth: Property[Literal["GIT", "KESTRA"]] = Field(
        Property.of("KESTRA"), description="Which side the other one is made like: the repository, or this server."
    )
    when_missing_in_source: Property[Literal["DELETE", "KEEP", "FAIL"]] = Field(
        Property.of("KEEP"), description="What to do with what the other side alone has."
    )
    protected_namespaces: Property[list[str]] = Field(
        Property.of(["system"]), description="Namespaces of the server from which nothing is deleted."
    )
    on_invalid_syntax: Property[Literal["FAIL", "WARN", "SKIP"]] = Field(
        Property.of("FAIL"),
        description="What to do with files that are no valid flows, or not the one they are called.",
    )

    def namespaces(self, context: RunContext) -> Sequence[str] | None:
        """Return which namespaces count; None for all."""
        return None

    def mirror(self, context: RunContext) -> Mirrored:
        """Compare both sides, and change what is to be."""
        root, namespaces = inside(context.render(self.git_directory)), self.namespaces(context)
        if context.render(self.source_of_truth) == "GIT":
            with self.checked_out(context, root) as copy, private_folder(context) as private:
                server = ServerSide(context, namespaces, private / "file")
                taken = self._take(context, FolderSide(copy.folder, copy.names, namespaces), server)
            return Mirrored(commit_id=copy.commit, diff=_told(context, taken))
        changes: list[Change] = []

        def fill(git: Git, copy: Path) -> None:
            server = ServerSide(context, namespaces, copy.parent / "file")
            folder = FolderSide(copy / root, tracked(git, copy, root), namespaces)
            changes.extend(self._compared(context, server, folder))
            _carry_out(changes, server, folder)

        pushed = self.push(context, "Update namespaces", fill)
        return Mirrored(commit_id=pushed.commit, commit_url=pushed.page, diff=_told(context, changes))

    def _take(self, context: RunContext, folder: FolderSide, server: ServerSide) -> list[Change]:
        """Make the server what a folder is.

        Raises:
            GitDirectoryError: There is nothing in it. Taking that for what is wanted would delete everything.
        """
        if not folder.items():
            hint = "see that `gitDirectory` is right: in it are folders like company.team/flows"
            raise GitDirectoryError("there are no flows and files of namespaces in the repository", hint=hint)
        flow, protected = context.variables["flow"], context.render(self.protected_namespaces)
        own = Item(flow["namespace"], FLOWS, flow["id"])  # which is not to change under its own feet
        kept = {item for item in server.items() if item == own or item.namespace in protected}
        changes = self._compared(context, folder, server, kept=kept, same={own})
        refused = {
            change.item: problems
            for change in changes
            if change.item.kind == FLOWS
            and change.state in _WRITTEN
            and (problems := server.problems(change.item, folder.read(change.item)))
        }
        self._heed(context, [f"{item.path}: {'; '.join(problems)}" for item, problems in refused.items()])
        changes = [change for change in changes if change.item not in refused]
        if not context.render(self.dry_run):
            _carry_out(changes, folder, server)
        return changes

    def _heed(self, context: RunContext, refused: Sequence[str]) -> None:
        """Fail, or log, because of files that are left out.

        Raises:
            MirrorRefused: There are some, and that is how it is to be.
        """
        reaction = context.render(self.on_invalid_syntax)
        if refused and reaction == "FAIL":
            raise MirrorRefused(f"not all are flows that can be stored: {'; '.join(refused)}", hint="mend them")
        for words in refused:
            context.logger.log("WARN" if reaction == "WARN" else "INFO", f"{words}: left out")

    def _compared(
        self,
        context: RunContext,
        source: Side,
        target: Side,
        kept: Set[Item] = frozenset(),
        same: Set[Item] = frozenset(),
    ) -> list[Change]:
        """Return what is to be done, item by item.

        Args:
            context: The task's.
            source: What is right.
            target: What is to become like it.
            kept: What is not deleted.
            same: What is not changed.

        Raises:
            MirrorRefused: The target has more, and that is not to be.
        """
        wanted, there = source.items(), target.items()
        missing, reaction = sorted(there - wanted), context.render(self.when_missing_in_source)
        if missing and reaction == "FAIL":
            names = ", ".join(item.path for item in missing)
            raise MirrorRefused(f"these are on the other side alone: {names}", hint="see `whenMissingInSource`")
        states = {
            item: "ADDED"
            if item not in there
            else "UNCHANGED"
            if item in same or source.read(item) == target.read(item)
            else "UPDATED"
            for item in sorted(wanted)
        }
        states |= {item: "KEPT" if reaction == "KEEP" or item in kept else "DELETED" for item in missing}
        return [Change(item, state) for item, state in states.items()]


class NamespaceSync(Mirroring, Task):
    """Make a folder of a repository what a namespace is, or the namespace what the folder is: its flows and files.

    ```yaml
    tasks:
      - id: backup
        type: io.kestra.plugin.git.NamespaceSync
        namespace: company.team
        sourceOfTruth: KESTRA
        whenMissingInSource: DELETE
        url: https://git.example.com/team/flows
        branch: main
        username: robot
        password: "{{ secret('GIT_TOKEN') }}"
    ```

    Implements IAC-127, IAC-128, IAC-129, IAC-130.
    """

    type_name = "io.kestra.plugin.git.NamespaceSync"
    output_type: ClassVar[type[Output] | None] = Mirrored

    namespace: Property[str] = Field(description="The namespace, without those below it.")

    def namespaces(self, context: RunContext) -> Sequence[str] | None:
        """Return the one."""
        return [context.render(self.namespace)]

    def run(self, context: RunContext) -> Mirrored:
        """Compare, and change."""
        return self.mirror(context)


class TenantSync(Mirroring, Task):
    """Make a repository what all namespaces are, or these what the repository is: their flows and files.

    ```yaml
    tasks:
      - id: backup
        type: io.kestra.plugin.git.TenantSync
        sourceOfTruth: KESTRA
        whenMissingInSource: DELETE
        url: https://git.example.com/team/everything
        branch: main
        username: robot
        password: "{{ secret('GIT_TOKEN') }}"
    ```

    Implements IAC-126, IAC-128, IAC-129, IAC-130.
    """

    type_name = "io.kestra.plugin.git.TenantSync"
    output_type: ClassVar[type[Output] | None] = Mirrored

    kestra_url: Property[str] | None = Field(None, description="Has no effect: it is this server that is asked.")
    auth: dict[str, Any] | None = Field(None, description="Has no effect: the server knows who asks.")

    def run(self, context: RunContext) -> Mirrored:
        """Compare, and change."""
        return self.mirror(context)


def _carry_out(changes: Sequence[Change], source: Side, target: Side) -> None:
    for item, state in changes:
        if state in _WRITTEN:
            target.write(item, source.read(item))
        elif state == "DELETED":
            target.delete(item)


def _told(context: RunContext, changes: Sequence[Change]) -> str:
    return told(context, [change.row for change in changes], "gitPath")
