"""The state store of older flows, kept as JSON pairs of the key-value store: `Get`, `Set`, `Delete`."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field

from penstock.builtin.kv.pairs import MissingKeyError
from penstock.sdk import Output, Property, RunContext, Task, json_text

_MISSING = "Fail when there is no such state."


class StateTask(Task):
    """A task on one state."""

    name: Property[str] = Field(Property.of("default"), description="The name of the state.")
    namespace: Property[bool] = Field(
        Property.of(False), description="Whether all flows of the namespace share it; else it is this flow's own."
    )
    taskrun_value: Property[bool] = Field(
        Property.of(True), description="Whether each iteration of a loop has one of its own."
    )

    def key(self, context: RunContext) -> str:
        """Return the key of the pair that holds the state."""
        parts = ["states", context.render(self.name)]
        if not context.render(self.namespace):
            parts.insert(0, str(context.variables["flow"]["id"]))
        value = context.task_run.get("value")
        if value is not None and context.render(self.taskrun_value):
            parts.append(hashlib.sha256(json_text(value).encode()).hexdigest()[:16])
        return "_".join(parts)

    def stored(self, context: RunContext) -> dict[str, Any] | None:
        """Return what the state holds; None when there is none."""
        found = context.call("kv", key=self.key(context), errorOnMissing=False)
        return dict(found) if isinstance(found, Mapping) else None


class ReadState(Output):
    """What `Get` gives."""

    count: int = Field(description="How many fields the state has.")
    data: dict[str, Any] = Field(description="The fields.")


class Get(StateTask):
    """Read a state. Today's task for this is `io.kestra.plugin.core.kv.Get`.

    Read how far the last run came:

    ```yaml
    tasks:
      - id: last_row
        type: io.kestra.plugin.core.state.Get
        name: last_row
    ```

    Implements MIG-034, MIG-020.
    """

    type_name = "io.kestra.plugin.core.state.Get"
    type_aliases = ("io.kestra.core.tasks.states.Get",)
    output_type: ClassVar[type[Output] | None] = ReadState

    error_on_missing: Property[bool] = Field(Property.of(False), description=_MISSING)

    def run(self, context: RunContext) -> ReadState:
        """Read the fields."""
        data = self.stored(context)
        if data is None and context.render(self.error_on_missing):
            raise _missing(context.render(self.name))
        return ReadState(count=len(data or {}), data=data or {})


class WrittenState(Output):
    """What `Set` gives."""

    count: int = Field(description="How many fields the state has.")
    key: str = Field(description="The key of the pair that holds it.")


class Set(StateTask):
    """Set fields of a state; others stay. Today's task for this is `io.kestra.plugin.core.kv.Set`.

    Note how far a run came:

    ```yaml
    tasks:
      - id: note
        type: io.kestra.plugin.core.state.Set
        name: last_row
        data:
          id: "4711"
    ```

    Implements MIG-034, MIG-020.
    """

    type_name = "io.kestra.plugin.core.state.Set"
    type_aliases = ("io.kestra.core.tasks.states.Set",)
    output_type: ClassVar[type[Output] | None] = WrittenState

    data: Property[dict[str, Any]] | None = Field(None, description="The fields.")

    def run(self, context: RunContext) -> WrittenState:
        """Write the fields."""
        fields = (self.stored(context) or {}) | context.render(self.data, default={})
        key = self.key(context)
        context.call("kvSet", key=key, value=fields, type="JSON")
        return WrittenState(count=len(fields), key=key)


class DeletedState(Output):
    """What `Delete` gives."""

    deleted: bool = Field(description="Whether there was such a state.")


class Delete(StateTask):
    """Remove a state. Today's task for this is `io.kestra.plugin.core.kv.Delete`.

    Begin the next run from scratch:

    ```yaml
    tasks:
      - id: forget
        type: io.kestra.plugin.core.state.Delete
        name: last_row
        errorOnMissing: false
    ```

    Implements MIG-034, MIG-020.
    """

    type_name = "io.kestra.plugin.core.state.Delete"
    type_aliases = ("io.kestra.core.tasks.states.Delete",)
    output_type: ClassVar[type[Output] | None] = DeletedState

    error_on_missing: Property[bool] = Field(Property.of(True), description=_MISSING)

    def run(self, context: RunContext) -> DeletedState:
        """Remove the state."""
        deleted = bool(context.call("kvDelete", key=self.key(context)))
        if not deleted and context.render(self.error_on_missing):
            raise _missing(context.render(self.name))
        return DeletedState(deleted=deleted)


def _missing(name: str) -> MissingKeyError:
    return MissingKeyError(f"there is no state `{name}`", hint="set it first, or set `errorOnMissing: false`")
