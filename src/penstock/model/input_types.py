"""Inputs as declared, a class per kind of constraint. Implements ENG-158 to ENG-188, MIG-044."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AliasChoices, Field, field_validator, model_validator

from penstock.expressions.errors import ExpressionError
from penstock.expressions.regexes import compiled
from penstock.model.base import INPUT_ID_PATTERN, FlowModel
from penstock.model.markers import Literally
from penstock.model.values import TYPES, Mismatch, coerce, comparable

TypeName = Literal[
    "STRING", "INT", "FLOAT", "BOOLEAN", "BOOL", "DATETIME", "DATE", "TIME", "DURATION", "FILE", "JSON", "YAML",
    "URI", "URL", "SECRET", "ARRAY", "SELECT", "ENUM", "MULTISELECT", "EMAIL",
]  # fmt: skip


class DependsOn(FlowModel):
    """When an input is asked for (ENG-164, ENG-402)."""

    inputs: list[str] | None = Field(None, description="Inputs that must have a value first.")
    condition: str | bool | None = Field(None, description="An expression that must hold.")


class Input(FlowModel):
    """What every input has."""

    types: ClassVar[tuple[str, ...]] = ("FILE", "JSON", "YAML", "URI", "URL", "EMAIL", "BOOLEAN", "BOOL")

    id: str = Field(
        pattern=INPUT_ID_PATTERN,
        validation_alias=AliasChoices("id", "name"),
        description="Read as `inputs.<id>`; a dot nests it in an object.",
    )
    type: TypeName = Field(description="The type of the value.")
    description: Annotated[str | None, Literally()] = Field(None, description="Markdown, shown in the launch form.")
    display_name: Annotated[str | None, Literally()] = Field(None, description="Shown instead of the id.")
    required: bool = Field(True, description="Whether an execution needs a value.")
    defaults: Any = Field(None, description="The value when none is given; may be an expression.")
    prefill: Any = Field(None, description="What the launch form starts with; may be cleared.")
    expression: str | None = Field(None, description="Renders to the values to choose from, or to the default.")
    depends_on: DependsOn | None = Field(None, description="Ask only under a condition.")

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.defaults is not None and not self.required:
            raise ValueError("`defaults` and `required: false` exclude each other; use `prefill` for a first proposal")
        if self.defaults is not None and self.prefill is not None:
            raise ValueError("`defaults` and `prefill` exclude each other")
        return self

    def refused(self) -> Iterator[tuple[str, str]]:
        """Yield (property, what it must be) for fixed values that the input itself would refuse (ENG-403)."""
        for name in ("defaults", "prefill"):
            value = getattr(self, name)
            if value is not None and not has_expression(value):
                try:
                    self.accept(value)
                except Mismatch as mismatch:
                    yield name, mismatch.wanted

    def accept(self, value: Any) -> Any:
        """Return a value as the type has it.

        Raises:
            Mismatch: It is not of the type, or outside the declared bounds.
        """
        return coerce(self.type, value)


def has_expression(value: Any) -> bool:
    """Whether a value, or something in it, is an expression."""
    if isinstance(value, str):
        return "{{" in value or "{%" in value
    if isinstance(value, dict):
        return any(has_expression(item) for item in (*value, *value.values()))
    return isinstance(value, list) and any(has_expression(item) for item in value)


class TextInput(Input):
    """Text, checked by a regular expression. Implements ENG-172, ENG-186, ENG-190."""

    types: ClassVar[tuple[str, ...]] = ("STRING", "SECRET")
    defaults: str | None = Field(None, description="The value when none is given; may be an expression.")
    prefill: str | None = Field(None, description="What the launch form starts with; may be cleared.")
    validator: str | None = Field(None, description="A regular expression that the whole value must match.")

    @field_validator("validator")
    @classmethod
    def _is_pattern(cls, pattern: str | None) -> str | None:
        if pattern is not None:
            try:
                compiled(pattern)
            except ExpressionError as error:
                raise ValueError(f"`{pattern}` is no regular expression") from error
        return pattern

    def accept(self, value: Any) -> Any:
        """Return the text, when the pattern matches all of it."""
        return self.matching(value, REGEX_TIMEOUT)

    def matching(self, value: Any, timeout: float) -> Any:
        """Return the text, when the pattern matches all of it within some seconds.

        Raises:
            Mismatch: It does not.
        """
        text = coerce(self.type, value)
        if self.validator is None:
            return text
        try:
            matches = compiled(self.validator).fullmatch(text, timeout=timeout) is not None
        except TimeoutError:
            raise Mismatch(f"something that `{self.validator}` can be tried on within {timeout:g} s") from None
        if not matches:
            raise Mismatch(f"a text that matches `{self.validator}`")
        return text


REGEX_TIMEOUT = 10.0
"""Seconds a validator may take (ENG-190)."""


class _Bounded(Input):
    """Values with a smallest and a largest; both are allowed (ENG-191, ENG-403)."""

    bounds: ClassVar[tuple[str, str]] = ("min", "max")

    def accept(self, value: Any) -> Any:
        """Return the value, when it lies within the bounds."""
        result = coerce(self.type, value)
        mine = comparable(self.type, result)
        low, high = (getattr(self, name) for name in self.bounds)
        if low is not None and mine < self._measure(low):
            raise Mismatch(self._range())
        if high is not None and mine > self._measure(high):
            raise Mismatch(self._range())
        return result

    def _range(self) -> str:
        low, high = (getattr(self, name) for name in self.bounds)
        words = ("at least", "at most") if self.bounds[0] == "min" else ("not before", "not after")
        pairs = zip(words, (low, high), strict=True)
        return " and ".join(f"{word} {bound}" for word, bound in pairs if bound is not None)

    @model_validator(mode="after")
    def _has_bounds_of_its_type(self) -> Self:
        for name in self.bounds:
            value = getattr(self, name)
            if value is not None:
                try:
                    coerce(self.type, value)
                except Mismatch as mismatch:
                    raise ValueError(f"`{name}` must be {mismatch.wanted}") from None
        low, high = (getattr(self, name) for name in self.bounds)
        if low is not None and high is not None and self._measure(low) > self._measure(high):
            raise ValueError(f"`{self.bounds[0]}` {low} is beyond `{self.bounds[1]}` {high}: no value can be given")
        return self

    def _measure(self, value: Any) -> Any:
        return comparable(self.type, coerce(self.type, value))


class IntegerInput(_Bounded):
    """A whole number. Implements ENG-173."""

    types: ClassVar[tuple[str, ...]] = ("INT",)
    min: int | None = Field(None, description="The smallest value allowed.")
    max: int | None = Field(None, description="The largest value allowed.")


class DecimalInput(_Bounded):
    """A number. Implements ENG-174."""

    types: ClassVar[tuple[str, ...]] = ("FLOAT",)
    min: float | None = Field(None, description="The smallest value allowed.")
    max: float | None = Field(None, description="The largest value allowed.")


class DurationInput(_Bounded):
    """A length of time. Implements ENG-181."""

    types: ClassVar[tuple[str, ...]] = ("DURATION",)
    min: str | None = Field(None, description="The shortest duration allowed.")
    max: str | None = Field(None, description="The longest duration allowed.")


class DateInput(_Bounded):
    """A date, a time of day, or both. Implements ENG-178 to ENG-180."""

    types: ClassVar[tuple[str, ...]] = ("DATE", "TIME", "DATETIME")
    bounds: ClassVar[tuple[str, str]] = ("after", "before")
    defaults: str | None = Field(None, description="The value when none is given; may be an expression.")
    prefill: str | None = Field(None, description="What the launch form starts with; may be cleared.")
    after: str | None = Field(None, description="The earliest value allowed.")
    before: str | None = Field(None, description="The latest value allowed.")


class ChoiceInput(Input):
    """One value of a list, or several. Implements ENG-165 to ENG-167, ENG-176, ENG-177."""

    types: ClassVar[tuple[str, ...]] = ("SELECT", "ENUM", "MULTISELECT")
    values: list[str] | None = Field(None, min_length=1, description="What can be chosen.")
    auto_select_first: bool = Field(False, description="Take the first value when none is given.")
    allow_custom_value: bool = Field(False, description="Accept values outside the list.")
    is_radio: bool = Field(False, description="Show the values as radio buttons.")

    @model_validator(mode="after")
    def _has_values(self) -> Self:
        if self.values is None and self.expression is None:
            raise ValueError("`values` or `expression` is required")
        return self

    def accept(self, value: Any) -> Any:
        """Return the choice, when it is one of the fixed values."""
        return self.choose(value, self.values)

    def choose(self, value: Any, values: list[str] | None) -> Any:
        """Return the choice, when it is one of these values (any, while they are not known)."""
        result = coerce(self.type, value)
        if values is None or self.allow_custom_value:
            return result
        chosen = result if isinstance(result, list) else [result]
        if any(one not in values for one in chosen):
            few = ", ".join(values[:20]) + (", ..." if len(values) > 20 else "")
            raise Mismatch(f"{'chosen from' if isinstance(result, list) else 'one of'} {few}")
        return result


class ArrayInput(Input):
    """A list. Implements ENG-187."""

    types: ClassVar[tuple[str, ...]] = ("ARRAY",)
    item_type: TypeName = Field(description="The type of the items.")

    def accept(self, value: Any) -> Any:
        """Return the list, each item as its type has it."""
        return coerce(self.type, value, item_type=self.item_type)


class FileInput(Input):
    """A file. Implements ENG-182."""

    types: ClassVar[tuple[str, ...]] = ("FILE",)
    allowed_file_extensions: list[str] | None = Field(None, description="Such as `.csv`; others are refused.")

    def accept(self, value: Any) -> Any:
        """Return the URI, when its name ends as it may."""
        uri: str = coerce(self.type, value)
        allowed = self.allowed_file_extensions
        if allowed and not uri.lower().endswith(tuple(f".{one.lstrip('.').lower()}" for one in allowed)):
            raise Mismatch(f"a file whose name ends in {' or '.join(allowed)}")
        return uri


class PlainInput(Input):
    """A value that only its type constrains. Implements ENG-175, ENG-183 to ENG-185, ENG-188."""

    types: ClassVar[tuple[str, ...]] = ("BOOLEAN", "BOOL", "JSON", "YAML", "URI", "URL", "EMAIL")


CLASSES: tuple[type[Input], ...] = (
    TextInput, IntegerInput, DecimalInput, DurationInput, DateInput, ChoiceInput, ArrayInput, FileInput, PlainInput,
)  # fmt: skip
BY_TYPE: dict[str, type[Input]] = {name: cls for cls in CLASSES for name in cls.types}
assert set(BY_TYPE) == set(TYPES)
