"""Starting an execution: the use case behind the API, webhooks, the command line and the interface.

This is the hot path. A flow without inputs costs a look-up, one record and one hand-over to the executor.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from penstock.base.clock import Clock, Instant
from penstock.base.errors import ConflictError, InvalidRequestError
from penstock.base.ids import new_id
from penstock.engine.flow import ResolvedFlow
from penstock.engine.records import Execution, Fixtures, Labels, Parent, TriggerOrigin
from penstock.engine.states import State, StateType
from penstock.model.inputs import InputProblem, InputState
from penstock.model.policies import Check, Idempotency
from penstock.ports.dispatch import Dispatcher
from penstock.services.executions.admission import Admission
from penstock.services.executions.idempotency import FirstExecutions
from penstock.services.executions.inputs import InputReader, Upload, document_of
from penstock.services.executions.labels import launch_labels
from penstock.services.flows import FlowCatalog


@dataclass(frozen=True, slots=True)
class Launch:
    """Which flow to start, and with what."""

    tenant: str
    namespace: str
    flow_id: str
    revision: int | None = None
    """The latest by default."""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, Upload] = field(default_factory=dict)
    """Files by input id."""
    labels: Labels = ()
    schedule_date: Instant | None = None
    trigger: TriggerOrigin | None = None
    kind: str = "NORMAL"
    breakpoints: tuple[str, ...] = ()
    fixtures: Fixtures | None = None
    """What stands in for tasks and files (GOV-321)."""
    username: str | None = None
    """Who starts it."""
    execution_id: str | None = None
    """Given by a caller that watches the execution before it exists."""
    idempotency_key: str | None = None
    """A launch with a key that the flow has seen answers with the execution of that time (BEY-044)."""
    digest: str | None = None
    """What the request says, to tell a repetition from another request under the same key."""


@dataclass(frozen=True, slots=True)
class LaunchCheck:
    """What a launch would find."""

    inputs: Sequence[InputState]
    unknown: Sequence[InputProblem]
    """What is given for inputs the flow does not have."""
    failing: Sequence[Check]
    """Checks of the flow that do not hold."""


class CheckFailedError(InvalidRequestError):
    """A check of the flow forbids to create the execution (ENG-193, ENG-409)."""

    code = "CHECK_FAILED"


class Preparation:
    """Makes the records of executions, without starting them.

    Implements ENG-026, ENG-027, ENG-034, ENG-035, ENG-118, ENG-120, ENG-124, ENG-126, ENG-127, ENG-192 to ENG-194,
    ENG-409.

    Args:
        catalog: Where resolved flows come from.
        inputs: Reads what is given for the flow's inputs.
        clock: Tells when executions begin.
        first: Finds what an idempotency key has started.
    """

    def __init__(self, catalog: FlowCatalog, inputs: InputReader, clock: Clock, first: FirstExecutions) -> None:
        self._catalog = catalog
        self._inputs = inputs
        self._clock = clock
        self._first = first

    async def check(self, launch: Launch) -> LaunchCheck:
        """Say what a launch would find, without launching.

        Raises:
            NotFoundError: There is no such flow or revision.
        """
        flow = await self.flow(launch)
        execution = self.bare(flow, launch)
        states, unknown = await self._inputs.check(flow, execution, launch.inputs, launch.files)
        values: dict[str, Any] = {state.input.id: state.value for state in states}
        return LaunchCheck(states, unknown, await self._inputs.failing(flow, execution, values))

    async def check_given(self, launch: Launch) -> None:
        """Check the inputs of launches to come, as far as they can be judged by themselves.

        Raises:
            NotFoundError: There is no such flow or revision.
            InvalidInputs: A value is wrong, or for an input that the flow does not have.
        """
        self._inputs.check_given(await self.flow(launch), launch.inputs)

    async def prepared(self, launch: Launch, parent: Parent | None = None) -> tuple[Execution, str | None]:
        """Return the execution that a launch would start, for whoever stores it together with something else.

        Args:
            launch: What to start.
            parent: Waits for its end.

        Returns:
            The execution, and why it is to fail at once, if it is.

        Raises:
            NotFoundError: There is no such flow or revision.
            InvalidInputs: What is given does not fit the flow's inputs.
            CheckFailedError: A check of the flow forbids it.
        """
        flow = await self.flow(launch)
        execution = self.bare(flow, launch, parent)
        document = document_of(flow)
        if document.inputs or launch.inputs or launch.files:
            execution = await self._inputs.filled(flow, execution, launch.inputs, launch.files)
        return execution, await self._rejection(flow, execution) if document.checks else None

    async def keyed(self, flow: ResolvedFlow, execution: Execution) -> tuple[Execution, Execution | None]:
        """Return an execution with the key that its flow's rule gives it, and the one that has the key already.

        Implements BEY-044 for executions that nobody has given a key.
        """
        rule = document_of(flow).idempotency
        if rule is None:
            return execution, None
        name = self._first.name(flow, await self._inputs.rendered(flow, execution, rule.key))
        first = await self._first.find(name, rule)
        return msgspec.structs.replace(execution, firing_key=name), first

    async def flow(self, launch: Launch) -> ResolvedFlow:
        """Return the flow to start."""
        names = (launch.tenant, launch.namespace, launch.flow_id, launch.revision)
        return self._catalog.cached(*names) or await self._catalog.resolved(*names)

    async def _rejection(self, flow: ResolvedFlow, execution: Execution) -> str | None:
        """Return why the execution is to fail at once; None when its checks let it run (ENG-193, ENG-194).

        Raises:
            CheckFailedError: A check forbids to create it.
        """
        failing = await self._inputs.failing(flow, execution, execution.inputs or {})
        blocking = [check.message for check in failing if check.behavior == "BLOCK_EXECUTION"]
        if blocking:
            raise CheckFailedError("; ".join(blocking))
        return next((check.message for check in failing if check.behavior == "FAIL_EXECUTION"), None)

    def bare(self, flow: ResolvedFlow, launch: Launch, parent: Parent | None = None) -> Execution:
        """Return the execution before its inputs are read."""
        now = self._clock.now()
        execution_id = launch.execution_id or new_id()
        return Execution(
            id=execution_id,
            tenant=flow.tenant,
            namespace=flow.namespace,
            flow_id=flow.id,
            flow_revision=flow.revision,
            created=now,
            original_id=execution_id,
            original_created=now,
            trigger=launch.trigger,
            parent=parent,
            schedule_date=launch.schedule_date,
            kind=launch.kind,
            breakpoints=launch.breakpoints,
            fixtures=launch.fixtures,
            state=State.at(StateType.CREATED, now),
            labels=launch_labels(flow.labels, launch.labels, execution_id, launch.username),
        )


class ExecutionService(Preparation):
    """Starts executions. Implements ENG-038, BEY-044.

    Args:
        catalog: Where resolved flows come from.
        inputs: Reads what is given for the flow's inputs.
        dispatcher: The door to the executor.
        clock: Tells when it begins.
        first: Finds what an idempotency key has started.
        admission: Refuses executions of namespaces that are full; none is refused without it.
    """

    def __init__(
        self,
        catalog: FlowCatalog,
        inputs: InputReader,
        dispatcher: Dispatcher,
        clock: Clock,
        first: FirstExecutions,
        admission: Admission | None = None,
    ) -> None:
        super().__init__(catalog, inputs, clock, first)
        self._admission = admission
        self._dispatcher = dispatcher

    async def create(self, launch: Launch) -> Execution:
        """Start an execution; it is stored when this returns. A repeated launch returns the execution of the first.

        Raises:
            NotFoundError: There is no such flow or revision.
            InvalidInputs: What is given does not fit the flow's inputs; nothing was created.
            CheckFailedError: A check of the flow forbids it; nothing was created.
            DifferentRequestError: Its idempotency key was used for another request; nothing was created.
            TooManyExecutionsError: Its namespace is full; nothing was created.
        """
        rule = document_of(await self.flow(launch)).idempotency
        if rule is not None or launch.idempotency_key is not None:
            return await self._create_once(launch, rule)
        await self._admit(launch)
        execution, reject = await self.prepared(launch)
        await self._dispatcher.create(execution, reject=reject)
        return execution

    async def _admit(self, launch: Launch) -> None:
        if self._admission is not None:
            await self._admission.admit(launch.tenant, launch.namespace)

    async def _create_once(self, launch: Launch, rule: Idempotency | None) -> Execution:
        """Start an execution unless its key has started one: that of the request, or else that of the flow's rule."""
        flow = await self.flow(launch)
        name = None
        if launch.idempotency_key is not None:  # known before anything is read or stored
            name = self._first.name(flow, launch.idempotency_key)
            first = await self._first.find(name, rule)
            if first is not None:
                return self._first.same(first, launch.digest)
        await self._admit(launch)
        execution, reject = await self.prepared(launch)
        if name is None:
            execution, first = await self.keyed(flow, execution)
            if first is not None:
                await self._inputs.discard(execution, launch.files)
                return first
            name = execution.firing_key
        assert name is not None
        execution = msgspec.structs.replace(execution, firing_key=name, digest=launch.digest)
        if await self._dispatcher.create(execution, reject=reject):
            return execution
        await self._inputs.discard(execution, launch.files)
        first = await self._first.find(name, None)
        if first is None:
            raise ConflictError("the execution of this key was deleted at this moment", hint="try again")
        return self._first.same(first, launch.digest)
