"""Tasks that write records of a schema: where it comes from, and what becomes of items that do not fit."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from pydantic import Field, PositiveInt

from penstock.builtin.serdes.avro_schema import Fitting, Schema, Words, inferred, read_schema
from penstock.builtin.serdes.files import BadLines, Conversion, FormatError, items
from penstock.sdk import Property, RunContext
from penstock.sdk.items import stored_rows

Texts = Property[list[str]] | None


class SchemaConversion(Conversion):
    """A conversion that writes records of an Avro schema."""

    schema_: Property[str] | None = Field(
        None,
        alias="schema",
        description="The Avro schema of the records, as JSON; found out from the items by default.",
    )
    infer_all_fields: Property[bool] = Field(
        Property.of(False), description="Whether all items are looked at to find out the schema, not only the first."
    )
    number_of_rows_to_scan: Property[PositiveInt] = Field(
        Property.of(100), description="How many items are looked at to find out the schema."
    )
    on_bad_lines: Property[BadLines] = Field(
        Property.of("ERROR"), description="What to do with items that do not fit: fail, leave out and warn, leave out."
    )
    true_values: Texts = Field(None, description="Texts that mean true, in any case of letters.")
    false_values: Texts = Field(None, description="Texts that mean false, in any case of letters.")
    null_values: Texts = Field(None, description="Texts that mean nothing, in any case of letters.")

    def schema_of(self, context: RunContext) -> Schema:
        """Return the schema: the one given, or what the items say."""
        given = context.render(self.schema_)
        if given:
            return read_schema(given)
        everything = context.render(self.infer_all_fields)
        limit = None if everything else context.render(self.number_of_rows_to_scan)
        seen = stored_rows(context, context.render(self.from_))
        return inferred(item for _, item in islice(seen, limit))

    def records(self, context: RunContext, schema: Schema) -> Iterator[dict[str, Any]]:
        """Yield the items as records."""
        behavior = context.render(self.on_bad_lines)
        fitting = Fitting(schema, self._words(context))
        bad = 0
        for number, item in enumerate(items(context, context.render(self.from_)), 1):
            try:
                yield fitting.item(item)
            except FormatError as error:
                if behavior == "ERROR":
                    raise FormatError(f"item {number}: {error.message}", hint=error.hint) from None
                bad += 1
                if behavior == "WARN":
                    context.logger.warning(f"item {number} is left out: {error.message}")
        if bad:
            context.logger.info(f"{bad} items left out")

    def _words(self, context: RunContext) -> Words:
        usual = Words()
        return Words(
            true=_lowered(context.render(self.true_values), usual.true),
            false=_lowered(context.render(self.false_values), usual.false),
            null=_lowered(context.render(self.null_values), usual.null),
        )


def _lowered(given: list[str] | None, usual: frozenset[str]) -> frozenset[str]:
    return usual if given is None else frozenset(one.lower() for one in given)
