"""What a property wants, read from its annotation: text or numbers, lists or maps, models, definitions.

`settle` brings a value of the YAML reader into that form: where only text will do, `version: 1.10` becomes `1.10` and
`DEBUG: true` becomes `true`, as written; everywhere else numbers and booleans are themselves.
"""

from __future__ import annotations

import enum
import types
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import AliasChoices, BaseModel
from pydantic.fields import FieldInfo

from penstock.model.markers import InputDefinitions, Literally, Typed
from penstock.model.registry import TypeKind
from penstock.model.scalars import plain, written

NEWER_NAMES = frozenset({"when"})
"""Second names of properties that are not older but newer: the spellings of 2.0 (BEY-050)."""


class Amount(enum.Enum):
    """How definitions stand in a property."""

    ONE = "one"
    LIST = "list"
    LISTS = "named lists"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a value may be; the parts of a union together."""

    text: bool = False
    """Scalars are wanted as text, and not as numbers or booleans."""
    items: Wanted | None = None
    """What the items of a list want."""
    values: Wanted | None = None
    """What the values of a map want."""
    model: type[BaseModel] | None = None
    """The model that a map becomes."""
    kind: TypeKind | None = None
    """It holds definitions of this kind."""
    amount: Amount = Amount.ONE
    inputs: bool = False
    """It holds input definitions."""
    literal: bool = False
    """It is never rendered."""


@dataclass(frozen=True, slots=True)
class FieldShape:
    """One property of a model."""

    attribute: str
    name: str
    """As written in YAML."""
    older_names: tuple[str, ...]
    """Other names it is accepted by: older ones, and those of `NEWER_NAMES`."""
    required: bool
    wanted: Wanted


@dataclass(frozen=True, slots=True)
class Shape:
    """The properties of a model."""

    fields: tuple[FieldShape, ...]
    by_name: dict[str, FieldShape]
    """By every accepted name, older ones included."""
    open: bool
    """Whether other names are accepted too."""
    nesting: tuple[FieldShape, ...]
    """Those that hold definitions, at any depth."""

    @property
    def names(self) -> list[str]:
        """The documented names."""
        return [field.name for field in self.fields]


ANYTHING = Wanted()


@lru_cache(maxsize=4096)
def shape_of(model: type[BaseModel]) -> Shape:
    """Return the shape of a model class."""
    fields = []
    for attribute, info in model.model_fields.items():
        name, older = _names(attribute, info)
        fields.append(FieldShape(attribute, name, older, info.is_required(), _field_wanted(info)))
    by_name = {older: field for field in fields for older in field.older_names}
    by_name.update({field.name: field for field in fields})
    nesting = tuple(field for field in fields if _nests(field.wanted, {model}))
    return Shape(tuple(fields), by_name, model.model_config.get("extra") == "allow", nesting)


def _field_wanted(info: FieldInfo) -> Wanted:
    return _marked(wanted_of(info.annotation), info.annotation, info.metadata)


def _nests(wanted: Wanted, seen: set[type[BaseModel]]) -> bool:
    if wanted.kind is not None or wanted.inputs:
        return True
    if wanted.model is not None and wanted.model not in seen:
        seen = {*seen, wanted.model}
        if any(_nests(_field_wanted(info), seen) for info in wanted.model.model_fields.values()):
            return True
    return any(part is not None and _nests(part, seen) for part in (wanted.items, wanted.values))


def _names(attribute: str, info: FieldInfo) -> tuple[str, tuple[str, ...]]:
    alias = info.validation_alias
    if isinstance(alias, AliasChoices):
        names = [choice for choice in alias.choices if isinstance(choice, str)]
        return names[0], tuple(names[1:])
    return (alias if isinstance(alias, str) else info.alias or attribute), ()


def wanted_of(annotation: Any) -> Wanted:
    """Return what an annotation wants."""
    origin = get_origin(annotation)
    arguments = get_args(annotation)
    if origin is Annotated:
        return _marked(wanted_of(arguments[0]), arguments[0], arguments[1:])
    if origin in (Union, types.UnionType):
        return _together([wanted_of(part) for part in arguments if part is not type(None)])
    if origin is Literal:
        return Wanted(text=all(isinstance(value, str) for value in arguments))
    kind = origin or annotation
    if not isinstance(kind, type):
        return ANYTHING
    if issubclass(kind, str):
        return Wanted(text=True)
    if issubclass(kind, BaseModel):
        return Wanted(model=kind)
    if issubclass(kind, Mapping):
        return Wanted(values=wanted_of(arguments[1]) if len(arguments) == 2 else None)
    if issubclass(kind, Sequence | Set):
        return Wanted(items=wanted_of(arguments[0]) if arguments else None)
    # A wrapper such as `Property[T]` wants what its content wants.
    return wanted_of(arguments[0]) if len(arguments) == 1 else ANYTHING


def _marked(wanted: Wanted, annotation: Any, marks: Sequence[Any]) -> Wanted:
    for mark in marks:
        if isinstance(mark, Typed):
            wanted = replace(wanted, kind=mark.kind, amount=_amount(annotation))
        elif isinstance(mark, InputDefinitions):
            wanted = replace(wanted, inputs=True)
        elif isinstance(mark, Literally):
            wanted = replace(wanted, literal=True)
    return wanted


def _amount(annotation: Any) -> Amount:
    if get_origin(annotation) in (Union, types.UnionType):
        annotation = next(part for part in get_args(annotation) if part is not type(None))
    origin = get_origin(annotation)
    if not isinstance(origin, type) or not issubclass(origin, Mapping):
        return Amount.LIST if isinstance(origin, type) and issubclass(origin, Sequence) else Amount.ONE
    return Amount.LISTS if get_origin(get_args(annotation)[1]) is list else Amount.ONE


def _together(parts: list[Wanted]) -> Wanted:
    def first(name: str) -> Any:
        return next((value for part in parts if (value := getattr(part, name)) is not None), None)

    scalars = [part for part in parts if not (part.items or part.values or part.model or part.kind)]
    marked = next((part for part in parts if part.kind is not None), None)
    return Wanted(
        text=bool(scalars) and all(part.text for part in scalars),
        items=first("items"),
        values=first("values"),
        model=first("model"),
        kind=marked.kind if marked else None,
        amount=marked.amount if marked else Amount.ONE,
        inputs=any(part.inputs for part in parts),
        literal=any(part.literal for part in parts),
    )


def settle(value: Any, wanted: Wanted) -> Any:
    """Return a value in the form that is wanted; never judges it. Definitions are left to their own readers."""
    kind = type(value)
    if kind is str or value is None or wanted.kind is not None or wanted.inputs:
        return value
    if kind is dict:
        if wanted.model is not None:
            by_name = shape_of(wanted.model).by_name
            return {
                key: settle(item, by_name[key].wanted if key in by_name else ANYTHING) for key, item in value.items()
            }
        return {key: settle(item, wanted.values or ANYTHING) for key, item in value.items()}
    if kind is list:
        return [settle(item, wanted.items or ANYTHING) for item in value]
    return written(value) if wanted.text else plain(value)
