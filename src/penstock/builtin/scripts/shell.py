"""Shell commands and scripts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field

from penstock.builtin.scripts.language import Language
from penstock.builtin.scripts.language_task import CommandsTask
from penstock.builtin.scripts.task import ScriptTask, Stage
from penstock.sdk import Property

SHELL = Language("Shell", "shell", "ubuntu", "sh", "a shell, which every system has")


class Commands(CommandsTask):
    """Run shell commands, one after the other, until one fails.

    Compress a file and keep the result:

    ```yaml
    inputs:
      - id: orders
        type: FILE
    tasks:
      - id: compress
        type: io.kestra.plugin.scripts.shell.Commands
        inputFiles:
          orders.csv: "{{ inputs.orders }}"
        outputFiles:
          - orders.csv.gz
        commands:
          - gzip --keep orders.csv
    ```

    Implements ENG-115, SCR-001, SCR-009.
    """

    type_name = "io.kestra.plugin.scripts.shell.Commands"
    language: ClassVar[Language] = SHELL


class Script(ScriptTask):
    """Run a shell script.

    Run several lines in one shell:

    ```yaml
    tasks:
      - id: pages
        type: io.kestra.plugin.scripts.shell.Script
        script: |
          for page in 1 2 3; do
            curl --fail --silent "https://example.com/orders?page=$page"
          done
    ```

    Implements SCR-001.
    """

    type_name = "io.kestra.plugin.scripts.shell.Script"
    language: ClassVar[Language] = SHELL

    script: Property[str] = Field(description="The script.")

    def lines(self, stage: Stage) -> Sequence[str]:
        """Return the script, which runs in the shell of `beforeCommands`."""
        return [stage.renderer.render(self.script, "")]
