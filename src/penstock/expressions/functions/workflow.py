"""Functions about the run itself: iterations, parents, states of tasks. Implements EXP-158 to EXP-161."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from penstock.expressions.access import access, names_in
from penstock.expressions.errors import ExpressionError, ExpressionTypeError, kind_of, suggestion
from penstock.expressions.frame import Frame
from penstock.expressions.registry import Entry, Parameter
from penstock.expressions.values import UNDEFINED, is_list, text_of


def _variable(frame: Frame, *path: str) -> Any:
    """Return a value of the context, null when there is none."""
    value: Any = frame.variables
    for step in path:
        value = access(value, step)
    return None if value is UNDEFINED else value


def _parents(frame: Frame) -> list[Any]:
    """Return the parent task runs, nearest first."""
    parents = _variable(frame, "parents")
    return list(parents) if is_list(parents) else []


def _own(entry: Any, key: str) -> Any:
    found = access(access(entry, "taskrun"), key)
    return None if found is UNDEFINED else found


def _loop_values(frame: Frame) -> list[Any]:
    """Return the values of all enclosing iterations, outermost first, the task run's own last."""
    values = [_own(parent, "value") for parent in reversed(_parents(frame))]
    values.append(_variable(frame, "taskrun", "value"))
    return [value for value in values if value is not None]


def _walk(outputs: Any, values: list[Any], function: str) -> Any:
    for value in values:
        found = access(outputs, value)
        if found is UNDEFINED:
            raise ExpressionError(
                f"`{function}` finds no output for the current iteration", available=names_in(outputs)
            )
        outputs = found
    return outputs


def current_each_output(frame: Frame, outputs: Any) -> Any:
    """Return the outputs of a sibling task in the current iteration (EXP-158)."""
    if not isinstance(outputs, Mapping):
        raise ExpressionTypeError(
            f"`currentEachOutput` needs the outputs of a task, {kind_of(outputs)} is given",
            hint="call it as `currentEachOutput(outputs.my_task)`",
        )
    return _walk(outputs, _loop_values(frame), "currentEachOutput")


def _with_states(tasks: Mapping[Any, Any], task_id: str | None, value: Any = None) -> Iterator[dict[str, Any]]:
    for key, entry in tasks.items():
        if not isinstance(entry, Mapping):
            continue
        name, iteration = (text_of(key), None) if task_id is None else (task_id, text_of(key))
        state = access(entry, "state")
        if state is UNDEFINED or isinstance(state, Mapping):
            yield from _with_states(entry, name, iteration)
            continue
        found = {**entry, "taskId": name, "state": text_of(state)}
        yield found if iteration is None else {"value": iteration, **found}


def tasks_with_state(frame: Frame, state: Any) -> list[dict[str, Any]]:
    """Return the task runs in a state (EXP-159)."""
    tasks, wanted = _variable(frame, "tasks"), text_of(state).upper()
    if not isinstance(tasks, Mapping):
        return []
    return [found for found in _with_states(tasks, None) if found["state"].upper() == wanted]


def _previous(frame: Frame) -> Any:
    """Return the index of the iteration before the current one."""
    iterations = [_variable(frame, "taskrun", "iteration"), *(_own(parent, "iteration") for parent in _parents(frame))]
    current = next((iteration for iteration in iterations if isinstance(iteration, int)), None)
    return None if current is None else current - 1


def iteration_output(frame: Frame, task: Any, iteration: Any) -> Any:
    """Return a task's output of an iteration, by default the previous one (EXP-160)."""
    index = _previous(frame) if iteration is None else iteration
    values = _loop_values(frame)
    if index is None or not values:
        raise ExpressionError("`iterationOutput` is called outside of a loop")
    if not isinstance(index, int) or isinstance(index, bool):
        raise ExpressionTypeError(f"argument `iteration` must be an integer, {kind_of(index)} is given")
    if index < 0:
        raise ExpressionError("`iterationOutput` is called before there is an earlier iteration")
    outputs = task if isinstance(task, Mapping) else _outputs_of(frame, task)
    runs = _walk(outputs, values[:-1], "iterationOutput")
    found = _of_iteration(runs, _iterations(frame, task, outputs, values[:-1]), index)
    if isinstance(task, Mapping):
        return found
    value = access(found, "value")
    if value is UNDEFINED:
        raise ExpressionError("the task has no output `value`", available=names_in(found))
    return value


