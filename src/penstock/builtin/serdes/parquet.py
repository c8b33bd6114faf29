"""Parquet: `ParquetToIon`, `IonToParquet`. Needs the extra `parquet`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from types import ModuleType
from typing import Any, Literal

from pydantic import Field, PositiveInt

from penstock.builtin.serdes.avro_schema import Schema
from penstock.builtin.serdes.files import (
    Conversion,
    ConvertedFile,
    FormatError,
    library,
    local_file,
    new_file,
    store_items,
)
from penstock.builtin.serdes.schemas import SchemaConversion
from penstock.sdk import Property, RunContext

_BATCH = 1_000
_CODECS = {"UNCOMPRESSED": "none", "GZIP": "gzip", "SNAPPY": "snappy", "ZSTD": "zstd"}
_VERSIONS = {"V1": "1.0", "V2": "2.6"}


class ParquetToIon(Conversion):
    """Make the rows of a Parquet file into items.

    Read a Parquet file as rows:

    ```yaml
    inputs:
      - id: orders
        type: FILE
    tasks:
      - id: rows
        type: io.kestra.plugin.serdes.parquet.ParquetToIon
        from: "{{ inputs.orders }}"
    ```

    Implements ENG-338.
    """

    type_name = "io.kestra.plugin.serdes.parquet.ParquetToIon"
    type_aliases = ("io.kestra.plugin.serdes.parquet.ParquetReader",)

    def run(self, context: RunContext) -> ConvertedFile:
        """Read some rows at a time."""
        arrow, parquet = library("pyarrow", "parquet"), library("pyarrow.parquet", "parquet")
        uri = context.render(self.from_)
        local = local_file(context, uri, "rows.parquet")
        try:
            with parquet.ParquetFile(local) as file:
                rows = (row for batch in file.iter_batches(batch_size=_BATCH) for row in batch.to_pylist())
                return ConvertedFile(uri=store_items(context, rows)[0])
        except arrow.ArrowException as error:
            raise FormatError(f"{uri} cannot be read as Parquet: {error}") from None


class IonToParquet(SchemaConversion):
    """Make items into the rows of a Parquet file.

    Write rows as compressed Parquet:

    ```yaml
    inputs:
      - id: orders
        type: FILE
    tasks:
      - id: parquet
        type: io.kestra.plugin.serdes.parquet.IonToParquet
        from: "{{ inputs.orders }}"
        inferAllFields: true
        compressionCodec: ZSTD
    ```

    Implements ENG-338.
    """

    type_name = "io.kestra.plugin.serdes.parquet.IonToParquet"
    type_aliases = ("io.kestra.plugin.serdes.parquet.ParquetWriter",)

    compression_codec: Property[Literal["UNCOMPRESSED", "SNAPPY", "GZIP", "ZSTD"]] = Field(
        Property.of("GZIP"), description="How the file is compressed."
    )
    parquet_version: Property[Literal["V1", "V2"]] = Field(Property.of("V2"), description="The version of the format.")
    row_group_size: Property[PositiveInt] = Field(
        Property.of(10_000), description="How many rows are written, and kept in memory, together."
    )

    def run(self, context: RunContext) -> ConvertedFile:
        """Write group by group."""
        arrow, parquet = library("pyarrow", "parquet"), library("pyarrow.parquet", "parquet")
        schema = self.schema_of(context)
        shape = arrow.schema([arrow.field(*one) for one in _fields(arrow, schema)])
        local = new_file(context, "rows.parquet")
        options = {
            "compression": _CODECS[context.render(self.compression_codec)],
            "version": _VERSIONS[context.render(self.parquet_version)],
        }
        rows = self.records(context, schema)
        with parquet.ParquetWriter(local, shape, **options) as writer:
            for group in _groups(rows, context.render(self.row_group_size)):
                writer.write_table(arrow.Table.from_pylist(group, schema=shape))
        return ConvertedFile(uri=context.put_file(local, "rows.parquet"))


def _groups(rows: Iterator[dict[str, Any]], size: int) -> Iterator[list[dict[str, Any]]]:
    while group := list(islice(rows, size)):
        yield group


def _fields(arrow: ModuleType, schema: Schema) -> Iterator[tuple[str, Any, bool]]:
    """Yield the columns of a record: name, type, and whether they may be empty."""
    for field in schema["fields"]:
        kind, nullable = _without_null(field["type"])
        yield field["name"], _type(arrow, kind), nullable


def _without_null(kind: Any) -> tuple[Any, bool]:
    if not isinstance(kind, list):
        return kind, False
    others = [one for one in kind if one != "null"]
    if len(others) > 1:
        raise FormatError(f"a column cannot be one of {', '.join(map(str, others))}", hint="choose one type")
    return (others or ["null"])[0], "null" in kind


def _type(arrow: ModuleType, schema: Any) -> Any:
    """Return the column type of an Avro type.

    Raises:
        FormatError: Parquet has none for it.
    """
    kind = schema["type"] if isinstance(schema, Mapping) else schema
    if isinstance(kind, Mapping | list):
        return _type(arrow, _without_null(kind)[0])
    logical = schema.get("logicalType") if isinstance(schema, Mapping) else None
    if logical == "decimal":
        return arrow.decimal128(schema["precision"], schema.get("scale", 0))
    if kind == "record":
        return arrow.struct([arrow.field(*one) for one in _fields(arrow, schema)])
    if kind == "array":
        return arrow.list_(_type(arrow, _without_null(schema["items"])[0]))
    if kind == "map":
        return arrow.map_(arrow.string(), _type(arrow, _without_null(schema["values"])[0]))
    made = _scalar(arrow, logical) if logical else None
    found = made or _scalar(arrow, kind)
    if found is None:
        raise FormatError(f"Parquet has no column of type {kind}", hint="write the type out where it is used")
    return found


def _scalar(arrow: ModuleType, name: str) -> Any:
    moments = {
        f"{prefix}timestamp-{unit}": arrow.timestamp(short, zone)
        for unit, short in (("millis", "ms"), ("micros", "us"))
        for prefix, zone in (("", "UTC"), ("local-", None))
    }
    return {
        "null": arrow.null(),
        "boolean": arrow.bool_(),
        "int": arrow.int32(),
        "long": arrow.int64(),
        "float": arrow.float32(),
        "double": arrow.float64(),
        "bytes": arrow.binary(),
        "fixed": arrow.binary(),
        "string": arrow.string(),
        "enum": arrow.string(),
        "date": arrow.date32(),
        "time-millis": arrow.time32("ms"),
        "time-micros": arrow.time64("us"),
        **moments,
    }.get(name)
