"""Request bodies, read with a bound: text, JSON, and the values and files of a form.

Implements ENG-122, ENG-123, API-021.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.types import Message

from penstock.api.errors import MalformedBodyError, TooLargeError
from penstock.api.settings import ApiSettings
from penstock.base.codec import from_json
from penstock.services.executions import Upload

T = TypeVar("T")
_CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class FormValues:
    """What a form brings: texts and files by input id."""

    values: dict[str, Any] = field(default_factory=dict)
    files: dict[str, Upload] = field(default_factory=dict)


NO_VALUES = FormValues()


async def read_body(request: Request, settings: ApiSettings) -> bytes:
    """Return the body.

    Raises:
        TooLargeError: It is larger than allowed.
    """
    limit = settings.max_body_size
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise TooLargeError(f"the body is larger than {limit} bytes", hint="send large data as a file input")
        chunks.append(chunk)
    return b"".join(chunks)


async def read_text(request: Request, settings: ApiSettings) -> str:
    """Return the body as text (UTF-8).

    Raises:
        MalformedBodyError: It is not UTF-8.
    """
    try:
        return (await read_body(request, settings)).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise MalformedBodyError("the body is not UTF-8 text", hint="save the file as UTF-8") from error


async def read_json(request: Request, settings: ApiSettings, kind: type[T]) -> T:
    """Return the body as a value of a given type.

    Raises:
        MalformedBodyError: It is not JSON, or not of that type.
    """
    return decode_json(await read_body(request, settings), kind)


def decode_json(body: bytes, kind: type[T]) -> T:
    """Return a body as a value of a given type.

    Raises:
        MalformedBodyError: It is not JSON, or not of that type.
    """
    try:
        return msgspec.json.decode(body, type=kind, strict=False)
    except msgspec.DecodeError as error:
        raise MalformedBodyError(f"the body cannot be read: {error}") from error
    except RecursionError as error:
        raise MalformedBodyError("the body cannot be read: it is nested too deeply") from error


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """A small file of a form."""

    name: str
    content: bytes


UPLOAD = {
    "multipart/form-data": {
        "schema": {"type": "object", "properties": {"fileUpload": {"type": "string", "format": "binary"}}}
    }
}
"""The description of a form with one file."""


async def read_upload(request: Request, settings: ApiSettings, part: str = "fileUpload") -> UploadedFile:
    """Return the file that a form brings.

    Raises:
        MalformedBodyError: The body is no form, or brings none.
        TooLargeError: It is larger than allowed.
    """
    bounded = _bounded(request, settings.max_body_size)
    try:
        async with bounded.form(max_part_size=settings.max_field_size) as form:
            given = form.get(part)
            if given is None:
                raise MalformedBodyError(f"the form has no part `{part}`", hint="send a file as multipart/form-data")
            name = given.filename if isinstance(given, UploadFile) else None
            content = await given.read() if isinstance(given, UploadFile) else given.encode()
    except (MultiPartException, HTTPException) as error:
        raise MalformedBodyError(f"the form cannot be read: {error}") from error
    return UploadedFile(name or part, content)


def _bounded(request: Request, limit: int) -> Request:
    """Return the request with a body that is refused once it is too large, before it fills the disk."""
    size = 0

    async def receive() -> Message:
        nonlocal size
        message = await request.receive()
        size += len(message.get("body", b""))
        if size > limit:
            raise TooLargeError(f"the file is larger than {limit} bytes", hint="send it in several parts")
        return message

    return Request(request.scope, receive)


class _FlowName(msgspec.Struct):
    namespace: str
    id: str


async def read_flow_names(request: Request, settings: ApiSettings) -> list[tuple[str, str]]:
    """Return the (namespace, id) of the flows that the body names; what else it says of them does not matter.

    Raises:
        MalformedBodyError: It names none that way.
    """
    return [(name.namespace, name.id) for name in await read_json(request, settings, list[_FlowName])]


@asynccontextmanager
async def form_values(request: Request, settings: ApiSettings) -> AsyncIterator[FormValues]:
    """Give the values of a form (multipart, urlencoded) or of a JSON object; files last as long as the context.

    Raises:
        MalformedBodyError: The body cannot be read.
    """
    declared = request.headers.get("content-type", "")
    kind = declared.partition(";")[0].strip().lower()
    if kind == "application/json":
        yield _object(await read_body(request, settings))
    elif kind == "multipart/form-data" and "boundary=" not in declared.lower():
        if await read_body(request, settings):
            raise MalformedBodyError("the form cannot be read: its header names no boundary")
        yield NO_VALUES  # the official client for Java sends a form without values so
    elif kind in ("multipart/form-data", "application/x-www-form-urlencoded"):
        try:
            form = await request.form(max_part_size=settings.max_field_size, max_files=1000, max_fields=10_000)
        except MultiPartException as error:
            raise MalformedBodyError(f"the form cannot be read: {error.message}") from error
        try:
            yield _values(form)
        finally:
            await form.close()
    else:
        yield NO_VALUES


def _object(body: bytes) -> FormValues:
    if not body.strip():
        return NO_VALUES
    try:
        data = from_json(body)
    except ValueError as error:
        raise MalformedBodyError(f"the body cannot be read as JSON: {error}") from error
    if not isinstance(data, dict):
        raise MalformedBodyError("the body must be a JSON object: input id to value")
    return FormValues(values=data)


def _values(form: FormData) -> FormValues:
    values: dict[str, Any] = {}
    files: dict[str, Upload] = {}
    for name, value in form.multi_items():
        if isinstance(value, UploadFile):
            # The older form names every part `files` and gives the input id as file name.
            input_id = (value.filename or "") if name == "files" else name
            files[input_id] = Upload(value.filename or input_id, chunks_of(value), value.size or 0)
        elif name in values:
            known = values[name]
            values[name] = [*known, value] if isinstance(known, list) else [known, value]
        else:
            values[name] = value
    return FormValues(values, files)


async def chunks_of(upload: UploadFile) -> AsyncIterator[bytes]:
    """Yield the bytes of an uploaded file."""
    await upload.seek(0)
    while chunk := await upload.read(_CHUNK):
        yield chunk
