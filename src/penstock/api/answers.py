"""Answers: JSON made by msgspec, and the few other kinds the API gives."""

from __future__ import annotations

from typing import Any

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


def attachment(name: str) -> dict[str, str]:
    """Return the headers that make a browser save the answer under a name, and not interpret it."""
    plain = "".join(char if char.isascii() and (char.isalnum() or char in "._- ") else "_" for char in name) or "file"
    from urllib.parse import quote

    disposition = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
    return {"Content-Disposition": disposition, "X-Content-Type-Options": "nosniff"}
