"""What file transforms of every language have in common."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import IO, Any, ClassVar

from pydantic import Field

from penstock.builtin.serdes.files import Conversion, ConvertedFile, items, store_items
from penstock.builtin.serdes.json_text import compact
from penstock.sdk import PluginError, Property, RunContext
from penstock.sdk.items import stop_if_killed

_SHOWN = 2_000


class TransformFailed(PluginError):
    """A script failed for an item."""

    code = "TRANSFORM_FAILED"


class ProgramMissing(PluginError):
    """The language of a script is not installed."""

    code = "PROGRAM_MISSING"


class FileTransform(Conversion):
    """A file of items changed one by one, by a script that runs in a process of its own."""

    program: ClassVar[str]
    """What runs it."""
    packages: ClassVar[str]
    """Where that comes from."""
    options: ClassVar[tuple[str, ...]] = ()
    """How it is called."""
    child: ClassVar[str]
    """The file beside this one that does the script's side of the conversation."""

    script: Property[str] = Field(description="What is done with each item.")
    concurrent: Property[int] | None = Field(None, description="Has no effect: items are dealt with in their order.")

    def run(self, context: RunContext) -> ConvertedFile:
        """Hand over item by item, and store what comes back."""
        script = context.render(self.script)
        with tempfile.TemporaryFile() as said:
            process = subprocess.Popen(  # noqa: S603 - an interpreter and our own file
                self._command(context),
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

    def _command(self, context: RunContext) -> list[str]:
        found = shutil.which(self.program, path=context.environment.get("PATH"))
        if found is None:
            raise ProgramMissing(f"the program `{self.program}` is not installed", hint=f"install {self.packages}")
        return [found, *self.options, str(Path(__file__).with_name(self.child))]

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
