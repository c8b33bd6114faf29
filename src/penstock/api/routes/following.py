"""Live views: an execution's changes and its log lines, as server-sent events (API-023, API-024)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from penstock.api.events import EMPTY, END, KEEP_ALIVE, event_stream, frame, last_seen, nothing_more
from penstock.api.render.executions import render_execution
from penstock.api.render.logs import render_log, render_outline
from penstock.api.routes.log_selection import LOG_SELECTION, LOG_STEP, log_number, log_selection
from penstock.api.routes.table import Routes
from penstock.api.settings import ApiSettings
from penstock.base.clock import Clock
from penstock.base.codec import to_json
from penstock.ports.queries import LogSelection
from penstock.services.executions import ExecutionReader, Following
from penstock.services.log_windows import outline_of


class FollowRoutes:
    """Implements API-023, API-024.

    Args:
        reader: Says whether the execution exists, before the stream begins.
        following: Yields changes and lines.
        clock: The present, for durations.
        settings: How often a quiet stream shows a sign of life.
    """

    def __init__(self, reader: ExecutionReader, following: Following, clock: Clock, settings: ApiSettings) -> None:
        self._reader = reader
        self._following = following
        self._clock = clock
        self._settings = settings

    def router(self) -> APIRouter:
        """Return the routes."""
        routes = Routes("/api/v1/{tenant}", "Following")
        routes.add("GET", "/executions/{execution_id}/follow", self.execution, "followExecution",
                   kind="text/event-stream", answers=None)  # fmt: skip
        routes.add("GET", "/logs/{execution_id}/follow", self.logs, "followLogsFromExecution",
                   kind="text/event-stream", answers=None,
                   parameters=LOG_SELECTION)  # fmt: skip
        routes.add("GET", "/logs/{execution_id}/follow-marks", self.log_marks, "followLogMarksFromExecution",
                   kind="text/event-stream", answers=None,
                   parameters=[*LOG_SELECTION, LOG_STEP])  # fmt: skip
        return routes.router

    async def execution(self, request: Request, tenant: str, execution_id: str) -> Response:
        """Follow an execution: the whole of it after each change, until it is over."""
        seen = last_seen(request)
        if seen == END:
            return nothing_more()
        await self._reader.head(tenant, execution_id)
        return event_stream(self._views(tenant, execution_id, _position(seen, -1)))

    async def _views(self, tenant: str, execution_id: str, seen: int) -> AsyncIterator[bytes]:
        yield EMPTY
        views = self._following.changes(tenant, execution_id, seen=seen, idle=self._settings.keep_alive)
        async with aclosing(views):
            async for view in views:
                if view is None:
                    yield KEEP_ALIVE
                    continue
                body = render_execution(view.execution, self._clock.now(), view.task_runs)
                yield frame(body, END if view.is_over else view.progress)

    async def logs(self, request: Request, tenant: str, execution_id: str) -> Response:
        """Follow the log of an execution, until it is over."""
        wanted = log_selection(request)
        seen = last_seen(request)
        await self._reader.head(tenant, execution_id)
        return event_stream(self._lines(tenant, execution_id, wanted, _position(seen, 0)))

    async def _lines(self, tenant: str, execution_id: str, wanted: LogSelection, after: int) -> AsyncIterator[bytes]:
        yield EMPTY
        pieces = self._following.logs(tenant, execution_id, wanted, after=after, idle=self._settings.keep_alive)
        async with aclosing(pieces):
            async for position, lines in pieces:
                if not lines:
                    yield KEEP_ALIVE
                    continue
                # The position belongs to the whole piece: only its last line may carry it.
                yield b"".join(
                    [b"data: %b\n\n" % to_json(render_log(line)) for line in lines[:-1]]
                    + [frame(render_log(lines[-1]), position)]
                )

    async def log_marks(self, request: Request, tenant: str, execution_id: str) -> Response:
        """Follow how the log of an execution grows, until it is over: its lines are read where they are looked at."""
        wanted, step, seen = log_selection(request), log_number(request, "step"), last_seen(request)
        await self._reader.head(tenant, execution_id)
        return event_stream(self._marks(tenant, execution_id, wanted, _position(seen, 0), step))

    async def _marks(
        self, tenant: str, execution_id: str, wanted: LogSelection, after: int, step: int
    ) -> AsyncIterator[bytes]:
        yield EMPTY
        idle = self._settings.keep_alive
        grown = self._following.log_marks(tenant, execution_id, wanted, after=after, step=step, idle=idle)
        async with aclosing(grown):
            async for position, marks in grown:
                if marks is None:
                    yield KEEP_ALIVE
                    continue
                outline = outline_of(marks, after, step)
                after = position
                yield frame(render_outline(outline), position)


def _position(seen: str | None, default: int) -> int:
    return int(seen) if seen is not None and seen.isdecimal() else default
