"""The function `http` of expressions: one call, whose answer is text or what JSON says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import httpx

from penstock.base.errors import UnavailableError
from penstock.services.arguments import text_argument
from penstock.services.functions import FunctionError

_PATIENCE = 30.0
_LARGEST = 10 * 1024 * 1024


async def answer_of(arguments: Mapping[str, Any]) -> Any:
    """Return the body of the answer to a call: what JSON says, or text.

    Raises:
        UnavailableError: Nobody answers.
        FunctionError: The answer is an error, too long, or not what it says it is.
    """
    uri = text_argument(arguments, "uri")
    body = arguments.get("body")
    content = body if body is None or isinstance(body, str) else json.dumps(body)
    headers = {"Accept": str(arguments.get("accept") or "application/json")}
    if content is not None:
        headers["Content-Type"] = str(arguments.get("contentType") or "application/json")
    headers.update({str(key): str(value) for key, value in (arguments.get("headers") or {}).items()})
    try:
        async with (
            httpx.AsyncClient(timeout=_PATIENCE, follow_redirects=True) as client,
            client.stream(
                str(arguments.get("method") or "GET").upper(),
                uri,
                params=arguments.get("query"),
                content=content,
                headers=headers,
            ) as response,
        ):
            data = await _bounded(response, uri)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise UnavailableError(f"{uri} does not answer: {type(error).__name__} {error}".rstrip()) from None
    if not response.is_success:
        raise FunctionError(f"{uri} answered with status {response.status_code}")
    return _parsed(response, data)


async def _bounded(response: httpx.Response, uri: str) -> bytes:
    data = bytearray()
    async for piece in response.aiter_bytes():
        data += piece
        if len(data) > _LARGEST:
            raise FunctionError(f"{uri} answers with more than {_LARGEST} bytes", hint="download it with a task")
    return bytes(data)


def _parsed(response: httpx.Response, data: bytes) -> Any:
    text = data.decode(response.encoding or "utf-8", errors="replace")
    if "json" in response.headers.get("content-type", ""):
        try:
            return json.loads(text)
        except ValueError:
            raise FunctionError(f"{response.url} says that it answers with JSON, but does not") from None
    return text
