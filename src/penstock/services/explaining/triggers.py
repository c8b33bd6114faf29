"""Why a trigger does not start an execution."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import takewhile

from penstock.base.clock import SECOND, Clock, Instant, to_datetime
from penstock.base.errors import InvalidRequestError, NotFoundError
from penstock.engine.flow import ResolvedFlow
from penstock.ports.flows import FlowStore
from penstock.ports.jobs import JobQueue
from penstock.ports.queries import ExecutionQueries, Filter, PageRequest
from penstock.ports.switches import Switch
from penstock.ports.triggers import STOP_AFTER, TriggerState, TriggerStore
from penstock.ports.waiting import WaitReads
from penstock.sdk import PollingTrigger, RealtimeTrigger, TriggerBase
from penstock.services.explaining.blockers import Blocker, Explanation, at
from penstock.services.explaining.executions import ExecutionExplainer
from penstock.services.explaining.workers import for_a_worker
from penstock.services.flows import FlowCatalog
from penstock.services.flows.switching import told
from penstock.services.preconditions import PreconditionService
from penstock.services.scheduler.calendar import Calendar
from penstock.services.switches import SwitchService
from penstock.services.triggers import TriggerName, named_trigger

_LOST = "a scheduler offers it anew within five minutes; restart the trigger to have it at once"


class TriggerExplainer:
    """Tells what triggers wait for. Implements BEY-002.

    Args:
        triggers: What triggers remember.
        flows: Revisions of flows.
        catalog: Flows ready to run.
        triggers_of: A flow's triggers, made from their definitions.
        preconditions: What triggers on other flows wait for.
        executions: Explains what locks a trigger.
        switches: What people say of flows and triggers, apart from their sources.
        reads: Reads the jobs of evaluations.
        jobs: Tells who works.
        queries: Reads the log lines of triggers.
        clock: The present.
    """

    def __init__(
        self,
        triggers: TriggerStore,
        flows: FlowStore,
        catalog: FlowCatalog,
        triggers_of: Callable[[ResolvedFlow], Sequence[TriggerBase]],
        preconditions: PreconditionService,
        executions: ExecutionExplainer,
        switches: SwitchService,
        reads: WaitReads,
        jobs: JobQueue,
        queries: ExecutionQueries,
        clock: Clock,
    ) -> None:
        self._triggers = triggers
        self._flows = flows
        self._catalog = catalog
        self._triggers_of = triggers_of
        self._preconditions = preconditions
        self._executions = executions
        self._switches = switches
        self._reads = reads
        self._jobs = jobs
        self._queries = queries
        self._clock = clock

    async def trigger(self, tenant: str, name: TriggerName) -> Explanation:
        """Return why a trigger has not fired.

        Raises:
            NotFoundError: There is no such flow or trigger.
        """
        flow = await self._catalog.resolved(tenant, *name[:2])
        definition = named_trigger(self._triggers_of(flow), name)
        state = await self._triggers.get(tenant, *name)
        said = await self._switches.of_flows(tenant, [name[:2]])
        own, switch = said.get((*name[:2], "")), said.get(name)
        if own is not None and own.disables:
            blockers = [_said(f"Flow {flow.namespace}.{flow.id}", own, "resume the flow")]
        elif flow.disabled:
            blockers = [await self._disabled(flow)]
        else:
            blockers = _switched_off(definition, state, switch)
        if state is not None and not blockers:
            blockers += await self._at_work(tenant, state)
        if not blockers:
            blockers += await self._preconditions_of(tenant, name)
        if not blockers:
            blockers += await self._last_failure(definition, state)
            blockers += _dated(definition, state, self._clock.now())
        sentence = blockers[0].sentence if blockers else "Nothing keeps it from firing: it waits for what it listens to"
        return Explanation("trigger", "/".join(name), "BLOCKED" if blockers else "READY", sentence, blockers)

    async def _disabled(self, flow: ResolvedFlow) -> Blocker:
        """Return since when, and since which of its revisions, a flow is disabled."""
        found = await self._flows.revisions(flow.tenant, flow.namespace, flow.id)
        name, action = f"Flow {flow.namespace}.{flow.id}", "enable the flow"
        disabled = [*takewhile(lambda one: one.disabled, reversed(found))]
        if not disabled:  # enabled a moment ago
            return Blocker("DISABLED", f"{name} is disabled", action)
        first = disabled[-1]
        sentence = f"{name} is disabled by its revision {first.revision}, saved at {at(first.updated)}"
        if first.author is not None:
            sentence += f" by {first.author}"
        return Blocker("DISABLED", sentence, action, since=first.updated)

    async def _at_work(self, tenant: str, state: TriggerState) -> list[Blocker]:
        blockers = []
        if state.execution_id is not None:
            sentence = f"It waits for the end of execution {state.execution_id}, which it has started"
            action = "kill that execution, or unlock the trigger"
            blocker = Blocker("LOCK", sentence, action, executions=(state.execution_id,))
            try:
                because = (await self._executions.execution(tenant, state.execution_id)).blockers
            except NotFoundError:
                because = ()
            blockers.append(replace(blocker, because=because))
        if state.error is not None:
            times = "once" if state.failures == 1 else f"{state.failures} times in a row"
            sentence = f"Its evaluation has failed {times}: {state.error}"
            blockers.append(Blocker("ERROR", sentence, "correct the trigger or what it asks"))
        if state.evaluation is not None:
            blockers += await self._evaluated(tenant, state, state.evaluation)
        return blockers

    async def _evaluated(self, tenant: str, state: TriggerState, evaluation: str) -> list[Blocker]:
        """Return who evaluates a trigger, or what its evaluation waits for; nothing when it has ended meanwhile."""
        since = state.evaluating_since
        queued = await self._reads.job(evaluation)
        if queued is None:
            later = await self._triggers.get(tenant, state.namespace, state.flow_id, state.trigger_id)
            if later is None or later.evaluation != evaluation:
                return []
            return [Blocker("NOTHING", "Its evaluation is lost: no job is there for it", _LOST, since)]
        workers = await self._jobs.workers()
        if queued.owner is None:
            return [replace(await for_a_worker("Its evaluation", queued.job, workers, self._reads), since=since)]
        worker = next((one for one in workers if one.id == queued.owner), None)
        sentence = "The worker that evaluated it is gone; another does it soon"
        if worker is not None:
            heard = at(worker.heartbeat)
            sentence = f"Worker {worker.id} on {worker.hostname} evaluates it; it was last heard of at {heard}"
        return [Blocker("EVALUATION", sentence, since=since)]

    async def _last_failure(self, definition: TriggerBase, state: TriggerState | None) -> list[Blocker]:
        """Return why its last date started nothing; a schedule tells that to its log alone, as it goes on (ENG-269)."""
        if state is None or not isinstance(definition, Calendar):
            return []
        names = {"namespace": state.namespace, "flowId": state.flow_id, "triggerId": state.trigger_id, "level": "ERROR"}
        filters = [Filter(name, "EQUALS", value) for name, value in names.items()]
        filters.append(Filter("startDate", "GREATER_THAN_OR_EQUAL_TO", to_datetime(state.updated - SECOND)))
        filters.append(Filter("endDate", "LESS_THAN_OR_EQUAL_TO", to_datetime(state.updated + SECOND)))
        found = await self._queries.logs(state.tenant, filters, PageRequest(size=1, sort=(("date", False),)))
        return [
            Blocker(
                "ERROR", f"At {at(one.date)} it could not start: {one.message}", "correct the trigger", since=one.date
            )
            for one in found.results
        ]

    async def _preconditions_of(self, tenant: str, name: TriggerName) -> list[Blocker]:
        try:
            expected = await self._preconditions.get(tenant, name)
        except InvalidRequestError:
            return []  # it does not listen to other flows
        return [
            Blocker("CONDITION", f"Precondition `{one.name}` is not met: {_told(one.wanted)}")
            for one in expected.preconditions
            if one.met is None
        ]


def _told(wanted: Mapping[str, object]) -> str:
    """Return what a precondition asks for in words: `flowId orders, states FAILED`."""
    parts = (
        (name, ", ".join(map(str, value)) if isinstance(value, list | tuple) else value)
        for name, value in wanted.items()
    )
    return "; ".join(f"{name} {value}" for name, value in parts)


def _said(name: str, switch: Switch, action: str) -> Blocker:
    """Return what somebody said of a flow or trigger on this instance (BEY-041)."""
    return Blocker("DISABLED", f"{name} is {told(switch)}", action, since=switch.since, until=switch.until)


def _switched_off(definition: TriggerBase, state: TriggerState | None, switch: Switch | None) -> list[Blocker]:
    if switch is not None and switch.disables and not (state is not None and state.disabled):
        return [_said("It", switch, "resume the trigger")]
    if definition.disabled:
        return [Blocker("DISABLED", "The flow's source disables it", "take `disabled: true` from the trigger")]
    if state is not None and state.disabled:
        sentence = f"It was disabled by {state.disabled_by or f'hand, or by {STOP_AFTER}'}"
        return [Blocker("DISABLED", sentence, "enable the trigger", since=state.updated or None)]
    return []


def _dated(definition: TriggerBase, state: TriggerState | None, now: Instant) -> list[Blocker]:
    """Return when a trigger fires or looks for events next; webhooks and triggers on flows have no dates."""
    if state is None or state.next_date is None:
        if not isinstance(definition, Calendar | PollingTrigger | RealtimeTrigger):
            return []
        if isinstance(definition, Calendar) and definition.next_after(to_datetime(now)) is None:
            return [Blocker("DATE", "None of its dates is still to come", "give it a date in the future")]
        return [Blocker("SCHEDULER", "No scheduler has planned what it does next", "start a server with a scheduler")]
    due = state.next_date
    if due <= now:
        sentence = f"It is due since {at(due)}, and no scheduler has served it"
        return [Blocker("SCHEDULER", sentence, "start a server with a scheduler", since=due)]
    return [Blocker("DATE", f"It fires at {at(due)}", until=due)]
