"""Tasks that need not run: an earlier run with the same properties has given the same outputs (`taskCache`)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from penstock.base.durations import parse_duration
from penstock.base.errors import PenstockError
from penstock.model.policies import TaskCache
from penstock.sdk.task import Task, TaskBase
from penstock.services.outcome import plain_outputs

if TYPE_CHECKING:
    from penstock.services.worker.context import WorkerRunContext

_AROUND = frozenset(field.alias or name for name, field in TaskBase.model_fields.items()) - {"type", "version"}
"""Properties about a task rather than of its work: another `timeout` does not make another result."""
_PLACES = {"workingDir": "workingDir", "outputDir": "outputDir"}
"""Stand for folders that have another name at every run."""


def run_task(context: WorkerRunContext, task: Task, definition: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Run a task, or take the outputs of an earlier identical run where the task allows it.

    Implements the worker's side of ENG-052, ENG-326, ENG-327, ENG-410.

    Raises:
        BaseException: Whatever the task raises.
    """
    cache = task.task_cache
    if cache is None or not cache.enabled:
        return plain_outputs(task.run(context), context.outputs_bound)
    about = _about(context, task, definition, cache)
    if about is not None:
        found: Mapping[str, Any] | None = context.call("findCachedOutputs", **about)
        if found is not None:
            context.logger.info("The outputs of an earlier identical run are used again (`taskCache`)")
            return found
    outputs = plain_outputs(task.run(context), context.outputs_bound)
    if about is not None and not context.warned and not context.is_killed:
        context.call("keepOutputs", **about, outputs=outputs or {})
    return outputs


def _about(
    context: WorkerRunContext, task: Task, definition: Mapping[str, Any], cache: TaskCache
) -> dict[str, Any] | None:
    """Return what a result is found by; None when the properties cannot be rendered before the task does it."""
    work = {name: value for name, value in definition.items() if name not in _AROUND}
    try:
        rendered = context.render_nested(work, _PLACES)
    except PenstockError as error:
        context.logger.warning(f"The result is not cached, since a property cannot be rendered beforehand: {error}")
        return None
    # Only a digest leaves the worker: rendered properties may hold secrets.
    digest = hashlib.sha256(msgspec.json.encode(rendered, order="sorted", enc_hook=str)).hexdigest()
    ttl = None if cache.ttl is None else parse_duration(context.render_text(str(cache.ttl)))
    return {"task": task.id, "digest": digest, "ttl": ttl}
