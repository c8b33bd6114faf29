"""Bodies are bounded, whatever they announce."""

from __future__ import annotations

import dataclasses

import httpx
import pytest
from starlette.requests import Request
from starlette.types import Message

from penstock.api.bodies import read_upload
from penstock.api.errors import TooLargeError
from penstock.api.settings import ApiSettings

SETTINGS = dataclasses.replace(ApiSettings(version="1"), max_body_size=1_000)
PIECE = 100


def sent(content: bytes) -> tuple[Request, list[bytes]]:
    """Return the request that uploads a file without announcing its size, and what nobody has read of it yet."""
    form = httpx.Request("POST", "http://server", files={"fileUpload": ("data.csv", content)})
    body = form.read()
    pieces = [body[start : start + PIECE] for start in range(0, len(body), PIECE)]

    async def receive() -> Message:
        return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces)}

    headers = [(b"content-type", form.headers["Content-Type"].encode())]
    return Request({"type": "http", "method": "POST", "headers": headers}, receive), pieces


async def test_uploaded_file_is_read() -> None:
    request, _ = sent(b"a,b\n1,2\n")
    file = await read_upload(request, SETTINGS)
    assert (file.name, file.content) == ("data.csv", b"a,b\n1,2\n")


async def test_upload_is_refused_as_soon_as_it_is_too_large() -> None:
    """API-007."""
    request, unread = sent(b"x" * 5_000)
    with pytest.raises(TooLargeError, match="larger than 1000 bytes"):
        await read_upload(request, SETTINGS)
    assert len(unread) * PIECE > 3_000
