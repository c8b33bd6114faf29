"""`Property[T]`: a property that may be an expression, rendered into `T` when the task runs. Implements PLG-014.

A `Property[timedelta]` reads the durations of the flow language (ENG-240), which has no weeks, months and years.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import lru_cache
from typing import Annotated, Any, Generic, TypeVar, get_args

from pydantic import (
    BeforeValidator,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PydanticUserError,
    TypeAdapter,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from penstock.base.durations import DurationError, parse_duration
from penstock.expressions.values import text_of
from penstock.model.wanted import ANYTHING, Wanted, wanted_of

T = TypeVar("T")


def _has_expression(value: Any) -> bool:
    if isinstance(value, str):
        return "{{" in value or "{%" in value
    if isinstance(value, Mapping):
        return any(_has_expression(key) or _has_expression(item) for key, item in value.items())
    if isinstance(value, list):
        return any(_has_expression(item) for item in value)
    return False


def _length(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return timedelta(microseconds=parse_duration(value))
    except DurationError as error:
        raise ValueError(str(error)) from error


_DURATION = Annotated[timedelta, BeforeValidator(_length)]


class _Target:
    """The type a property renders into; what converts to it is made when first needed."""

    def __init__(self, annotation: Any) -> None:
        self.annotation = annotation
        self._adapter: TypeAdapter[Any] | None = None
        self._wanted: Wanted | None = None

    @property
    def adapter(self) -> TypeAdapter[Any]:
        """Converts and validates."""
        if self._adapter is None:
            try:
                self._adapter = TypeAdapter(self.annotation, config=ConfigDict(coerce_numbers_to_str=True))
            except PydanticUserError:  # a model brings its own configuration
                self._adapter = TypeAdapter(self.annotation)
        return self._adapter

    @property
    def wanted(self) -> Wanted:
        """Says where only text will do."""
        if self._wanted is None:
            self._wanted = wanted_of(self.annotation)
        return self._wanted


@lru_cache(maxsize=1024)
def _target_of(annotation: Any) -> _Target:
    return _Target(annotation)


class Property(Generic[T]):
    """The raw value of a dynamic property, as written in the flow, and the type it renders into.

    `context.render(property)` gives the typed value. A value without any expression is validated when the flow is
    read; one with an expression when it is rendered.
    """

    __slots__ = ("_target", "raw", "static")

    def __init__(self, raw: Any, target: _Target | None = None) -> None:
        self.raw = raw
        self.static = not _has_expression(raw)
        """Whether there is no expression in it."""
        self._target = target

    @classmethod
    def of(cls, value: T) -> Property[T]:
        """Return a property that renders to this value; for defaults."""
        return cls(value)

    def convert(self, rendered: Any) -> T:
        """Return the rendered value as `T` (EXP-007); where text is wanted, anything else as its text (EXP-006).

        Raises:
            pydantic.ValidationError: It does not fit.
        """
        target = self._target
        if target is None:
            return rendered  # type: ignore[no-any-return]  # a default given by `of` has its type already
        return target.adapter.validate_python(_as_text(rendered, target.wanted))  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        return f"Property({self.raw!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Property) and self.raw == other.raw

    def __hash__(self) -> int:
        return hash(repr(self.raw))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        annotation = (get_args(source) or (Any,))[0]
        if annotation is timedelta:
            annotation = _DURATION
        try:
            target = _target_of(annotation)
        except TypeError:  # constraints that cannot be hashed
            target = _Target(annotation)

        def wrap(value: Any, validate: core_schema.ValidatorFunctionWrapHandler) -> Property[Any]:
            if isinstance(value, Property):
                return value if value._target is not None else Property(value.raw, target)
            prop: Property[Any] = Property(value, target)
            if prop.static:
                validate(_as_text(value, target.wanted, scalars_only=True))
            return prop

        return core_schema.no_info_wrap_validator_function(
            wrap,
            handler.generate_schema(annotation),
            serialization=core_schema.plain_serializer_function_ser_schema(lambda prop: prop.raw),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        inner = handler(schema["schema"])
        if inner.get("type") == "string" and not inner.keys() & {"enum", "const", "format", "pattern"}:
            return {**inner, "$dynamic": True}
        return {"anyOf": [inner, {"type": "string"}], "$dynamic": True}


def _as_text(value: Any, wanted: Wanted, *, scalars_only: bool = False) -> Any:
    """Return a value with everything (or scalars alone) as text where only text will do."""
    kind = type(value)
    if kind is str or value is None or wanted is ANYTHING:
        return value
    if kind is dict and wanted.values is not None:
        inner = wanted.values
        return {text_of(key): _as_text(item, inner, scalars_only=scalars_only) for key, item in value.items()}
    if kind is list and wanted.items is not None:
        inner = wanted.items
        return [_as_text(item, inner, scalars_only=scalars_only) for item in value]
    if wanted.text and wanted.model is None and not (scalars_only and kind in (dict, list)):
        return text_of(value)
    return value
