"""A property's value: rendered by whoever can, and converted to its type. Implements EXP-007, PLG-014."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, ValidationError

from penstock.base.codec import from_json
from penstock.sdk.errors import PluginError
from penstock.sdk.property import Property

_SHOWN = 100


class InvalidProperty(PluginError):
    """A property was rendered into something its type does not take (EXP-007)."""

    code = "INVALID_PROPERTY"


class PropertyValues:
    """Gives the values of a task's properties.

    Args:
        text: Renders a template.
        nested: Renders all texts in a structure.
        hide: Masks secrets in what errors show.
    """

    __slots__ = ("_hide", "_nested", "_text")

    def __init__(
        self, text: Callable[[str], str], nested: Callable[[Any], Any], hide: Callable[[str], str] = str
    ) -> None:
        self._text = text
        self._nested = nested
        self._hide = hide

    def value(self, task: BaseModel | None, value: Any, default: Any) -> Any:
        """Return a property's value, rendered and converted to its type; `default` when it is absent.

        Raises:
            InvalidProperty: It does not fit the type.
        """
        if value is None:
            return default
        if type(value) is str:
            return self._text(value)
        if not isinstance(value, Property):
            raise TypeError(f"only a Property or a text can be rendered, not {type(value).__name__}")
        try:
            if value.static:
                return value.convert(value.raw)
            if isinstance(value.raw, str):
                return _converted(value, self._text(value.raw))
            return value.convert(self._nested(value.raw))
        except ValidationError as error:
            raise self._invalid(task, value, error) from None

    def _invalid(self, task: BaseModel | None, value: Property[Any], error: ValidationError) -> InvalidProperty:
        name = _name_of(task, value)
        problems = []
        for problem in error.errors(include_url=False, include_context=False):
            place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in problem["loc"])
            given = self._hide(str(problem["input"]))
            shown = given if len(given) <= _SHOWN else given[:_SHOWN] + "..."
            problems.append(f"`{name}{place}`: {problem['msg']}, but `{shown}` was given")
        return InvalidProperty("; ".join(dict.fromkeys(problems)), hint="see what its expression renders to")


def _converted(value: Property[Any], text: str) -> Any:
    """Return a rendered text as the property's type: as it is, or as the JSON it holds (EXP-007)."""
    try:
        return value.convert(text)
    except ValidationError:
        if text.lstrip()[:1] not in ("{", "["):
            raise
        try:
            parsed = from_json(text)
        except ValueError:
            parsed = text
        return value.convert(parsed)


def _name_of(model: BaseModel | None, wanted: Property[Any]) -> str:
    """Return the YAML name of the property, looked for in the task and the models inside it."""
    if model is not None:
        for name, field in type(model).model_fields.items():
            found = getattr(model, name)
            shown = field.alias or name
            if found is wanted:
                return shown
            if isinstance(found, BaseModel) and (inner := _name_of(found, wanted)) != "a property":
                return f"{shown}.{inner}"
    return "a property"
