"""Flows into a repository: `PushFlows`."""

from __future__ import annotations

import re
from collections.abc import Callable
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path, PurePosixPath
from typing import ClassVar

from pydantic import Field

from penstock.builtin.git.program import Git
from penstock.builtin.git.pushing import Pushing
from penstock.builtin.git.repository import inside, tracked
from penstock.builtin.namespace.selection import namespace_of
from penstock.sdk import Output, Property, RunContext, Task

FLOW_FILES = (".yml", ".yaml")


class PushedFlows(Output):
    """What `PushFlows` gives."""

    commit_id: str | None = Field(None, description="The commit; nothing when nothing has changed or in a dry run.")
    commit_url: str | None = Field(None, alias="commitURL", description="The commit's page, for a URL of HTTP.")
    flows: str = Field(description="A file with a row for each changed file: `file`, `additions`, `deletions`.")


class PushFlows(Pushing, Task):
    """Commit flows of a namespace to a branch of a repository; a branch that does not exist is made.

    A flow becomes the file `<id>.yml`. Flows of namespaces below are in folders that are called as these.

    ```yaml
    tasks:
      - id: push
        type: io.kestra.plugin.git.PushFlows
        sourceNamespace: dev
        targetNamespace: prod
        includeChildNamespaces: true
        gitDirectory: flows
        url: https://git.example.com/team/flows
        branch: develop
        username: robot
        password: "{{ secret('GIT_TOKEN') }}"
        commitMessage: "Flows of {{ now() }}"
    ```

    Implements ENG-011, IAC-123, USE-085.
    """

    type_name = "io.kestra.plugin.git.PushFlows"
    output_type: ClassVar[type[Output] | None] = PushedFlows

    source_namespace: Property[str] | None = Field(
        None, description="Where the flows are; the flow's own namespace by default."
    )
    target_namespace: Property[str] | None = Field(
        None, description="The namespace they are written down with; `sourceNamespace` by default."
    )
    flows: Property[str | list[str]] | None = Field(
        None, description="Ids of the flows, or patterns of them, with `*` or as regular expressions; all by default."
    )
    include_child_namespaces: Property[bool] = Field(
        Property.of(False), description="Whether flows of namespaces below are pushed as well."
    )
    git_directory: Property[str] = Field(Property.of("_flows"), description="The folder of the repository they go to.")
    delete: Property[bool] = Field(
        Property.of(True),
        description="Whether files of `gitDirectory` whose flows fit `flows` and are gone are removed.",
    )

    def run(self, context: RunContext) -> PushedFlows:
        """Commit the flows."""
        pushed = self.push(
            context, f"Update flows of namespace {self._namespace(context)}", partial(self._fill, context)
        )
        return PushedFlows(commit_id=pushed.commit, commit_url=pushed.page, flows=pushed.changes)

    def _fill(self, context: RunContext, git: Git, copy: Path) -> None:
        """Make the chosen files of the copy those of the flows."""
        folder, has_children = inside(context.render(self.git_directory)), context.render(self.include_child_namespaces)
        is_wanted, namespace = _chooser(context.render(self.flows)), self._namespace(context)
        target = context.render(self.target_namespace)
        flows = context.call("flowSources", namespace=namespace, children=has_children, target=target)
        known = {PurePosixPath(path): path for path in tracked(git, copy, folder) if path.endswith(FLOW_FILES)}
        written: set[PurePosixPath] = set()
        for flow in flows:
            if is_wanted(flow["id"]):
                path = PurePosixPath(flow["below"].replace(".", "/"), f"{flow['id']}.yml")
                path = path if path in known or path.with_suffix(".yaml") not in known else path.with_suffix(".yaml")
                (copy / folder / path).parent.mkdir(parents=True, exist_ok=True)
                (copy / folder / path).write_text(flow["source"], encoding="utf-8", newline="")
                written.add(path)
        if not written:
            context.logger.warning(f"no flow of namespace {namespace} matches")
        if context.render(self.delete):
            for path in known.keys() - written:
                if is_wanted(path.stem) and (has_children or len(path.parts) == 1):
                    (copy / folder / path).unlink(missing_ok=True)

    def _namespace(self, context: RunContext) -> str:
        return namespace_of(context, context.render(self.source_namespace))


def _chooser(given: str | list[str] | None) -> Callable[[str], bool]:
    """Return what says of an id whether its flow is wanted."""
    patterns = [given] if isinstance(given, str) else given

    def fits(flow_id: str) -> bool:
        return patterns is None or any(fnmatchcase(flow_id, one) or _matches(flow_id, one) for one in patterns)

    return fits


def _matches(flow_id: str, pattern: str) -> bool:
    try:
        return re.fullmatch(pattern, flow_id) is not None
    except re.error:  # `*` is none
        return False
