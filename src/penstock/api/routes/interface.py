"""The built web interface: its files, compressed when built, and its page for every address of its own (UI-001)."""

from __future__ import annotations

import gzip
import mimetypes
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from penstock.api.answers import JsonAnswer, takes_gzip

_FOREVER = "public, max-age=31536000, immutable"
_ASK_AGAIN = "no-cache"


class InterfaceRoutes:
    """Implements UI-001.

    Args:
        folder: The built interface; None when this installation has none.
        context: What stands before `/ui` in addresses.
    """

    def __init__(self, folder: Path | None, context: str) -> None:
        self._folder = folder.resolve() if folder is not None and (folder / "index.html").is_file() else None
        self._context = context

    def routes(self) -> list[BaseRoute]:
        """Return the routes."""
        return [
            Route("/", self.home, methods=["GET"]),
            Route("/ui", self.home, methods=["GET"]),
            Route("/favicon.ico", self.icon, methods=["GET"]),
            Route("/ui/{path:path}", self.file, methods=["GET"]),
        ]

    async def home(self, request: Request) -> Response:
        """Lead to the interface."""
        return RedirectResponse(f"{self._context}/ui/", status_code=307)

    async def icon(self, request: Request) -> Response:
        """Return the icon browsers ask for by themselves."""
        found = self._inside("favicon.svg") or self._inside("favicon.ico")
        return Response(status_code=404) if found is None else _answer(request, found, _ASK_AGAIN)

    async def file(self, request: Request) -> Response:
        """Return a file of the interface, or its page."""
        if self._folder is None:
            body = {
                "message": "this installation has no web interface",
                "code": "NO_INTERFACE",
                "hint": "build it with `make ui`, or install a released package",
            }
            return JsonAnswer(body, status_code=404)
        path = request.path_params["path"]
        found = self._inside(path)
        if found is not None:
            # Built files carry a hash of their content in their names; whatever does not may change.
            caching = _FOREVER if path.startswith("assets/") else _ASK_AGAIN
            return _answer(request, found, caching)
        if path.startswith("assets/"):
            return JsonAnswer({"message": f"there is no {request.url.path}", "code": "HTTP_404"}, status_code=404)
        return _answer(request, self._folder / "index.html", _ASK_AGAIN)

    def _inside(self, path: str) -> Path | None:
        """Return the file at a path within the folder; None when there is none, or when the path leads out."""
        if self._folder is None or not path or "\x00" in path:
            return None
        found = (self._folder / path).resolve()
        is_there = found.is_relative_to(self._folder) and (found.is_file() or _packed(found).is_file())
        return found if is_there else None


def _answer(request: Request, file: Path, caching: str) -> Response:
    """Return a file; most are kept compressed alone, and unpacked for the rare client that wants them so."""
    headers = {"Cache-Control": caching, "Vary": "Accept-Encoding"}
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    packed = _packed(file)
    if not packed.is_file():
        return FileResponse(file, media_type=kind, headers=headers)
    if takes_gzip(request):
        return FileResponse(packed, media_type=kind, headers={**headers, "Content-Encoding": "gzip"})
    state = packed.stat()
    headers["ETag"] = f'"{state.st_mtime_ns:x}-{state.st_size:x}-plain"'
    return Response(gzip.decompress(packed.read_bytes()), media_type=kind, headers=headers)


def _packed(file: Path) -> Path:
    return file.with_name(f"{file.name}.gz")
