"""What a round decides: which deliveries are this executor's to decide on, and what follows from each of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

import structlog

from penstock.base.clock import Instant
from penstock.base.errors import ConflictError, NotFoundError, PenstockError, UnavailableError
from penstock.engine.decide import UNKNOWN_FLOW, fail
from penstock.engine.decision import Decision, Message
from penstock.engine.events import Created, Event, Restart, SlotFreed
from penstock.engine.flow import ResolvedFlow
from penstock.engine.records import NO_PINS, Execution, Pins
from penstock.engine.working_set import ExecutionState
from penstock.ports.journal import COUNTED, Journal
from penstock.services.executor.admission import Admission
from penstock.services.executor.child_starts import ChildStarts
from penstock.services.executor.delivery import Delivery, of_message
from penstock.services.executor.flow_source import FlowSource
from penstock.services.executor.round import Answer, Round, decide_with_facts
from penstock.services.executor.working_sets import WorkingSets

log = structlog.get_logger(__name__)


class Deciding:
    """Turns deliveries into decisions of a round.

    Args:
        journal: Where executions that are not in memory are read.
        flows: The flows to decide by.
        states: What is in memory of executions.
        admission: Limits.
        children: Makes executions that task runs ask for.
        answer: Looks up what expressions need from outside.
        shared: Variables the instance adds to every expression.
        in_flight: Messages that have been read and are not stored as dealt with; what is left to others is taken out.
    """

    def __init__(
        self,
        journal: Journal,
        flows: FlowSource,
        states: WorkingSets,
        admission: Admission,
        children: ChildStarts,
        answer: Answer,
        shared: Mapping[str, Any],
        in_flight: set[int],
    ) -> None:
        self._journal = journal
        self._flows = flows
        self._states = states
        self._admission = admission
        self._children = children
        self._answer = answer
        self._shared = shared
        self._in_flight = in_flight

    async def decide(self, current: Round, deliveries: Sequence[Delivery]) -> None:
        """Decide on deliveries, and on what follows from them for executions that are held here."""
        await self._load(deliveries)
        queue = deque(deliveries)
        while queue:
            delivery = queue.popleft()
            if delivery.execution_id in current.elsewhere:
                current.pass_on(delivery)
                continue
            state = self._state_of(delivery)
            if state is None:
                await self._load([delivery])
                state = self._state_of(delivery)
            if state is None:
                current.attach(delivery)
                missing = NotFoundError(f"there is no execution {delivery.execution_id}")
                queue.extend(current.refuse(delivery, missing))
                continue
            if not await self._is_to_decide(current, delivery, state.execution):
                continue
            current.attach(delivery)
            try:
                flow, decision = await self._decision(delivery, state, current.now)
            except (ConflictError, NotFoundError) as refusal:
                queue.extend(current.refuse(delivery, refusal))
                continue
            current.take(delivery, state, flow, decision)
            self._shortcut(current, decision.messages, queue)
            for spawn in decision.spawns:
                queue.append(Delivery(spawn.execution.id, Created(spawn.reject), new=spawn.execution))
            for wanted in decision.children:
                queue.extend(await self._children.start(current, state.execution, wanted))
            if decision.ended is None:
                await self._admission.went_on(delivery.event, state.execution, current.tokens)
                continue
            admitted, counts_elsewhere = await self._admission.ended(state.execution, current.tokens)
            queue.extend(admitted)
            if counts_elsewhere:
                current.slots_freed.add(state.execution.flow_id)

    async def _is_to_decide(self, current: Round, delivery: Delivery, execution: Execution) -> bool:
        """Return whether this executor decides on a delivery; if not, it has been passed on or is made again."""
        place = self._states.place(execution.id)
        is_held = place in current.tokens
        if delivery.origin is not None and delivery.origin not in current.tokens:
            self._in_flight.discard(delivery.message_id or 0)  # whoever holds the inbox by now reads it there
            return False
        if not is_held and (delivery.timer is not None or isinstance(delivery.event, SlotFreed)):
            return False  # whoever holds the partition by now makes both anew, of what is stored
        may_move = place != COUNTED and (is_held or delivery.new is not None)
        if may_move and await self._admission.is_counted(delivery.event, execution, current.now):
            current.move(execution.id, place if delivery.new is None else None)
            self._states.count(execution.id)
            place, is_held = COUNTED, COUNTED in current.tokens
        if not is_held:
            self._states.drop(execution.id)
            current.pass_on(delivery)
            return False
        if await self._admission.is_outdated(delivery.event, execution):
            return False
        current.touched.add(place)
        return True

    async def _decision(self, delivery: Delivery, state: ExecutionState, now: Instant) -> tuple[ResolvedFlow, Decision]:
        """Decide on one delivery; an execution that cannot be decided on fails, so that it holds up nobody."""
        execution = state.execution
        revision, pins = _revisions(delivery.event, execution)
        key = (execution.tenant, execution.namespace, execution.flow_id, revision, pins)
        try:
            flow = self._flows.cached(*key) or await self._flows.resolved(*key)
        except PenstockError as error:
            if isinstance(delivery.event, Restart):
                raise ConflictError(f"execution {execution.id} cannot be restarted: {error}") from error
            return UNKNOWN_FLOW, fail(state, str(error), now)
        try:
            place = self._states.place(execution.id)
            event = await self._admission.event(delivery.event, execution, now, place)
            return flow, await decide_with_facts(flow, state, event, now, self._shared, self._answer)
        except (ConflictError, NotFoundError, UnavailableError):
            raise
        except Exception as error:
            log.exception("undecidable", action="executor.decide", execution=execution.id)
            return flow, fail(state, f"the engine could not go on: {type(error).__name__}: {error}", now)

    def _shortcut(self, current: Round, messages: Sequence[Message], queue: deque[Delivery]) -> None:
        """Decide on messages for executions held here in the same transaction instead of storing them."""
        for message in messages:
            if self._states.get(message.execution_id) is None:
                continue
            if self._states.place(message.execution_id) in current.tokens:
                current.batch.messages.remove(message)
                queue.append(of_message(message))

    async def _load(self, deliveries: Sequence[Delivery]) -> None:
        missing = {d.execution_id for d in deliveries if d.new is None and self._states.get(d.execution_id) is None}
        if not missing:
            return
        for loaded in (await self._journal.load(missing)).values():
            self._states.put(ExecutionState.of(loaded.execution, loaded.task_runs))
            if loaded.partition == COUNTED:
                self._states.count(loaded.execution.id)

    def _state_of(self, delivery: Delivery) -> ExecutionState | None:
        state = self._states.get(delivery.execution_id)
        if state is None and delivery.new is not None:
            state = ExecutionState.of(delivery.new, delivery.runs)
            state.is_new = True
            self._states.put(state)
        return state


def _revisions(event: Event, execution: Execution) -> tuple[int, Pins]:
    """Return the revisions to decide with: the execution's own, but for a restart with another one."""
    wanted = event.revision if isinstance(event, Restart) else None
    if wanted in (None, execution.flow_revision):
        return execution.flow_revision, execution.pins
    return wanted, NO_PINS
