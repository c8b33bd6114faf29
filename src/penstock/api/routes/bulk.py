"""Executions by the many: the same request for several ids, or for all that meet filters (API-011, API-101)."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from penstock.api import schemas
from penstock.api.answers import JsonAnswer
from penstock.api.bodies import read_json
from penstock.api.errors import invalid_ids
from penstock.api.middleware import username_of
from penstock.api.routes.replays import Edited, read_bulk_edits, read_edits, replay_of
from penstock.api.routes.table import FILTERS, Handler, Routes, json_body, parameter
from penstock.api.search import filters_of
from penstock.api.settings import ApiSettings
from penstock.base.clock import Clock
from penstock.base.errors import InvalidRequestError
from penstock.engine.overriding import CHOSEN_ENDS, FORCIBLE, LEAVING_THE_QUEUE
from penstock.engine.states import StateType
from penstock.services.executions import Bulk, Deleting, Replaying, Steering
from penstock.services.executions.bulk import (
    Action,
    BulkOutcome,
    Check,
    anything,
    ended,
    not_ended,
    not_in,
    nothing_to_restart,
)
from penstock.services.executions.labels import changed_labels
from penstock.services.executions.steering import chosen_end, leaving_the_queue

Act = Callable[[Request, str], Action]
"""Makes, of a request and a tenant, what is done to each execution."""
_IDS = {"application/json": {"schema": {"type": "array", "items": {"type": "string"}}}}
_REPLAYS = {"application/json": {"schema": {"oneOf": [
    {"type": "array", "items": {"type": "string"}}, {"type": "object", "additionalProperties": True},
]}}}  # fmt: skip


class _Label(msgspec.Struct):
    key: str
    value: str


class _LabelRequest(msgspec.Struct, rename="camel"):
    executions_id: list[str]
    execution_labels: list[_Label]


class BulkRoutes:
    """Implements API-011 and the bulk part of API-101, ENG-028, ENG-156, BEY-042, BEY-072.

    Args:
        bulk: Does the same to many.
        steering: Kills, pauses, resumes, restarts and so on.
        replaying: Runs earlier executions again.
        deleting: Removes executions.
        clock: The present, for time ranges.
        settings: Bounds.
    """

    def __init__(
        self,
        bulk: Bulk,
        steering: Steering,
        replaying: Replaying,
        deleting: Deleting,
        clock: Clock,
        settings: ApiSettings,
    ) -> None:
        self._bulk = bulk
        self._steering = steering
        self._replaying = replaying
        self._deleting = deleting
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
        self._pair(routes, "POST", "/pause", not_in({StateType.RUNNING}), self._pause, "pauseExecutions")
        self._pair(routes, "POST", "/resume", not_in({StateType.PAUSED}), self._resume, "resumeExecutions")
        self._pair(routes, "POST", "/restart", nothing_to_restart, self._restart, "restartExecutions")
        self._pair(routes, "POST", "/force-run", not_in(FORCIBLE), self._force_run, "forceRunExecutions",
                   ids="forceRunByIds")  # fmt: skip
        self._pair(routes, "POST", "/unqueue", not_in({StateType.QUEUED}), self._unqueue, "unqueueExecutions",
                   state=("state", "newState"), states=LEAVING_THE_QUEUE)  # fmt: skip
        self._pair(routes, "POST", "/change-status", not_ended, self._change_state, "updateExecutionsStatus",
                   state=("newStatus", "newStatus"), states=CHOSEN_ENDS, word="Change the status of")  # fmt: skip
        add, answers, latest = routes.add, schemas.BulkAnswer, parameter("latestRevision", {"type": "boolean"})
        add("POST", "/replay/by-ids", self.replay_by_ids, "replayExecutionsByIds", answers=answers,
            parameters=[latest], body=_REPLAYS)  # fmt: skip
        add("POST", "/replay/by-query", self.replay_by_query, "replayExecutionsByQuery", answers=answers,
            parameters=[latest, *FILTERS])  # fmt: skip
        add("DELETE", "/by-ids", self.delete_by_ids, "deleteExecutionsByIds", answers=answers,
            parameters=flags, body=_IDS)  # fmt: skip
        add("DELETE", "/by-query", self.delete_by_query, "deleteExecutionsByQuery", answers=answers,
            parameters=[*flags, *FILTERS])  # fmt: skip
        add("POST", "/labels/by-ids", self.label_by_ids, "setLabelsOnTerminatedExecutionsByIds", answers=answers,
            body=json_body(schemas.LabelsOfExecutions))  # fmt: skip
        add("POST", "/labels/by-query", self.label_by_query, "setLabelsOnTerminatedExecutionsByQuery",
            answers=answers, parameters=FILTERS, body=json_body(schemas.Label, several=True))  # fmt: skip
        return routes.router

    def _pair(
        self,
        routes: Routes,
        method: str,
        path: str,
        check: Check,
        act: Act,
        name: str,
        *,
        word: str | None = None,
        ids: str | None = None,
        state: tuple[str, str] | None = None,
        states: frozenset[StateType] = frozenset(),
    ) -> None:
        """Declare an action by ids and by query; `state` names its parameter in the one and in the other."""
        word = word or path.removeprefix("/").capitalize()
        chosen = {"type": "string", "enum": sorted(states)}
        routes.add(method, f"{path}/by-ids", self._by_ids(check, act), ids or f"{name}ByIds",
                   answers=schemas.BulkAnswer, body=_IDS, parameters=[parameter(state[0], chosen)] if state else None,
                   summary=f"{word} several executions, or none when one does not allow it")  # fmt: skip
        routes.add(method, f"{path}/by-query", self._by_query(check, act), f"{name}ByQuery",
                   answers=schemas.BulkAnswer,
                   parameters=[*([parameter(state[1], chosen)] if state else []), *FILTERS],
                   summary=f"{word} all executions that meet the filters and allow it")  # fmt: skip

    def _by_ids(self, check: Check, act: Act) -> Handler:
        async def by_ids(request: Request, tenant: str) -> Response:
            """Do it to several executions, or to none when one does not allow it."""
            action = act(request, tenant)
            ids = await read_json(request, self._settings, list[str])
            return _answer(await self._bulk.by_ids(tenant, ids, check, action))

        return by_ids

    def _by_query(self, check: Check, act: Act) -> Handler:
        async def by_query(request: Request, tenant: str) -> Response:
            """Do it to all executions that meet the filters and allow it."""
            return await self._matching(request, tenant, check, act(request, tenant))

        return by_query

    async def _matching(self, request: Request, tenant: str, check: Check, action: Action) -> Response:
        filters = filters_of(request.query_params.multi_items(), self._clock.now())
        return _answer(await self._bulk.by_filters(tenant, filters, check, action))

    def _kill(self, request: Request, tenant: str) -> Action:
        return lambda execution_id: self._steering.kill(tenant, execution_id, username_of(request))

    def _pause(self, request: Request, tenant: str) -> Action:
        return lambda execution_id: self._steering.pause(tenant, execution_id, username_of(request))

    def _resume(self, request: Request, tenant: str) -> Action:
        return lambda execution_id: self._steering.resume(tenant, execution_id, None, username_of(request))

    def _restart(self, request: Request, tenant: str) -> Action:
        return lambda execution_id: self._steering.restart(tenant, execution_id, None, username_of(request))

    def _force_run(self, request: Request, tenant: str) -> Action:
        return lambda execution_id: self._steering.force_run(tenant, execution_id, username_of(request))

    def _unqueue(self, request: Request, tenant: str) -> Action:
        query = request.query_params
        state = leaving_the_queue(read_state("state", query.get("state") or query.get("newState") or "RUNNING"))
        return lambda execution_id: self._steering.unqueue(tenant, execution_id, state, username_of(request))

    def _change_state(self, request: Request, tenant: str) -> Action:
        state = chosen_end(read_state("newStatus", request.query_params.get("newStatus")))
        return lambda execution_id: self._steering.change_state(tenant, execution_id, state, username_of(request))

    def _delete(self, request: Request, tenant: str) -> Action:
        query = request.query_params
        wanted = {
            "logs": _flag(query.get("deleteLogs"), True),
            "metrics": _flag(query.get("deleteMetrics"), True),
            "storage": _flag(query.get("deleteStorage"), True),
            "non_terminated": _flag(query.get("includeNonTerminated"), False),
        }
        return lambda execution_id: self._deleting.delete(tenant, execution_id, **wanted, by=username_of(request))

    def _replay(self, request: Request, tenant: str, edited: Edited) -> Action:
        wanted = replay_of(edited, latest=_flag(request.query_params.get("latestRevision"), False))
        return lambda execution_id: self._replaying.replay(tenant, execution_id, wanted, username_of(request))

    async def replay_by_ids(self, request: Request, tenant: str) -> Response:
        """Run several executions again as new ones, with the same changes to each"""
        edited = await read_bulk_edits(request, self._settings)
        action = self._replay(request, tenant, edited)
        return _answer(await self._bulk.by_ids(tenant, edited.executions_id, anything, action))

    async def replay_by_query(self, request: Request, tenant: str) -> Response:
        """Run all executions that meet the filters again as new ones, with the same changes to each"""
        edited = await read_edits(request, self._settings)
        return await self._matching(request, tenant, anything, self._replay(request, tenant, edited))

    async def delete_by_ids(self, request: Request, tenant: str) -> Response:
        """Delete several executions, or none when one has not ended."""
        ids = await read_json(request, self._settings, list[str])
        return _answer(await self._bulk.by_ids(tenant, ids, _deletable(request), self._delete(request, tenant)))

    async def delete_by_query(self, request: Request, tenant: str) -> Response:
        """Delete all ended executions that meet the filters."""
        return await self._matching(request, tenant, _deletable(request), self._delete(request, tenant))

    async def label_by_ids(self, request: Request, tenant: str) -> Response:
        """Set labels on several ended executions, or on none when one has not ended."""
        wanted = await read_json(request, self._settings, _LabelRequest)
        action = self._label(tenant, wanted.execution_labels)
        return _answer(await self._bulk.by_ids(tenant, wanted.executions_id, not_ended, action))

    async def label_by_query(self, request: Request, tenant: str) -> Response:
        """Set labels on all ended executions that meet the filters."""
        given = await read_json(request, self._settings, list[_Label])
        return await self._matching(request, tenant, not_ended, self._label(tenant, given))

    def _label(self, tenant: str, given: list[_Label]) -> Action:
        if not given:
            raise InvalidRequestError("the list of labels is empty")
        labels = changed_labels((label.key, label.value) for label in given)
        return lambda execution_id: self._steering.set_labels(tenant, execution_id, labels)


def read_state(name: str, text: str | None) -> StateType:
    """Return the state that a parameter names.

    Raises:
        InvalidRequestError: It names none.
    """
    try:
        return StateType((text or "").upper())
    except ValueError:
        raise InvalidRequestError(f"`{name}` must name a state, not `{text or ''}`", hint="such as SUCCESS") from None


def _answer(outcome: BulkOutcome) -> Response:
    """Return how many were dealt with; 207 with the reasons when something was refused by some on the way."""
    if not outcome.failed:
        return JsonAnswer({"count": outcome.count})
    return JsonAnswer({"count": outcome.count, "invalids": invalid_ids(outcome.failed)}, status_code=207)


def _deletable(request: Request) -> Check:
    return anything if _flag(request.query_params.get("includeNonTerminated"), False) else not_ended


def _flag(text: str | None, default: bool) -> bool:
    return default if text is None else text.lower() == "true"
