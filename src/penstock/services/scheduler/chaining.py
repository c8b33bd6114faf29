"""From an execution of another flow to the execution it starts."""

from __future__ import annotations

from msgspec.structs import replace

from penstock.base.errors import PenstockError
from penstock.engine.records import Execution, TriggerOrigin
from penstock.services.executions import Launch
from penstock.services.scheduler.firing import Firing, keyed
from penstock.services.scheduler.upstream import Arrival, ListeningTrigger

CORRELATION_ID = "system.correlationId"


class Chaining:
    """Makes the executions of triggers that listen. Implements ENG-269, ENG-271, ENG-291.

    Args:
        firing: Makes executions of triggers.
    """

    def __init__(self, firing: Firing) -> None:
        self._firing = firing

    async def started(self, trigger: ListeningTrigger, arrival: Arrival, key: str) -> tuple[Execution, str | None]:
        """Return the execution an arrival starts, and why it is to fail at once, if it is.

        Raises:
            PenstockError: An input cannot be rendered, or is not what the flow wants; a check forbids the start.
        """
        launch = _launch(trigger, arrival)
        execution, reject = await self._firing.made(trigger.flow, trigger.definition, launch, given={}, labels={})
        return keyed(execution, key), reject

    def failed(
        self, trigger: ListeningTrigger, arrival: Arrival, key: str, error: Exception
    ) -> tuple[Execution | None, str | None]:
        """Return the execution that stands for a failure, and why it fails; none without `failOnTriggerError`."""
        if not trigger.definition.fail_on_trigger_error:
            return None, None
        execution = self._firing.bare(trigger.flow, _launch(trigger, arrival))
        return replace(execution, firing_key=key), f"trigger {trigger.definition.id} failed: {error_text(error)}"


def error_text(error: Exception) -> str:
    """Return what went wrong, for the log of a trigger."""
    return str(error) if isinstance(error, PenstockError) else f"{type(error).__name__}: {error}"


def _launch(trigger: ListeningTrigger, arrival: Arrival) -> Launch:
    """Return what an arrival launches; the chain keeps its correlation."""
    flow, definition = trigger.flow, trigger.definition
    correlation = dict(arrival.execution.labels).get(CORRELATION_ID)
    labels = () if correlation is None else ((CORRELATION_ID, correlation),)
    origin = TriggerOrigin(definition.id, definition.type, arrival.variables)
    return Launch(flow.tenant, flow.namespace, flow.id, flow.revision, labels=labels, trigger=origin)
