"""Checking what a run left behind. Implements GOV-326, GOV-328."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from penstock.engine.context import variables
from penstock.engine.flow import ResolvedFlow
from penstock.engine.records import LogLine
from penstock.engine.working_set import ExecutionState
from penstock.expressions import ExpressionError, UndefinedVariableError, evaluate, render, text_of
from penstock.model.suites import AssertionDocument
from penstock.services.rendering import Answer, with_answers
from penstock.services.unit_tests.operators import TESTS
from penstock.services.unit_tests.results import AssertionResult

_NULLABLE = frozenset({"isNull", "isNotNull"})


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What assertions look at."""

    flow: ResolvedFlow
    state: ExecutionState
    logs: Sequence[LogLine]
    shared: Mapping[str, Any]

    def context(self, task_id: str | None) -> dict[str, Any]:
        """Return the variables of an assertion; those of a task's last run when it names a task."""
        runs = self.state.by_task.get(task_id, ()) if task_id else ()
        run = self.state.task_runs[runs[-1]] if runs else None
        task = self.flow.tasks.get(task_id) if task_id else None
        found = variables(self.flow, self.state, run, task, self.shared)
        execution = self.state.execution
        found["execution"] = {**found["execution"], "outputs": execution.outputs or {}}
        if execution.fixtures is not None:
            found["files"] = dict(execution.fixtures.files)
        found["logs"] = [{"level": line.level, "message": line.message, "taskId": line.task_id} for line in self.logs]
        return found


async def check(assertion: AssertionDocument, after: Aftermath, answer: Answer) -> list[AssertionResult]:
    """Return one result for each operator of an assertion."""
    results = []
    problem: str | None
    for operator, wanted in assertion.expected().items():
        if assertion.task_id is not None and assertion.task_id not in after.state.by_task:
            actual, expected, holds = None, wanted, False
            problem = f"task `{assertion.task_id}` did not run"
        else:
            actual, expected, holds, problem = await _verdict(assertion, operator, wanted, after, answer)
        results.append(
            AssertionResult(
                operator,
                expected,
                actual,
                holds,
                assertion.task_id,
                assertion.description,
                None if holds else assertion.error_message or problem,
                text_of(assertion.value),
            )
        )
    return results


async def _verdict(
    assertion: AssertionDocument, operator: str, wanted: Any, after: Aftermath, answer: Answer
) -> tuple[Any, Any, bool, str | None]:
    """Return the value, what it is compared with, whether it holds, and why it cannot be told."""
    context = after.context(assertion.task_id)
    try:
        expected = await _rendered(wanted, context, after, answer)
        actual = await _rendered(assertion.value, context, after, answer)
    except UndefinedVariableError as error:
        if operator not in _NULLABLE:
            return None, wanted, False, str(error)
        actual, expected = None, wanted
    except ExpressionError as error:
        return None, wanted, False, str(error)
    holds = TESTS[operator](actual, expected)
    return (
        actual if actual is None or isinstance(actual, bool | int | float) else text_of(actual),
        expected,
        holds,
        None,
    )


async def _rendered(value: Any, context: Mapping[str, Any], after: Aftermath, answer: Answer) -> Any:
    """Return a value with its expressions rendered to text; null stays null."""
    if isinstance(value, list):
        return [await _rendered(one, context, after, answer) for one in value]
    if not isinstance(value, str) or "{" not in value:
        return value

    def work(resolver: Any) -> Any:
        found = evaluate(value, context, resolver=resolver)
        return None if found is None else render(value, context, resolver=resolver)

    return await with_answers(work, after.state.execution, answer)
