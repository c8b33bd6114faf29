"""What a request says about a replay: where to begin, and what to change (BEY-042)."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.requests import Request

from penstock.api.bodies import decode_json, read_body
from penstock.api.settings import ApiSettings
from penstock.services.executions import Replay


class Edited(msgspec.Struct, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """The body of a replay with changes; everything absent is as it was."""

    task_run_id: str | None = None
    task_id: str | None = None
    revision: int | None = None
    latest_revision: bool = False
    breakpoints: list[str] = []
    inputs: dict[str, Any] = {}
    outputs: dict[str, dict[str, Any]] = {}
    skip: list[str] = []


class BulkEdited(Edited, kw_only=True):
    """The same for several executions."""

    executions_id: list[str]


async def read_edits(request: Request, settings: ApiSettings) -> Edited:
    """Return the changes a request asks for; none when it has no body.

    Raises:
        MalformedBodyError: The body is no JSON object of them.
    """
    body = await read_body(request, settings)
    return decode_json(body, Edited) if body.strip() else Edited()


async def read_bulk_edits(request: Request, settings: ApiSettings) -> BulkEdited:
    """Return the executions a request names, and the changes it asks for; a plain list of ids asks for none.

    Raises:
        MalformedBodyError: The body is neither.
    """
    body = await read_body(request, settings)
    if body.lstrip().startswith(b"["):
        return BulkEdited(executions_id=decode_json(body, list[str]))
    return decode_json(body, BulkEdited)


def replay_of(
    edited: Edited,
    *,
    task_run_id: str | None = None,
    revision: int | None = None,
    latest: bool = False,
    breakpoints: str | None = None,
) -> Replay:
    """Return the replay that a body and the parameters of a request ask for; the parameters win."""
    return Replay(
        task_run_id=task_run_id or edited.task_run_id,
        task_id=edited.task_id,
        revision=revision or edited.revision,
        latest=latest or edited.latest_revision,
        breakpoints=breakpoints_of(breakpoints) if breakpoints is not None else tuple(edited.breakpoints),
        inputs=edited.inputs,
        outputs=edited.outputs,
        skip=tuple(edited.skip),
    )


def breakpoints_of(text: str | None) -> tuple[str, ...]:
    """Return breakpoints written as a list with commas."""
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())
