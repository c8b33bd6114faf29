"""Installing plugins on a running instance: each version in an environment of its own. Implements ENG-322, GOV-377."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

from penstock.base.errors import ConflictError


class ManagedPlugin(Protocol):
    """One version of a plugin in an environment of its own."""

    @property
    def name(self) -> str:
        """The distribution."""
        ...

    @property
    def version(self) -> str:
        """Its version."""
        ...


class PluginInstaller(Protocol):
    """Puts plugins where servers and workers find them at their next start."""

    def installed(self) -> Sequence[ManagedPlugin]:
        """Return what is there, by name, the oldest version first."""
        ...

    def install(self, wanted: str) -> ManagedPlugin:
        """Install `name`, `name==1.2`, `group:name:1.2` or `group:name:LATEST`."""
        ...

    def uninstall(self, wanted: str) -> Sequence[ManagedPlugin]:
        """Remove versions of a plugin, and return them."""
        ...


class PluginManagement:
    """What the API does with plugins that have environments of their own.

    Args:
        installer: Puts them into place; None where the operator wants no management.
    """

    def __init__(self, installer: PluginInstaller | None) -> None:
        self._installer = installer
        self._one_at_a_time = asyncio.Lock()

    async def installed(self) -> Sequence[ManagedPlugin]:
        """Return what is there.

        Raises:
            ConflictError: Plugins are not managed here.
        """
        return await asyncio.to_thread(self._managed().installed)

    async def install(self, wanted: Sequence[str]) -> list[ManagedPlugin]:
        """Install plugins, one after another.

        Raises:
            PenstockError: One cannot be installed; those before it are.
        """
        installer = self._managed()
        async with self._one_at_a_time:
            return [await asyncio.to_thread(installer.install, one) for one in wanted]

    async def uninstall(self, wanted: Sequence[str]) -> list[ManagedPlugin]:
        """Remove plugins.

        Raises:
            PenstockError: One is not installed; those before it are gone.
        """
        installer = self._managed()
        async with self._one_at_a_time:
            return [gone for one in wanted for gone in await asyncio.to_thread(installer.uninstall, one)]

    def _managed(self) -> PluginInstaller:
        if self._installer is None:
            hint = "set kestra.plugins.management.enabled to true"
            raise ConflictError("plugins are not managed here", hint=hint)
        return self._installer
