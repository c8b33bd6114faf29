"""Which of the things that a trigger waits for an execution of another flow meets."""

from __future__ import annotations

import dataclasses

from penstock.engine.context import labels_of
from penstock.expressions import Resolver, evaluate
from penstock.ports.queries import ExecutionQueries
from penstock.sdk.condition import ExecutionFacts, all_hold
from penstock.services.scheduler.conditions import Conditions
from penstock.services.scheduler.upstream import Arrival, ListeningTrigger


class Judge:
    """Judges arrivals. Implements ENG-272, ENG-274, ENG-293.

    Args:
        queries: Reads executions.
        conditions: Asks the triggers' conditions.
    """

    def __init__(self, queries: ExecutionQueries, conditions: Conditions) -> None:
        self._queries = queries
        self._conditions = conditions

    async def met(self, trigger: ListeningTrigger, arrival: Arrival) -> frozenset[str]:
        """Return the needs an arrival meets; its execution is read again with task runs when conditions ask.

        Raises:
            PenstockError: A condition or a filter has no answer.
        """
        execution = arrival.execution
        upstream = {**arrival.variables, "labels": dict(execution.labels)}
        variables = {
            "trigger": arrival.variables,
            "outputs": execution.outputs or {},
            "labels": labels_of(execution),
            "execution": {"id": execution.id, "state": arrival.state},
        }

        def met_by(resolver: Resolver) -> frozenset[str]:
            return trigger.listener.met_by(upstream, lambda text: evaluate(text, variables, resolver=resolver))

        met = await self._conditions.ask(trigger.flow, met_by)
        if not met or not trigger.definition.conditions:
            return met
        loaded = await self._queries.get(execution.tenant, execution.id)
        runs = loaded[1] if loaded is not None else ()
        facts = dataclasses.replace(ExecutionFacts.of(execution, runs), state=arrival.state)

        def left(resolver: Resolver) -> frozenset[str]:
            context = self._conditions.context(trigger.flow, variables, execution=facts, resolver=resolver)
            if not all_hold(trigger.conditions, context):
                return frozenset()
            named = (f"{key}.{name}" for key, one in trigger.remembering.items() for name in one.names_met(context))
            return met.intersection(trigger.needs).union(named)

        return await self._conditions.ask(trigger.flow, left)
