"""Executions by the many: the same request for several ids, or for all that meet filters (API-011, API-101)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from penstock.api import schemas
from penstock.api.answers import JsonAnswer
from penstock.api.bodies import read_json
from penstock.api.middleware import identity_of
from penstock.api.routes.table import FILTERS, Handler, Routes, parameter
from penstock.api.search import filters_of
from penstock.api.settings import ApiSettings
from penstock.base.clock import Clock
from penstock.engine.records import Execution
from penstock.engine.states import StateType
from penstock.services.executions import ExecutionReader, Steering
from penstock.services.executions.steering import ended, not_ended, not_in

Check = Callable[[Execution], str | None]
Action = Callable[[str], Awaitable[object]]
_IDS = {"application/json": {"schema": {"type": "array", "items": {"type": "string"}}}}


class _Label(msgspec.Struct):
    key: str
    value: str


class _LabelRequest(msgspec.Struct, rename="camel"):
    executions_id: list[str]
    execution_labels: list[_Label]


class BulkRoutes:
    """Implements API-011 and the bulk part of API-101.

    Args:
        reader: Finds what meets filters, and deletes.
        steering: Kills, pauses, resumes, restarts.
        clock: The present, for time ranges.
        settings: Bounds.
    """

    def __init__(self, reader: ExecutionReader, steering: Steering, clock: Clock, settings: ApiSettings) -> None:
        self._reader = reader
        self._steering = steering
        self._clock = clock
        self._settings = settings

    def router(self) -> APIRouter:
        """Return the routes, by ids and by query for each action."""
        routes = Routes("/api/v1/{tenant}/executions", "Executions")
        flags = [
            parameter(name, {"type": "boolean", "default": default})
            for name, default in (
                ("includeNonTerminated", False),
                ("deleteLogs", True),
                ("deleteMetrics", True),
                ("deleteStorage", True),
            )
        ]
        self._pair(routes, "DELETE", "/kill", ended, self._kill, "killExecutions")
        self._pair(routes, "POST", "/pause", not_in(StateType.RUNNING), self._pause, "pauseExecutions")
        self._pair(routes, "POST", "/resume", not_in(StateType.PAUSED), self._resume, "resumeExecutions")
        self._pair(routes, "POST", "/restart", not_ended, self._restart, "restartExecutions")
        routes.add("DELETE", "/by-ids", self.delete_by_ids, "deleteExecutionsByIds", answers=schemas.BulkAnswer,
                   parameters=flags, body=_IDS)  # fmt: skip
        routes.add("DELETE", "/by-query", self.delete_by_query, "deleteExecutionsByQuery", answers=schemas.BulkAnswer,
                   parameters=[*flags, *FILTERS])  # fmt: skip
        routes.add("POST", "/labels/by-ids", self.label_by_ids, "setLabelsOnTerminatedExecutionsByIds",
                   answers=schemas.BulkAnswer)  # fmt: skip
        routes.add("POST", "/labels/by-query", self.label_by_query, "setLabelsOnTerminatedExecutionsByQuery",
                   answers=schemas.BulkAnswer, parameters=FILTERS)  # fmt: skip
        return routes.router

    def _pair(
        self, routes: Routes, method: str, path: str, check: Check, action: Callable[[Request, str], Action], name: str
    ) -> None:
        word = path.removeprefix("/").capitalize()
        routes.add(method, f"{path}/by-ids", self._by_ids(check, action), f"{name}ByIds",
                   answers=schemas.BulkAnswer, body=_IDS,
                   summary=f"{word} several executions, or none when one does not allow it")  # fmt: skip
        routes.add(method, f"{path}/by-query", self._by_query(check, action), f"{name}ByQuery",
                   answers=schemas.BulkAnswer, parameters=FILTERS,
                   summary=f"{word} all executions that meet the filters and allow it")  # fmt: skip

    def _by_ids(self, check: Check, action: Callable[[Request, str], Action]) -> Handler:
        async def by_ids(request: Request, tenant: str) -> Response:
            """Do it to several executions, or to none when one does not allow it."""
            ids = await read_json(request, self._settings, list[str])
            return JsonAnswer({"count": await self._steering.all_of(tenant, ids, check, action(request, tenant))})

        return by_ids

    def _by_query(self, check: Check, action: Callable[[Request, str], Action]) -> Handler:
        async def by_query(request: Request, tenant: str) -> Response:
            """Do it to all executions that meet the filters and allow it."""
            found = await self._matching(request, tenant)
            ids = [execution.id for execution in found if check(execution) is None]
            return JsonAnswer({"count": await self._steering.each(ids, action(request, tenant))})

        return by_query

    async def _matching(self, request: Request, tenant: str) -> list[Execution]:
        filters = filters_of(request.query_params.multi_items(), self._clock.now())
        return await self._reader.matching(tenant, filters)

    def _kill(self, request: Request, tenant: str) -> Action:
        return lambda execution_id: self._steering.kill(tenant, execution_id, _by(request))

    def _pause(self, request: Request, tenant: str) -> Action:
        return lambda execution_id: self._steering.pause(tenant, execution_id, _by(request))

    def _resume(self, request: Request, tenant: str) -> Action:
        return lambda execution_id: self._steering.resume(tenant, execution_id, None, _by(request))

    def _restart(self, request: Request, tenant: str) -> Action:
        return lambda execution_id: self._steering.restart(tenant, execution_id, None, _by(request))

    def _delete(self, request: Request, tenant: str) -> Action:
        query = request.query_params
        wanted = {
            "logs": _flag(query.get("deleteLogs"), True),
            "metrics": _flag(query.get("deleteMetrics"), True),
            "storage": _flag(query.get("deleteStorage"), True),
            "non_terminated": _flag(query.get("includeNonTerminated"), False),
        }
        return lambda execution_id: self._reader.delete(tenant, execution_id, **wanted)

    async def delete_by_ids(self, request: Request, tenant: str) -> Response:
        """Delete several executions, or none when one has not ended."""
        ids = await read_json(request, self._settings, list[str])
        check: Check = not_ended
        if _flag(request.query_params.get("includeNonTerminated"), False):
            check = not_in(*StateType)
        return JsonAnswer({"count": await self._steering.all_of(tenant, ids, check, self._delete(request, tenant))})

    async def delete_by_query(self, request: Request, tenant: str) -> Response:
        """Delete all ended executions that meet the filters."""
        ids = [execution.id for execution in await self._matching(request, tenant)]
        return JsonAnswer({"count": await self._steering.each(ids, self._delete(request, tenant))})

    async def label_by_ids(self, request: Request, tenant: str) -> Response:
        """Set labels on several ended executions, or on none when one has not ended."""
        wanted = await read_json(request, self._settings, _LabelRequest)
        labels = tuple((label.key, label.value) for label in wanted.execution_labels)
        count = await self._steering.all_of(
            tenant, wanted.executions_id, not_ended, lambda one: self._steering.set_labels(tenant, one, labels)
        )
        return JsonAnswer({"count": count})

    async def label_by_query(self, request: Request, tenant: str) -> Response:
        """Set labels on all ended executions that meet the filters."""
        given = await read_json(request, self._settings, list[_Label])
        labels = tuple((label.key, label.value) for label in given)
        ids = [one.id for one in await self._matching(request, tenant) if one.state.is_terminal]
        count = await self._steering.each(ids, lambda one: self._steering.set_labels(tenant, one, labels))
        return JsonAnswer({"count": count})


def _flag(text: str | None, default: bool) -> bool:
    return default if text is None else text.lower() == "true"


def _by(request: Request) -> str | None:
    identity = identity_of(request)
    return None if identity is None else identity.username
