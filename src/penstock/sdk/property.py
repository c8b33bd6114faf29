"""`Property[T]`: a property that may be written as an expression and is rendered into `T` when the task runs (PLG-014)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, TypeVar, get_args

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, TypeAdapter
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

T = TypeVar("T")


def _has_expression(value: Any) -> bool:
    if isinstance(value, str):
        return "{{" in value or "{%" in value
    if isinstance(value, Mapping):
        return any(_has_expression(key) or _has_expression(item) for key, item in value.items())
    if isinstance(value, list):
        return any(_has_expression(item) for item in value)
    return False


class Property(Generic[T]):
    """The raw value of a dynamic property, as written in the flow, and the type it renders into.

    `context.render(property)` gives the typed value. A value without any expression is validated when the flow is
    read; one with an expression when it is rendered.
    """

    __slots__ = ("adapter", "raw", "static")

    def __init__(self, raw: Any, adapter: TypeAdapter[T] | None = None) -> None:
        self.raw = raw
        self.adapter = adapter
        self.static = not _has_expression(raw)

    @classmethod
    def of(cls, value: T) -> Property[T]:
        """Return a property that renders to this value; for defaults."""
        return cls(value)

    def convert(self, rendered: Any) -> T:
        """Return the rendered value as `T` (EXP-007).

        Raises:
            pydantic.ValidationError: It does not fit.
        """
        if self.adapter is None:
            return rendered  # type: ignore[no-any-return]  # a default given by `of` has its type already
        return self.adapter.validate_python(rendered)

    def __repr__(self) -> str:
        return f"Property({self.raw!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Property) and self.raw == other.raw

    def __hash__(self) -> int:
        return hash(repr(self.raw))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        inner_type = (get_args(source) or (Any,))[0]
        inner = handler.generate_schema(inner_type)
        adapter: TypeAdapter[Any] = TypeAdapter(inner_type)

        def wrap(value: Any) -> Property[Any]:
            if isinstance(value, Property):
                return value
            prop: Property[Any] = Property(value, adapter)
            if prop.static:
                adapter.validate_python(value)
            return prop

        return core_schema.no_info_plain_validator_function(
            wrap,
            serialization=core_schema.plain_serializer_function_ser_schema(lambda prop: prop.raw),
            metadata={"inner": inner},
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        inner = handler(schema["metadata"]["inner"])  # type: ignore[index, typeddict-item]  # set above
        if inner.get("type") == "string":
            return {**inner, "$dynamic": True}
        return {"anyOf": [inner, {"type": "string"}], "$dynamic": True}
