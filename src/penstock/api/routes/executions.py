"""Executions one by one: read, search, steer, replay, delete (API-101)."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from penstock.api import schemas
from penstock.api.answers import JsonAnswer, no_content, paged
from penstock.api.bodies import form_values, read_body, read_json
from penstock.api.middleware import username_of
from penstock.api.render.executions import read_labels, render_execution, render_last
from penstock.api.render.expressions import render_outcome
from penstock.api.render.flows import render_for_execution
from penstock.api.routes.replays import breakpoints_of, read_edits, replay_of
from penstock.api.routes.table import FILTERS, FORM, PAGE, TEXT, Routes, json_body, parameter
from penstock.api.search import filters_of, page_of, recent
from penstock.api.settings import ApiSettings
from penstock.base.clock import Clock
from penstock.base.errors import InvalidRequestError
from penstock.engine.records import Execution
from penstock.engine.states import StateType
from penstock.ports.queries import Filter
from penstock.services.executions import Deleting, ExecutionReader, ExpressionTester, Replay, Replaying, Steering
from penstock.services.flows import FlowDefinitions, FlowService

_NO_TRIALS = Filter("kind", "NOT_IN", ("PLAYGROUND", "TEST"))


_BODIES = parameter(
    "bodies", {"type": "boolean", "default": True}, text="`false` leaves inputs, outputs and variables out: lists do"
)


class _Label(msgspec.Struct):
    key: str
    value: str


class _StateRequest(msgspec.Struct, rename="camel"):
    task_run_id: str
    state: StateType


class _FlowFilter(msgspec.Struct):
    namespace: str
    id: str


class ExecutionRoutes:
    """Implements API-025, API-026, API-101, ENG-133.

    Args:
        reader: Reads.
        deleting: Deletes.
        steering: Kills, pauses, resumes, restarts and so on.
        replaying: Runs earlier executions again.
        tester: Evaluates expressions in the context of a task run.
        flows: Reads the flows executions belong to.
        definitions: Flows as plain data.
        clock: The present.
        settings: Bounds and addresses.
    """

    def __init__(
        self,
        reader: ExecutionReader,
        deleting: Deleting,
        steering: Steering,
        replaying: Replaying,
        tester: ExpressionTester,
        flows: FlowService,
        definitions: FlowDefinitions,
        clock: Clock,
        settings: ApiSettings,
    ) -> None:
        self._reader = reader
        self._deleting = deleting
        self._steering = steering
        self._replaying = replaying
        self._tester = tester
        self._flows = flows
        self._definitions = definitions
        self._clock = clock
        self._settings = settings

    def router(self) -> APIRouter:
        """Return the routes; those with fixed words stand before those with names in the same place."""
        routes = Routes("/api/v1/{tenant}/executions", "Executions")
        add = routes.add
        one, paging = schemas.Execution, [*PAGE, *FILTERS]
        add("GET", "", self.of_flow, "searchExecutionsByFlowId", answers=schemas.PagedExecutions, parameters=PAGE)
        add("GET", "/search", self.search, "searchExecutions", answers=schemas.PagedExecutions,
            parameters=[*paging, _BODIES])  # fmt: skip
        add("POST", "/latest", self.latest, "latestExecutions", answers=list[schemas.LastExecution],
            body=json_body(schemas.FlowFilter, several=True))  # fmt: skip
        add("GET", "/namespaces", self.namespaces, "listExecutableNamespaces", answers=list[str])
        add(
            "GET",
            "/namespaces/{namespace}/flows",
            self.flows_of,
            "listExecutableFlows",
            answers=list[schemas.FlowForExecution],
        )
        add("GET", "/flows/{namespace}/{flow_id}", self.flow, "flowFromExecution", answers=schemas.FlowForExecution)
        add("GET", "/{execution_id}", self.get, "execution", answers=one)
        add("DELETE", "/{execution_id}", self.delete, "deleteExecution", status=204)
        add("GET", "/{execution_id}/flow", self.flow_of, "flowFromExecutionById", answers=schemas.FlowForExecution)
        add("DELETE", "/{execution_id}/kill", self.kill, "killExecution", status=202)
        add("POST", "/{execution_id}/pause", self.pause, "pauseExecution", status=204)
        add("POST", "/{execution_id}/resume", self.resume, "resumeExecution", status=204, body=FORM)
        add("POST", "/{execution_id}/restart", self.restart, "restartExecution", answers=one)
        add("POST", "/{execution_id}/replay", self.replay, "replayExecution", answers=one)
        add("POST", "/{execution_id}/replay-with-inputs", self.replay_with_inputs, "replayExecutionWithinputs",
            answers=one, body=FORM)  # fmt: skip
        add("POST", "/{execution_id}/state", self.change_task_state, "updateTaskRunState", answers=one,
            body=json_body(schemas.TaskRunStateChange))  # fmt: skip
        add("POST", "/{execution_id}/labels", self.set_labels, "setLabelsOnTerminatedExecution", answers=one,
            body=json_body(schemas.Label, several=True))  # fmt: skip
        add("POST", "/{execution_id}/eval", self.evaluate, "evalExpression",
            answers=schemas.EvalResult, body=TEXT)  # fmt: skip
        add("POST", "/{execution_id}/eval/{task_run_id}", self.evaluate, "evalTaskRunExpression",
            answers=schemas.EvalResult, body=TEXT)  # fmt: skip
        return routes.router

    async def get(self, tenant: str, execution_id: str) -> Response:
        """Return an execution with its task runs."""
        return await self._whole(tenant, execution_id)

    async def search(self, request: Request, tenant: str, bodies: bool = True) -> Response:
        """Return a page of executions, newest first unless asked otherwise, without their task runs.

        Where no time is asked for, it is of the last time (`kestra.lists.time-range`).
        With `bodies=false` inputs, outputs, variables and those of triggers are neither read nor shown.
        """
        pairs = request.query_params.multi_items()
        now = self._clock.now()
        filters = recent(_without_trials(filters_of(pairs, now)), self._settings.list_range, now)
        page = await self._reader.search(tenant, filters, page_of(pairs), bodies=bodies)
        return paged([render_execution(execution, now) for execution in page.results], page.total)

    async def of_flow(self, request: Request, tenant: str, namespace: str, flowId: str) -> Response:  # noqa: N803
        """Return a page of one flow's executions."""
        return await self.search(request, tenant)

    async def latest(self, request: Request, tenant: str, count: Annotated[int, Query(ge=1, le=50)] = 1) -> Response:
        """Return the newest execution of each flow that has one, or the `count` newest."""
        flows = await read_json(request, self._settings, list[_FlowFilter])
        found = await self._reader.latest(tenant, [(flow.namespace, flow.id) for flow in flows], count)
        return JsonAnswer([render_last(execution) for execution in found])

    async def namespaces(self, tenant: str) -> Response:
        """Return the namespaces that have flows to execute."""
        return JsonAnswer(list(await self._flows.namespaces(tenant)))

    async def flows_of(self, tenant: str, namespace: str) -> Response:
        """Return what is needed of the flows of a namespace to execute them."""
        flows = await self._flows.in_namespace(tenant, namespace)
        return JsonAnswer([render_for_execution(flow, self._definitions.of(flow)) for flow in flows])

    async def flow(self, tenant: str, namespace: str, flow_id: str, revision: int | None = None) -> Response:
        """Return what is needed of a flow to execute it."""
        flow = await self._flows.get(tenant, namespace, flow_id, revision, deleted=True)
        return JsonAnswer(render_for_execution(flow, self._definitions.of(flow)))

    async def flow_of(self, tenant: str, execution_id: str) -> Response:
        """Return the flow of an execution, in the revision it ran."""
        head = await self._reader.head(tenant, execution_id)
        return await self.flow(tenant, head.namespace, head.flow_id, head.flow_revision)

    async def delete(
        self,
        tenant: str,
        execution_id: str,
        deleteLogs: bool = True,  # noqa: N803
        deleteMetrics: bool = True,  # noqa: N803
        deleteStorage: bool = True,  # noqa: N803
    ) -> Response:
        """Delete an ended execution with what belongs to it."""
        await self._deleting.delete(tenant, execution_id, logs=deleteLogs, metrics=deleteMetrics, storage=deleteStorage)
        return no_content()

    async def kill(
        self,
        request: Request,
        tenant: str,
        execution_id: str,
        isOnKillCascade: bool = True,  # noqa: N803
    ) -> Response:
        """Stop an execution, and those it waits for unless it is to be stopped alone."""
        execution = await self._steering.kill(tenant, execution_id, username_of(request), cascade=isOnKillCascade)
        return self._answer(execution, status=202)

    async def pause(self, request: Request, tenant: str, execution_id: str) -> Response:
        """Hold an execution: what runs goes on, nothing new begins."""
        await self._steering.pause(tenant, execution_id, username_of(request))
        return no_content()

    async def resume(self, request: Request, tenant: str, execution_id: str) -> Response:
        """Let a paused execution go on, with the values its Pause task asks for."""
        async with form_values(request, self._settings) as form:
            await self._steering.resume(tenant, execution_id, form.values, username_of(request), form.files)
        return no_content()

    async def restart(self, request: Request, tenant: str, execution_id: str, revision: int | None = None) -> Response:
        """Run the failed task runs of an ended execution again."""
        await self._steering.restart(tenant, execution_id, revision, username_of(request))
        return await self._whole(tenant, execution_id)

    async def replay(
        self,
        request: Request,
        tenant: str,
        execution_id: str,
        taskRunId: str | None = None,  # noqa: N803
        revision: int | None = None,
        latestRevision: bool = False,  # noqa: N803
        breakpoints: str | None = None,
    ) -> Response:
        """Run an execution again as a new one, from the start or from a task run, as it was or with changes."""
        wanted = replay_of(
            await read_edits(request, self._settings),
            task_run_id=taskRunId,
            revision=revision,
            latest=latestRevision,
            breakpoints=breakpoints,
        )
        return self._answer(await self._replaying.replay(tenant, execution_id, wanted, username_of(request)))

    async def replay_with_inputs(
        self,
        request: Request,
        tenant: str,
        execution_id: str,
        taskRunId: str | None = None,  # noqa: N803
        revision: int | None = None,
        breakpoints: str | None = None,
    ) -> Response:
        """Run an execution again as a new one with other inputs; those not given stay as they were."""
        async with form_values(request, self._settings) as form:
            wanted = Replay(
                task_run_id=taskRunId,
                revision=revision,
                breakpoints=breakpoints_of(breakpoints),
                inputs=form.values,
                files=form.files,
            )
            return self._answer(await self._replaying.replay(tenant, execution_id, wanted, username_of(request)))

    async def change_task_state(self, request: Request, tenant: str, execution_id: str) -> Response:
        """Set the state of a task run by hand."""
        wanted = await read_json(request, self._settings, _StateRequest)
        by = username_of(request)
        await self._steering.change_task_state(tenant, execution_id, wanted.task_run_id, wanted.state, by)
        return await self._whole(tenant, execution_id)

    async def set_labels(self, request: Request, tenant: str, execution_id: str) -> Response:
        """Set labels on an ended execution."""
        labels = await read_json(request, self._settings, list[_Label])
        pairs = read_labels(msgspec.to_builtins(labels))
        if not pairs:
            raise InvalidRequestError("the list of labels is empty")
        return self._answer(await self._steering.set_labels(tenant, execution_id, pairs))

    async def evaluate(
        self,
        request: Request,
        tenant: str,
        execution_id: str,
        task_run_id: str | None = None,
    ) -> Response:
        """Evaluate an expression in the context of a task run, or of the flow's end; secrets stay hidden."""
        text = (await read_body(request, self._settings)).decode("utf-8", "replace")
        outcome = await self._tester.evaluate(tenant, execution_id, task_run_id, text)
        return JsonAnswer(render_outcome(outcome))

    async def _whole(self, tenant: str, execution_id: str) -> Response:
        view = await self._reader.get(tenant, execution_id)
        return JsonAnswer(render_execution(view.execution, self._clock.now(), view.task_runs))

    def _answer(self, execution: Execution, status: int = 200) -> Response:
        return JsonAnswer(render_execution(execution, self._clock.now()), status_code=status)


def _without_trials(filters: list[Filter]) -> list[Filter]:
    """Return filters that leave out runs of editors and tests, unless they ask for kinds (UI-102, GOV-319)."""
    return filters if any(one.field == "kind" for one in filters) else [*filters, _NO_TRIALS]
