"""The variables an expression sees (EXP-020 to EXP-031), put together from a flow, a working set and a task run.

Cheap to build: it hands out references to what is there already; what costs something (`tasks`) is made when read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from penstock.base.clock import to_iso
from penstock.base.codec import from_json
from penstock.engine.calls import Call, CalledOutputs, call_around
from penstock.engine.flow import ResolvedFlow, ResolvedTask
from penstock.engine.records import Execution, TaskRun
from penstock.engine.working_set import ExecutionState


class TaskStates(Mapping[str, Any]):
    """`tasks` of the expression context: `tasks.<id>.state`, in loops `tasks.<id>[<value>].state` (EXP-027).

    Inside a call, those of the called flow alone.
    """

    __slots__ = ("_path", "_prefix", "_state")

    def __init__(self, state: ExecutionState, call: Call | None = None) -> None:
        self._state = state
        self._prefix = f"{call.task_id}." if call is not None else ""
        self._path = state.path(call.run) if call is not None else ()

    def __getitem__(self, task_id: str) -> Any:
        state, outside = self._state, len(self._path)
        found: Any = None
        for run_id in state.by_task[self._prefix + task_id]:
            run = state.task_runs[run_id]
            path = state.path(run)
            if path[:outside] != self._path:
                continue  # of the same call in another iteration
            path = path[outside:]
            entry: dict[str, Any] = {"id": run.id, "taskId": task_id, "state": run.state.current.value}
            if run.value is not None:
                entry["value"] = run.value
            if (iteration := _iteration(state, run)) is not None:
                entry["iteration"] = iteration
            if not path:
                found = entry
                continue
            if not isinstance(found, dict) or "taskId" in found:
                found = {}
            level = found
            for value in path[:-1]:
                level = level.setdefault(value, {})
            level[path[-1]] = entry
        if found is None:
            raise KeyError(task_id)
        return found

    def __iter__(self) -> Iterator[str]:
        prefix = self._prefix
        known = (one[len(prefix) :] for one in list(self._state.by_task) if one.startswith(prefix))
        return iter([name for name in known if name in self] if prefix else list(known))

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _iteration(state: ExecutionState, run: TaskRun) -> int | None:
    """Return the iteration of the innermost loop around a task run, counted from 0."""
    return next((one.iteration for one in (run, *state.ancestors(run)) if one.value is not None), None)


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


def _around(state: ExecutionState, run: TaskRun, call: Call | None) -> Iterator[TaskRun]:
    """Yield enclosing task runs nearest first, as far as those of a called flow can see."""
    for above in state.ancestors(run):
        if call is not None and above.id == call.run.id:
            return
        yield above


def _parents(state: ExecutionState, run: TaskRun, call: Call | None) -> list[dict[str, Any]]:
    """Return enclosing task runs nearest first; those with neither value nor outputs are left out (ENG-067)."""
    result = []
    for above in _around(state, run, call):
        if above.value is None and above.outputs is None:
            continue
        entry: dict[str, Any] = {"taskrun": task_run_variables(above)}
        if above.outputs is not None:
            entry["outputs"] = above.outputs
        result.append(entry)
    return result


def _item(state: ExecutionState, run: TaskRun, call: Call | None) -> dict[str, Any] | None:
    """Return `item` of the innermost loop around a task run: its value, and the index of it (BEY-050)."""
    for one in (run, *_around(state, run, call)):
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
    """Return the expression context of an execution, or of one of its task runs (BEY-037: as its call has it).

    Args:
        flow: The revision that runs.
        state: The working set.
        run: The task run whose context it is; None for the flow's own expressions (outputs, SLA).
        task: The task run's task.
        shared: What the instance adds: `envs`, `globals`, `kestra`.
    """
    call = call_around(flow, state, run, task)
    result = _variables(flow, state, call, shared)
    if task is not None:
        result["task"] = {"id": task.name, "type": task.type}
    if run is not None:
        result["taskrun"] = task_run_variables(run)
        if run.parent_id is not None:
            parents = _parents(state, run, call)
            result["parents"] = parents
            if parents:
                result["parent"] = parents[0]
            item = _item(state, run, call)
            if item is not None:
                result["item"] = item
    return result


def variables_inside(
    flow: ResolvedFlow, state: ExecutionState, call: Call, shared: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the expression context of a called flow's own expressions (its outputs, the defaults of its inputs)."""
    return _variables(flow, state, call, shared)


def _variables(
    flow: ResolvedFlow, state: ExecutionState, call: Call | None, shared: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return what all task runs of an execution see, or all of a call."""
    execution = state.execution
    declared = flow if call is None else call.flow
    result: dict[str, Any] = dict(shared) if shared else {}
    result["flow"] = flow_variables(declared)
    result["execution"] = {
        "id": execution.id,
        "startDate": to_iso(execution.state.start if execution.state.histories else execution.created),
        "state": execution.state.current.value,
        "originalId": execution.original_id,
    }
    result["inputs"] = (execution.inputs or {}) if call is None else call.inputs
    result["outputs"] = state.outputs if call is None else CalledOutputs(state, call)
    result["labels"] = labels_of(execution)
    result["tasks"] = TaskStates(state, call)
    if call is not None:
        flow_vars = call.variables
    else:
        flow_vars = execution.variables if execution.variables is not None else flow.variables
    if flow_vars:
        result["vars"] = flow_vars
    if declared.namespace_variables:
        result["namespace"] = declared.namespace_variables
    if execution.trigger is not None:
        result["trigger"] = execution.trigger.variables
    return result
