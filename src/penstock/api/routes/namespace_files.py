"""Files of namespaces (API-106)."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from penstock.api import schemas
from penstock.api.answers import JsonAnswer, attachment
from penstock.api.bodies import chunks_of
from penstock.api.errors import MalformedBodyError
from penstock.api.routes.table import Routes, parameter
from penstock.services.namespace_files import NamespaceFile, NamespaceFileService

_FILE = {
    "multipart/form-data": {
        "schema": {"type": "object", "properties": {"fileContent": {"type": "string", "format": "binary"}}}
    }
}
_MOVE = [parameter("from", required=True), parameter("to", required=True)]


class NamespaceFileRoutes:
    """Implements API-106, ENG-352.

    Args:
        files: The use cases.
    """

    def __init__(self, files: NamespaceFileService) -> None:
        self._files = files

    def router(self) -> APIRouter:
        """Return the routes."""
        routes = Routes("/api/v1/{tenant}/namespaces/{namespace}/files", "Namespace files")
        add = routes.add
        add("GET", "", self.content, "fileContent", kind="application/octet-stream")
        add("PUT", "", self.move, "moveFileDirectory", parameters=_MOVE)
        add("POST", "", self.put, "createNamespaceFile", body=_FILE)
        add("DELETE", "", self.delete, "deleteFileDirectory")
        add("GET", "/directory", self.directory, "listNamespaceDirectoryFiles", answers=list[schemas.FileAttributes])
        add("POST", "/directory", self.create_directory, "createNamespaceDirectory")
        add("GET", "/export", self.export, "exportNamespaceFiles", kind="application/octet-stream")
        add("GET", "/revisions", self.revisions, "fileRevisions", answers=list[schemas.NamespaceFileRevision])
        add("DELETE", "/revisions", self.delete_revisions, "deleteFileRevisions", answers=schemas.BulkAnswer)
        add("POST", "/revisions/restore", self.restore, "restoreFileRevision")
        add("GET", "/search", self.search, "searchNamespaceFiles", answers=list[str])
        add("GET", "/stats", self.stats, "fileMetadatas", answers=schemas.FileAttributes)
        return routes.router

    async def content(self, tenant: str, namespace: str, path: str, revision: int | None = None) -> Response:
        """Return a file: what it holds now, or a revision."""
        file, pieces = await self._files.read(tenant, namespace, path, revision)
        headers = {**attachment(file.name), "Content-Length": str(file.size)}
        return StreamingResponse(pieces, media_type="application/octet-stream", headers=headers)

    async def put(self, request: Request, tenant: str, namespace: str, path: str) -> Response:
        """Store a file as its newest revision."""
        try:
            form = await request.form(max_files=1)
        except MultiPartException as error:
            raise MalformedBodyError(f"the form cannot be read: {error.message}") from error
        try:
            given = form.get("fileContent")
            content = chunks_of(given) if isinstance(given, UploadFile) else (given or "").encode()
            await self._files.put(tenant, namespace, path, content)
        finally:
            await form.close()
        return Response()

    async def move(self, request: Request, tenant: str, namespace: str) -> Response:
        """Move a file or folder."""
        source, target = (request.query_params.get(name, "") for name in ("from", "to"))
        await self._files.move(tenant, namespace, source, target)
        return Response()

    async def delete(self, tenant: str, namespace: str, path: str) -> Response:
        """Remove a file or folder with all its revisions."""
        await self._files.delete(tenant, namespace, path)
        return Response()

    async def directory(self, tenant: str, namespace: str, path: str = "") -> Response:
        """Return what lies in a folder."""
        return JsonAnswer([_attributes(file) for file in await self._files.directory(tenant, namespace, path)])

    async def create_directory(self, tenant: str, namespace: str, path: str = "") -> Response:
        """Make a folder."""
        await self._files.create_directory(tenant, namespace, path)
        return Response()

    async def export(self, tenant: str, namespace: str) -> Response:
        """Return all files as a ZIP archive."""
        pieces = await self._files.export(tenant, namespace)
        headers = attachment(f"{namespace}.zip")
        return StreamingResponse(pieces, media_type="application/zip", headers=headers)

    async def revisions(self, tenant: str, namespace: str, path: str = "") -> Response:
        """Return the revisions of a file, oldest first."""
        return JsonAnswer([{"revision": number} for number in await self._files.revisions(tenant, namespace, path)])

    async def delete_revisions(
        self, tenant: str, namespace: str, path: str, revision: int, older: bool = False
    ) -> Response:
        """Remove a revision of a file, or all older than it."""
        return JsonAnswer({"count": await self._files.delete_revisions(tenant, namespace, path, revision, older=older)})

    async def restore(self, tenant: str, namespace: str, path: str, revision: int) -> Response:
        """Make an earlier revision of a file its newest."""
        _, pieces = await self._files.read(tenant, namespace, path, revision)
        await self._files.put(tenant, namespace, path, pieces)
        return Response()

    async def search(self, tenant: str, namespace: str, q: str) -> Response:
        """Return the paths of the files that contain a text."""
        return JsonAnswer(await self._files.search(tenant, namespace, q))

    async def stats(self, tenant: str, namespace: str, path: str = "") -> Response:
        """Return what is known of a file or folder."""
        return JsonAnswer(_attributes(await self._files.stats(tenant, namespace, path)))


def _attributes(file: NamespaceFile) -> dict[str, Any]:
    """Return a file as API-040 shows it. Storages keep one date of a file, that of its last change."""
    millis = file.modified // 1000
    return {
        "fileName": file.name,
        "lastModifiedTime": millis,
        "creationTime": millis,
        "type": "Directory" if file.is_directory else "File",
        "size": file.size,
    }