def _iterations(frame: Frame, task: Any, outputs: Any, values: list[Any]) -> dict[Any, Any]:
    """Return the numbers of the iterations of a task by their values; none where the states of tasks are not known."""
    if isinstance(task, Mapping):
        all_outputs = _variable(frame, "outputs")
        known = all_outputs.items() if isinstance(all_outputs, Mapping) else ()
        task = next((name for name, one in known if one is outputs), None)
    states = _variable(frame, "tasks", _variable(frame, "task", "id") if task is None else text_of(task))
    for value in values:
        states = access(states, value)
    entries = states.items() if isinstance(states, Mapping) else ()
    return {value: access(entry, "iteration") for value, entry in entries if isinstance(entry, Mapping)}


def _of_iteration(runs: Any, iterations: Mapping[Any, Any], index: int) -> Any:
    """Return the outputs of an iteration: runs side by side end in any order, which tells nothing."""
    if isinstance(runs, Mapping):
        for value, iteration in iterations.items():
            if iteration == index and value in runs:
                return runs[value]
        if index not in iterations.values() and index < len(runs):
            return list(runs.values())[index]
    raise ExpressionError(f"`iterationOutput` finds no iteration {index}")


def _outputs_of(frame: Frame, task: Any) -> Any:
    task_id = _variable(frame, "task", "id") if task is None else task
    all_outputs = _variable(frame, "outputs")
    outputs = access(all_outputs, task_id)
    if outputs is UNDEFINED:
        names = names_in(all_outputs)
        hint = suggestion(text_of(task_id), names) or None
        raise ExpressionError("`iterationOutput` finds no outputs of the task", hint=hint, available=names)
    return outputs


def parent_output(frame: Frame, index: Any) -> Any:
    """Return the outputs of the direct parent, or of an ancestor counted from the outermost one (EXP-161)."""
    parents = _parents(frame)
    if index is None:
        place = 0
    elif isinstance(index, int) and not isinstance(index, bool):
        place = len(parents) - 1 - index
    else:
        raise ExpressionTypeError(f"argument `index` must be an integer, {kind_of(index)} is given")
    if not 0 <= place < len(parents):
        raise ExpressionError(f"`parentOutput` finds no such parent, the task has {len(parents)}")
    outputs = access(parents[place], "outputs")
    if outputs is UNDEFINED:
        raise ExpressionError("the parent has no outputs")
    return outputs


_ITERATION = (("taskrun",), ("parents",))

ENTRIES = [
    Entry(
        "currentEachOutput",
        current_each_output,
        "The outputs of a sibling task in the current iteration.",
        (Parameter("outputs"),),
        context=True,
        reads=_ITERATION,
    ),
    Entry(
        "tasksWithState",
        tasks_with_state,
        "The task runs in a state.",
        (Parameter("state"),),
        examples=(("{{ tasksWithState('FAILED') }}", "[]"),),
        context=True,
        reads=(("tasks",),),
    ),
    Entry(
        "iterationOutput",
        iteration_output,
        "The output of another iteration, by default the previous one.",
        (Parameter("taskId", None), Parameter("iteration", None)),
        context=True,
        reads=(*_ITERATION, ("outputs",), ("task", "id"), ("tasks",)),
    ),
    Entry(
        "parentOutput",
        parent_output,
        "The outputs of a parent task.",
        (Parameter("index", None),),
        context=True,
        reads=(("parents",),),
    ),
]
