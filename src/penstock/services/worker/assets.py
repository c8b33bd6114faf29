"""What a task declares of the assets it uses and makes, and what its script names: told to the server (GOV-334)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from penstock.base.clock import Instant
from penstock.base.errors import PenstockError

if TYPE_CHECKING:
    from penstock.services.worker.context import WorkerRunContext

_TOLD = "assets"
_OF_SCRIPTS = "io.kestra.plugin.scripts."


def record_assets(context: WorkerRunContext, outputs: Mapping[str, Any] | None, started: Instant) -> None:
    """Tell the server of the assets of a task run that has succeeded; what is wrong with them is a warning."""
    assignment = context.assignment
    declared = assignment.definition.get(_TOLD) or {}
    named = (outputs or {}).get(_TOLD) if assignment.type.startswith(_OF_SCRIPTS) else None
    if not declared and not named:
        return
    try:
        rendered = context.render_nested({key: declared.get(key) or [] for key in ("inputs", "outputs")})
        context.call(
            "recordAssets",
            taskId=assignment.job.task_id,
            taskRunId=assignment.job.task_run_id,
            revision=assignment.job.flow_revision,
            state="WARNING" if context.warned else "SUCCESS",
            started=started,
            inputs=rendered["inputs"],
            outputs=[*rendered["outputs"], *(named or ())],
        )
    except PenstockError as error:
        context.logger.warning(f"The assets of the task are not recorded: {error}")
