"""Answers: JSON made by msgspec, and the few other kinds the API gives."""

from __future__ import annotations

import gzip
import hashlib
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from penstock.base.codec import to_json


class JsonAnswer(Response):
    """A JSON answer. Fast: nothing is validated or copied on the way out."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Return the body."""
        return to_json(content)


def no_content() -> Response:
    """Return an answer without a body."""
    return Response(status_code=204)


def paged(results: list[Any], total: int) -> JsonAnswer:
    """Return a page of results (API-008)."""
    return JsonAnswer({"results": results, "total": total})


def packed_json(request: Request, packed: bytes, caching: str) -> Response:
    """Return JSON that is kept compressed, and unpacked for the rare client that wants it so; none to who has it."""
    takes = takes_gzip(request)
    tag = f'"{hashlib.sha256(packed).hexdigest()[:16]}{"" if takes else "-plain"}"'
    headers = {"Cache-Control": caching, "Vary": "Accept-Encoding", "ETag": tag}
    if tag in (one.strip() for one in request.headers.get("if-none-match", "").split(",")):
        return Response(status_code=304, headers=headers)
    if takes:
        return Response(packed, media_type="application/json", headers={**headers, "Content-Encoding": "gzip"})
    return Response(gzip.decompress(packed), media_type="application/json", headers=headers)


def takes_gzip(request: Request) -> bool:
    """Return whether a client takes gzip; what it names itself counts more than `*`."""
    qualities = {}
    for part in request.headers.get("accept-encoding", "").lower().split(","):
        name, _, parameter = part.partition(";")
        quality = parameter.strip().removeprefix("q=")
        qualities[name.strip()] = quality.strip("0.") != "" if parameter.strip().startswith("q=") else True
    return qualities.get("gzip", qualities.get("*", False))


def attachment(name: str) -> dict[str, str]:
    """Return the headers that make a browser save the answer under a name, and not interpret it."""
    plain = "".join(char if char.isascii() and (char.isalnum() or char in "._- ") else "_" for char in name) or "file"
    disposition = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
    return {"Content-Disposition": disposition, "X-Content-Type-Options": "nosniff"}
