"""Checking definitions while a flow is read: types, property names, values, ids, and everything nested in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from penstock.model.complaints import Complaint, closest, unknown_property
from penstock.model.definitions import Completer, make_model, map_nested
from penstock.model.input_types import BY_TYPE, Input
from penstock.model.problems import Path, Severity
from penstock.model.registry import KIND_WORDS, TypeEntry, TypeKind
from penstock.model.scalars import plain, written
from penstock.model.values import OLDER_TYPES
from penstock.model.wanted import ANYTHING, NEWER_NAMES, FieldShape, Shape, settle, shape_of

Report = Callable[[Complaint, Severity], None]


_OF_TRIGGER = ("triggers", 0, "conditions", 0)
"""A path of a condition that a trigger itself has; what lies deeper stands in another condition."""
_ALTERNATIVES = "put it under `conditions` of the trigger itself; for alternatives, write one trigger for each"


@dataclass(frozen=True, slots=True)
class KnownTask:
    """A task found while checking: what references can be checked against."""

    id: str
    entry: TypeEntry | None
    definition: Mapping[str, Any]
    path: Path
    in_loop: bool


class Checker:
    """Walks definitions, reports what is wrong, and returns them with their scalars settled.

    Args:
        completer: Applies defaults before a definition is judged (ENG-317).
        report: Takes what is found.
    """

    def __init__(self, completer: Completer, report: Report) -> None:
        self._completer = completer
        self._report = report
        self._loops = 0
        self._ids: dict[TypeKind, dict[str, Path]] = {TypeKind.TASK: {}, TypeKind.TRIGGER: {}}
        self._misspelt: set[Path] = set()
        self.tasks: list[KnownTask] = []
        self.rendered: list[tuple[Path, str]] = []
        """Every text that is rendered some time, and where it stands."""

    def _error(self, path: Path, message: str, hint: str = "", code: str = "INVALID_PROPERTY") -> None:
        self._report(Complaint(path, message, hint, code), Severity.ERROR)

    def _deprecated(self, path: Path, message: str, hint: str) -> None:
        self._report(Complaint(path, message, hint, "DEPRECATED"), Severity.DEPRECATION)

    def _renamed(self, path: Path, old: str, new: str) -> None:
        message, hint = f"`{old}` is an older name", f"write `{new}`"
        self._report(Complaint(path, message, hint, "DEPRECATED", (old, new)), Severity.DEPRECATION)

    def definition(self, raw: dict[str, Any], kind: TypeKind | None, path: Path) -> Any:
        """Return a definition as written with its scalars settled; what is wrong with it is reported."""
        if kind is None:
            return self.input(raw, path)[0]
        entry = self._entry(raw, kind, path)
        self._take_id(raw, kind, path, entry)
        is_inner = kind is TypeKind.CONDITION and len(path) > len(_OF_TRIGGER)
        if is_inner and entry is not None and getattr(entry.cls, "remembers", False):
            message = "what it waits for is not remembered here: all must hold of one execution"
            self._report(Complaint((*path, "type"), message, _ALTERNATIVES, "NOT_REMEMBERED"), Severity.WARNING)
        if entry is None:
            settled = plain(raw)
            if kind is TypeKind.TASK and not isinstance(raw.get("id"), str):
                self._error((*path, "id"), "`id` is required", code="MISSING_PROPERTY")
            return settled
        shape = shape_of(entry.cls)
        settled = self._settled(raw, shape, path)
        is_loop = kind is TypeKind.TASK and _is_loop(entry)
        self._loops += is_loop
        settled = map_nested(settled, shape, path, self.definition)
        self._loops -= is_loop
        warn_of_policies(raw, path, self._report)
        self._judge(settled, entry, shape, path)
        return settled

    def _entry(self, raw: Mapping[str, Any], kind: TypeKind, path: Path) -> TypeEntry | None:
        name = raw.get("type")
        word = KIND_WORDS[kind]
        if not isinstance(name, str) or not name:
            self._error((*path, "type"), "`type` is required", f"name the type of the {word}", "MISSING_PROPERTY")
            return None
        found = self._completer.find(raw)
        if found is None:
            if reason := self._completer.why_refused(raw, name):
                hint = "install a version of the plugin that fits, or name another one"
                self._error((*path, "type"), f"`{name}` is not available: {reason}", hint, "UNKNOWN_TYPE")
                return None
            near = self._completer.registry.suggest(name)
            hint = f"did you mean `{near}`?" if near else "install the plugin that provides it"
            self._error((*path, "type"), f"unknown type `{name}`", hint, "UNKNOWN_TYPE")
            return None
        if found.entry.kind is not kind:
            is_word = KIND_WORDS[found.entry.kind]
            hint = f"it belongs under `{found.entry.kind}`"
            self._error((*path, "type"), f"`{name}` is a {is_word}, not a {word}", hint, "WRONG_KIND")
            return None
        if found.alias is not None:
            self._renamed((*path, "type"), name, found.entry.name)
        elif deprecation := getattr(found.entry.cls, "type_deprecation", ""):
            self._deprecated((*path, "type"), f"`{found.entry.name}` is deprecated", deprecation)
        warning = getattr(found.entry.cls, "type_warning", "")
        if warning:
            self._report(Complaint((*path, "type"), warning, code="TYPE_WARNING"), Severity.WARNING)
        return found.entry

    def _take_id(self, raw: Mapping[str, Any], kind: TypeKind, path: Path, entry: TypeEntry | None) -> None:
        taken = self._ids.get(kind)
        identifier = written(raw.get("id"))
        if taken is None or not isinstance(identifier, str):
            return
        if identifier in taken:
            hint = "ids are unique within the flow" + (", nested tasks included" if kind is TypeKind.TASK else "")
            self._error((*path, "id"), f"a {KIND_WORDS[kind]} `{identifier}` exists already", hint, "DUPLICATE_ID")
        taken.setdefault(identifier, path)
        if kind is TypeKind.TASK:
            self.tasks.append(KnownTask(identifier, entry, raw, path, self._loops > 0))

    def _settled(self, raw: Mapping[str, Any], shape: Shape, path: Path) -> dict[str, Any]:
        result = {}
        for key, value in raw.items():
            field = shape.by_name.get(key)
            if field is None and not shape.open:
                self._unknown(key, shape, path)
            elif field is not None and key != field.name:
                self._older(key, field, raw, path)
            result[key] = settled = settle(value, field.wanted if field else ANYTHING)
            if field is None or not (field.wanted.literal or field.wanted.kind or field.name == "type"):
                self._note(settled, field, (*path, key))
        return result

    def _unknown(self, key: str, shape: Shape, path: Path) -> None:
        self._report(unknown_property((*path, key), shape.names), Severity.ERROR)
        near = closest(key, shape.names)
        if near is not None:
            self._misspelt.add((*path, near))

    def _older(self, key: str, field: FieldShape, raw: Mapping[str, Any], path: Path) -> None:
        if field.name in raw:
            self._error((*path, key), f"`{key}` is another name of `{field.name}`", "keep one of the two")
        elif key not in NEWER_NAMES:
            self._renamed((*path, key), key, field.name)

    def _note(self, value: Any, field: FieldShape | None, path: Path) -> None:
        """Remember the texts in a value that hold expressions; those in nested definitions note themselves."""
        if isinstance(value, str):
            if "{" in value:
                self.rendered.append((path, value))
        elif isinstance(value, dict | list) and (field is None or not _nests(field)):
            self.rendered.extend(texts(value, path))

    def note(self, value: Any, path: Path) -> None:
        """Remember the texts of a value outside of definitions that is rendered some time."""
        self.rendered.extend(texts(value, path))

    def _judge(self, settled: dict[str, Any], entry: TypeEntry, shape: Shape, path: Path) -> None:
        complete = self._completer.complete(settled, entry)
        known = {key: value for key, value in complete.items() if shape.open or key in shape.by_name}
        for complaint in make_model(entry.cls, known)[1]:
            complaint = _at(complaint, path, settled, shape)
            # What is missing only because its name is misspelt has been told already.
            if complaint.code != "MISSING_PROPERTY" or complaint.path not in self._misspelt:
                self._report(complaint, Severity.ERROR)

    def input(self, raw: dict[str, Any], path: Path) -> tuple[Any, Input | None]:
        """Return an input definition as written with its scalars settled, and the input it declares."""
        name = raw.get("type")
        model = BY_TYPE.get(name) if isinstance(name, str) else None
        if model is None:
            if name is None:
                self._error((*path, "type"), "`type` is required", "such as STRING", "MISSING_PROPERTY")
            else:
                near = closest(str(name), BY_TYPE)
                hint = f"did you mean `{near}`?" if near else f"one of {', '.join(BY_TYPE)}"
                self._error((*path, "type"), f"unknown input type `{name}`", hint, "UNKNOWN_TYPE")
            return plain(raw), None
        if name in OLDER_TYPES:
            self._renamed((*path, "type"), str(name), OLDER_TYPES[str(name)])
        shape = shape_of(model)
        settled = self._settled(raw, shape, path)
        known = {key: value for key, value in settled.items() if key in shape.by_name}
        made, wrong = make_model(model, known)
        for complaint in wrong:
            self._report(_at(complaint, path, settled, shape), Severity.ERROR)
        if made is not None:
            for key, wanted in made.refused():
                self._error((*path, key), f"must be {wanted}")
        return settled, made


def warn_of_policies(data: Mapping[str, Any], path: Path, report: Report) -> None:
    """Say that `policyRefs`, a property of 2.0, has no effect (BEY-050)."""
    if data.get("policyRefs"):
        hint = "the property is accepted and has no effect"
        report(Complaint((*path, "policyRefs"), "there are no policies here", hint, "NO_EFFECT"), Severity.WARNING)


def _is_loop(entry: TypeEntry) -> bool:
    return bool(getattr(entry.cls, "is_loop", False))


def _nests(field: FieldShape) -> bool:
    return field.wanted.kind is not None or field.wanted.inputs


def _at(complaint: Complaint, path: Path, settled: Mapping[str, Any], shape: Shape) -> Complaint:
    """Return a complaint with its path from the document's root, in the names that were written."""
    inner = complaint.path
    if inner and inner[0] not in settled and (field := shape.by_name.get(str(inner[0]))):
        used = next((name for name in field.older_names if name in settled), None)
        inner = (used, *inner[1:]) if used else inner
    return Complaint((*path, *inner), complaint.message, complaint.hint, complaint.code)


def texts(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    """Yield the texts in a value that may hold expressions, each with its path; keys are texts too (EXP-001)."""
    if isinstance(value, str):
        if "{" in value:
            yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            if "{" in key:
                yield (*path, key), key
            yield from texts(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from texts(item, (*path, index))
