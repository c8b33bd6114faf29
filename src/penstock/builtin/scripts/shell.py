"""Shell commands and scripts."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from penstock.builtin.scripts.task import ScriptTask, Stage
from penstock.sdk import Property


class Commands(ScriptTask):
    """Run shell commands, one after the other, until one fails.

    Implements ENG-115, SCR-001, SCR-009.
    """

    type_name = "io.kestra.plugin.scripts.shell.Commands"

    commands: Property[list[str]] = Field(description="The commands.")

    def lines(self, stage: Stage) -> Sequence[str]:
        """Return the commands."""
        return stage.renderer.render(self.commands, [])


class Script(ScriptTask):
    """Run a shell script.

    Implements SCR-001.
    """

    type_name = "io.kestra.plugin.scripts.shell.Script"

    script: Property[str] = Field(description="The script.")

    def lines(self, stage: Stage) -> Sequence[str]:
        """Return the script, which runs in the shell of `beforeCommands`."""
        return [stage.renderer.render(self.script, "")]
