"""What expressions refer to, checked against what the flow declares and against where they stand in it.

A fault with which no execution of the flow can succeed is an error: what is read without a fallback, in every run, and
can never be there. Everything else is a warning: what exists at run time may depend on more than the flow. Both name
the nearest name that is declared. Implements EXP-009, EXP-042, BEY-033.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from penstock.model.checking import KnownTask
from penstock.model.complaints import Complaint, closest
from penstock.model.input_types import Input
from penstock.model.placing import TaskTree
from penstock.model.problems import Path, Severity
from penstock.model.registry import TypeRegistry
from penstock.model.templates import Mention, Reading, read_template
from penstock.model.wanted import shape_of

ROOTS = frozenset(
    (
        *("flow", "execution", "inputs", "outputs", "labels", "tasks", "task", "taskrun", "parent", "parents"),
        *(
            "trigger",
            "vars",
            "namespace",
            "envs",
            "globals",
            "kestra",
            "workingDir",
            "outputDir",
            "outputFiles",
            "bucketPath",
        ),
        *("item", "response", "error", "raise", "_context"),
    )
)
"""Names an expression may begin with (EXP-020), those that only some types provide included; `raise` is never there."""
MEMBERS: Mapping[str, tuple[str, ...]] = {
    "flow": ("id", "namespace", "revision", "tenantId"),
    "execution": ("id", "startDate", "state", "originalId"),
    "taskrun": ("id", "startDate", "attemptsCount", "parentId", "value", "iteration", "items"),
    "task": ("id", "type"),
}
"""What is in the variables whose content is always the same (EXP-021 to EXP-023)."""
CALLED = frozenset(
    ("executionId", "namespace", "flowId", "flowRevision", "taskRunId", "taskRunValue", "taskRunIteration")
)
"""What `trigger` holds in a flow that another one executes."""
CODES = frozenset(("UNDECLARED_NAME", "HYPHENATED_NAME"))
"""What is wrong with references; it does not keep a stored flow from being run."""
_GENERATED = ("_split", "_merge", "_items")
_MANY = 20
Finding = tuple[Complaint, Severity, int, int]
"""A complaint, its severity, and its line and column within the text (from 1)."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a reference."""

    message: str
    hint: str
    name: str
    """The name in question."""
    is_hopeless: bool = False
    """Whether nothing but a change of the flow can mend it."""
    is_excused: bool = False
    """Whether it is none where the expression provides for a value that is not there."""


@dataclass(frozen=True)
class References:
    """The names a flow declares."""

    inputs: frozenset[str]
    """Ids, and the objects that dotted ids are part of."""
    tasks: Mapping[str, KnownTask]
    variables: frozenset[str]
    open_tasks: bool
    """Whether task runs may come from elsewhere (a template's tasks, a task rendered at run time)."""
    tree: TaskTree
    triggers: Mapping[str, frozenset[str] | None]
    """What each trigger says about its firing, by its id; None where that is not known."""

    @classmethod
    def of(
        cls,
        data: Mapping[str, Any],
        inputs: Sequence[Input],
        tasks: Sequence[KnownTask],
        registry: TypeRegistry,
    ) -> References:
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
        by_id = {task.id: task for task in tasks}
        triggers = _triggers(data.get("triggers"), registry)
        return cls(frozenset(names), by_id, frozenset(variables), is_open, TaskTree(tasks), triggers)


def _triggers(declared: Any, registry: TypeRegistry) -> dict[str, frozenset[str] | None]:
    found: dict[str, frozenset[str] | None] = {}
    for one in declared if isinstance(declared, list) else ():
        if isinstance(one, dict):
            known = registry.find(str(one.get("type")))
            found[str(one.get("id"))] = getattr(known.entry.cls, "variable_names", None) if known else None
    return found


def check_references(rendered: Iterable[tuple[Path, str]], known: References) -> Iterator[Finding]:
    """Yield what is wrong with the expressions of texts that are rendered some time."""
    readings: dict[str, Reading] = {}
    for path, text in rendered:
        reading = readings.get(text)
        if reading is None:
            reading = readings[text] = read_template(text)
        for error in reading.errors:
            yield Complaint(path, error.reason, error.hint, error.code), Severity.ERROR, error.line, error.column
        yield from _Place(path, known).findings(reading)


