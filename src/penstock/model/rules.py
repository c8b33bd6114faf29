"""Rules that hold between the parts of a flow, beyond what each part says of itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from penstock.model.checking import KnownTask, Report
from penstock.model.complaints import Complaint, closest, unknown_property
from penstock.model.document import FlowDocument
from penstock.model.problems import Path, Severity
from penstock.model.registry import TypeRegistry
from penstock.model.wanted import shape_of


def check_rules(flow: FlowDocument, registry: TypeRegistry, tasks: Sequence[KnownTask], report: Report) -> None:
    """Report what contradicts itself in a flow."""

    def error(path: Path, message: str, hint: str) -> None:
        report(Complaint(path, message, hint), Severity.ERROR)

    _unique((one.id for one in flow.inputs), "inputs", "input", error)
    _unique((one.id for one in flow.outputs), "outputs", "output", error)
    _unique((one.id for one in flow.sla), "sla", "SLA", error)
    _unique((pair[0] for pair in flow.labels), "labels", "label", error)
    _inputs(flow, error)
    _defaults(flow, registry, report)
    _calls(flow, tasks, error)
    if flow.listeners:
        hint = "use `afterExecution`, `errors` or a Flow trigger of another flow"
        report(Complaint(("listeners",), "listeners are deprecated", hint, "DEPRECATED"), Severity.DEPRECATION)


_Error = Callable[[Path, str, str], None]


def _unique(ids: Iterable[str], key: str, word: str, error: _Error) -> None:
    seen: set[str] = set()
    for index, one in enumerate(ids):
        if one in seen:
            error((key, index, "id"), f"an {word} `{one}` exists already", "ids are unique within the flow")
        seen.add(one)


def _inputs(flow: FlowDocument, error: _Error) -> None:
    known = {one.id: index for index, one in enumerate(flow.inputs)}
    for index, one in enumerate(flow.inputs):
        parts = one.id.split(".")
        for count in range(1, len(parts)):
            above = ".".join(parts[:count])
            if above in known:
                hint = "an input cannot be a value and an object"
                error(("inputs", index, "id"), f"`{one.id}` is nested in the input `{above}`", hint)
        for position, name in enumerate((one.depends_on.inputs if one.depends_on else None) or ()):
            path: Path = ("inputs", index, "dependsOn", "inputs", position)
            if name not in known:
                near = closest(name, known)
                error(path, f"the flow has no input `{name}`", f"did you mean `{near}`?" if near else "")
    cycle = find_cycle({one.id: (one.depends_on.inputs if one.depends_on else None) or () for one in flow.inputs})
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


def _defaults(flow: FlowDocument, registry: TypeRegistry, report: Report) -> None:
    """Report plugin defaults that can never apply, and names that the type they are for does not know."""
    for index, one in enumerate(flow.plugin_defaults):
        path: Path = ("pluginDefaults", index)
        found = registry.find(one.type)
        if found is not None:
            shape = shape_of(found.entry.cls)
            for name in one.values:
                if name not in shape.by_name and not shape.open:
                    report(unknown_property((*path, "values", name), shape.names), Severity.ERROR)
            if found.alias:
                hint = f"write `{found.entry.name}`"
                report(
                    Complaint((*path, "type"), f"`{found.alias}` is an older name", hint, "DEPRECATED"),
                    Severity.DEPRECATION,
                )
        elif not registry.has_prefix(one.type):
            near = registry.suggest(one.type)
            hint = f"did you mean `{near}`?" if near else "the defaults have no effect"
            report(Complaint((*path, "type"), f"no type is called `{one.type}`, or begins so", hint), Severity.WARNING)


def _calls(flow: FlowDocument, tasks: Sequence[KnownTask], error: _Error) -> None:
    """Refuse a flow that calls itself (ENG-015)."""
    for task in tasks:
        if (flow.namespace, flow.id) in called_flows([task]):
            hint = "call another flow, or use a loop"
            error((*task.path, "flowId"), f"the flow calls itself in task `{task.id}`, again and again", hint)


def called_flows(tasks: Iterable[KnownTask]) -> list[tuple[str, str]]:
    """Return (namespace, flow id) of every flow that tasks are known to start, for cycles and dependencies."""
    result = []
    for task in tasks:
        if task.entry is None or not getattr(task.entry.cls, "calls_flow", False):
            continue
        namespace, flow_id = task.definition.get("namespace"), task.definition.get("flowId")
        if isinstance(namespace, str) and isinstance(flow_id, str) and "{{" not in namespace + flow_id:
            result.append((namespace, flow_id))
    return result
