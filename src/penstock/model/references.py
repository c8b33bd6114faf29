"""What expressions refer to, checked against what the flow declares.

Syntax errors are errors. A name that nothing declares is a warning, with the nearest name that is declared: what exists
at run time may depend on more than the flow. Implements EXP-009, EXP-042, BEY-033.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from penstock.expressions import ExpressionError
from penstock.expressions.template import Renderer
from penstock.model.checking import KnownTask
from penstock.model.complaints import Complaint, closest
from penstock.model.input_types import Input
from penstock.model.problems import Path, Severity
from penstock.model.wanted import shape_of

ROOTS = frozenset(
    (
        *("flow", "execution", "inputs", "outputs", "labels", "tasks", "task", "taskrun", "parent", "parents"),
        *("trigger", "vars", "namespace", "envs", "globals", "kestra", "workingDir", "outputDir", "bucketPath"),
        *("item", "response", "error", "raise", "_context"),
    )
)
"""Names an expression may begin with (EXP-020), those that only some types provide included; `raise` is never there."""
_COMPILER = Renderer(cache_size=0)
"""Keeps nothing, so that reading a large flow does not push out what running flows need."""
_GENERATED = ("_split", "_merge", "_items")
_HYPHENATED = re.compile(r"(?<![\w'\"])(inputs|outputs|tasks|vars)((?:\.\w+)*?)\.(\w+(?:-\w+)+)")
Finding = tuple[Complaint, Severity, int, int]
"""A complaint, its severity, and its line and column within the text (from 1)."""
_Note = tuple[str, str, str, Severity, int, int]
"""Message, hint, code, severity, line, column."""


@dataclass(frozen=True, slots=True)
class References:
    """The names a flow declares."""

    inputs: frozenset[str]
    """Ids, and the objects that dotted ids are part of."""
    tasks: Mapping[str, KnownTask]
    variables: frozenset[str]
    open_tasks: bool
    """Whether task runs may come from elsewhere (a template's tasks, a task rendered at run time)."""

    @classmethod
    def of(cls, data: Mapping[str, Any], inputs: Sequence[Input], tasks: Sequence[KnownTask]) -> References:
        """Return the names that a flow's data, inputs and tasks declare."""
        names: set[str] = set()
        for one in inputs:
            parts = one.id.split(".")
            names.update(".".join(parts[:count]) for count in range(1, len(parts) + 1))
        raw = data.get("inputs")
        for entry in raw if isinstance(raw, list) else ():
            # Inputs that could not be read exist all the same.
            if isinstance(entry, dict):
                names.update(str(entry[key]) for key in ("id", "name") if key in entry)
        declared = data.get("variables")
        variables = set(declared) if isinstance(declared, Mapping) else set()
        for task in tasks:
            # A task that sets variables names them the same way.
            added = task.definition.get("variables")
            variables.update(str(key).split(".")[0] for key in added or ()) if isinstance(added, Mapping) else None
        is_open = any(getattr(task.entry.cls, "brings_tasks", False) for task in tasks if task.entry)
        is_open = is_open or any(task.entry is None for task in tasks)
        return cls(frozenset(names), {task.id: task for task in tasks}, frozenset(variables), is_open)


def check_references(rendered: Iterable[tuple[Path, str]], known: References) -> Iterator[Finding]:
    """Yield what is wrong with the expressions of texts that are rendered some time."""
    seen: dict[str, list[_Note]] = {}
    for path, text in rendered:
        notes = seen.get(text)
        if notes is None:
            notes = seen[text] = list(_check(text, known))
        for message, hint, code, severity, line, column in notes:
            yield Complaint(path, message, hint, code), severity, line, column


def _check(text: str, known: References) -> Iterator[_Note]:
    try:
        template = _COMPILER.compile(text)
    except ExpressionError as error:
        yield error.reason, error.hint, error.code, Severity.ERROR, max(error.line, 1), max(error.column, 1)
        return
    if template.is_static:
        return
    split: set[str] = set()
    for match in _HYPHENATED.finditer(text):
        root, between, name = match.groups()
        if _is_known(root, name, known) and not between:
            split.update(part for part in name.split("-"))
            line, column = _place(text, match.start(3))
            message = f"`{root}.{name}` is a subtraction"
            yield message, f"write `{root}['{name}']`", "HYPHENATED_NAME", Severity.WARNING, line, column
    for reference in sorted(template.references):
        for message, hint, name in _undeclared(reference, known):
            if name not in split:
                line, column = _place(text, _offset(text, reference, name))
                yield message, hint, "UNDECLARED_NAME", Severity.WARNING, line, column


def _is_known(root: str, name: str, known: References) -> bool:
    if root == "inputs":
        return name in known.inputs
    return name in (known.variables if root == "vars" else known.tasks)


def _undeclared(reference: tuple[str, ...], known: References) -> Iterator[tuple[str, str, str]]:
    """Yield (message, hint, name) for a reference to something that is not declared."""
    root = reference[0]
    if root not in ROOTS:
        if root != "*":
            yield f"nothing is called `{root}` here", _near(root, ROOTS), root
        return
    if len(reference) < 2 or reference[1] == "*":
        return
    name = reference[1]
    if root == "inputs":
        yield from _input(reference[1:], known)
    elif root == "vars" and name not in known.variables:
        yield f"the flow has no variable `{name}`", _near(name, known.variables), name
    elif root in ("outputs", "tasks") and not known.open_tasks:
        task = known.tasks.get(name)
        if task is None:
            if not any(name.endswith(end) and name.removesuffix(end) in known.tasks for end in _GENERATED):
                yield f"the flow has no task `{name}`", _near(name, known.tasks), name
        elif root == "outputs" and len(reference) > 2:
            yield from _output(task, reference[2])


def _input(steps: tuple[str, ...], known: References) -> Iterator[tuple[str, str, str]]:
    name = steps[0]
    if name not in known.inputs:
        yield f"the flow has no input `{name}`", _near(name, known.inputs), name
        return
    nested = [one for one in known.inputs if one.startswith(name + ".")]
    if nested and len(steps) > 1 and steps[1] != "*" and f"{name}.{steps[1]}" not in known.inputs:
        near = closest(f"{name}.{steps[1]}", nested)
        hint = f"did you mean `{near}`?" if near else f"declared: {', '.join(sorted(nested))}"
        yield f"the flow has no input `{name}.{steps[1]}`", hint, steps[1]


def _output(task: KnownTask, attribute: str) -> Iterator[tuple[str, str, str]]:
    """Check an attribute against the outputs that the task's type declares; in loops, values come first."""
    outputs = getattr(task.entry.cls, "output_type", None) if task.entry else None
    if outputs is None or task.in_loop or attribute == "*" or task.entry is None:
        return
    shape = shape_of(outputs)
    if attribute not in shape.by_name:
        message = f"task `{task.id}` ({task.entry.name.rsplit('.', 1)[-1]}) has no output `{attribute}`"
        yield message, _near(attribute, shape.names), attribute


def _near(name: str, names: Iterable[str]) -> str:
    names = sorted(names)
    near = closest(name, names)
    if near is not None:
        return f"did you mean `{near}`?"
    return f"declared: {', '.join(names[:20])}{', ...' if len(names) > 20 else ''}" if names else "none are declared"


def _offset(text: str, reference: tuple[str, ...], name: str) -> int:
    """Return where a name of a reference stands in the text; where the first expression begins if it is hidden."""
    root = reference[0]
    pattern = rf"\b{re.escape(root)}\b" if name == root else rf"\b{re.escape(root)}\b[^}}]*?\b({re.escape(name)})\b"
    match = re.search(pattern, text)
    if match is not None:
        return match.start(match.lastindex or 0)
    return max(text.find("{{"), 0)


def _place(text: str, offset: int) -> tuple[int, int]:
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)
