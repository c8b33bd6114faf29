"""pydantic's errors in the words of flow authors, and at the path where the value stands in the document."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from penstock.base.errors import PenstockError
from penstock.model.base import ID_PATTERN, INPUT_ID_PATTERN, NAMESPACE_PATTERN
from penstock.model.problems import Path
from penstock.model.wanted import Wanted, shape_of

_KINDS = {
    "string_type": "text",
    "string_sub_type": "text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "dict_type": "a map",
    "mapping_type": "a map",
    "model_type": "a map",
    "model_attributes_type": "a map",
    "dataclass_type": "a map",
    "none_required": "empty",
    "date_parsing": "a date such as 2026-01-31",
    "date_from_datetime_parsing": "a date such as 2026-01-31",
    "datetime_parsing": "a date-time such as 2026-01-31T10:00:00Z",
    "datetime_from_date_parsing": "a date-time such as 2026-01-31T10:00:00Z",
    "time_parsing": "a time such as 10:15:30",
    "time_delta_parsing": "a duration such as PT5M",
    "url_parsing": "a URL",
}
_BOUNDS = {
    "greater_than": ("gt", "must be more than {}"),
    "greater_than_equal": ("ge", "must be at least {}"),
    "less_than": ("lt", "must be less than {}"),
    "less_than_equal": ("le", "must be at most {}"),
    "string_too_short": ("min_length", "must have at least {} characters"),
    "string_too_long": ("max_length", "must have at most {} characters"),
    "string_pattern_mismatch": ("pattern", ""),
}
_LETTERS = "letters, digits, `-` and `_`, beginning with a letter or a digit"
_NAMES = {
    ID_PATTERN: ("an id", _LETTERS),
    INPUT_ID_PATTERN: ("the id of an input", f"{_LETTERS}; a dot makes it part of an object"),
    NAMESPACE_PATTERN: ("a namespace", "words of letters, digits, `-` and `_`, with a dot between them"),
}
_PRIVATE = re.compile(r"pass|secret|token|key|credential", re.IGNORECASE)
_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing that is wrong with a value."""

    path: Path
    message: str
    hint: str = ""
    code: str = "INVALID_PROPERTY"
    rename: tuple[str, str] | None = None
    """A name that stands there, and the one to write instead."""


def complaints(error: ValidationError, data: Any, model: type[BaseModel]) -> list[Complaint]:
    """Return what is wrong, one complaint a value and reason; paths lead from `data`."""
    kinds: dict[Path, list[str]] = {}
    values: dict[Path, Any] = {}
    result: list[Complaint] = []
    for detail in error.errors(include_url=False):
        path = _path(detail, data)
        kind = _kind(detail)
        if kind is not None:
            kinds.setdefault(path, []).append(kind)
            values[path] = detail["input"]
        else:
            complaint = _complaint(detail, path, model)
            if complaint not in result:
                result.append(complaint)
    told = {complaint.path for complaint in result}
    for path, wanted in kinds.items():
        # Of a union, a branch that came further says more than one that wanted something else entirely.
        if not any(other[: len(path)] == path for other in told):
            result.append(Complaint(path, f"must be {_either(wanted)}{shown(values[path], path)}"))
    return result


def shown(value: Any, path: Path = ()) -> str:
    """Return `, not ...` for a value that may be repeated; nothing for long ones, and for what may be a secret."""
    if any(isinstance(step, str) and _PRIVATE.search(step) for step in path):
        return ""
    if value is None:
        return ", not empty"
    if isinstance(value, Mapping):
        return ", not a map"
    if isinstance(value, list | tuple):
        return ", not a list"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f", not `{text}`" if len(text) <= _SHOWN and "\n" not in text else ""


def _either(kinds: Sequence[str]) -> str:
    unique = list(dict.fromkeys(kinds))
    return unique[0] if len(unique) == 1 else f"{', '.join(unique[:-1])} or {unique[-1]}"


def _kind(detail: ErrorDetails) -> str | None:
    if detail["type"] in ("literal_error", "enum"):
        return "one of " + re.sub(r"'([^']*)'", r"`\1`", str(detail["ctx"]["expected"]))
    return _KINDS.get(detail["type"])


