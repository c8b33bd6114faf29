"""Running test suites: each case one execution of its own, with stand-ins, then its assertions.

Implements GOV-319 to GOV-326, GOV-328, GOV-330.
"""

from __future__ import annotations

import asyncio
import posixpath
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from penstock.base.clock import Clock
from penstock.base.errors import InvalidRequestError, NotFoundError, PenstockError
from penstock.base.ids import new_id
from penstock.engine.events import Kill
from penstock.engine.flow import ResolvedFlow
from penstock.engine.records import Execution, Fixtures, TaskFixture, TriggerOrigin
from penstock.engine.states import StateType
from penstock.engine.working_set import ExecutionState
from penstock.expressions import render_nested
from penstock.model.suites import CaseDocument, FixturesDocument, SuiteDocument
from penstock.ports.dispatch import Dispatcher
from penstock.ports.objects import ObjectStorage
from penstock.ports.queries import ExecutionQueries
from penstock.services.executions import ExecutionService, Following, Launch
from penstock.services.executions.following import ExecutionView
from penstock.services.file_access import execution_folder
from penstock.services.rendering import Answer, with_answers
from penstock.services.unit_tests.assertions import Aftermath, check
from penstock.services.unit_tests.results import CaseResult, SuiteResult, Verdict

KIND = "TEST"
"""Marks executions of tests, which lists leave out (GOV-319)."""
_MOST_LOGS = 1000


