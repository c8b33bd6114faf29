"""Files of a working directory that tasks share, the older way: `LocalFiles`."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from penstock.builtin.scripts.input_files import put_input_files
from penstock.builtin.scripts.output_files import collect
from penstock.sdk import Output, Property, RunContext, Task


class KeptFiles(Output):
    """What `LocalFiles` gives."""

    uris: dict[str, str] = Field(description="The files kept: their URIs by path.")


class LocalFiles(Task):
    """Put files into the working directory and keep files of it; `inputFiles` and `outputFiles` take its place.

    Share a configuration with the tasks beside it:

    ```yaml
    tasks:
      - id: project
        type: io.kestra.plugin.core.flow.WorkingDirectory
        tasks:
          - id: files
            type: io.kestra.plugin.core.storage.LocalFiles
            inputs:
              settings.ini: |
                [shop]
                url = https://example.com
          - id: shown
            type: io.kestra.plugin.scripts.shell.Commands
            commands:
              - cat settings.ini
    ```

    Implements MIG-033.
    """

    type_name = "io.kestra.plugin.core.storage.LocalFiles"
    type_aliases = ("io.kestra.core.tasks.storages.LocalFiles",)
    output_type: ClassVar[type[Output] | None] = KeptFiles

    inputs: Property[dict[str, Any]] | None = Field(
        None, description="Files to write: contents, or URIs of stored files, by name."
    )
    outputs: Property[list[str]] | None = Field(None, description="Names or patterns of the files to keep.")

    def run(self, context: RunContext) -> KeptFiles:
        """Write what comes in, keep what goes out."""
        inputs, outputs = context.render(self.inputs), context.render(self.outputs)
        put_input_files(context, inputs or {})
        return KeptFiles(uris=collect(context, outputs or [], context.working_directory))
