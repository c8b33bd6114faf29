"""Trying an expression in the context of a task run, for people who look for a mistake.

Implements UI-127 and the `eval` endpoint of API-101. Secrets are not read for it, whatever the expression says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from penstock.base.codec import to_json_text
from penstock.base.errors import NotFoundError, PenstockError, UnauthorizedError
from penstock.engine.context import variables
from penstock.engine.records import Execution
from penstock.engine.working_set import ExecutionState
from penstock.expressions import evaluate
from penstock.expressions.encrypted import OPENING
from penstock.ports.queries import ExecutionQueries
from penstock.services.executions.following import missing_execution
from penstock.services.flows import FlowCatalog
from penstock.services.rendering import Answer, with_answers

_HIDDEN = frozenset({"secret", "credential", "decrypt", OPENING})


class HiddenError(UnauthorizedError):
    """The expression would show a secret."""

    code = "HIDDEN"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an expression gives: a text, or why it gives none."""

    result: str | None = None
    error: str | None = None


class ExpressionTester:
    """Evaluates expressions against what a task run saw.

    Args:
        queries: Reads the execution.
        catalog: Reads its flow.
        answer: Answers functions that need the outside.
        shared: Variables the instance adds to every expression: `envs`, `globals`, `kestra`.
    """

    def __init__(
        self, queries: ExecutionQueries, catalog: FlowCatalog, answer: Answer, shared: Mapping[str, Any]
    ) -> None:
        self._queries = queries
        self._catalog = catalog
        self._answer = answer
        self._shared = shared

    async def evaluate(self, tenant: str, execution_id: str, task_run_id: str | None, template: str) -> Outcome:
        """Return what the template gives to a task run, or at the end of the flow when none is named.

        Raises:
            NotFoundError: There is no such execution or task run.
        """
        found = await self._queries.get(tenant, execution_id)
        if found is None:
            raise missing_execution(execution_id)
        state = ExecutionState.of(*found)
        run = None if task_run_id is None else state.task_runs.get(task_run_id)
        if run is None and task_run_id is not None:
            raise NotFoundError(f"execution {execution_id} has no task run {task_run_id}")
        head = state.execution
        flow = await self._catalog.resolved(tenant, head.namespace, head.flow_id, head.flow_revision, head.pins)
        task = None if run is None else flow.tasks.get(run.task_id)
        context = variables(flow, state, run, task, self._shared)
        try:
            value = await with_answers(
                lambda resolver: evaluate(template, context, resolver=resolver), head, self._careful
            )
        except PenstockError as error:
            return Outcome(error=str(error))
        return Outcome(result=value if isinstance(value, str) else to_json_text(value))

    async def _careful(self, execution: Execution, function: str, arguments: Mapping[str, Any]) -> Any:
        if function in _HIDDEN:
            raise HiddenError(f"`{function}` is not evaluated here, because the result would show a secret")
        return await self._answer(execution, function, arguments)
