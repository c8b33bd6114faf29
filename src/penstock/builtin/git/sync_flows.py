"""A repository's flows: `SyncFlows` for a folder of them, `SyncFlow` for a single one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar

from pydantic import Field

from penstock.builtin.git.push_flows import FLOW_FILES
from penstock.builtin.git.repository import GitDirectoryError, inside
from penstock.builtin.git.syncing import Syncing, told
from penstock.sdk import Output, PluginError, Property, RunContext, Task

_ROW = "`gitPath`, `namespace`, `flowId`, `revision` and `syncState`, which is `ADDED`, `UPDATED`, `UNCHANGED`"


class FlowsRefused(PluginError):
    """Flows of a repository cannot be stored; then none is."""

    code = "FLOWS_REFUSED"
    hint = "mend them in the repository"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A flow as a repository has it: its source, and the namespace it is to be of."""

    namespace: str
    source: str

    @classmethod
    def read(cls, folder: Path, path: PurePosixPath, target: str) -> Wanted:
        """Read a file."""
        below = [part for part in path.parent.parts if part]
        return cls(".".join((target, *below)), (folder / path).read_text(encoding="utf-8-sig"))


class SyncedFlows(Output):
    """What `SyncFlows` gives."""

    commit_id: str | None = Field(description="The commit whose flows they are.")
    flows: str = Field(description=f"A file with a row for each flow: {_ROW} or `DELETED`.")


class SyncFlows(Syncing, Task):
    """Make the flows of a namespace those of a repository's folder. Flows that are the same get no new revision.

    Whatever namespace a file names, its flow gets `targetNamespace`, and in a folder the namespace below it that is
    called as the folder. The flow this runs in is left as it is. When one of them is no valid flow, none is stored.

    ```yaml
    tasks:
      - id: sync
        type: io.kestra.plugin.git.SyncFlows
        targetNamespace: company.team
        includeChildNamespaces: true
        gitDirectory: flows
        url: https://git.example.com/team/flows
        branch: main
        username: robot
        password: "{{ secret('GIT_TOKEN') }}"
    triggers:
      - id: hourly
        type: io.kestra.plugin.core.trigger.Schedule
        cron: "0 * * * *"
    ```

    Implements ENG-011, IAC-121, USE-087.
    """

    type_name = "io.kestra.plugin.git.SyncFlows"
    output_type: ClassVar[type[Output] | None] = SyncedFlows

    target_namespace: Property[str] = Field(description="Where the flows go.")
    include_child_namespaces: Property[bool] = Field(
        Property.of(False), description="Whether folders count, as namespaces below."
    )
    git_directory: Property[str] = Field(Property.of("_flows"), description="The folder of the repository they are in.")
    delete: Property[bool] = Field(
        Property.of(False), description="Whether flows of the namespace that the repository has not are deleted."
    )

    def run(self, context: RunContext) -> SyncedFlows:
        """Check all flows, and then store and delete what is to be."""
        target, has_children = context.render(self.target_namespace), context.render(self.include_child_namespaces)
        folder = inside(context.render(self.git_directory))
        with self.checked_out(context, folder) as copy:
            paths = [PurePosixPath(name) for name in copy.names if name.endswith(FLOW_FILES)]
            wanted = {
                path: Wanted.read(copy.folder, path, target) for path in paths if has_children or len(path.parts) == 1
            }
        if not wanted:
            raise GitDirectoryError(f"there are no flows in `{folder}`", hint="see that `gitDirectory` is right")
        rows = _checked(context, wanted, folder)
        if context.render(self.delete):
            rows += _surplus(context, rows, target, has_children=has_children)
        if not context.render(self.dry_run):
            _carry_out(context, rows, {str(folder / path): one for path, one in wanted.items()})
        return SyncedFlows(commit_id=copy.commit, flows=told(context, rows, "flowId"))


class SyncedFlow(Output):
    """What `SyncFlow` gives."""

    commit_id: str | None = Field(description="The commit whose flow it is.")
    flow_id: str = Field(description="The flow's id.")
    namespace: str = Field(description="Its namespace.")
    revision: int = Field(description="Its revision.")


