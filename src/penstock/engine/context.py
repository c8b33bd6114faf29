"""The variables an expression sees (EXP-020 to EXP-031), put together from a flow, a working set and a task run.

Cheap to build: it hands out references to what is there already; what costs something (`tasks`) is made when read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from penstock.base.clock import to_iso
from penstock.base.codec import from_json
from penstock.engine.flow import ResolvedFlow, ResolvedTask
from penstock.engine.records import Execution, TaskRun
from penstock.engine.working_set import ExecutionState


class TaskStates(Mapping[str, Any]):
    """`tasks` of the expression context: `tasks.<id>.state`, in loops `tasks.<id>[<value>].state` (EXP-027)."""

    __slots__ = ("_state",)

    def __init__(self, state: ExecutionState) -> None:
        self._state = state

    def __getitem__(self, task_id: str) -> Any:
        state = self._state
        found: Any = None
        for run_id in state.by_task[task_id]:
            run = state.task_runs[run_id]
            path = state.path(run)
            entry = {"id": run.id, "taskId": run.task_id, "state": run.state.current.value}
            if run.value is not None:
                entry["value"] = run.value
            if not path:
                found = entry
                continue
            if not isinstance(found, dict) or "taskId" in found:
                found = {}
            level = found
            for value in path[:-1]:
                level = level.setdefault(value, {})
            level[path[-1]] = entry
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._state.by_task))

    def __len__(self) -> int:
        return len(self._state.by_task)


def labels_of(execution: Execution) -> dict[str, Any]:
    """Return labels as a mapping, dotted keys nested (`labels.system.username`, EXP-025)."""
    result: dict[str, Any] = {}
    for key, value in execution.labels:
        level = result
        *path, last = key.split(".")
        for part in path:
            inner = level.get(part)
            if not isinstance(inner, dict):
                inner = level[part] = {}
            level = inner
        level[last] = value
    return result


def task_run_variables(run: TaskRun) -> dict[str, Any]:
    """Return `taskrun` of the expression context (ENG-064, EXP-023)."""
    ended = sum(1 for attempt in run.attempts if attempt.state.is_terminal)
    result: dict[str, Any] = {"id": run.id, "startDate": to_iso(run.state.start), "attemptsCount": ended}
    if run.parent_id is not None:
        result["parentId"] = run.parent_id
    if run.value is not None:
        result["value"] = run.value
    if run.iteration is not None:
        result["iteration"] = run.iteration
    return result


def _parents(state: ExecutionState, run: TaskRun) -> list[dict[str, Any]]:
    """Return enclosing task runs nearest first; those with neither value nor outputs are left out (ENG-067)."""
    result = []
    for above in state.ancestors(run):
        if above.value is None and above.outputs is None:
            continue
        entry: dict[str, Any] = {"taskrun": task_run_variables(above)}
        if above.outputs is not None:
            entry["outputs"] = above.outputs
        result.append(entry)
    return result


def _item(state: ExecutionState, run: TaskRun) -> dict[str, Any] | None:
    """Return `item` of the innermost loop around a task run: its value, and the index of it (BEY-050)."""
    for one in (run, *state.ancestors(run)):
        if one.value is not None:
            return {"value": _value(one.value), "index": one.iteration}
    return None


def _value(text: str) -> Any:
    """Return a loop value as it was: maps and lists are kept as JSON."""
    if text[:1] in ("{", "["):
        try:
            return from_json(text)
        except ValueError:
            return text
    return text


def flow_variables(flow: ResolvedFlow) -> dict[str, Any]:
    """Return `flow` of the expression context (EXP-021)."""
    return {"id": flow.id, "namespace": flow.namespace, "tenantId": flow.tenant, "revision": flow.revision}


def variables(
    flow: ResolvedFlow,
    state: ExecutionState,
    run: TaskRun | None = None,
    task: ResolvedTask | None = None,
    shared: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the expression context of an execution, or of one of its task runs.

    Args:
        flow: The revision that runs.
        state: The working set.
        run: The task run whose context it is; None for the flow's own expressions (outputs, SLA).
        task: The task run's task.
        shared: What the instance adds: `envs`, `globals`, `kestra`.
    """
    execution = state.execution
    result: dict[str, Any] = dict(shared) if shared else {}
    result["flow"] = flow_variables(flow)
    result["execution"] = {
        "id": execution.id,
        "startDate": to_iso(execution.state.start if execution.state.histories else execution.created),
        "state": execution.state.current.value,
        "originalId": execution.original_id,
    }
    result["inputs"] = execution.inputs or {}
    result["outputs"] = state.outputs
    result["labels"] = labels_of(execution)
    result["tasks"] = TaskStates(state)
    flow_vars = execution.variables if execution.variables is not None else flow.variables
    if flow_vars:
        result["vars"] = flow_vars
    if flow.namespace_variables:
        result["namespace"] = flow.namespace_variables
    if execution.trigger is not None:
        result["trigger"] = execution.trigger.variables
    if task is not None:
        result["task"] = {"id": task.id, "type": task.type}
    if run is not None:
        result["taskrun"] = task_run_variables(run)
        if run.parent_id is not None:
            parents = _parents(state, run)
            result["parents"] = parents
            if parents:
                result["parent"] = parents[0]
            item = _item(state, run)
            if item is not None:
                result["item"] = item
    return result
