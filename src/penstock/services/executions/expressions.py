"""Trying an expression in the context of a task run or of a namespace, for people who look for a mistake.

Implements UI-127 and the `eval` endpoint of API-101, UI-077. Secrets are not shown, whatever the expression says.
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
from penstock.services.namespaces import KnownNamespaces
from penstock.services.rendering import Answer, with_answers

MASK = "******"
"""What stands for a secret where its value must not be shown."""
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
        return await _outcome(template, context, head, self._careful)

    async def _careful(self, execution: Execution, function: str, arguments: Mapping[str, Any]) -> Any:
        if function in _HIDDEN:
            raise HiddenError(f"`{function}` is not evaluated here, because the result would show a secret")
        return await self._answer(execution, function, arguments)


class NamespaceExpressions:
    """Evaluates expressions against what a namespace gives its flows: variables, pairs, the names of secrets.

    Implements UI-077. Functions that need an execution are refused; a secret that is there is shown as a mask.

    Args:
        known: The variables of namespaces.
        answer: Answers functions that need the outside.
        shared: Variables the instance adds to every expression: `envs`, `globals`, `kestra`.
    """

    def __init__(self, known: KnownNamespaces, answer: Answer, shared: Mapping[str, Any]) -> None:
        self._known = known
        self._answer = answer
        self._shared = shared

    async def evaluate(self, tenant: str, namespace: str, template: str) -> Outcome:
        """Return what the template gives to any flow of the namespace."""
        context = {
            **self._shared,
            "flow": {"namespace": namespace, "tenantId": tenant},
            "namespace": self._known.of(tenant, namespace).variables,
        }
        head = Execution("", tenant, namespace, "", 0, 0, "", 0)
        return await _outcome(template, context, head, self._masked)

    async def _masked(self, execution: Execution, function: str, arguments: Mapping[str, Any]) -> Any:
        if function not in {"kv", "secret"}:
            raise HiddenError(f"`{function}` is not evaluated here: it would need an execution, or show a secret")
        value = await self._answer(execution, function, arguments)
        return MASK if function == "secret" else value


async def _outcome(template: str, context: Mapping[str, Any], head: Execution, answer: Answer) -> Outcome:
    try:
        value = await with_answers(lambda resolver: evaluate(template, context, resolver=resolver), head, answer)
    except PenstockError as error:
        return Outcome(error=str(error))
    return Outcome(result=value if isinstance(value, str) else to_json_text(value))
