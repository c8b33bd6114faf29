"""Task objects built from definitions, kept per flow revision: a definition never changes within one."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from penstock.expressions import ExpressionError, compile_template
from penstock.model.complaints import Complaint, complaints
from penstock.model.problems import path_text
from penstock.model.registry import TypeKind, TypeRegistry
from penstock.ports.gateway import Assignment
from penstock.sdk.errors import PermanentError
from penstock.sdk.task import Task

Key = tuple[str, str, str, int, str]
_INSTALL = "install the plugin that has it on every worker"


class UnknownTaskType(PermanentError):
    """No installed plugin has this task type."""

    code = "UNKNOWN_TASK_TYPE"


class InvalidTask(PermanentError):
    """The definition does not fit the type."""

    code = "INVALID_TASK"


@dataclass(frozen=True, slots=True)
class Instance:
    """A task ready to run."""

    task: Task
    definition: Mapping[str, Any]
    is_quick: bool
    """Whether it may share the quick lane: it neither waits nor asks the server, and nobody limits its time."""


class Instances:
    """Builds tasks, and keeps those used last."""

    def __init__(self, registry: TypeRegistry, bound: int = 10_000) -> None:
        self._registry = registry
        self._bound = bound
        self._kept: OrderedDict[Key, Instance] = OrderedDict()

    def get(self, assignment: Assignment) -> Instance:
        """Return the task of an assignment.

        Raises:
            UnknownTaskType: The type is not installed here.
            InvalidTask: The definition does not fit the type.
        """
        job = assignment.job
        key = (job.tenant, job.namespace, job.flow_id, job.flow_revision, job.task_id)
        kept = self._kept.get(key)
        if kept is not None and (kept.definition is assignment.definition or kept.definition == assignment.definition):
            self._kept.move_to_end(key)
            return kept
        made = self._make(assignment)
        self._kept[key] = made
        while len(self._kept) > self._bound:
            self._kept.popitem(last=False)
        return made

    def _make(self, assignment: Assignment) -> Instance:
        task = build(self._registry, assignment.type, assignment.definition)
        waits_for_nobody = assignment.timeout is None and task.task_cache is None and not task.log_to_file
        waits_for_nobody = waits_for_nobody and task.assets is None
        is_quick = type(task).quick and waits_for_nobody and not _asks(assignment.definition)
        return Instance(task, assignment.definition, is_quick)


def build(registry: TypeRegistry, type_name: str, definition: Mapping[str, Any]) -> Task:
    """Return the task of a definition.

    Raises:
        UnknownTaskType: The type is not installed here, or no worker runs tasks of it.
        InvalidTask: The definition does not fit the type.
    """
    found = registry.find(type_name, definition.get("version"))
    if found is None or found.entry.kind is not TypeKind.TASK:
        if reason := registry.why_refused(type_name, definition.get("version")):
            raise UnknownTaskType(f"there is no task type {type_name} on this worker: {reason}", hint=_INSTALL)
        near = registry.suggest(type_name)
        raise UnknownTaskType(
            f"there is no task type {type_name} on this worker",
            hint=f"did you mean {near}?" if near else _INSTALL,
        )
    if not issubclass(found.entry.cls, Task):
        raise UnknownTaskType(
            f"{type_name} steers other tasks and cannot run inside one",
            hint="move it out, or use a task that a worker runs",
        )
    try:
        return found.entry.cls.model_validate(definition)
    except ValidationError as error:
        text = "; ".join(_told(problem) for problem in complaints(error, definition, found.entry.cls))
        raise InvalidTask(f"the definition of task {definition.get('id')} is wrong: {text}") from None


def _told(problem: Complaint) -> str:
    names_itself = len(problem.path) == 1 and f"`{problem.path[0]}`" in problem.message
    place = "" if names_itself or not problem.path else f"`{path_text(problem.path)}`: "
    return f"{place}{problem.message}" + (f" ({problem.hint})" if problem.hint else "")


def _asks(value: Any) -> bool:
    """Return whether a template in the definition calls a function that asks the server."""
    if isinstance(value, str):
        if "{" not in value:
            return False
        try:
            return compile_template(value).needs_resolver
        except ExpressionError:
            return False
    if isinstance(value, Mapping):
        return any(_asks(key) or _asks(item) for key, item in value.items())
    return isinstance(value, list | tuple) and any(_asks(item) for item in value)
