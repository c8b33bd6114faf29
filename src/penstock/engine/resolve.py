"""From a flow as written to one that is ready to run: defaults applied, types canonical, tasks linked.

Pure and linear in the number of tasks. Implements ENG-314 to ENG-320, ENG-421, MIG-010, MIG-011.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from penstock.base.durations import parse_duration
from penstock.engine.flow import (
    CallKind,
    Flowable,
    HoldsOf,
    InnerCall,
    Listener,
    ResolvedFlow,
    ResolvedTask,
    RetryPolicy,
)
from penstock.model.complaints import Complaint
from penstock.model.defaults import DefaultsStack, PluginDefaults
from penstock.model.definitions import Completer, make, map_nested
from penstock.model.document import FlowDocument
from penstock.model.parsing import ParsedFlow
from penstock.model.policies import WorkerGroup, as_dict
from penstock.model.problems import InvalidFlow, Path, Problem, Severity, path_text
from penstock.model.registry import TypeEntry, TypeKind, TypeRegistry
from penstock.model.retry import ConstantRetry, ExponentialRetry, RandomRetry
from penstock.model.wanted import shape_of

OwnLists = Mapping[str, Sequence[Mapping[str, Any]]]


class _Calling(Protocol):
    """A task in whose place others run, as the SDK makes them: it says whose (BEY-037)."""

    def target(self) -> tuple[CallKind, str | None, str, int | None]:
        """Return what it runs: namespace (the flow's own by default), id, revision (the latest by default)."""
        ...


class _Nesting(Protocol):
    """A control-flow task, as the SDK makes them: it says which lists of children it has."""

    def lists(self) -> OwnLists:
        """Return the definitions of the children by list name."""
        ...


def resolve(
    flow: ParsedFlow | FlowDocument,
    registry: TypeRegistry,
    *,
    tenant: str,
    revision: int,
    defaults: Sequence[Sequence[PluginDefaults]] = (),
    namespace_variables: Mapping[str, Any] | None = None,
    listeners: HoldsOf | None = None,
) -> ResolvedFlow:
    """Return a flow revision ready to run.

    Args:
        flow: The flow as written.
        registry: The types there are.
        tenant: Whose flow it is.
        revision: Its number.
        defaults: Plugin defaults from outside the flow: its namespace's first, the instance's last.
        namespace_variables: Variables of its namespace and of those above.
        listeners: Tells when the conditions of listeners hold; without it listeners are left out (MIG-032).

    Raises:
        InvalidFlow: A task is of an unknown type, or not what its type accepts.
    """
    document = flow.document if isinstance(flow, ParsedFlow) else flow
    if document is None:
        assert isinstance(flow, ParsedFlow)
        raise InvalidFlow(flow.problems)
    stack = DefaultsStack([document.defaults, *defaults])
    resolving = _Resolving(Completer(registry, stack), document, flow if isinstance(flow, ParsedFlow) else None)
    lists = {
        "tasks": resolving.tasks(document.tasks, ("tasks",), "tasks", None),
        "errors": resolving.tasks(document.errors or (), ("errors",), "errors", None),
        "finally": resolving.tasks(document.finally_ or (), ("finally",), "finally", None),
        "afterExecution": resolving.tasks(document.after_execution or (), ("afterExecution",), "afterExecution", None),
    }
    heard = resolving.listeners(document, listeners) if listeners is not None else ()
    if resolving.problems:
        raise InvalidFlow(resolving.problems)
    return ResolvedFlow(
        tenant=tenant,
        namespace=document.namespace,
        id=document.id,
        revision=revision,
        lists=lists,
        tasks=resolving.by_id,
        following=resolving.following,
        parents=resolving.parents,
        variables=document.variables,
        labels=document.labels,
        outputs=[as_dict(output) for output in document.outputs],
        retry=retry_policy(document.retry) if document.retry else None,
        disabled=document.disabled,
        concurrency=as_dict(document.concurrency) if document.concurrency else None,
        sla=[as_dict(one) for one in document.sla],
        namespace_variables=namespace_variables or {},
        defaults=defaults,
        listeners=heard,
        calls=tuple(resolving.calls),
        source=document,
    )


def retry_policy(retry: ConstantRetry | ExponentialRetry | RandomRetry) -> RetryPolicy:
    """Return the policy that a flow's or task's `retry` describes (ENG-235, ENG-236, ENG-392)."""
    shortest = retry.min_interval if isinstance(retry, RandomRetry) else retry.interval
    longest = None if isinstance(retry, ConstantRetry) else retry.max_interval
    return RetryPolicy(
        kind=retry.type,
        interval=parse_duration(shortest),
        max_attempts=retry.max_attempts,
        max_duration=parse_duration(retry.max_duration) if retry.max_duration else None,
        max_interval=parse_duration(longest) if longest else None,
        factor=retry.delay_factor if isinstance(retry, ExponentialRetry) else 2.0,
        warning_on_retry=retry.warning_on_retry,
        behavior=retry.behavior,
    )


_ANY = WorkerGroup(key="")
"""The default group."""


class _Resolving:
    """One run over one flow."""

    def __init__(self, completer: Completer, document: FlowDocument, parsed: ParsedFlow | None) -> None:
        self._completer = completer
        self._parsed = parsed
        self._worker_group = document.worker_group or _ANY
        self._flowables: dict[type, bool] = {}
        self._namespace = document.namespace
        self.calls: list[InnerCall] = []
        self.by_id: dict[str, ResolvedTask] = {}
        self.following: dict[str, ResolvedTask] = {}
        self.parents: dict[str, str] = {}
        self.problems: list[Problem] = []

    def listeners(self, document: FlowDocument, holds_of: HoldsOf) -> tuple[Listener, ...]:
        """Return the flow's listeners; one without tasks has nothing to do."""
        result = []
        for index, one in enumerate(document.listeners or ()):
            tasks = self.tasks(one.tasks, ("listeners", index, "tasks"), "listeners", None)
            if tasks:
                result.append(Listener(tasks, holds_of(document.namespace, document.id, one.conditions or ())))
        return tuple(result)

    def tasks(
        self, definitions: Sequence[Mapping[str, Any]], path: Path, branch: str, parent: str | None
    ) -> tuple[ResolvedTask, ...]:
        """Return the tasks of a list, linked to one another and to their parent."""
        result: list[ResolvedTask] = []
        for index, definition in enumerate(definitions):
            task = self._task(dict(definition), (*path, index), branch)
            if task is None:
                continue
            if result:
                self.following[result[-1].id] = task
            if parent is not None:
                self.parents[task.id] = parent
            result.append(task)
        return tuple(result)

    def _task(self, definition: dict[str, Any], path: Path, branch: str) -> ResolvedTask | None:
        name = definition.get("type")
        found = self._completer.find(definition)
        if found is None or found.entry.kind is not TypeKind.TASK:
            hint = "install the plugin that provides it, or change the type"
            self._problem(Complaint((*path, "type"), f"there is no task type `{name}`", hint, "UNKNOWN_TYPE"))
            return None
        entry = found.entry
        flowable = self._is_flowable(entry)
        properties = self._complete(definition, entry, tasks=not flowable)
        instance: Any
        instance, wrong = make(entry, properties)
        for complaint in wrong:
            self._problem(Complaint((*path, *complaint.path), complaint.message, complaint.hint, complaint.code))
        if instance is None:
            return None
        if instance.id in self.by_id:
            self._problem(Complaint((*path, "id"), f"a task `{instance.id}` exists already", code="DUPLICATE_ID"))
            return None
        retry = instance.retry
        run_if = instance.run_if
        group = instance.worker_group or self._worker_group
        task = ResolvedTask(
            id=instance.id,
            type=entry.name,
            properties=properties,
            branch=branch,
            flowable=instance if flowable else None,
            lists=self._lists(instance, properties, path) if flowable else {},
            inside=() if flowable else _names_inside(properties, entry),
            run_if=run_if if run_if is None or isinstance(run_if, str) else str(run_if).lower(),
            disabled=instance.disabled,
            allow_failure=instance.allow_failure,
            allow_warning=instance.allow_warning,
            retry=retry_policy(retry) if retry is not None else None,
            timeout=instance.timeout,
            worker_group=group.key,
            fallback=group.fallback,
            log_level=instance.log_level,
            quick=getattr(entry.cls, "quick", False),
        )
        if task.id in self.by_id:  # a child took the name of its own parent
            self._problem(Complaint((*path, "id"), f"a task `{task.id}` exists already", code="DUPLICATE_ID"))
        self.by_id[task.id] = task
        if getattr(entry.cls, "brings_in", False):
            self.calls.append(self._call(task.id, instance))
        return task

    def _call(self, task_id: str, instance: _Calling) -> InnerCall:
        kind, namespace, name, revision = instance.target()
        return InnerCall(task_id, kind, namespace or self._namespace, name, revision)

    def _is_flowable(self, entry: TypeEntry) -> bool:
        known = self._flowables.get(entry.cls)
        if known is None:
            known = self._flowables[entry.cls] = issubclass(entry.cls, Flowable) and hasattr(entry.cls, "lists")
        return known

    def _complete(self, definition: dict[str, Any], entry: TypeEntry, *, tasks: bool) -> dict[str, Any]:
        """Return a task's definition completed; tasks inside it only when nobody else will resolve them."""
        properties = self._completer.complete(definition, entry)
        shape = shape_of(entry.cls)
        if not shape.nesting:
            return properties

        def visit(inner: dict[str, Any], kind: TypeKind | None, path: Path) -> Any:
            left = kind is None or (kind is TypeKind.TASK and not tasks)
            return inner if left else self._completer.complete_all(inner)

        return map_nested(properties, shape, (), visit)

    def _lists(
        self, instance: _Nesting, properties: Mapping[str, Any], path: Path
    ) -> Mapping[str, tuple[ResolvedTask, ...]]:
        identifier = properties["id"]
        definitions: dict[str, Sequence[Mapping[str, Any]]] = dict(instance.lists())
        for name in ("errors", "finally"):
            if properties.get(name):
                definitions[name] = properties[name]
        return {
            name: self.tasks(children, (*path, *name.split(".", 1)), name, identifier)
            for name, children in definitions.items()
        }

    def _problem(self, complaint: Complaint) -> None:
        line = column = 0
        if self._parsed is not None:
            position = self._parsed.position(complaint.path)
            line, column = position.line, position.column
        self.problems.append(
            Problem(
                Severity.ERROR,
                path_text(complaint.path),
                complaint.message,
                complaint.hint,
                line,
                column,
                complaint.code,
            )
        )


def _names_inside(properties: dict[str, Any], entry: TypeEntry) -> tuple[str, ...]:
    """Return the ids of the tasks directly in a definition."""
    shape = shape_of(entry.cls)
    names: list[str] = []

    def visit(inner: dict[str, Any], kind: TypeKind | None, path: Path) -> Any:
        if kind is TypeKind.TASK:
            names.append(str(inner.get("id")))
        return inner

    if shape.nesting:
        map_nested(properties, shape, (), visit)
    return tuple(names)
