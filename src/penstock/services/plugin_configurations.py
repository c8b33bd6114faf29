"""What the operator configures for plugins, as plugins ask for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penstock.services.arguments import Function, reading, text_argument
from penstock.services.file_access import Caller


class PluginConfigurations:
    """The worker's door to `kestra.plugins.configurations`. Implements OPS-071 for plugins that look at it.

    Args:
        configurations: The values by type.
    """

    def __init__(self, configurations: Mapping[str, Mapping[str, Any]]) -> None:
        self._configurations = configurations

    def functions(self) -> Mapping[str, Function]:
        """Return the functions by name."""
        return {"pluginConfiguration": reading(self._of)}

    async def _of(self, caller: Caller, arguments: Mapping[str, Any]) -> dict[str, Any]:
        return dict(self._configurations.get(text_argument(arguments, "type"), {}))
