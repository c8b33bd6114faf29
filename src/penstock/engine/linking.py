"""Linking: the tasks of called flows and of templates take their places in the flow that runs.

A called flow keeps to itself: its tasks get ids behind that of the call (`call.task`; ids hold no dots, so none is
taken), and what they see is decided by `penstock.engine.calls`. A template's tasks become tasks of the flow, ids
and all. Pure; linear in the number of tasks. Implements BEY-037, ENG-100.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from penstock.base.errors import ConflictError
from penstock.engine.flow import CallKind, InnerCall, Listener, ResolvedFlow, ResolvedTask

Targets = Mapping[str, ResolvedFlow]
"""What calls run, linked themselves, by the ids of the calling tasks."""


def linked(flow: ResolvedFlow, targets: Targets) -> ResolvedFlow:
    """Return a flow with what it calls in the places of its calls.

    Raises:
        ConflictError: A template brings a task whose id the flow has already.
    """
    linking = _Linking({call.task_id: call for call in flow.calls}, targets)
    lists = {name: linking.tasks(tasks, None) for name, tasks in flow.lists.items()}
    listeners = tuple(Listener(linking.tasks(one.tasks, None), one.holds) for one in flow.listeners)
    pins: dict[str, int] = {}
    for call in flow.calls:
        target = targets[call.task_id]
        pins.update(target.pins)
        if call.revision is None:
            pins[call.pin] = target.revision
    return replace(
        flow,
        lists=lists,
        listeners=listeners,
        tasks=linking.by_id,
        following=linking.following,
        parents=linking.parents,
        calls=(),
        pins=pins,
    )


class _Linking:
    """One run over one flow: all tasks are made anew, since those around a call hold it."""

    def __init__(self, calls: Mapping[str, InnerCall], targets: Targets) -> None:
        self._calls = calls
        self._targets = targets
        self.by_id: dict[str, ResolvedTask] = {}
        self.following: dict[str, ResolvedTask] = {}
        self.parents: dict[str, str] = {}

    def tasks(self, tasks: Iterable[ResolvedTask], parent: str | None, scope: str = "") -> tuple[ResolvedTask, ...]:
        """Return tasks of one list, linked to one another and to their parent; those of a call behind its id."""
        return self._in_line([self._task(task, scope) for task in tasks], parent)

    def _in_line(self, tasks: Sequence[ResolvedTask], parent: str | None) -> tuple[ResolvedTask, ...]:
        for task in tasks:
            if parent is not None:
                self.parents[task.id] = parent
        for task, following in pairwise(tasks):
            self.following[task.id] = following
        return tuple(tasks)

    def _task(self, task: ResolvedTask, scope: str) -> ResolvedTask:
        task_id = _behind(scope, task.id)
        lists = {name: self.tasks(children, task_id, scope) for name, children in task.lists.items()}
        changes: dict[str, Any] = {"id": task_id, "call": _behind(scope, task.call) if task.call else scope}
        call = None if scope else self._calls.get(task.id)
        if call is not None:
            target = self._targets[task.id]
            inside = task_id if call.kind is CallKind.FLOW else ""
            for name in ("tasks", "errors", "finally"):
                # The call's own handlers run after those it brings.
                brought = self.tasks(target.lists.get(name, ()), task_id, inside)
                lists[name] = self._in_line((*brought, *lists.get(name, ())), task_id)
            if call.kind is CallKind.FLOW:
                changes["called"] = target
        made = replace(task, lists=lists, **changes)
        if task_id in self.by_id:
            raise ConflictError(
                f"task `{task_id}` comes twice, since a template brings a task of that name",
                hint="rename one of them, or use the template once",
            )
        self.by_id[task_id] = made
        return made


def _behind(scope: str, name: str) -> str:
    return f"{scope}.{name}" if scope else name
