"""Old revisions of namespace files, removed for good: `PurgeFiles`."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from penstock.builtin.namespace.selection import matching
from penstock.builtin.purging import Batches
from penstock.sdk import Output, PluginError, PluginModel, Property, RunContext, Task

_FILES = 50
_EVERYTHING = "**"


class NothingToPurge(PluginError):
    """A purge does not say what is old."""

    code = "PURGE_UNBOUNDED"


class Version(PluginModel):
    """Which revisions are old. With both given, only those that both say are."""

    type: Literal["version", "io.kestra.plugin.core.namespace.Version"] = Field(
        "version", description="Revisions are told apart by number and date."
    )
    before: Property[str] | None = Field(None, description="Revisions from before this date are old.")
    keep_amount: Property[int] | None = Field(None, description="All but so many of the newest are old.")


class PurgedRevisions(Output):
    """What `PurgeFiles` gives."""

    size: int = Field(description="How many revisions were removed.")


class PurgeFiles(Task):
    """Remove old revisions of namespace files for good. What a file holds now always stays.

    ```yaml
    - id: revisions
      type: io.kestra.plugin.core.namespace.PurgeFiles
      namespaces: [company]
      filePattern: "**/*.sql"
      behavior:
        type: version
        before: "{{ now() | dateAdd(-1, 'MONTHS') }}"
    ```

    Implements OPS-167, ENG-352, USE-084, USE-B145.
    """

    type_name = "io.kestra.plugin.core.namespace.PurgeFiles"
    output_type: ClassVar[type[Output] | None] = PurgedRevisions

    namespaces: Property[list[str]] | None = Field(None, description="Where to look; everywhere by default.")
    include_child_namespaces: Property[bool] = Field(
        Property.of(True), description="Whether the namespaces below those given count too."
    )
    file_pattern: Property[str] | None = Field(
        None, description="The files to look at, such as `**/*.sql`; all by default."
    )
    behavior: Version | None = Field(
        None, description="Which revisions are old; by default all but the one that the file holds."
    )

    def run(self, context: RunContext) -> PurgedRevisions:
        """Remove the revisions, namespace by namespace and some files at a time."""
        given, pattern = context.render(self.namespaces), context.render(self.file_pattern)
        before, keep = self._bounds(context)
        if not given or not pattern:
            missing = "`filePattern`" if given else "`namespaces`"
            context.logger.warning(f"there is no {missing}: all are looked at")
        batches = Batches(context, "revisions of namespace files")
        children = context.render(self.include_child_namespaces)
        for namespace in context.call("fileNamespaces", namespaces=given, children=children):
            paths = matching(context.call("namespaceFiles", namespace=namespace), [pattern or _EVERYTHING])
            for start in range(0, len(paths), _FILES):
                some = paths[start : start + _FILES]
                batches.add(
                    context.call("purgeFileRevisions", namespace=namespace, paths=some, before=before, keep=keep)
                )
        return PurgedRevisions(size=batches.end())

    def _bounds(self, context: RunContext) -> tuple[str | None, int | None]:
        if self.behavior is None:
            return None, 1
        before, keep = context.render(self.behavior.before), context.render(self.behavior.keep_amount)
        if not before and keep is None:
            raise NothingToPurge("`behavior` does not say what is old", hint="give it `before` or `keepAmount`")
        return before, keep
