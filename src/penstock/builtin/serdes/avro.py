"""Avro: `AvroToIon`, `IonToAvro`. Needs the extra `avro`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import Field

from penstock.builtin.serdes.files import (
    Conversion,
    ConvertedFile,
    FormatError,
    library,
    new_file,
    store_items,
    stream_of,
)
from penstock.builtin.serdes.schemas import SchemaConversion
from penstock.sdk import Property, RunContext


class AvroToIon(Conversion):
    """Make the records of an Avro file into items.

    Read an Avro file as rows:

    ```yaml
    inputs:
      - id: orders
        type: FILE
    tasks:
      - id: rows
        type: io.kestra.plugin.serdes.avro.AvroToIon
        from: "{{ inputs.orders }}"
    ```

    Implements ENG-338.
    """

    type_name = "io.kestra.plugin.serdes.avro.AvroToIon"
    type_aliases = ("io.kestra.plugin.serdes.avro.AvroReader",)

    def run(self, context: RunContext) -> ConvertedFile:
        """Read block by block."""
        fastavro = library("fastavro", "avro")
        uri = context.render(self.from_)
        with stream_of(context, uri) as source:
            try:
                return ConvertedFile(uri=store_items(context, fastavro.reader(source))[0])
            except (ValueError, EOFError, IndexError) as error:
                raise FormatError(f"{uri} cannot be read as Avro: {error}") from None


class IonToAvro(SchemaConversion):
    """Make items into the records of an Avro file.

    Write rows as Avro:

    ```yaml
    inputs:
      - id: orders
        type: FILE
    tasks:
      - id: avro
        type: io.kestra.plugin.serdes.avro.IonToAvro
        from: "{{ inputs.orders }}"
        schema: |
          {
            "type": "record",
            "name": "Order",
            "fields": [{"name": "article", "type": "string"}, {"name": "amount", "type": "int"}]
          }
    ```

    Implements ENG-338.
    """

    type_name = "io.kestra.plugin.serdes.avro.IonToAvro"
    type_aliases = ("io.kestra.plugin.serdes.avro.AvroWriter",)

    codec: Property[Literal["null", "deflate"]] = Field(
        Property.of("deflate"), description="How the blocks of the file are compressed."
    )

    def run(self, context: RunContext) -> ConvertedFile:
        """Write block by block."""
        fastavro = library("fastavro", "avro")
        schema = self.schema_of(context)
        try:
            parsed = fastavro.parse_schema(dict(schema))
        except (fastavro.schema.SchemaParseException, fastavro.schema.UnknownType) as error:
            raise FormatError(f"the schema is wrong: {error}", hint="write an Avro schema") from None
        local = new_file(context, "records.avro")
        records: Iterator[dict[str, Any]] = self.records(context, schema)
        with local.open("wb") as target:
            fastavro.writer(target, parsed, records, codec=context.render(self.codec))
        return ConvertedFile(uri=context.put_file(local, "records.avro"))
