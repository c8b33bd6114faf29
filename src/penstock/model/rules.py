"""Rules that hold between the parts of a flow, beyond what each part says of itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from penstock.model.checking import KnownTask, Report, warn_of_policies
from penstock.model.complaints import Complaint, closest, unknown_property
from penstock.model.defaults import PluginDefaults
from penstock.model.input_types import ChoiceInput, Input
from penstock.model.placing import TaskTree, trait
from penstock.model.problems import Path, Severity
from penstock.model.registry import TypeRegistry
from penstock.model.wanted import shape_of

_SYSTEM = "system."
_SYSTEM_OF_FLOWS = ("system.readOnly", "system.priority")
_SYSTEM_SHOWN = " and ".join(f"`{key}`" for key in _SYSTEM_OF_FLOWS)
DeclaredInputs = Sequence[tuple[int, Input]]
"""Inputs and their positions in the flow's list."""


def check_rules(
    data: Mapping[str, Any],
    inputs: DeclaredInputs,
    defaults: Iterable[tuple[int, PluginDefaults]],
    tasks: Sequence[KnownTask],
    registry: TypeRegistry,
    report: Report,
) -> None:
    """Report what contradicts itself in a flow, as far as its parts could be read.

    Args:
        data: The flow's plain data.
        inputs: Its inputs.
        defaults: Its plugin defaults, and their positions.
        tasks: Its tasks, nested ones included.
        registry: The types there are.
        report: Takes what is found.
    """

    def error(path: Path, message: str, hint: str) -> None:
        report(Complaint(path, message, hint), Severity.ERROR)

    _unique(((index, one.id) for index, one in inputs), "inputs", "id", error)
    for key in ("outputs", "sla"):
        _unique(_named(data.get(key), "id"), key, "id", error)
    _unique(_named(data.get("labels"), "key"), "labels", "key", error)
    _labels(data.get("labels"), error)
    _nesting(inputs, error)
    _dependencies(inputs, error)
    for index, one in defaults:
        _default(index, one, registry, report)
    _calls(data, tasks, error)
    _launches(data, inputs, report)
    _steering(tasks, report)
    warn_of_policies(data, (), report)
    if data.get("listeners"):
        hint = "use `afterExecution`, `errors` or a Flow trigger of another flow"
        report(Complaint(("listeners",), "listeners are deprecated", hint, "DEPRECATED"), Severity.DEPRECATION)


_Error = Callable[[Path, str, str], None]


def _named(value: Any, name: str) -> Iterator[tuple[int, str]]:
    for index, one in enumerate(value if isinstance(value, list) else ()):
        if isinstance(one, dict) and isinstance(one.get(name), str):
            yield index, one[name]


def _labels(labels: Any, error: _Error) -> None:
    if isinstance(labels, Mapping):
        keys: Iterable[tuple[Path, str]] = ((("labels", str(key)), str(key)) for key in labels)
    else:
        keys = ((("labels", index, "key"), key) for index, key in _named(labels, "key"))
    for path, key in keys:
        if not key.strip():
            error(path, "a label has no key", "name it")
        elif key.startswith(_SYSTEM) and key not in _SYSTEM_OF_FLOWS:
            hint = f"choose another key; of those that begin with `{_SYSTEM}` a flow may have {_SYSTEM_SHOWN}"
            error(path, f"label `{key}` is set by the server", hint)


def _unique(names: Iterable[tuple[int, str]], key: str, name: str, error: _Error) -> None:
    seen: set[str] = set()
    for index, one in names:
        if one in seen:
            error((key, index, name), f"`{one}` exists already", f"each `{name}` of `{key}` is given once")
        seen.add(one)


def _nesting(inputs: DeclaredInputs, error: _Error) -> None:
    known = {one.id for _, one in inputs}
    for index, one in inputs:
        parts = one.id.split(".")
        for count in range(1, len(parts)):
            above = ".".join(parts[:count])
            if above in known:
                hint = "an input cannot be a value and an object"
                error(("inputs", index, "id"), f"`{one.id}` is nested in the input `{above}`", hint)


def _dependencies(inputs: DeclaredInputs, error: _Error) -> None:
    known = {one.id: index for index, one in inputs}
    depends: dict[str, Sequence[str]] = {}
    for index, one in inputs:
        depends[one.id] = (one.depends_on.inputs if one.depends_on else None) or ()
        for position, name in enumerate(depends[one.id]):
            if name not in known:
                near = closest(name, known)
                path: Path = ("inputs", index, "dependsOn", "inputs", position)
                error(path, f"the flow has no input `{name}`", f"did you mean `{near}`?" if near else "")
    cycle = find_cycle(depends)
    if cycle:
        path = ("inputs", known[cycle[0]], "dependsOn")
        error(path, f"inputs depend on each other: {' -> '.join(cycle)}", "remove one of the dependencies")


def find_cycle(dependencies: Mapping[str, Sequence[str]]) -> list[str] | None:
    """Return the ids along a cycle, the first repeated at its end; None when there is none."""
    done: set[str] = set()
    for root in dependencies:
        path: list[str] = []
        stack = [] if root in done else [(root, iter(dependencies[root]))]
        while stack:
            name, rest = stack[-1]
            if not path or path[-1] != name:
                path.append(name)
            for other in rest:
                if other in path:
                    return [*path[path.index(other) :], other]
                if other not in done and other in dependencies:
                    stack.append((other, iter(dependencies[other])))
                    break
            else:
                done.add(name)
                stack.pop()
                path.pop()
    return None