def mentions(rendered: Iterable[tuple[Path, str]]) -> Iterator[tuple[Path, Mention]]:
    """Yield the secrets and keys that texts name, for whoever knows which there are."""
    for path, text in rendered:
        if "secret" in text or "kv" in text:
            for mention in read_template(text).mentions:
                yield path, mention


class _Place:
    """A place of the flow, and what can be seen from there."""

    def __init__(self, path: Path, known: References) -> None:
        self._path = path
        self._known = known
        self._task = known.tree.owner(path)
        self._around = known.tree.around(self._task) if self._task else []

    def findings(self, reading: Reading) -> Iterator[Finding]:
        """Yield what is wrong with a text that stands here."""
        split: set[str] = set()
        for root, name, line, column in reading.hyphenated:
            if _is_known(root, name, self._known):
                split.update(name.split("-"))
                complaint = Complaint(
                    self._path, f"`{root}.{name}` is a subtraction", f"write `{root}['{name}']`", "HYPHENATED_NAME"
                )
                yield complaint, Severity.WARNING, line, column
        for reference in reading.references:
            for fault in self._faults(reference.path):
                if {fault.name, reference.path[0]} & split or (fault.is_excused and not reference.is_certain):
                    continue
                is_error = fault.is_hopeless and reference.is_certain and self._is_always_rendered()
                line, column = reference.place_of(fault.name)
                complaint = Complaint(self._path, fault.message, fault.hint, "UNDECLARED_NAME")
                yield complaint, Severity.ERROR if is_error else Severity.WARNING, line, column

    def _is_always_rendered(self) -> bool:
        if self._task is None:
            return self._path[0] == "outputs"
        return self._known.tree.always_runs(self._task)

    def _faults(self, reference: tuple[str, ...]) -> Iterator[Fault]:
        """Yield what is wrong with a reference."""
        root, known = reference[0], self._known
        if root not in ROOTS:
            if root != "*":
                yield Fault(f"nothing is called `{root}` here", _near(root, ROOTS), root)
            return
        if self._path[0] == "inputs" and root in ("vars", "outputs", "tasks"):
            yield Fault(f"inputs cannot read `{root}`", "they are known before anything else", root, False, True)
            return
        if root in ("parent", "parents"):
            yield from self._parents(reference)
        if len(reference) < 2 or reference[1] == "*":
            return
        name = reference[1]
        if root in MEMBERS:
            yield from self._members(root, name)
        elif root == "inputs":
            yield from _input(reference[1:], known)
        elif root == "vars" and name not in known.variables:
            yield Fault(f"the flow has no variable `{name}`", _near(name, known.variables), name)
        elif root == "trigger":
            yield from self._trigger(name)
        elif root in ("outputs", "tasks") and not known.open_tasks:
            yield from self._tasks(reference)

    def _members(self, root: str, name: str) -> Iterator[Fault]:
        members = MEMBERS[root]
        if name not in members:
            yield Fault(f"`{root}` has no `{name}`", _near(name, members), name, True)
        elif root == "taskrun" and self._task is None:
            if self._path[0] == "outputs":
                yield Fault("there is no task run here", "read the outputs of a task", root, True, True)
        elif root == "taskrun" and name == "value" and self._task is not None and not self._is_item():
            if not any(task.in_loop or _is_loop(task) for task in self._around):
                yield Fault("`taskrun.value` exists only in a loop", "the task is in none", name, True, True)
            elif self._around and not _is_loop(self._around[0]):
                hint = "write `parent.taskrun.value` inside another task of the loop"
                yield Fault("only the tasks directly in a loop have a value", hint, name, False, True)

    def _is_item(self) -> bool:
        """Return whether the task stands directly in a loop, or in one whose type is not known."""
        return bool(self._around) and (self._around[0].entry is None or _is_loop(self._around[0]))

    def _parents(self, reference: tuple[str, ...]) -> Iterator[Fault]:
        if self._task is None:
            return
        depth = len(self._around)
        if not depth:
            message = f"`{reference[0]}` exists only inside another task"
            yield Fault(message, "the task is in none", reference[0], True, True)
        elif reference[0] == "parents" and len(reference) > 1 and reference[1].isdigit() and int(reference[1]) >= depth:
            count = f"{depth} {'task' if depth == 1 else 'tasks'}"
            message = f"`parents[{reference[1]}]` is out of reach"
            yield Fault(message, f"only {count} around it", reference[0], True, True)

    def _trigger(self, name: str) -> Iterator[Fault]:
        if self._path[0] == "triggers":
            return
        names = list(self._known.triggers.values())
        if any(one is None for one in names):
            return
        declared = frozenset[str]().union(*(one for one in names if one is not None), CALLED)
        if name not in declared:
            if names:
                yield Fault(f"no trigger of the flow has `{name}`", _near(name, declared - CALLED), name, False, True)
            else:
                yield Fault("the flow has no triggers", "give a fallback with `??`", "trigger", False, True)

    def _tasks(self, reference: tuple[str, ...]) -> Iterator[Fault]:
        root, name, known = *reference[:2], self._known
        task = known.tasks.get(name)
        if task is None:
            generated = any(name.endswith(end) and name.removesuffix(end) in known.tasks for end in _GENERATED)
            if not generated and not _is_brought_in(name, known):
                yield Fault(f"the flow has no task `{name}`", _near(name, known.tasks), name)
            return
        if self._task is not None and known.tree.cannot_precede(task, self._task):
            when = "has not ended" if task is self._task else "has not run"
            message = f"task `{name}` {when} yet when this is read"
            yield Fault(message, "read it in a later task", name, True, True)
        elif root == "outputs":
            yield from _output(task, reference[2:])


