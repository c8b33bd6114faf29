"""Avro schemas: read from a property, or inferred from items; and values made to fit one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any

from penstock.builtin.serdes.files import FormatError, bytes_of

Schema = Mapping[str, Any]
_ROOT = "items"
_LOGICAL = {
    "date": date,
    "time-millis": time,
    "time-micros": time,
    "timestamp-millis": datetime,
    "timestamp-micros": datetime,
    "local-timestamp-millis": datetime,
    "local-timestamp-micros": datetime,
    "decimal": Decimal,
}


@dataclass(frozen=True, slots=True)
class Words:
    """Texts that stand for other values (all in lower case)."""

    true: frozenset[str] = frozenset(("t", "true", "enabled", "1", "on", "yes"))
    false: frozenset[str] = frozenset(("f", "false", "disabled", "0", "off", "no", ""))
    null: frozenset[str] = frozenset(
        ("", "#n/a", "#n/a n/a", "#na", "-1.#ind", "-1.#qnan", "-nan", "n/a", "na", "null")
    )


def read_schema(text: str) -> Schema:
    """Return the schema of a text.

    Raises:
        FormatError: It is no schema of a record.
    """
    try:
        schema = json.loads(text)
    except ValueError as error:
        raise FormatError(f"the schema is no JSON: {error}", hint="write an Avro schema") from None
    if not isinstance(schema, dict) or schema.get("type") != "record" or not isinstance(schema.get("fields"), list):
        raise FormatError("the schema is not that of a record", hint='write {"type": "record", "fields": [...]}')
    return schema


# -- inferring


def inferred(items: Iterable[Any]) -> Schema:
    """Return a schema that items fit; every field may be absent."""
    return _record([item for item in items if isinstance(item, Mapping)], _ROOT)


def _record(maps: Sequence[Mapping[str, Any]], name: str) -> Schema:
    values: dict[str, list[Any]] = {}
    for one in maps:
        for key, value in one.items():
            values.setdefault(str(key), []).append(value)
    fields = [
        {"name": key, "type": ["null", _kind(found, f"{name}_{key}")], "default": None} for key, found in values.items()
    ]
    return {"type": "record", "name": name, "fields": fields}


def _kind(values: Sequence[Any], name: str) -> Any:
    """Return the narrowest type that all values fit; text fits everything."""
    known = [value for value in values if value is not None]
    kinds = {type(value) for value in known}
    if kinds and kinds <= {int, float, Decimal}:
        return "long" if kinds == {int} else "double"
    if len(kinds) != 1:
        return "string"
    (kind,) = kinds
    if kind is dict:
        return _record(known, name)
    if kind is list:
        return {"type": "array", "items": ["null", _kind([item for value in known for item in value], name)]}
    if kind is datetime:
        return {"type": "long", "logicalType": _moment_type(known)}
    if kind is date:
        return {"type": "int", "logicalType": "date"}
    return {bool: "boolean", bytes: "bytes"}.get(kind, "string")


def _moment_type(moments: Sequence[datetime]) -> str:
    return "timestamp-micros" if all(moment.tzinfo for moment in moments) else "local-timestamp-micros"


# -- fitting


class Fitting:
    """Makes values fit a schema.

    Args:
        schema: The schema of a record.
        words: Texts that stand for other values.
    """

    def __init__(self, schema: Schema, words: Words | None = None) -> None:
        self._schema = schema
        self._words = words or Words()
        self._named: dict[str, Any] = {}
        self._learn(schema)

    def item(self, item: Any) -> dict[str, Any]:
        """Return an item as a record of the schema.

        Raises:
            FormatError: A field does not fit.
        """
        if not isinstance(item, Mapping):
            raise FormatError("it has no fields", hint="the format needs items that are maps")
        return self._record(item, self._schema, "")

    def _learn(self, schema: Any) -> None:
        if isinstance(schema, list):
            for one in schema:
                self._learn(one)
        elif isinstance(schema, Mapping):
            if "name" in schema and schema.get("type") in ("record", "enum", "fixed"):
                self._named[schema["name"]] = schema
            for inner in (schema.get("items"), schema.get("values"), schema.get("type")):
                if isinstance(inner, Mapping | list):
                    self._learn(inner)
            for field in schema.get("fields") or ():
                self._learn(field["type"])

    def _record(self, item: Mapping[str, Any], schema: Schema, path: str) -> dict[str, Any]:
        record = {}
        for field in schema["fields"]:
            name = field["name"]
            value = item.get(name, field.get("default"))
            record[name] = self._value(value, field["type"], f"{path}{name}")
        return record

    def _value(self, value: Any, schema: Any, path: str) -> Any:
        if isinstance(schema, list):
            return self._union(value, schema, path)
        if isinstance(schema, str) and schema in self._named:
            schema = self._named[schema]
        kind = schema["type"] if isinstance(schema, Mapping) else schema
        if isinstance(kind, Mapping | list):
            return self._value(value, kind, path)
        logical = schema.get("logicalType") if isinstance(schema, Mapping) else None
        try:
            if kind == "record":
                return self._record(value, schema, f"{path}.")
            if kind == "array":
                return [self._value(one, schema["items"], f"{path}[]") for one in value]
            if kind == "map":
                return {str(key): self._value(one, schema["values"], f"{path}.{key}") for key, one in value.items()}
            return self._logical(value, logical) if logical in _LOGICAL else self._plain(value, kind)
        except (TypeError, ValueError, AttributeError, InvalidOperation):
            shown = type(value).__name__ if isinstance(value, Mapping | list) else repr(value)
            raise FormatError(f"field `{path}` is {shown}, and must be {logical or kind}") from None

    def _union(self, value: Any, schemas: list[Any], path: str) -> Any:
        # Text that may be text stays: an empty one is no absent one.
        if "null" in schemas and (value is None or ("string" not in schemas and self._is_null(value))):
            return None
        problem: FormatError | None = None
        for schema in sorted((one for one in schemas if one != "null"), key=lambda one: one == "string"):
            try:
                return self._value(value, schema, path)
            except FormatError as error:
                problem = problem or error
        raise problem or FormatError(f"field `{path}` must be empty")

    def _is_null(self, value: Any) -> bool:
        return value is None or (isinstance(value, str) and value.strip().lower() in self._words.null)

    def _plain(self, value: Any, kind: str) -> Any:
        if kind == "null":
            if not self._is_null(value):
                raise ValueError(kind)
            return None
        if value is None:
            raise ValueError(kind)
        if kind == "boolean":
            return self._truth(value)
        if kind in ("int", "long"):
            return _whole(value)
        if kind in ("float", "double"):
            return float(value)
        if kind in ("bytes", "fixed"):
            return bytes_of(value)
        return value.isoformat() if isinstance(value, date) else str(value)

    def _truth(self, value: Any) -> bool:
        text = str(value).strip().lower()
        if text in self._words.true:
            return True
        if text in self._words.false:
            return False
        raise ValueError(value)

    @staticmethod
    def _logical(value: Any, logical: str) -> Any:
        wanted = _LOGICAL[logical]
        if wanted is Decimal:
            return Decimal(str(value))
        if wanted is time:
            return value if isinstance(value, time) else time.fromisoformat(str(value))
        moment = value if isinstance(value, date) else datetime.fromisoformat(str(value))
        if wanted is date:
            return moment.date() if isinstance(moment, datetime) else moment
        if not isinstance(moment, datetime):
            moment = datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
        if logical.startswith("local"):
            return moment.replace(tzinfo=None)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _whole(value: Any) -> int:
    number = Decimal(str(value)) if not isinstance(value, int) else value
    if number != int(number):
        raise ValueError(value)
    return int(number)
