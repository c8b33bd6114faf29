"""What a task runner does for a script task: run one command, hand on what it writes, say how it ended."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path, PurePath
from typing import ClassVar, Protocol

from penstock.sdk import PluginError, RunContext, TaskRunnerBase


class Stream(Enum):
    """Where a command writes."""

    OUT = "stdout"
    ERR = "stderr"


@dataclass(frozen=True, slots=True)
class Command:
    """What is to run.

    Args:
        arguments: The program and its arguments, never joined to one text.
        environment: All environment variables of a process of the worker.
        directory: The working directory, with every input file in it.
        image: The container image, for runners that use containers.
        given: The environment variables among them that the task sets, for runners that start elsewhere.
        keeps: Whether a file is kept, by its path in the working directory; None when the task keeps none.
        is_limited: Whether the task has a limit of time of its own.
    """

    arguments: Sequence[str]
    environment: Mapping[str, str]
    directory: Path
    image: str | None = None
    given: Mapping[str, str] = field(default_factory=dict)
    keeps: Callable[[str], bool] | None = None
    is_limited: bool = False


class OutputSink(Protocol):
    """Takes what a command writes."""

    def write(self, stream: Stream, data: bytes) -> None:
        """Take a piece of a stream, as it comes."""
        ...


class RunnerError(PluginError):
    """A command could not be started."""

    code = "RUNNER_FAILED"


class Runner(TaskRunnerBase):
    """Base of task runners. Implements SCR-050, GOV-364."""

    on_worker: ClassVar[bool] = True
    """Whether commands find the worker's tools and files where the worker has them."""

    keeps_tools: ClassVar[bool] = True
    """Whether what a task installs outside of its working directory is there for later ones."""

    names_output_folder: ClassVar[bool] = False
    """Whether commands find the variable `OUTPUT_DIR` without asking for it, where files are fetched anyway."""

    def place(self, context: RunContext) -> PurePath:
        """Return where the commands find the working directory: where the worker has it."""
        return context.working_directory

    @abstractmethod
    def run(self, context: RunContext, command: Command, sink: OutputSink) -> int:
        """Run a command and return its exit code, once nothing of it is left running (BEY-009).

        A kill of the task ends the command. Negative codes are those of signals.

        Raises:
            RunnerError: It could not be started.
        """
