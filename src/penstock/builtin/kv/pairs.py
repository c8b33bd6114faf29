"""Key-value pairs one by one: `Set`, `Get`, `GetKeys`, `Delete`."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from penstock.sdk import Output, PluginError, Property, RunContext, Task
from penstock.sdk.values import Duration

Kind = Literal["STRING", "NUMBER", "BOOLEAN", "DATETIME", "DATE", "DURATION", "JSON"]
_NAMESPACE = "The namespace of the pair; the flow's by default."


class MissingKeyError(PluginError):
    """A key that must be there is not."""

    code = "KEY_MISSING"


class Set(Task):
    """Store a key-value pair.

    Remember for a week when an import ran:

    ```yaml
    tasks:
      - id: remember
        type: io.kestra.plugin.core.kv.Set
        key: last_import
        value: "{{ execution.startDate }}"
        kvType: DATETIME
        ttl: P7D
    ```

    Implements ENG-361, ENG-360.
    """

    type_name = "io.kestra.plugin.core.kv.Set"

    key: Property[str] = Field(description="The name of the pair.")
    value: Property[Any] = Field(
        description="What it holds. Text stays text unless `kvType` says otherwise; numbers, booleans, lists and maps "
        "keep their type."
    )
    namespace: Property[str] | None = Field(None, description=_NAMESPACE)
    overwrite: Property[bool] = Field(Property.of(True), description="Whether a pair that exists may be replaced.")
    ttl: Property[Duration] | None = Field(
        None, description="How long the pair lives, as ISO 8601 duration; else for ever."
    )
    kv_type: Property[Kind] | None = Field(None, description="The type of the value.")
    kv_description: Property[str] | None = Field(None, description="What the pair is for.")

    def run(self, context: RunContext) -> None:
        """Store the pair."""
        context.call(
            "kvSet",
            key=context.render(self.key),
            value=context.render(self.value),
            namespace=context.render(self.namespace),
            type=context.render(self.kv_type),
            ttl=context.render(self.ttl),
            description=context.render(self.kv_description),
            overwrite=context.render(self.overwrite),
        )


class GotValue(Output):
    """What `Get` gives."""

    value: Any = Field(None, description="The value in its type; nothing when there is no such key.")


class Get(Task):
    """Read the value of a key.

    Read when the last import ran:

    ```yaml
    tasks:
      - id: last_import
        type: io.kestra.plugin.core.kv.Get
        key: last_import
      - id: shown
        type: io.kestra.plugin.core.log.Log
        message: "Imported last at {{ outputs.last_import.value ?? 'never' }}"
    ```

    Implements ENG-362, ENG-364.
    """

    type_name = "io.kestra.plugin.core.kv.Get"
    output_type: ClassVar[type[Output] | None] = GotValue

    key: Property[str] = Field(description="The name of the pair.")
    namespace: Property[str] | None = Field(None, description=_NAMESPACE)
    error_on_missing: Property[bool] = Field(Property.of(False), description="Fail when there is no such key.")

    def run(self, context: RunContext) -> GotValue:
        """Read the value."""
        return GotValue(
            value=context.call(
                "kv",
                key=context.render(self.key),
                namespace=context.render(self.namespace),
                errorOnMissing=context.render(self.error_on_missing),
            )
        )


class GotKeys(Output):
    """What `GetKeys` gives."""

    keys: list[str] = Field(description="The keys, sorted; none when there is no such key.")


class GetKeys(Task):
    """List the keys of a namespace.

    List the keys that begin alike:

    ```yaml
    tasks:
      - id: imports
        type: io.kestra.plugin.core.kv.GetKeys
        prefix: last_
    ```

    Implements ENG-362.
    """

    type_name = "io.kestra.plugin.core.kv.GetKeys"
    output_type: ClassVar[type[Output] | None] = GotKeys

    prefix: Property[str] | None = Field(None, description="What the keys begin with; all keys by default.")
    namespace: Property[str] | None = Field(None, description="The namespace of the keys; the flow's by default.")

    def run(self, context: RunContext) -> GotKeys:
        """List the keys."""
        prefix, namespace = context.render(self.prefix), context.render(self.namespace)
        return GotKeys(keys=context.call("kvKeys", prefix=prefix, namespace=namespace))


class Deleted(Output):
    """What `Delete` gives."""

    deleted: bool = Field(description="Whether there was such a key.")


class Delete(Task):
    """Remove a key-value pair.

    Remove a pair that is no longer needed:

    ```yaml
    tasks:
      - id: forget
        type: io.kestra.plugin.core.kv.Delete
        key: last_import
        errorOnMissing: false
    ```

    Implements ENG-362.
    """

    type_name = "io.kestra.plugin.core.kv.Delete"
    output_type: ClassVar[type[Output] | None] = Deleted

    key: Property[str] = Field(description="The name of the pair.")
    namespace: Property[str] | None = Field(None, description=_NAMESPACE)
    error_on_missing: Property[bool] = Field(Property.of(False), description="Fail when there is no such key.")

    def run(self, context: RunContext) -> Deleted:
        """Remove the pair."""
        key = context.render(self.key)
        deleted = bool(context.call("kvDelete", key=key, namespace=context.render(self.namespace)))
        if not deleted and context.render(self.error_on_missing):
            raise MissingKeyError(f"there is no key `{key}`", hint="set it first, or leave out `errorOnMissing`")
        return Deleted(deleted=deleted)