class UnitTests:
    """Runs test suites.

    Args:
        executions: Starts executions.
        following: Waits for their ends.
        dispatcher: Stops those that do not end.
        queries: Reads logs.
        objects: Where files of fixtures go.
        answer: Answers functions that need the outside.
        clock: Tells how long it took.
        shared: Variables of every expression.
        patience: Seconds a case may take.
        at_once: How many cases run at a time.
    """

    def __init__(
        self,
        executions: ExecutionService,
        following: Following,
        dispatcher: Dispatcher,
        queries: ExecutionQueries,
        objects: ObjectStorage,
        answer: Answer,
        clock: Clock,
        *,
        shared: Mapping[str, Any],
        patience: float = 300.0,
        at_once: int = 8,
    ) -> None:
        self._executions = executions
        self._following = following
        self._dispatcher = dispatcher
        self._queries = queries
        self._objects = objects
        self._answer = answer
        self._clock = clock
        self._shared = shared
        self._patience = patience
        self._places = asyncio.Semaphore(at_once)

    async def run(
        self, tenant: str, suite: SuiteDocument, *, ended: Callable[[CaseResult], None] = lambda result: None
    ) -> SuiteResult:
        """Return how the cases of a suite went; nothing a flow does raises.

        Args:
            tenant: Whose suite it is.
            suite: The suite.
            ended: Told of each case as it ends.
        """
        started = self._clock.now()

        async def run(case: CaseDocument) -> CaseResult:
            async with self._places:
                result = await self._case(tenant, suite, case)
            ended(result)
            return result

        cases = await asyncio.gather(*(run(case) for case in suite.test_cases))
        return SuiteResult(new_id(), suite.id, suite.namespace, suite.flow_id, started, self._clock.now(), cases)

    async def _case(self, tenant: str, suite: SuiteDocument, case: CaseDocument) -> CaseResult:
        if suite.disabled or case.disabled:
            return CaseResult(case.id, Verdict.SKIPPED)
        began = self._clock.now()
        launch = Launch(tenant, suite.namespace, suite.flow_id, kind=KIND, execution_id=new_id())
        try:
            flow = await self._executions.flow(launch)
            launch = await self._equipped(flow, launch, case.fixtures)
            view = await self._executed(launch)
        except PenstockError as error:
            duration = self._clock.now() - began
            return CaseResult(case.id, Verdict.ERROR, errors=[_told(error)], duration=duration)
        result = await self._judged(case, flow, view)
        return CaseResult(
            case.id,
            result.verdict,
            result.assertions,
            result.errors,
            view.execution.id,
            view.execution.state.current,
            result.logs,
            self._clock.now() - began,
        )

    async def _executed(self, launch: Launch) -> ExecutionView:
        """Return the execution at its end; one that takes too long is killed and returned as it was."""
        await self._executions.create(launch)
        assert launch.execution_id is not None
        view: ExecutionView | None = None
        try:
            async with asyncio.timeout(self._patience):
                async for change in self._following.changes(launch.tenant, launch.execution_id):
                    view = change or view
        except TimeoutError:
            await self._dispatcher.send(launch.execution_id, Kill("unit test"))
        return view or await self._following.view(launch.tenant, launch.execution_id)

    async def _judged(self, case: CaseDocument, flow: ResolvedFlow, view: ExecutionView) -> CaseResult:
        lines, _ = await self._queries.logs_of(view.execution.id, limit=_MOST_LOGS)
        if not view.is_over:
            state = view.execution.state.current
            problem = f"the execution did not end within {self._patience:g} s: it was {state} and has been killed"
            return CaseResult(case.id, Verdict.ERROR, errors=[problem], logs=lines)
        after = Aftermath(flow, ExecutionState.of(view.execution, view.task_runs), lines, self._shared)
        results = [one for assertion in case.assertions for one in await check(assertion, after, self._answer)]
        verdict = Verdict.SUCCESS if all(one.is_success for one in results) else Verdict.FAILED
        return CaseResult(case.id, verdict, results, logs=lines)

    # -- fixtures

    async def _equipped(self, flow: ResolvedFlow, launch: Launch, given: FixturesDocument) -> Launch:
        """Return the launch with its fixtures, their files stored.

        Raises:
            NotFoundError: A fixture stands in for a task that the flow does not have.
        """
        known = set(_task_ids(flow))
        for one in given.tasks:
            if one.id not in known:
                raise NotFoundError(
                    f"the fixture stands in for task `{one.id}`, which flow {flow.namespace}.{flow.id} does not have",
                    hint=f"its tasks: {', '.join(sorted(known))}",
                )
        files = {name: await self._stored(flow, launch, name, content) for name, content in given.files.items()}
        tasks = {
            one.id if one.value is None else f"{one.id}/{one.value}": TaskFixture(StateType(one.state), one.outputs)
            for one in given.tasks
        }
        bare = self._executions.bare(flow, launch)
        context = {"files": files, "flow": {"id": flow.id, "namespace": flow.namespace}, **self._shared}
        trigger = given.trigger
        return Launch(
            launch.tenant,
            launch.namespace,
            launch.flow_id,
            inputs=await self._rendered(given.inputs, context, bare),
            trigger=None
            if trigger is None
            else TriggerOrigin(trigger.id, trigger.type, await self._rendered(trigger.variables, context, bare)),
            kind=KIND,
            execution_id=launch.execution_id,
            fixtures=Fixtures(tasks, files),
        )

    async def _stored(self, flow: ResolvedFlow, launch: Launch, name: str, content: str) -> str:
        if name.startswith("/") or posixpath.normpath(name).startswith(".."):
            raise InvalidRequestError(f"`{name}` is no name for a file of a fixture", hint="use a plain file name")
        folder = execution_folder(flow.namespace, flow.id, launch.execution_id or "")
        return await self._objects.put(launch.tenant, f"{folder}/fixtures/{name}", content.encode())

    async def _rendered(self, value: Mapping[str, Any], context: Mapping[str, Any], bare: Execution) -> dict[str, Any]:
        def work(resolver: Any) -> Any:
            return render_nested(dict(value), context, resolver=resolver)

        rendered: dict[str, Any] = await with_answers(work, bare, self._answer)
        return rendered


def _task_ids(flow: ResolvedFlow) -> Iterator[str]:
    """Yield the ids of a flow's tasks, those included that run inside others."""
    for task in flow.tasks.values():
        yield from _ids(task.properties)


def _ids(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        if isinstance(value.get("id"), str) and "type" in value:
            yield value["id"]
        for key, item in value.items():
            # What a task uses and makes has an id and a type too.
            yield from () if key == "assets" else _ids(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _ids(item)


def _told(error: PenstockError) -> str:
    return f"{error.message} ({error.hint})" if error.hint else error.message