class SyncFlow(Syncing, Task):
    """Store a single flow of a repository.

    ```yaml
    tasks:
      - id: sync
        type: io.kestra.plugin.git.SyncFlow
        targetNamespace: company.team
        flowPath: flows/nightly.yml
        url: https://git.example.com/team/flows
        branch: main
    ```

    Implements IAC-121.
    """

    type_name = "io.kestra.plugin.git.SyncFlow"
    output_type: ClassVar[type[Output] | None] = SyncedFlow

    target_namespace: Property[str] = Field(description="Where the flow goes.")
    flow_path: Property[str] = Field(description="The file of the repository.")

    def run(self, context: RunContext) -> SyncedFlow:
        """Check it, and store it."""
        path, target = inside(context.render(self.flow_path)), context.render(self.target_namespace)
        with self.checked_out(context, path.parent) as copy:
            if path.name not in copy.names:
                raise GitDirectoryError(f"there is no file `{path}`", hint="see that `flowPath` is right")
            wanted = {PurePosixPath(path.name): Wanted.read(copy.folder, PurePosixPath(path.name), target)}
        [row] = _checked(context, wanted, path.parent)
        if not context.render(self.dry_run):
            _carry_out(context, [row], {str(path): one for one in wanted.values()})
        told(context, [row], "flowId")
        return SyncedFlow(
            commit_id=copy.commit, flow_id=row["flowId"], namespace=row["namespace"], revision=row["revision"]
        )


def _checked(
    context: RunContext, wanted: Mapping[PurePosixPath, Wanted], folder: PurePosixPath
) -> list[dict[str, Any]]:
    """Return a row for each flow, saying what is to be done.

    Raises:
        FlowsRefused: Some are no valid flows, or two files are of the same.
    """
    rows: list[dict[str, Any]] = []
    refused: list[str] = []
    names: dict[tuple[str, str], str] = {}
    for path, one in sorted(wanted.items()):
        git_path = str(folder / path)
        found = context.call("checkFlow", source=one.source, namespace=one.namespace)
        if found.get("problems"):
            refused += [f"{git_path}: {problem}" for problem in found["problems"]]
            continue
        name = (found["namespace"], found["id"])
        if name in names:
            refused.append(f"{git_path}: flow {'.'.join(name)} is in {names[name]}, too")
        names[name] = git_path
        state = "UNCHANGED" if _is_own(context, *name) else found["state"]
        row = {"gitPath": git_path, "namespace": name[0], "flowId": name[1], "revision": found["revision"]}
        rows.append({**row, "syncState": state})
    if refused:
        raise FlowsRefused(f"not all are flows that can be stored: {'; '.join(refused)}")
    return rows


def _surplus(
    context: RunContext, rows: list[dict[str, Any]], target: str, *, has_children: bool
) -> list[dict[str, Any]]:
    """Return rows for the flows that are to be deleted."""
    names = {(row["namespace"], row["flowId"]) for row in rows}
    there = context.call("flowSources", namespace=target, children=has_children)
    gone = [(one["namespace"], one["id"]) for one in there]
    return [
        {"gitPath": None, "namespace": namespace, "flowId": flow_id, "syncState": "DELETED"}
        for namespace, flow_id in gone
        if (namespace, flow_id) not in names and not _is_own(context, namespace, flow_id)
    ]


def _carry_out(context: RunContext, rows: list[dict[str, Any]], sources: Mapping[str, Wanted]) -> None:
    for row in rows:
        if row["syncState"] == "DELETED":
            context.call("deleteFlow", namespace=row["namespace"], id=row["flowId"])
        elif row["syncState"] != "UNCHANGED":
            one = sources[row["gitPath"]]
            row["revision"] = context.call("putFlow", source=one.source, namespace=one.namespace)


def _is_own(context: RunContext, namespace: str, flow_id: str) -> bool:
    """Return whether a flow is the one that the task runs in: it is not to change under its own feet."""
    flow = context.variables["flow"]
    return (flow["namespace"], flow["id"]) == (namespace, flow_id)
