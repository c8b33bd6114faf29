"""Files of executions: download, size, preview (API-101)."""

from __future__ import annotations

import posixpath

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from penstock.api import schemas
from penstock.api.answers import JsonAnswer, attachment
from penstock.api.routes.table import Routes
from penstock.api.settings import ApiSettings
from penstock.services.files import ExecutionFiles
from penstock.services.previews import limit_of, preview


class FileRoutes:
    """Implements the file part of API-101.

    Args:
        files: The use cases.
        settings: How much a preview shows.
    """

    def __init__(self, files: ExecutionFiles, settings: ApiSettings) -> None:
        self._files = files
        self._settings = settings

    def router(self) -> APIRouter:
        """Return the routes."""
        routes = Routes("/api/v1/{tenant}/executions/{execution_id}/file", "Executions")
        routes.add("GET", "", self.download, "downloadFileFromExecution", kind="application/octet-stream")
        routes.add("GET", "/metas", self.metas, "fileMetadatasFromExecution", answers=schemas.FileMetas)
        routes.add("GET", "/preview", self.preview, "previewFileFromExecution", answers=schemas.FilePreview)
        return routes.router

    async def download(self, tenant: str, execution_id: str, path: str) -> Response:
        """Download a file of an execution."""
        file = await self._files.find(tenant, execution_id, path)
        headers = {**attachment(file.name), "Content-Length": str(file.info.size)}
        return StreamingResponse(self._files.stream(file), media_type="application/octet-stream", headers=headers)

    async def metas(self, tenant: str, execution_id: str, path: str) -> Response:
        """Return the size of a file of an execution."""
        file = await self._files.find(tenant, execution_id, path)
        return JsonAnswer({"size": file.info.size})

    async def preview(
        self, request: Request, tenant: str, execution_id: str, path: str, maxRows: int | None = None,  # noqa: N803
        encoding: str = "UTF-8",
    ) -> Response:  # fmt: skip
        """Return the beginning of a file of an execution: rows, text or a picture."""
        file = await self._files.find(tenant, execution_id, path)
        extension = posixpath.splitext(file.name)[1].lstrip(".").lower()
        rows = min(maxRows or self._settings.preview_initial, self._settings.preview_max)
        data = await self._files.beginning(file, limit_of(extension))
        shown = preview(data, extension, file.info.size, max(1, rows), encoding)
        return JsonAnswer(
            {
                "extension": shown.extension,
                "type": shown.type,
                "content": shown.content,
                "truncated": shown.truncated,
            }
        )
