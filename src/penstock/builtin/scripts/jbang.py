"""JBang: scripts in Java, Kotlin or Groovy that name their dependencies themselves."""

from __future__ import annotations

import shlex
from typing import ClassVar

from pydantic import Field

from penstock.builtin.scripts.language import Language
from penstock.builtin.scripts.language_task import CommandsTask, FileScriptTask
from penstock.builtin.scripts.task import Stage
from penstock.sdk import Property

JBANG = Language("JBang", "jbang", "jbangdev/jbang-action", "jbang", "the PyPI package `jbang`, and a Java")


class Commands(CommandsTask):
    """Run shell commands that call JBang, one after the other, until one fails.

    Run a Java program with its dependencies:

    ```yaml
    tasks:
      - id: hello
        type: io.kestra.plugin.scripts.jbang.Commands
        inputFiles:
          Hello.java: |
            class Hello {
              public static void main(String[] names) {
                System.out.println("Hello, " + names[0]);
              }
            }
        commands:
          - jbang Hello.java Ada
    ```

    Implements SCR-001.
    """

    type_name = "io.kestra.plugin.scripts.jbang.Commands"
    language: ClassVar[Language] = JBANG


class Script(FileScriptTask):
    """Run a script by JBang, in the language that `extension` says.

    Run a few lines of Java:

    ```yaml
    tasks:
      - id: hello
        type: io.kestra.plugin.scripts.jbang.Script
        script: |
          class Hello {
            public static void main(String[] arguments) {
              System.out.println("Hello from Java");
            }
          }
    ```

    Implements SCR-001.
    """

    type_name = "io.kestra.plugin.scripts.jbang.Script"
    language: ClassVar[Language] = JBANG

    extension: Property[str] = Field(
        Property.of(".java"),
        description="The language, as the end of a file's name: `.java`, `.jsh`, `.kt`, `.groovy`.",
    )
    quiet: Property[bool] = Field(Property.of(True), description="Show what the script writes alone.")

    def command(self, stage: Stage, name: str) -> str:
        """Return the command line that runs the script of that name."""
        quiet = "--quiet " if stage.context.render(self.quiet) else ""
        return f"jbang {quiet}{shlex.quote(str(stage.place / name))}"

    def suffix(self, stage: Stage) -> str:
        """Return the end of the script's name."""
        return f".{stage.context.render(self.extension).lstrip('.')}"
