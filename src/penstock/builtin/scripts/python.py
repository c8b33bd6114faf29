"""Python scripts, and shell commands that call Python."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import ClassVar

from pydantic import Field

from penstock.builtin.scripts.language import Language
from penstock.builtin.scripts.language_task import CommandsTask, FileScriptTask
from penstock.builtin.scripts.python_header import declared_packages
from penstock.builtin.scripts.python_tools import python_tools
from penstock.builtin.scripts.remote_python import keep_remote_lock, remote_setup
from penstock.builtin.scripts.task import ScriptTask, Stage
from penstock.sdk import Property

PYTHON = Language(
    *("Python", "python", "python:3.13-slim", "python3", "the Debian package `python3`", "python3 {}", ".py")
)


class PythonTask(ScriptTask):
    """What Python tasks have in common. Implements SCR-047."""

    language: ClassVar[Language] = PYTHON

    dependencies: Property[list[str]] | None = Field(
        None, description="Packages to install; they are kept for later runs of any flow."
    )
    dependency_cache_enabled: Property[bool] = Field(
        Property.of(True), description="Whether the installed packages are kept for later runs."
    )

    def packages(self, stage: Stage) -> Sequence[str]:
        """Return the packages to install."""
        return stage.renderer.render(self.dependencies, [])

    def setup(self, stage: Stage) -> Sequence[str]:
        """Install the dependencies where the commands run."""
        wanted = self.packages(stage)
        return (
            remote_setup(stage, wanted, is_kept=stage.context.render(self.dependency_cache_enabled)) if wanted else ()
        )

    @contextmanager
    def tools(self, stage: Stage) -> Iterator[Mapping[str, str]]:
        """Give a `python` with the dependencies."""
        wanted = self.packages(stage)
        is_kept = stage.context.render(self.dependency_cache_enabled)
        if not stage.on_worker:
            yield {"PYTHONUNBUFFERED": "1"}
            if is_kept:
                keep_remote_lock(stage, wanted)
            return
        with python_tools(stage.context, stage.environment, wanted, is_kept=is_kept) as path:
            found = {"PATH": path} if path else {}
            # Lines must reach the logs when they are written, not when a buffer is full.
            yield {"PYTHONUNBUFFERED": stage.environment.get("PYTHONUNBUFFERED", "1"), **found}


class Commands(PythonTask, CommandsTask):
    """Run shell commands that find Python and the dependencies.

    Run a program of the namespace's files with its packages:

    ```yaml
    tasks:
      - id: report
        type: io.kestra.plugin.scripts.python.Commands
        namespaceFiles:
          enabled: true
        dependencies:
          - pandas
        commands:
          - python report.py
    ```

    Implements SCR-001, SCR-003.
    """

    type_name = "io.kestra.plugin.scripts.python.Commands"


class Script(PythonTask, FileScriptTask):
    """Run a Python script.

    Give other tasks a value that Python has computed:

    ```yaml
    tasks:
      - id: compute
        type: io.kestra.plugin.scripts.python.Script
        dependencies:
          - kestra
        script: |
          from kestra import Kestra

          Kestra.outputs({"total": sum([4, 1, 7])})
    ```

    Implements SCR-001, SCR-003, SCR-038.
    """

    type_name = "io.kestra.plugin.scripts.python.Script"

    def packages(self, stage: Stage) -> Sequence[str]:
        """Return the packages of the property, and those the script's own header declares (PEP 723)."""
        return [*super().packages(stage), *declared_packages(stage.renderer.render(self.script, ""))]
