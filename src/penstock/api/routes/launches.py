"""Starting executions: the hot path of the API (API-020, API-021).

`create` is a plain Starlette handler: no model is validated on the way in or out, and a request without a body costs
no form parser.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Scope

from penstock.api import schemas
from penstock.api.answers import JsonAnswer
from penstock.api.bodies import NO_VALUES, FormValues, form_values
from penstock.api.middleware import identity_of
from penstock.api.render.executions import render_execution
from penstock.api.render.launches import render_input_checks
from penstock.api.routes.replays import breakpoints_of
from penstock.api.routes.table import FORM, Routes, parameter
from penstock.api.search import read_date
from penstock.api.settings import ApiSettings
from penstock.base.clock import Clock
from penstock.base.errors import InvalidRequestError
from penstock.base.ids import new_id
from penstock.engine.records import KINDS, Execution, Labels
from penstock.services.executions import ExecutionService, Following, Launch
from penstock.services.executions.idempotency import HEADER, checked_key, digest_of

_PATH = "/api/v1/{tenant}/executions/{namespace}/{id}"
_PARAMETERS = [
    parameter("labels", {"type": "array", "items": {"type": "string"}}, text="`key:value`, repeatable"),
    parameter("wait", {"type": "boolean", "default": False}, text="Answer when the execution has ended."),
    parameter("revision", {"type": "integer"}, text="The latest by default."),
    parameter("scheduleDate", {"type": "string", "format": "date-time"}, text="Begin then."),
    parameter("breakpoints", text="Task ids, separated by commas."),
    parameter("kind", {"type": "string", "enum": list(KINDS)}),
    {**parameter(HEADER, text="A repeated request with the same key answers the first execution."), "in": "header"},
]


class _LaunchRoute(Route):
    """The route of launches; leaves paths that end in a word of other routes to them."""

    def __init__(self, path: str, endpoint: Callable[..., Any], words: frozenset[str]) -> None:
        super().__init__(path, endpoint, methods=["POST"])
        self._words = words

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Return whether the route serves the request."""
        if scope["type"] != "http" or scope["method"] != "POST" or scope["path"].rpartition("/")[2] in self._words:
            return Match.NONE, {}
        return super().matches(scope)


class LaunchRoutes:
    """Implements API-020, API-021, ENG-120 to ENG-125.

    Args:
        executions: Starts executions.
        following: Waits for their ends.
        clock: The present, for durations.
        settings: Bounds and addresses.
    """

    def __init__(self, executions: ExecutionService, following: Following, clock: Clock, settings: ApiSettings) -> None:
        self._executions = executions
        self._following = following
        self._clock = clock
        self._settings = settings

    def hot(self, words: frozenset[str]) -> list[BaseRoute]:
        """Return the routes that stand before all others, so that they are found first.

        Args:
            words: What is no flow id, because other routes have it in the same place.
        """
        return [_LaunchRoute(_PATH, self.create, words)]

    def router(self) -> APIRouter:
        """Return the routes with their descriptions; the hot ones are served by `hot`."""
        routes = Routes("/api/v1/{tenant}/executions", "Executions")
        routes.add("POST", "/{namespace}/{id}", self.described, "createExecution", answers=schemas.Execution,
                   parameters=_PARAMETERS, body=FORM)  # fmt: skip
        routes.add("POST", "/trigger/{namespace}/{id}", self.described, "triggerExecution", hidden=True)
        routes.add("POST", "/{namespace}/{id}/validate", self.validate, "validateExecutionInputs",
                   answers=schemas.InputsValidation, parameters=_PARAMETERS[:1], body=FORM)  # fmt: skip
        return routes.router

    async def described(self, request: Request, tenant: str, namespace: str, id: str) -> Response:  # noqa: A002
        """Start an execution of a flow."""
        return await self.create(request)

    async def create(self, request: Request) -> Response:
        """Start an execution of a flow."""
        if "content-type" not in request.headers:
            return await self._start(request, NO_VALUES)
        async with form_values(request, self._settings) as form:
            return await self._start(request, form)

    async def _start(self, request: Request, form: FormValues) -> Response:
        launch = _launch(request, form)
        if request.query_params.get("wait", "false").lower() != "true":
            execution = await self._executions.create(launch)
            return JsonAnswer(render_execution(execution, self._clock.now(), (), url=self._url(execution)))
        assert launch.execution_id is not None
        with self._following.watch(launch.execution_id) as watch:
            execution = await self._executions.create(launch)
            view = await self._following.end_of(execution, launch.execution_id, watch)
        body = render_execution(view.execution, self._clock.now(), view.task_runs, url=self._url(execution))
        return JsonAnswer(body)

    async def validate(self, request: Request, tenant: str, namespace: str, id: str) -> Response:  # noqa: A002
        """Say what a launch with these values would find, without launching."""
        async with form_values(request, self._settings) as form:
            checks = await self._executions.check(_launch(request, form))
        return JsonAnswer(render_input_checks(namespace, id, checks))

    def _url(self, execution: Execution) -> str:
        return self._settings.execution_url(execution.namespace, execution.flow_id, execution.id)


def _launch(request: Request, form: FormValues) -> Launch:
    path = request.path_params
    identity = identity_of(request)
    username = None if identity is None else identity.username
    names = (path["tenant"], path["namespace"], path["id"])
    key = checked_key(request.headers.get(HEADER))
    if key is None and not request.scope["query_string"]:
        return Launch(*names, inputs=form.values, files=form.files, username=username, execution_id=new_id())
    query = request.query_params
    date = query.get("scheduleDate")
    kind = (query.get("kind") or "NORMAL").upper()
    if kind not in KINDS:
        raise InvalidRequestError(f"`kind` must be one of {', '.join(KINDS)}, not `{kind}`")
    return Launch(
        *names,
        revision=_revision(query.get("revision")),
        inputs=form.values,
        files=form.files,
        labels=labels_of(query.getlist("labels")),
        schedule_date=read_date("scheduleDate", date) if date else None,
        kind=kind,
        breakpoints=breakpoints_of(query.get("breakpoints")),
        username=username,
        execution_id=new_id(),
        idempotency_key=key,
        digest=None if key is None else _digest(request, form),
    )


def _digest(request: Request, form: FormValues) -> str:
    """Return what a launch says; of files, name and size."""
    files = {name: (upload.name, upload.size) for name, upload in form.files.items()}
    parameters = sorted(pair for pair in request.query_params.multi_items() if pair[0] != "wait")
    return digest_of("launch", form.values, files, parameters)


def labels_of(texts: list[str]) -> Labels:
    """Return labels given as `key:value`.

    Raises:
        InvalidRequestError: One has no colon.
    """
    labels = []
    for text in texts:
        key, colon, value = text.partition(":")
        if not (colon and key):
            raise InvalidRequestError(f"`labels` must be `key:value`, not `{text}`")
        labels.append((key, value))
    return tuple(labels)


def _revision(text: str | None) -> int | None:
    if not text:
        return None
    if not text.isdecimal():
        raise InvalidRequestError(f"`revision` must be a number, not `{text}`")
    return int(text)
