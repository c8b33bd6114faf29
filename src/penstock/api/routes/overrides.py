"""What people decide over an execution's head: force-run, unqueue, change-status, breakpoints, resume checks.

A part of API-101.
"""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from penstock.api import schemas
from penstock.api.answers import JsonAnswer, no_content
from penstock.api.bodies import form_values
from penstock.api.middleware import username_of
from penstock.api.render.executions import render_execution
from penstock.api.render.launches import render_input_checks
from penstock.api.routes.bulk import read_state
from penstock.api.routes.replays import breakpoints_of
from penstock.api.routes.table import FORM, Routes, parameter
from penstock.api.settings import ApiSettings
from penstock.base.clock import Clock
from penstock.engine.overriding import CHOSEN_ENDS, LEAVING_THE_QUEUE
from penstock.engine.records import Execution
from penstock.services.executions import LaunchCheck, ResumeReader, Steering


class OverrideRoutes:
    """Implements the force-run, unqueue, change-status, resume-from-breakpoint and resume/validate parts of API-101.

    Args:
        steering: Carries the decisions out.
        resuming: Reads what a paused execution asks for.
        clock: The present, for durations.
        settings: Bounds.
    """

    def __init__(self, steering: Steering, resuming: ResumeReader, clock: Clock, settings: ApiSettings) -> None:
        self._steering = steering
        self._resuming = resuming
        self._clock = clock
        self._settings = settings

    def router(self) -> APIRouter:
        """Return the routes."""
        routes = Routes("/api/v1/{tenant}/executions/{execution_id}", "Executions")
        add, one = routes.add, schemas.Execution
        ends, exits = (
            {"type": "string", "enum": sorted(CHOSEN_ENDS)},
            {"type": "string", "enum": sorted(LEAVING_THE_QUEUE)},
        )
        add("POST", "/force-run", self.force_run, "forceRunExecution", answers=one)
        add("POST", "/unqueue", self.unqueue, "unqueueExecution", answers=one, parameters=[parameter("state", exits)])
        add("POST", "/change-status", self.change_status, "updateExecutionStatus", answers=one,
            parameters=[parameter("status", ends)])  # fmt: skip
        add("POST", "/resume-from-breakpoint", self.resume_from_breakpoint, "resumeExecutionFromBreakpoint",
            status=204)  # fmt: skip
        add("POST", "/resume/validate", self.validate_resume, "validateResumeExecutionInputs",
            answers=schemas.InputsValidation, body=FORM)  # fmt: skip
        return routes.router

    async def force_run(self, request: Request, tenant: str, execution_id: str) -> Response:
        """Have an execution go on whatever it waits for: a slot, its date, a resume, a breakpoint."""
        return self._answer(await self._steering.force_run(tenant, execution_id, username_of(request)))

    async def unqueue(self, request: Request, tenant: str, execution_id: str) -> Response:
        """Take an execution out of the queue: it runs, or ends without running any task."""
        state = read_state("state", request.query_params.get("state") or "RUNNING")
        return self._answer(await self._steering.unqueue(tenant, execution_id, state, username_of(request)))

    async def change_status(self, request: Request, tenant: str, execution_id: str) -> Response:
        """Give an ended execution another end; nothing runs because of it."""
        state = read_state("status", request.query_params.get("status"))
        return self._answer(await self._steering.change_state(tenant, execution_id, state, username_of(request)))

    async def resume_from_breakpoint(
        self, request: Request, tenant: str, execution_id: str, breakpoints: str | None = None
    ) -> Response:
        """Let an execution go on from a breakpoint; `breakpoints` says where it stops from now on."""
        names = None if breakpoints is None else breakpoints_of(breakpoints)
        await self._steering.resume_from_breakpoint(tenant, execution_id, names, username_of(request))
        return no_content()

    async def validate_resume(self, request: Request, tenant: str, execution_id: str) -> Response:
        """Say what a resume with these values would find, without resuming."""
        async with form_values(request, self._settings) as form:
            execution, states, unknown = await self._resuming.check(tenant, execution_id, form.values, form.files)
        return JsonAnswer(render_input_checks(execution.namespace, execution.flow_id, LaunchCheck(states, unknown, ())))

    def _answer(self, execution: Execution) -> Response:
        return JsonAnswer(render_execution(execution, self._clock.now()))
