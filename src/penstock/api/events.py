"""Server-sent events: what followers of executions and logs read.

Implements API-023, API-024. The first frame is empty on purpose: clients skip it, and proxies pass the headers on. It
is written without a colon, which says the same: the official client for Java takes what follows one for JSON. The last
one has the id `end`; a browser that reconnects with it is told that there is nothing more.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from penstock.base.codec import to_json

EMPTY = b"data\n\n"
KEEP_ALIVE = b": still here\n\n" + EMPTY
END = "end"


def frame(value: Any, event_id: str | int) -> bytes:
    """Return one event; JSON has no line breaks of its own, so one data line holds it."""
    return b"id: %b\ndata: %b\n\n" % (str(event_id).encode(), to_json(value))


def last_seen(request: Request) -> str | None:
    """Return the id of the last event a reconnecting client saw."""
    return request.headers.get("last-event-id") or request.query_params.get("lastEventId")


def event_stream(frames: AsyncIterator[bytes]) -> Response:
    """Return the answer that sends the frames as they come."""
    headers = {"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"}
    return StreamingResponse(frames, media_type="text/event-stream", headers=headers)


def nothing_more() -> Response:
    """Return the answer that stops a browser from reconnecting."""
    return Response(status_code=204)
