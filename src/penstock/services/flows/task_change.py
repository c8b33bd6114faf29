"""One task of a flow replaced in its source; everything around it stays as it was written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from penstock.base.codec import to_json_text
from penstock.base.errors import ConflictError, InvalidRequestError, NotFoundError
from penstock.model.yaml import read_yaml

_TASKS = ("tasks", "errors", "finally", "afterExecution")
_WIDE = 1_000_000
"""No line is folded."""


def with_task(source: str, task_id: str, task: Mapping[str, Any]) -> str:
    """Return the source with another task in the place of one. Implements the deprecated change of a task of API-100.

    Raises:
        InvalidRequestError: The task has another id than the one it replaces.
        NotFoundError: There is no such task.
        ConflictError: The task is written so that it cannot be replaced by itself, as where it has aliases.
    """
    if task.get("id") != task_id:
        raise InvalidRequestError(
            f"the task is `{task.get('id')}`, not `{task_id}`", hint="to rename a task, change the source of the flow"
        )
    node = next((one for one in _nodes(source) if _value(one, "id") == task_id), None)
    if node is None:
        raise NotFoundError(f"the flow has no task `{task_id}`")
    begin = node.start_mark.index
    end = begin + len(source[begin : _end(node).index].rstrip())
    wanted = _replaced(read_yaml(source).data, task_id, task)
    for text in (_block(task, node), to_json_text(task)):
        changed = source[:begin] + text + source[end:]
        if read_yaml(changed).data == wanted:
            return changed
    raise ConflictError(
        f"the task `{task_id}` cannot be replaced by itself", hint="change the source of the flow as a whole"
    )


def _nodes(source: str) -> Iterator[yaml.MappingNode]:
    """Yield the nodes of all tasks, outer ones first."""
    root = yaml.compose(source, Loader=yaml.CSafeLoader)
    pairs = {key.value: value for key, value in root.value} if isinstance(root, yaml.MappingNode) else {}
    waiting = [pairs[name] for name in reversed(_TASKS) if name in pairs]
    seen: set[int] = set()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            if _value(node, "type") is not None:
                yield node
            waiting.extend(value for _, value in reversed(node.value))
        elif isinstance(node, yaml.SequenceNode):
            waiting.extend(reversed(node.value))


def _value(node: yaml.MappingNode, name: str) -> Any:
    return next((value.value for key, value in node.value if key.value == name), None)


def _end(node: yaml.Node) -> Any:
    """Return where a node's own text ends: a block's mark lies behind the comments that follow it."""
    while isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        node = last[1] if isinstance(last, tuple) else last
    return node.end_mark


def _block(task: Mapping[str, Any], node: yaml.MappingNode) -> str:
    """Return the task as lines that are indented like the one it replaces."""
    if node.flow_style:
        return to_json_text(task)
    text = yaml.safe_dump(dict(task), sort_keys=False, allow_unicode=True, width=_WIDE, default_flow_style=False)
    return text.rstrip("\n").replace("\n", "\n" + " " * int(node.start_mark.column))


def _replaced(data: Any, task_id: str, task: Mapping[str, Any]) -> Any:
    """Return the data of a flow with the first task of that id replaced."""
    done = False

    def copy(value: Any) -> Any:
        nonlocal done
        if isinstance(value, dict):
            if not done and value.get("id") == task_id and "type" in value:
                done = True
                return dict(task)
            return {key: copy(one) for key, one in value.items()}
        return [copy(one) for one in value] if isinstance(value, list) else value

    return dict(data) | {name: copy(data[name]) for name in _TASKS if name in data}
