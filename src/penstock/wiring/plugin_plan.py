"""What the operator decides for plugins with environments of their own. Implements OPS-074 in part, GOV-373 in part."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from penstock.base.errors import ConflictError
from penstock.wiring.config import Settings

if TYPE_CHECKING:
    from penstock.wiring.plugin_versions import PluginVersions


@dataclass(frozen=True, slots=True)
class PluginPlan:
    """Where plugins with environments of their own are, and which version counts.

    Args:
        folder: One environment for each version of a plugin; None when there are none.
        default_version: Counts where a definition names no version: `LATEST`, `OLDEST`, `CURRENT`, `NONE` or a version.
    """

    folder: Path | None = None
    default_version: str = "LATEST"


def plugin_plan(settings: Settings) -> PluginPlan:
    """Return what is configured."""
    management = settings.kestra.plugins.management
    if not management.enabled:
        return PluginPlan()
    return PluginPlan(Path(management.local_repository_path).expanduser(), management.default_version)


def managed_plugins(settings: Settings) -> PluginVersions:
    """Return the folder of the plugins with environments of their own.

    Raises:
        ConflictError: The operator wants none.
    """
    from penstock.wiring.plugin_versions import PluginVersions  # not needed where the plan alone is

    folder = plugin_plan(settings).folder
    if folder is None:
        raise ConflictError("plugins are not managed here", hint="set kestra.plugins.management.enabled to true")
    return PluginVersions(folder)
