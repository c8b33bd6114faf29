"""`FileTransform`: a file of items changed one by one by a script in Python."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from decimal import Decimal
from typing import IO, Any

from pydantic import Field

from penstock.builtin.serdes.files import Conversion, ConvertedFile, items, store_items
from penstock.builtin.serdes.json_text import compact
from penstock.builtin.storage.rows import stop_if_killed
from penstock.builtin.transform import child
from penstock.sdk import PluginError, Property, RunContext

_SHOWN = 2_000


class TransformFailed(PluginError):
    """A script failed for an item."""

    code = "TRANSFORM_FAILED"


class FileTransform(Conversion):
    """Change the items of a file one by one, by a script in Python.

    The script sees the item as `row`, and changes or replaces it. `row = None` leaves the item out; a list `rows` puts
    several in its place. `logger.info(...)` writes to the logs.

    ```yaml
    - id: taxed
      type: io.kestra.plugin.graalvm.python.FileTransform
      from: "{{ outputs.orders.uri }}"
      script: |
        if row["country"] != "FR":
            row = None
        else:
            row["total"] = row["price"] * 1.2
    ```

    The script runs in a process of its own. Dates are text in it.

    Implements ENG-339.
    """

    type_name = "io.kestra.plugin.graalvm.python.FileTransform"
    type_aliases = ("io.kestra.plugin.scripts.jython.FileTransform", "io.kestra.plugin.script.jython.FileTransform")

    script: Property[str] = Field(description="What is done with each item.")

    def run(self, context: RunContext) -> ConvertedFile:
        """Hand over item by item, and store what comes back."""
        script = context.render(self.script)
        with tempfile.TemporaryFile() as said:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter and file
                [sys.executable, "-I", child.__file__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                cwd=context.working_directory,
                env=dict(context.environment),
                text=True,
                encoding="utf-8",
            )
            context.on_kill(process.kill)
            try:
                assert process.stdin is not None
                assert process.stdout is not None
                found = self._changed(context, script, process.stdin, process.stdout, said)
                return ConvertedFile(uri=store_items(context, found)[0])
            finally:
                process.kill()
                process.communicate()

    def _changed(
        self, context: RunContext, script: str, questions: IO[str], answers: IO[str], said: IO[bytes]
    ) -> Iterator[Any]:
        _ask(questions, json.dumps(script))
        for number, item in enumerate(items(context, context.render(self.from_)), 1):
            _ask(questions, compact(item))
            line = answers.readline()
            if not line:
                stop_if_killed(context)
                said.seek(0)
                raise TransformFailed(f"the script has ended: {said.read().decode(errors='replace')[-_SHOWN:].strip()}")
            answer = json.loads(line, parse_float=Decimal)
            for level, message in answer["logs"]:
                context.logger.log(level, message)
            if "error" in answer:
                raise TransformFailed(f"the script fails for item {number}: {answer['error']}")
            yield from answer["rows"]


def _ask(questions: IO[str], line: str) -> None:
    """Write a line; a process that has ended shows when its answer is read."""
    try:
        questions.write(line + "\n")
        questions.flush()
    except BrokenPipeError:
        return
