"""Changes gathered in files, one for each table: what `Capture` and `Trigger` share, whatever the database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import IO, Any, ClassVar, Literal

from pydantic import Field

from penstock.builtin.debezium.changes import Following
from penstock.builtin.messages.receiving import BatchTrigger, ConsumeTask, Gathering, Received
from penstock.builtin.serdes.files import item_line, new_file
from penstock.sdk import Output, Property, RunContext

_ALL = "changes"


class Captured(Output):
    """What capturing gives."""

    size: int = Field(description="How many changes there were.")
    uris: dict[str, str] = Field(
        description="The files in internal storage by the table's name, or by `changes` when they are not split."
    )


class Capturing(Following, Gathering):
    """Changes gathered in files."""

    has_whole_names: ClassVar[bool] = True

    max_wait: Property[timedelta] = Field(
        Property.of(timedelta(seconds=10)), description="It ends when no change has come for so long."
    )
    split_table: Property[Literal["TABLE", "OFF"]] = Field(
        Property.of("TABLE"), description="Whether each table has a file of its own."
    )

    def quiet_for(self, context: RunContext) -> timedelta | None:
        """Return how long."""
        return context.render(self.max_wait)

    def may_end(self, last: Received) -> bool:
        """Return whether a change is the last of its transaction: the database remembers those as a whole."""
        return last.token is not None

    def stored(self, context: RunContext, found: Iterator[Any]) -> Mapping[str, Any]:
        """Write each change to its table's file."""
        is_split = context.render(self.split_table) == "TABLE"
        files: dict[str, tuple[Path, IO[str]]] = {}
        size = 0
        with ExitStack() as stack:
            for fields in found:
                name = fields["stream"] if is_split else _ALL
                if name not in files:
                    path = new_file(context, f"changes-{len(files)}.ion")
                    files[name] = path, stack.enter_context(path.open("w", encoding="utf-8", newline="\n"))
                files[name][1].write(item_line(fields["data"]))
                size += 1
        context.counter("records", size)
        return {"size": size, "uris": {name: context.put_file(path) for name, (path, _) in files.items()}}


class CaptureTask(Capturing, ConsumeTask):
    """Writes changes to files."""

    output_type: ClassVar[type[Output] | None] = Captured

    def kept_as(self, context: RunContext) -> str | None:
        """Return the task's name, as the database sees it: what is dealt with in one execution is so in the next."""
        flow = context.variables["flow"]
        return f"penstock-{flow['namespace']}-{flow['id']}-{self.id}".replace(".", "-")


class CaptureTrigger(Capturing, BatchTrigger):
    """Starts the flow with changes."""

    variable_names: ClassVar[frozenset[str] | None] = frozenset({"size", "uris"})