def _is_loop(task: KnownTask) -> bool:
    return bool(getattr(task.entry.cls, "is_loop", False)) if task.entry is not None else False


def _is_brought_in(name: str, known: References) -> bool:
    """Return whether a name may be that of a task in a call, such as `call.task` (BEY-037)."""
    task = known.tasks.get(name.partition(".")[0])
    return "." in name and task is not None and bool(getattr(task.entry and task.entry.cls, "brings_in", False))


def _is_known(root: str, name: str, known: References) -> bool:
    if root == "inputs":
        return name in known.inputs
    return name in (known.variables if root == "vars" else known.tasks)


def _input(steps: tuple[str, ...], known: References) -> Iterator[Fault]:
    name = steps[0]
    if name not in known.inputs:
        yield Fault(f"the flow has no input `{name}`", _near(name, known.inputs), name, True)
        return
    nested = [one for one in known.inputs if one.startswith(name + ".")]
    if nested and len(steps) > 1 and steps[1] != "*" and f"{name}.{steps[1]}" not in known.inputs:
        near = closest(f"{name}.{steps[1]}", nested)
        hint = f"did you mean `{near}`?" if near else f"declared: {', '.join(sorted(nested))}"
        yield Fault(f"the flow has no input `{name}.{steps[1]}`", hint, steps[1], True)


def _output(task: KnownTask, steps: tuple[str, ...]) -> Iterator[Fault]:
    """Check an attribute against the outputs that the task's type declares; in loops, values come first."""
    if not steps or steps[0] == "*" or task.entry is None or task.in_loop:
        return
    kind, attribute = task.entry.name.rsplit(".", 1)[-1], steps[0]
    outputs = getattr(task.entry.cls, "output_type", None)
    if outputs is None:
        if _gives_nothing(task.entry.cls):
            yield Fault(f"task `{task.id}` ({kind}) has no outputs", "read another task's", attribute)
        return
    shape = shape_of(outputs)
    if attribute not in shape.by_name:
        message = f"task `{task.id}` ({kind}) has no output `{attribute}`"
        yield Fault(message, _near(attribute, shape.names), attribute)


def _gives_nothing(cls: type[Any]) -> bool:
    """Return whether a type's `run` says that it returns nothing."""
    annotations = getattr(getattr(cls, "run", None), "__annotations__", {})
    return "return" in annotations and annotations["return"] in (None, "None")


def _near(name: str, names: Iterable[str]) -> str:
    names = sorted(names)
    near = closest(name, names)
    if near is not None:
        return f"did you mean `{near}`?"
    return (
        f"declared: {', '.join(names[:_MANY])}{', ...' if len(names) > _MANY else ''}" if names else "none are declared"
    )
