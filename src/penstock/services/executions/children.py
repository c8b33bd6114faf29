"""Executions that other executions start: what a `Subflow` asks for becomes a record (ENG-101 to ENG-106)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from penstock.engine.confidential import handed_on
from penstock.engine.decision import ChildFlow
from penstock.engine.records import Execution, Parent, TriggerOrigin
from penstock.services.executions.creation import Launch, Preparation
from penstock.services.executions.labels import CORRELATION_ID, SYSTEM_PREFIX, USERNAME

SUBFLOW = "io.kestra.plugin.core.flow.Subflow"


class ChildFlows:
    """Makes the records of child executions.

    Implements ENG-034, ENG-039, ENG-105, ENG-107, BEY-007, BEY-044.

    Args:
        preparation: Makes records of launches.
        asks_outputs: Whether the deprecated `outputs` of a `Subflow` have an effect.
    """

    def __init__(self, preparation: Preparation, *, asks_outputs: bool = False) -> None:
        self._preparation = preparation
        self._asks_outputs = asks_outputs

    async def child(self, parent: Execution, wanted: ChildFlow) -> tuple[Execution, str | None]:
        """Return the execution a task run asks for, and why it is to fail at once, if it is.

        Where the flow's own rule says that this is one launch with an earlier one, the execution of that (BEY-044).

        Raises:
            PenstockError: There is no such flow, or what is given does not fit its inputs.
        """
        start = wanted.start
        known = dict(parent.labels)
        inherited = {k: v for k, v in known.items() if not k.startswith(SYSTEM_PREFIX)} if start.inherit_labels else {}
        labels = {**inherited, **start.labels, CORRELATION_ID: known.get(CORRELATION_ID, parent.id)}
        launch = Launch(
            tenant=parent.tenant,
            namespace=start.namespace,
            flow_id=start.flow_id,
            revision=start.revision,
            inputs=start.inputs,
            labels=tuple(labels.items()),
            schedule_date=start.schedule_date,
            trigger=_origin(parent, wanted),
            kind=parent.kind,
            username=known.get(USERNAME),
            execution_id=wanted.execution_id,
        )
        asked = start.outputs if self._asks_outputs else None
        execution, reject = await self._preparation.prepared(
            launch, Parent(parent.id, wanted.task_run_id, start.iteration, asked) if start.wait else None
        )
        execution = msgspec.structs.replace(execution, confidential=handed_on(parent))
        execution, first = await self._preparation.keyed(await self._preparation.flow(launch), execution)
        return (execution, reject) if first is None else (first, None)


def _origin(parent: Execution, wanted: ChildFlow) -> TriggerOrigin:
    """Return what the child knows of its caller: the task is its trigger (ENG-108)."""
    run, iteration = wanted.run, wanted.start.iteration
    known = {
        "executionId": parent.id,
        "namespace": parent.namespace,
        "flowId": parent.flow_id,
        "flowRevision": parent.flow_revision,
        "taskRunId": run.id,
        "taskRunValue": run.value,
        "taskRunIteration": run.iteration if iteration is None else iteration,
    }
    return TriggerOrigin(run.task_id, wanted.task_type, {k: v for k, v in known.items() if v is not None})


def asks_outputs(configurations: Mapping[str, Mapping[str, Any]]) -> bool:
    """Return whether the instance lets a `Subflow` ask for outputs: `outputs.enabled` of the type's configuration."""
    values = configurations.get(SUBFLOW, {})
    nested = values.get("outputs")
    wanted = nested.get("enabled") if isinstance(nested, Mapping) else values.get("outputs.enabled")
    return str(wanted).lower() == "true"