def _path(detail: ErrorDetails, data: Any) -> Path:
    """Return the part of pydantic's location that exists in the data: names of union branches are left out."""
    path: list[str | int] = []
    location = detail["loc"]
    for index, step in enumerate(location):
        if _has(data, step):
            data = data[step]
        elif index < len(location) - 1 or detail["type"] != "missing":
            continue
        path.append(step)
    return tuple(path)


def _has(data: Any, step: str | int) -> bool:
    if isinstance(data, Mapping):
        return step in data
    return isinstance(data, list) and isinstance(step, int) and step < len(data)


def _complaint(detail: ErrorDetails, path: Path, model: type[BaseModel]) -> Complaint:
    kind = detail["type"]
    context: Mapping[str, Any] = detail.get("ctx") or {}
    if kind == "missing":
        return Complaint(path, f"`{path[-1]}` is required", code="MISSING_PROPERTY")
    if kind == "extra_forbidden":
        return unknown_property(path, names_at(model, detail["loc"][:-1]))
    if kind in _BOUNDS:
        name, text = _BOUNDS[kind]
        if kind == "string_pattern_mismatch":
            return _unmatched(path, context["pattern"], detail["input"])
        return Complaint(path, text.format(context[name]) + shown(detail["input"], path))
    if kind in ("too_short", "too_long"):
        bound = context.get("min_length", context.get("max_length"))
        few = "at least" if kind == "too_short" else "at most"
        return Complaint(path, f"must have {few} {bound} {'item' if bound == 1 else 'items'}")
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        name = str(context["discriminator"]).strip("'")
        if kind == "union_tag_not_found":
            return Complaint((*path, name), f"`{name}` is required", code="MISSING_PROPERTY")
        expected = re.sub(r"'([^']*)'", r"`\1`", str(context["expected_tags"]))
        return Complaint((*path, name), f"must be one of {expected}{shown(context['tag'], (*path, name))}")
    if kind in ("value_error", "assertion_error"):
        cause = context.get("error")
        if isinstance(cause, PenstockError):
            return Complaint(path, cause.message, cause.hint)
        return Complaint(path, str(cause))
    return Complaint(path, detail["msg"][:1].lower() + detail["msg"][1:])


def _unmatched(path: Path, pattern: str, value: Any) -> Complaint:
    if pattern in _NAMES:
        word, hint = _NAMES[pattern]
        return Complaint(path, f"`{value}` cannot be {word}", hint)
    return Complaint(path, f"must match `{pattern}`{shown(value, path)}")


def unknown_property(path: Path, known: Iterable[str]) -> Complaint:
    """Return the complaint about a name nobody knows, with the nearest known one (ENG-399)."""
    name = str(path[-1])
    names = [one for one in known if one != name]  # one of another type may have it
    near = closest(name, names)
    hint = f"did you mean `{near}`?" if near else f"known here: {', '.join(sorted(names))}" if names else ""
    return Complaint(path, f"unknown property `{name}`", hint, "UNKNOWN_PROPERTY")


def closest(name: str, names: Iterable[str]) -> str | None:
    """Return the known name most like a wrong one, whatever its case and separators."""
    by_form = {re.sub(r"[-_]", "", known).lower(): known for known in names}
    form = re.sub(r"[-_]", "", name).lower()
    near = get_close_matches(form, by_form, n=1, cutoff=0.7)
    return by_form[near[0]] if near else None


def names_at(model: type[BaseModel], location: Sequence[str | int]) -> list[str]:
    """Return the property names known at a place inside a model; none when they are not known."""
    wanted: Wanted | None = Wanted(model=model)
    for step in location:
        if wanted is None:
            return []
        inner: Wanted | None = None
        if isinstance(step, int):
            inner = wanted.items
        elif wanted.model is not None and step in (by_name := shape_of(wanted.model).by_name):
            inner = by_name[step].wanted
        elif wanted.values is not None:
            inner = wanted.values
        else:
            inner = wanted  # the name of a union's branch
        wanted = inner
    return shape_of(wanted.model).names if wanted is not None and wanted.model is not None else []
