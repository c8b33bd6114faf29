"""Key-value pairs in bulk: `PurgeKV`."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from penstock.builtin.purging import Batches
from penstock.sdk import Output, Property, RunContext, Task


class PurgedPairs(Output):
    """What `PurgeKV` gives."""

    size: int = Field(description="How many pairs were removed.")


class PurgeKV(Task):
    """Remove key-value pairs for good: those that have expired, or all.

    Remove expired pairs of a namespace and those below it:

    ```yaml
    tasks:
      - id: tidy
        type: io.kestra.plugin.core.kv.PurgeKV
        namespaces:
          - company
        includeChildNamespaces: true
        expiredOnly: true
    ```

    Implements OPS-166.
    """

    type_name = "io.kestra.plugin.core.kv.PurgeKV"
    output_type: ClassVar[type[Output] | None] = PurgedPairs

    namespaces: Property[list[str]] | None = Field(None, description="Where to remove pairs; everywhere by default.")
    include_child_namespaces: Property[bool] = Field(
        Property.of(True), description="Whether the namespaces below those given count too."
    )
    expired_only: Property[bool] = Field(Property.of(True), description="Whether pairs that are valid still are kept.")

    def run(self, context: RunContext) -> PurgedPairs:
        """Remove the pairs, some at a time."""
        batches = Batches(context, "key-value pairs")
        while removed := context.call(
            "kvPurge",
            namespaces=context.render(self.namespaces),
            children=context.render(self.include_child_namespaces),
            expiredOnly=context.render(self.expired_only),
        ):
            batches.add(removed)
        return PurgedPairs(size=batches.end())
