"""Plugins with environments of their own: which there are, installing and removing them (ENG-322, GOV-377)."""

from __future__ import annotations

from collections.abc import Iterable

from fastapi import APIRouter
from starlette.responses import Response

from penstock.api import schemas
from penstock.api.answers import JsonAnswer
from penstock.api.routes.table import Routes
from penstock.base.errors import NotFoundError
from penstock.services.plugin_management import ManagedPlugin, PluginManagement

_GROUP = "python"
"""Stands where coordinates have a group, which Python's packages have not; any other is accepted."""
_PLACES = (("instance", False), ("cluster", True))
"""The second is the older path."""
_AVAILABLE = {
    "": "listAvailableVersionedPlugins",
    "/secrets-managers": "listAvailableVersionedPluginsForSecretManager",
    "/storages": "listAvailableVersionedPluginsForStorage",
}


class PluginVersionRoutes:
    """Implements GOV-377, API-110 in part.

    Args:
        plugins: The use cases.
    """

    def __init__(self, plugins: PluginManagement) -> None:
        self._plugins = plugins

    def router(self) -> APIRouter:
        """Return the routes."""
        routes = Routes("/api/v1", "Plugins")
        add, listed = routes.add, schemas.PluginArtifacts
        for place, older in _PLACES:
            path = f"/{place}/versioned-plugins"
            add("GET", path, self.all, "listVersionedPlugin", answers=schemas.PagedPluginArtifacts, hidden=older)
            add("POST", f"{path}/install", self.install, "installVersionedPlugins", answers=listed, hidden=older)
            add(
                "DELETE", f"{path}/uninstall", self.uninstall, "uninstallVersionedPlugins", answers=listed, hidden=older
            )
            for kind, operation in _AVAILABLE.items():
                add("GET", f"{path}/available{kind}", self.available, operation, answers=list[schemas.PluginArtifact],
                    hidden=older)  # fmt: skip
            add("GET", f"{path}/{{group_id}}/{{artifact_id}}", self.versions, "versionedPluginDetails",
                answers=schemas.PluginArtifactVersions, hidden=older)  # fmt: skip
        return routes.router

    async def all(self) -> Response:
        """Return the plugins that have environments of their own."""
        found = _artifacts(await self._plugins.installed())
        return JsonAnswer({"results": found, "total": len(found)})

    async def available(self) -> Response:
        """Return what is offered for installing, which is nothing: there is no catalogue, any package has a name."""
        return JsonAnswer([])

    async def install(self, wanted: schemas.PluginList) -> Response:
        """Install plugins; servers and workers know them from their next start."""
        return JsonAnswer({"plugins": _artifacts(await self._plugins.install(wanted.plugins))})

    async def uninstall(self, wanted: schemas.PluginList) -> Response:
        """Remove plugins; servers and workers know them until they end."""
        return JsonAnswer({"plugins": _artifacts(await self._plugins.uninstall(wanted.plugins))})

    async def versions(self, group_id: str, artifact_id: str) -> Response:
        """Return the versions of a plugin that are installed, the newest first."""
        versions = [one.version for one in await self._plugins.installed() if one.name == artifact_id]
        if not versions:
            raise NotFoundError(f"{artifact_id} is not installed", hint="install it first")
        return JsonAnswer({"groupId": group_id, "artifactId": artifact_id, "versions": versions[::-1]})


def _artifacts(plugins: Iterable[ManagedPlugin]) -> list[dict[str, str]]:
    return [{"groupId": _GROUP, "artifactId": one.name, "version": one.version} for one in plugins]
