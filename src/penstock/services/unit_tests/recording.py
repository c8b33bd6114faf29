"""A test suite made of an execution: what it was given and what its tasks gave, so that it happens again at will."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

from penstock.base.clock import to_iso
from penstock.base.errors import ConflictError
from penstock.engine.records import Execution, TaskRun
from penstock.engine.states import StateType
from penstock.expressions.encrypted import ENCRYPTED_TYPE
from penstock.expressions.yaml_text import to_yaml
from penstock.model.suites import CASE_TYPE, EndState
from penstock.ports.queries import ExecutionQueries
from penstock.services.executions.following import is_over, missing_execution
from penstock.services.unit_tests.stored import StoredSuite, SuiteService

_BROKEN = frozenset({StateType.FAILED, StateType.KILLED})
"""What ended so runs again in the test: it is what one looks into."""
_PLAIN = re.compile(r"[A-Za-z_]\w*")


class SuiteRecorder:
    """Makes test suites of executions. Implements BEY-032.

    Args:
        queries: Reads executions.
        suites: Keeps suites.
    """

    def __init__(self, queries: ExecutionQueries, suites: SuiteService) -> None:
        self._queries = queries
        self._suites = suites

    async def record(self, tenant: str, execution_id: str) -> StoredSuite:
        """Keep a test suite that has an execution happen again; the one there is, when that was done before.

        Raises:
            NotFoundError: There is no such execution.
            ConflictError: It has not ended yet.
        """
        found = await self._queries.get(tenant, execution_id)
        if found is None:
            raise missing_execution(execution_id)
        execution, runs = found
        if not is_over(execution):
            raise ConflictError("only what has ended can be made into a test", hint="wait until the execution ends")
        known = await self._suites.search(tenant, execution.namespace, execution.flow_id, children=False)
        for one in known:
            if one.id == suite_id(execution):
                return self._suites.read(one)
        return await self._suites.create(tenant, suite_of(execution, runs))


def suite_id(execution: Execution) -> str:
    """Return what the suite made of an execution is called."""
    return f"{execution.flow_id}-{execution.id}"


def suite_of(execution: Execution, runs: Sequence[TaskRun]) -> str:
    """Return the source of a suite: inputs as given, outputs in place of tasks that ended well, states as they were."""
    at = to_iso(execution.state.start if execution.state.histories else execution.created)
    state = execution.state.current.value
    trigger = execution.trigger
    inputs = {name: _literal(value) for name, value in (execution.inputs or {}).items() if not _is_secret(value)}
    origin = {"id": trigger.id, "type": trigger.type, "variables": _literal(trigger.variables)} if trigger else None
    fixtures = {"inputs": inputs, "trigger": origin, "tasks": list(_stand_ins(runs))}
    case = {
        "id": "as_it_happened",
        "type": CASE_TYPE,
        "description": "Tasks that ended well are stood in for by what they gave; those that failed run again. "
        "Once the flow is mended, write the states that are right.",
        "fixtures": {name: value for name, value in fixtures.items() if value},
        "assertions": [{"value": "{{ execution.state }}", "equalTo": state}, *_states(runs)],
    }
    suite = {
        "id": suite_id(execution),
        "namespace": execution.namespace,
        "flowId": execution.flow_id,
        "description": f"Execution {execution.id} of {at}, which ended {state}.",
        "testCases": [case],
    }
    return to_yaml(suite) + "\n"


def _stand_ins(runs: Sequence[TaskRun]) -> Iterator[dict[str, Any]]:
    """Yield fixtures for the tasks that did the work: those that hold others, and those that failed, run again."""
    holders = {run.parent_id for run in runs}
    seen = set()
    for run in runs:
        state = run.state.current
        name = (run.task_id, run.value)
        if run.id in holders or run.dynamic or state in _BROKEN or name in seen or "." in run.task_id:
            continue
        if state.value not in get_args(EndState):
            continue
        seen.add(name)
        fixture: dict[str, Any] = {"id": run.task_id}
        if run.value is not None:
            fixture["value"] = run.value
        if state is not StateType.SUCCESS:
            fixture["state"] = state.value
        if run.outputs:
            fixture["outputs"] = _literal(run.outputs)
        yield fixture


def _states(runs: Sequence[TaskRun]) -> Iterator[dict[str, Any]]:
    """Yield what the states of tasks outside of loops must be."""
    by_id = {run.id: run for run in runs}
    for run in runs:
        above: TaskRun | None = run
        while above is not None and above.value is None:
            above = by_id.get(above.parent_id or "")
        if above is None and not run.dynamic and "." not in run.task_id:
            name = f".{run.task_id}" if _PLAIN.fullmatch(run.task_id) else f"['{run.task_id}']"
            yield {"value": f"{{{{ tasks{name}.state }}}}", "equalTo": run.state.current.value}


def _is_secret(value: Any) -> bool:
    return isinstance(value, Mapping) and value.get("type") == ENCRYPTED_TYPE


def _literal(value: Any) -> Any:
    """Return a value that comes out as it is though expressions in it are rendered."""
    if isinstance(value, Mapping):
        return {key: _literal(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_literal(one) for one in value]
    if isinstance(value, str) and any(mark in value for mark in ("{{", "{%", "{#")):
        return f"{{% raw %}}{value}{{% endraw %}}"
    return value