def _default(index: int, one: PluginDefaults, registry: TypeRegistry, report: Report) -> None:
    """Report defaults that can never apply, and names that the type they are for does not know."""
    path: Path = ("pluginDefaults", index)
    found = registry.find(one.type)
    if found is not None:
        shape = shape_of(found.entry.cls)
        for name in one.values:
            if name not in shape.by_name and not shape.open:
                report(unknown_property((*path, "values", name), shape.names), Severity.ERROR)
        if found.alias:
            message, hint = f"`{found.alias}` is an older name", f"write `{found.entry.name}`"
            rename = (found.alias, found.entry.name)
            report(Complaint((*path, "type"), message, hint, "DEPRECATED", rename), Severity.DEPRECATION)
    elif not registry.has_prefix(one.type):
        near = registry.suggest(one.type)
        hint = f"did you mean `{near}`?" if near else "the defaults have no effect"
        report(Complaint((*path, "type"), f"no type is called `{one.type}`, or begins so", hint), Severity.WARNING)


def _calls(data: Mapping[str, Any], tasks: Sequence[KnownTask], error: _Error) -> None:
    """Refuse a flow that calls itself (ENG-015)."""
    own = (data.get("namespace"), data.get("id"))
    for call in called_flows(tasks, own[0]):
        if call.flow == own:
            hint = "call another flow, or use a loop"
            error(call.path, f"the flow calls itself in task `{call.task_id}`, again and again", hint)


_OF_WORKERS = {
    "timeout": "limit the tasks inside, or the execution with an SLA of type MAX_DURATION",
    "taskCache": "put it on the tasks inside",
}
"""Properties that say how a worker runs a task, and what takes their place on a task that steers others."""


def _steering(tasks: Sequence[KnownTask], report: Report) -> None:
    """Refuse tasks that steer others where a worker runs them (ENG-097); tell what does nothing on them.

    Implements ENG-244 and ENG-326 as far as they are about such tasks.
    """
    tree = TaskTree(tasks)
    for task in tasks:
        if task.entry is None or not trait(task, "steers", False):
            continue
        around = next(iter(tree.around(task)), None)
        if around is not None and around.entry is not None and not trait(around, "steers", False):
            message = f"`{_short(task)}` steers other tasks and cannot run inside `{_short(around)}`"
            hint = f"move it out, or put the `{_short(around)}` into it"
            report(Complaint((*task.path, "type"), message, hint, "WRONG_PLACE"), Severity.ERROR)
        for name, hint in _OF_WORKERS.items():
            if name in task.definition and not (name == "timeout" and trait(task, "heeds_timeout", False)):
                message = f"`{name}` does nothing on a task that steers others"
                report(Complaint((*task.path, name), message, hint, "NO_EFFECT"), Severity.WARNING)


def _short(task: KnownTask) -> str:
    return task.entry.name.rpartition(".")[2] if task.entry is not None else task.id


def _launches(data: Mapping[str, Any], inputs: DeclaredInputs, report: Report) -> None:
    """Warn of triggers that give no value for an input that needs one: they cannot create executions (ENG-171)."""
    needed = [one.id for _, one in inputs if one.required and _has_no_value(one)]
    triggers = data.get("triggers")
    for index, trigger in enumerate(triggers if needed and isinstance(triggers, list) else ()):
        given = trigger.get("inputs") if isinstance(trigger, dict) else None
        names = given if isinstance(given, dict) else {}
        missing = [one for one in needed if one not in names and one.split(".")[0] not in names]
        if missing:
            listed = ", ".join(f"`{one}`" for one in missing)
            hint = "give it under `inputs` of the trigger, or declare `defaults`"
            complaint = Complaint(
                ("triggers", index), f"no value for the required input {listed}", hint, "MISSING_INPUT"
            )
            report(complaint, Severity.WARNING)


def _has_no_value(one: Input) -> bool:
    if one.depends_on is not None or one.defaults is not None:
        return False
    if isinstance(one, ChoiceInput):
        return not one.auto_select_first
    return one.expression is None


@dataclass(frozen=True, slots=True)
class Call:
    """A task that is known to start a flow."""

    task_id: str
    path: Path
    """The place of the called flow's id."""
    flow: tuple[str, str]
    """(namespace, flow id)."""


def called_flows(tasks: Iterable[KnownTask], own_namespace: Any) -> list[Call]:
    """Return the calls of tasks whose flow is written out, for cycles and dependencies."""
    result = []
    for task in tasks:
        if task.entry is None or not getattr(task.entry.cls, "calls_flow", False):
            continue
        namespace, flow_id = task.definition.get("namespace", own_namespace), task.definition.get("flowId")
        if isinstance(namespace, str) and isinstance(flow_id, str) and "{{" not in namespace + flow_id:
            result.append(Call(task.id, (*task.path, "flowId"), (namespace, flow_id)))
    return result
