"""Files of items, one each row: `FilterItems`, `DeduplicateItems`, `Reverse`. Rows kept are kept as they were."""

from __future__ import annotations

import array
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from penstock.builtin.storage.rows import separator_of, stored_name
from penstock.sdk import Output, Property, RunContext, Task, is_truthy
from penstock.sdk.items import FileTaskError, rows_of, stored_rows
from penstock.sdk.task import Literally

_EXPRESSION = "An expression over the fields of the item, such as `{{ price > 10 }}`."


class Processed(Output):
    """What `FilterItems` and `DeduplicateItems` give."""

    uri: str = Field(description="The file with the items that are kept.")
    processed_items_total: int = Field(description="How many items there were.")
    dropped_items_total: int = Field(description="How many were left out.")


class FilterItems(Task):
    """Keep the items of a file for which a condition holds, or does not.

    The file has one item in each row, as Ion or JSON.

    Keep the large orders of a file:

    ```yaml
    inputs:
      - id: orders
        type: FILE
    tasks:
      - id: large
        type: io.kestra.plugin.core.storage.FilterItems
        from: "{{ inputs.orders }}"
        filterCondition: "{{ total > 1000 }}"
    ```

    Implements MIG-020.
    """

    type_name = "io.kestra.plugin.core.storage.FilterItems"
    type_aliases = ("io.kestra.core.tasks.storages.FilterItems",)
    output_type: ClassVar[type[Output] | None] = Processed

    from_: Property[str] = Field(alias="from", description="The file in internal storage.")
    filter_condition: Annotated[str, Literally()] = Field(description=_EXPRESSION)
    filter_type: Property[Literal["INCLUDE", "EXCLUDE"]] = Field(
        Property.of("INCLUDE"), description="Whether items for which it holds are kept or left out."
    )
    error_or_null_behavior: Property[Literal["FAIL", "INCLUDE", "EXCLUDE"]] = Field(
        Property.of("FAIL"), description="What to do with an item for which the condition has no answer."
    )

    def run(self, context: RunContext) -> Processed:
        """Ask the condition about each item."""
        uri = context.render(self.from_)
        includes = context.render(self.filter_type) == "INCLUDE"
        doubtful = context.render(self.error_or_null_behavior)
        total = kept = 0
        local = context.resolve(".penstock/filtered")
        local.parent.mkdir(parents=True, exist_ok=True)
        with local.open("wb") as target:
            for row, item in stored_rows(context, uri):
                total += 1
                holds = self._holds(context, item, doubtful, total)
                if (doubtful == "INCLUDE") if holds is None else (holds is includes):
                    kept += 1
                    target.write(row)
        stored = context.put_file(local, stored_name(uri, "filtered"))
        return Processed(uri=stored, processed_items_total=total, dropped_items_total=total - kept)

    def _holds(self, context: RunContext, item: Any, doubtful: str, number: int) -> bool | None:
        """Return whether the condition holds; None when it has no answer and that is no failure."""
        try:
            text = context.render_text(self.filter_condition, _fields(item)).strip()
        except Exception as error:  # whatever an expression may fail with
            if doubtful == "FAIL":
                raise FileTaskError(f"the condition fails for item {number}: {error}") from error
            return None
        if text:
            return is_truthy(text)
        if doubtful == "FAIL":
            raise FileTaskError(
                f"the condition has no answer for item {number}", hint="set `errorOrNullBehavior`, or use `??` in it"
            )
        return None


class DeduplicateItems(Task):
    """Keep the last of the items of a file that have the same key.

    The file has one item in each row, as Ion or JSON.

    Keep the last row of each customer:

    ```yaml
    inputs:
      - id: customers
        type: FILE
    tasks:
      - id: once
        type: io.kestra.plugin.core.storage.DeduplicateItems
        from: "{{ inputs.customers }}"
        expr: "{{ email }}"
    ```

    Implements MIG-020.
    """

    type_name = "io.kestra.plugin.core.storage.DeduplicateItems"
    type_aliases = ("io.kestra.core.tasks.storages.DeduplicateItems",)
    output_type: ClassVar[type[Output] | None] = Processed

    from_: Property[str] = Field(alias="from", description="The file in internal storage.")
    expr: Annotated[str, Literally()] = Field(
        description="The key of an item: an expression over its fields, such as `{{ id }}`."
    )

    def run(self, context: RunContext) -> Processed:
        """Look for the last row of each key, then keep those rows in their order."""
        uri = context.render(self.from_)
        last: dict[str, int] = {}
        total = 0
        for _, item in stored_rows(context, uri):
            last[context.render_text(self.expr, _fields(item))] = total
            total += 1
        chosen = set(last.values())
        local = context.resolve(".penstock/deduplicated")
        local.parent.mkdir(parents=True, exist_ok=True)
        with local.open("wb") as target:
            target.writelines(row for number, (row, _) in enumerate(stored_rows(context, uri)) if number in chosen)
        stored = context.put_file(local, stored_name(uri, "deduplicated"))
        return Processed(uri=stored, processed_items_total=total, dropped_items_total=total - len(chosen))


class ReversedFile(Output):
    """What `Reverse` gives."""

    uri: str = Field(description="The file with its rows in reverse order.")


class Reverse(Task):
    """Turn the order of a file's rows round: the last row first.

    Put the newest rows first:

    ```yaml
    inputs:
      - id: events
        type: FILE
    tasks:
      - id: newest_first
        type: io.kestra.plugin.core.storage.Reverse
        from: "{{ inputs.events }}"
    ```

    Implements MIG-020.
    """

    type_name = "io.kestra.plugin.core.storage.Reverse"
    type_aliases = ("io.kestra.core.tasks.storages.Reverse",)
    output_type: ClassVar[type[Output] | None] = ReversedFile

    from_: Property[str] = Field(alias="from", description="The file in internal storage.")
    separator: Property[str] = Field(Property.of("\n"), description="What ends a row.")
    charset: Property[str] = Field(Property.of("UTF-8"), description="The character set of the file.")

    def run(self, context: RunContext) -> ReversedFile:
        """Note where rows begin, then copy them from the last to the first."""
        uri = context.render(self.from_)
        separator = separator_of(context.render(self.separator), context.render(self.charset))
        local, turned = context.resolve(".penstock/original"), context.resolve(".penstock/reversed")
        local.parent.mkdir(parents=True, exist_ok=True)
        lengths = array.array("q")
        with local.open("wb") as copy:
            for row in rows_of(context.stream_file(uri), separator):
                lengths.append(copy.write(row))
        with local.open("rb") as source, turned.open("wb") as target:
            end = sum(lengths)
            for length in reversed(lengths):
                end -= length
                source.seek(end)
                row = source.read(length)
                target.write(row if row.endswith(separator) else row + separator)
        return ReversedFile(uri=context.put_file(turned, stored_name(uri, "reversed")))


def _fields(item: Any) -> Mapping[str, Any]:
    """Return the variables an expression sees of an item; one that has no fields is `value`."""
    return item if isinstance(item, Mapping) else {"value": item}
