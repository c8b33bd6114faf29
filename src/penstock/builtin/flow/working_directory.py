"""Several tasks in one directory: `WorkingDirectory`."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import Field

from penstock.builtin.flow.directory_cache import DirectoryCache
from penstock.builtin.scripts.input_files import PRIVATE, mark_untouched, put_input_files
from penstock.builtin.scripts.namespace_files import NamespaceFiles
from penstock.builtin.scripts.output_files import collect
from penstock.builtin.scripts.rendering import Renderer
from penstock.sdk import Output, PluginError, Property, RunContext, Task, TaskList


class WorkingDirectoryOutput(Output):
    """What `WorkingDirectory` gives."""

    output_files: dict[str, str] = Field(description="The files kept: their URIs by path.")


class PostActionsFailed(PluginError):
    """The tasks have run, but what is to be kept of their files cannot be kept."""

    code = "POST_ACTIONS_FAILED"
    hint = "see that the worker may read the files the tasks leave, and that the patterns are right"


class WorkingDirectory(Task):
    """Run tasks one after another on one worker, in one directory.

    Later tasks find the files that earlier ones left. Implements ENG-097 to ENG-099, ENG-226, ENG-328 to ENG-330,
    SCR-024.

    Let two tasks work on the same files:

    ```yaml
    tasks:
      - id: project
        type: io.kestra.plugin.core.flow.WorkingDirectory
        tasks:
          - id: write
            type: io.kestra.plugin.scripts.shell.Commands
            commands:
              - echo "id,total" > orders.csv
          - id: count
            type: io.kestra.plugin.scripts.shell.Commands
            commands:
              - wc -l orders.csv
    ```
    """

    type_name = "io.kestra.plugin.core.flow.WorkingDirectory"
    type_aliases = ("io.kestra.core.tasks.flows.WorkingDirectory", "io.kestra.core.tasks.flows.Worker")
    output_type: ClassVar[type[Output] | None] = WorkingDirectoryOutput

    tasks: TaskList = Field(min_length=1, description="What to run, in order; tasks that a worker runs.")
    input_files: Property[dict[str, Any]] | None = Field(
        None, description="Files to put into the directory: contents, or URIs of stored files, by name."
    )
    output_files: Property[list[str]] | None = Field(
        None, description="Names or patterns, such as `*.csv`, of the files to keep when all tasks have run."
    )
    namespace_files: NamespaceFiles | None = Field(None, description="Namespace files to put into the directory.")
    cache: DirectoryCache | None = Field(None, description="Files that the next run of the task finds again.")
    errors: TaskList | None = Field(
        None, description="Tasks that run in the directory when one of `tasks` has failed, in each attempt."
    )
    finally_: TaskList | None = Field(
        None, alias="finally", description="Tasks that run in the directory last, whatever happened, in each attempt."
    )

    def run(self, context: RunContext) -> WorkingDirectoryOutput:
        """Fill the directory, run the tasks, keep what is to be kept."""
        restored = self.cache is not None and self.cache.restore(context, self.id)
        renderer = Renderer(context, {"workingDir": str(context.working_directory)})
        if self.namespace_files is not None:
            self.namespace_files.load(context)
        files = renderer.render(self.input_files, {})
        put_input_files(context, files)
        mark_untouched(context)
        self._run_tasks(context)
        try:
            if self.cache is not None and not restored:
                self.cache.keep(context, self.id)
            patterns = renderer.render(self.output_files, [])
            return WorkingDirectoryOutput(output_files=collect(context, patterns, context.working_directory))
        except Exception as error:
            raise PostActionsFailed(f"Unable to execute WorkingDirectory post actions: {error}") from error

    def _run_tasks(self, context: RunContext) -> None:
        """Run the tasks, and those for a failure and for every end unless a kill has ended them (ENG-226)."""
        try:
            _run_each(context, self.tasks)
        except Exception:
            _run_each(context, self.errors or ())
            raise
        finally:
            _run_each(context, self.finally_ or ())


def _run_each(context: RunContext, definitions: Sequence[Mapping[str, Any]]) -> None:
    for definition in () if context.is_killed else definitions:
        goes_on = context.run_child(definition)
        shutil.rmtree(context.resolve(PRIVATE), ignore_errors=True)  # one script's own files mean nothing to others
        if not goes_on:
            return
