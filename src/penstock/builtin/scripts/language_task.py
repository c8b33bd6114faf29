"""The two forms of every language's tasks: commands that call it, and a script that becomes a file."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from penstock.builtin.scripts.input_files import StoredFiles
from penstock.builtin.scripts.task import ScriptTask, Stage
from penstock.sdk import Property


class CommandsTask(ScriptTask):
    """Base of the tasks that run `commands`."""

    commands: Property[list[str]] = Field(description="The commands.")

    def lines(self, stage: Stage) -> Sequence[str]:
        """Return the commands."""
        return stage.renderer.render(self.commands, [])


class FileScriptTask(ScriptTask):
    """Base of the tasks that run a `script`. Implements SCR-003."""

    script: Property[str] = Field(description="The script.")

    def lines(self, stage: Stage) -> Sequence[str]:
        """Write the script into the working directory, beside the modules it may load, and run it."""
        return [self.command(stage, self._written(stage))]

    def command(self, stage: Stage, name: str) -> str:
        """Return the command line that runs the script of that name."""
        return self.language.command(stage.place / name)

    def suffix(self, stage: Stage) -> str:
        """Return the suffix of the script's file."""
        return self.language.suffix

    def _written(self, stage: Stage) -> str:
        """Write the script under a name that is free, and return that."""
        text = StoredFiles(stage.context, stage.place).localize(stage.renderer.render(self.script, ""))
        stem, suffix = self.language.stem, self.suffix(stage)
        number, path = 1, stage.context.resolve(f"{stem}{suffix}")
        while path.exists():
            number += 1
            path = stage.context.resolve(f"{stem}_{number}{suffix}")
        path.write_text(text, encoding="utf-8", newline="")
        stage.generated.append(path)
        return path.name
