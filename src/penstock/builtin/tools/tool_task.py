"""What the tasks for command-line tools have in common: script tasks that also bring what their tool reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from penstock.builtin.scripts.input_files import PRIVATE
from penstock.builtin.scripts.language_task import CommandsTask
from penstock.builtin.scripts.task import Stage

_PRIVATE = f"{PRIVATE}/tool"


class ToolTask(CommandsTask):
    """Base of the tasks whose commands call one tool. Implements SCR-010."""

    @contextmanager
    def tools(self, stage: Stage) -> Iterator[Mapping[str, str]]:
        """Give what the tool reads while the commands run."""
        yield self.prepare(stage)

    def prepare(self, stage: Stage) -> Mapping[str, str]:
        """Put files in place that the tool reads, and return the environment variables that it reads."""
        return {}


def private_file(stage: Stage, name: str, text: str) -> str:
    """Write a file that goes away with the task, and return the path by which the commands find it."""
    path = stage.context.resolve(_PRIVATE) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8", newline="")
    return str(stage.place / _PRIVATE / name)


def private_folder(stage: Stage, name: str) -> str:
    """Make a folder that goes away with the task, and return the path by which the commands find it."""
    (stage.context.resolve(_PRIVATE) / name).mkdir(parents=True)
    return str(stage.place / _PRIVATE / name)


def generated_file(stage: Stage, name: str, text: str) -> None:
    """Write a file of the working directory that is the task's own; one of that name that is there is replaced."""
    path = stage.context.resolve(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="")
    stage.generated.append(path)
