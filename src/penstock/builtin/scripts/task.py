"""What all script tasks have in common: a working directory with files, one shell, a task runner, outputs."""

from __future__ import annotations

import os
import re
import shutil
import signal
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any, ClassVar, Literal

from pydantic import Field

from penstock.builtin.runners.runner import Command, Runner, Stream
from penstock.builtin.scripts.input_files import PRIVATE, StoredFiles, put_input_files
from penstock.builtin.scripts.language import Language
from penstock.builtin.scripts.namespace_files import NamespaceFiles
from penstock.builtin.scripts.output_files import collect, collect_folder, kept_files
from penstock.builtin.scripts.rendering import Renderer
from penstock.builtin.scripts.runner_choice import choose_runner
from penstock.builtin.scripts.shell_text import is_too_long, shell_text
from penstock.builtin.scripts.transcript import Transcript
from penstock.sdk import Output, PluginError, Property, RunContext, Task, json_text
from penstock.sdk.task import TaskRunnerDefinition

_SHOWN = 200
_OUTPUT_FOLDER = f"{PRIVATE}/output"
_MENTION = re.compile(r"\{[{%][^{}]*\boutputDir\b")
_NAMING = re.compile(rf"{_MENTION.pattern}|\bOUTPUT_DIR\b")


class TaskException(PluginError):
    """The commands ended with an exit code other than 0."""

    code = "TASK_EXCEPTION"


class ScriptOutput(Output):
    """What script tasks give."""

    vars: dict[str, Any] = Field(description="What the script gave as outputs in its messages.")
    assets: list[dict[str, Any]] | None = Field(None, description="The assets the script named in its messages.")
    exit_code: int = Field(description="The exit code.")
    output_files: dict[str, str] = Field(description="The files kept: their URIs by path.")
    std_out_line_count: int = Field(description="How many lines it wrote to its standard output.")
    std_err_line_count: int = Field(description="How many lines it wrote to its standard error.")
    task_runner: dict[str, str] = Field(description="What ran it.")


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a script is about to run."""

    context: RunContext
    renderer: Renderer
    environment: dict[str, str]
    """What commands on the worker find."""
    place: PurePath
    """Where the commands find the working directory."""
    on_worker: bool = True
    """Whether the worker's tools are at hand; in a container those of its image are."""
    keeps_tools: bool = True
    """Whether what is installed there is there for later tasks."""
    generated: list[Path] = field(default_factory=list)
    """Files of the working directory that are the task's own, and never outputs."""


class ScriptTask(Task):
    """Base of the tasks that run commands or a script.

    Implements ENG-115, ENG-117, ENG-341, SCR-004 to SCR-008, SCR-011, SCR-018, SCR-022, SCR-023, SCR-051.
    """

    output_type: ClassVar[type[Output] | None] = ScriptOutput
    language: ClassVar[Language]
    """What the commands are written in, or call."""

    before_commands: Property[list[str]] | None = Field(
        None, description="Commands that run first, in the same shell and working directory."
    )
    interpreter: Property[list[str]] | None = Field(
        None,
        description="The shell that runs the commands, given as one more argument; `/bin/sh -c` by default, "
        "PowerShell for its own tasks.",
    )
    fail_fast: Property[bool] = Field(Property.of(True), description="Stop at the first command that fails.")
    env: Property[dict[str, Any]] | None = Field(None, description="Environment variables of the commands.")
    input_files: Property[dict[str, Any]] | None = Field(
        None, description="Files to put into the working directory: contents, or URIs of stored files, by name."
    )
    output_files: Property[list[str]] | None = Field(
        None, description="Names or patterns, such as `*.csv`, of the files to keep."
    )
    namespace_files: NamespaceFiles | None = Field(
        None, description="Namespace files to put into the working directory."
    )
    output_directory_enabled: Property[bool] = Field(
        Property.of(False), description="Keep every file that is written to `{{ outputDir }}`."
    )
    container_image: Property[str] | None = Field(None, description="The image, for task runners that use containers.")
    task_runner: TaskRunnerDefinition | None = Field(None, description="Where the commands run.")
    target_os: Literal["LINUX", "WINDOWS", "AUTO"] | None = Field(
        None, alias="targetOS", description="The system the commands are written for; they run on Linux."
    )
    warning_on_std_err: bool | str | None = Field(
        None, json_schema_extra={"deprecated": True}, description="Has no effect: only the exit code counts."
    )
    runner: Literal["PROCESS", "DOCKER"] | None = Field(
        None, json_schema_extra={"deprecated": True}, description="The older form of `taskRunner`."
    )
    docker: dict[str, Any] | None = Field(
        None, json_schema_extra={"deprecated": True}, description="The older form of the Docker runner's properties."
    )
    output_dir: str | bool | None = Field(
        None, json_schema_extra={"deprecated": True}, description="The older form of `outputDirectoryEnabled`."
    )

    @abstractmethod
    def lines(self, stage: Stage) -> Sequence[str]:
        """Return the shell commands that run what the task is about, after `beforeCommands`."""

    def setup(self, stage: Stage) -> Sequence[str]:
        """Return the shell commands that make the language's tools ready where the worker's are not at hand."""
        return ()

    @contextmanager
    def tools(self, stage: Stage) -> Iterator[Mapping[str, str]]:
        """Give environment variables that make the language's tools available while the commands run."""
        yield {}

    def run(self, context: RunContext) -> ScriptOutput:
        """Run the commands and gather what they give."""
        image = self._image(context)
        runner = choose_runner(context, self.task_runner, self.runner, self.docker, image)
        output_folder = self._output_folder(context, runner)
        place = runner.place(context)
        places = {"workingDir": str(place)}
        if output_folder is not None:
            places["outputDir"] = str(place / _OUTPUT_FOLDER)
        renderer = Renderer(context, places)
        patterns = renderer.render(self.output_files, [])
        self._put_files(context, renderer)
        given = self._environment(renderer, places)
        stage = Stage(context, renderer, {**context.environment, **given}, place, runner.on_worker, runner.keeps_tools)
        transcript = Transcript(context)
        with ExitStack() as stack:
            tools = stack.enter_context(self.tools(stage))
            command = Command(
                self._arguments(stage),
                {**stage.environment, **tools},
                context.working_directory,
                image,
                {**given, **tools},
                kept_files(patterns, place, _OUTPUT_FOLDER if output_folder is not None else None),
                is_limited=self.timeout is not None,
            )
            self._expect_interpreter(stage, command)
            code = self._run(runner, context, command, transcript)
            self._judge(code, stage, command)
        files = collect(context, patterns, place, stage.generated)
        if output_folder is not None:
            files.update(collect_folder(context, output_folder))
        return ScriptOutput(
            vars=transcript.outputs,
            assets=transcript.assets or None,
            exit_code=code,
            output_files=files,
            std_out_line_count=transcript.line_counts[Stream.OUT],
            std_err_line_count=transcript.line_counts[Stream.ERR],
            task_runner={"type": runner.type},
        )

    def _image(self, context: RunContext) -> str:
        older = (self.docker or {}).get("image")
        if self.container_image is None and older:
            return context.render_text(str(older))
        return context.render(self.container_image, self.language.image)

    def _output_folder(self, context: RunContext, runner: Runner) -> Path | None:
        """Make the folder whose files are all kept, when the task wants one or mentions it (SCR-012, SCR-051)."""
        mention, is_moving = _MENTION, False
        if runner.names_output_folder:
            mention, is_moving = _NAMING, bool(self.input_files or self.namespace_files or self.output_files)
        written = [getattr(self, name) for name in type(self).model_fields if name != "description"]
        is_mentioned = any(isinstance(value, Property) and mention.search(json_text(value.raw)) for value in written)
        if not (context.render(self.output_directory_enabled) or self.output_dir or is_mentioned or is_moving):
            return None
        folder = context.resolve(_OUTPUT_FOLDER)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _put_files(self, context: RunContext, renderer: Renderer) -> None:
        if self.namespace_files is not None:
            self.namespace_files.load(context)
        files = renderer.render(self.input_files, {})
        put_input_files(context, files)

    def _environment(self, renderer: Renderer, places: Mapping[str, str]) -> dict[str, str]:
        """Return the variables that the task itself sets (SCR-051)."""
        given = {
            name: "" if value is None else json_text(value) for name, value in renderer.render(self.env, {}).items()
        }
        environment = {**given, "WORKING_DIR": places["workingDir"]}
        if "outputDir" in places:
            environment["OUTPUT_DIR"] = places["outputDir"]
        return environment

    def _arguments(self, stage: Stage) -> list[str]:
        before = stage.renderer.render(self.before_commands, [])
        stored = StoredFiles(stage.context, stage.place)
        setup = [] if stage.on_worker else self.setup(stage)
        lines = [*setup, *map(stored.localize, before), *map(stored.localize, self.lines(stage))]
        interpreter = stage.renderer.render(self.interpreter, list(self.language.interpreter))
        text = shell_text(interpreter, lines, fail_fast=stage.context.render(self.fail_fast))
        if not is_too_long(interpreter, text):
            return [*interpreter, text]
        name = f"{PRIVATE}/commands"
        aside = stage.context.resolve(name)
        aside.parent.mkdir(parents=True, exist_ok=True)
        aside.write_text(text, encoding="utf-8", newline="")
        return [*interpreter[:-1], str(stage.place / name)]

    @staticmethod
    def _run(runner: Runner, context: RunContext, command: Command, transcript: Transcript) -> int:
        try:
            return runner.run(context, command, transcript)
        finally:
            transcript.finish()

    def _expect_interpreter(self, stage: Stage, command: Command) -> None:
        """Raise an error that says what to install when the language's own program is to read the commands."""
        if command.arguments[:1] == [self.language.program] and self._is_missing(stage, command):
            raise TaskException(
                f"there is no program `{self.language.program}` on this worker", hint=self._way_to_have_it()
            )

    def _is_missing(self, stage: Stage, command: Command) -> bool:
        path = command.environment.get("PATH", os.defpath)
        return stage.on_worker and shutil.which(self.language.program, path=path) is None

    def _way_to_have_it(self) -> str:
        language = self.language
        return (
            f"install {language.installed_by} on the worker or in `beforeCommands`, or use a task runner with "
            f"containers, such as of the image `{language.image}`"
        )

    def _judge(self, code: int, stage: Stage, command: Command) -> None:
        """Raise the error of an exit code other than 0; it shows the commands as written, before any secret is in."""
        if code == 0:
            return
        written = getattr(self, "commands", None) or getattr(self, "script", None)
        text = " ".join(json_text(written.raw).split()) if isinstance(written, Property) else ""
        shown = f"{text[:_SHOWN]}..." if len(text) > _SHOWN else text
        if code < 0:
            name = signal.Signals(-code).name if -code in {*signal.Signals} else f"number {-code}"
            raise TaskException(
                f"command was ended by signal {name} (exit code {128 - code}): {shown}",
                hint="memory may have run out" if -code == signal.SIGKILL else "see the lines before this one",
            )
        hint = _HINTS.get(code, _HINT)
        if code == _NOT_FOUND and self._is_missing(stage, command):
            shown = f"there is no program `{self.language.program}`: {shown}"
            hint = self._way_to_have_it()
        raise TaskException(f"command failed with exit code {code}: {shown}", hint=hint)


_NOT_FOUND = 127
_HINT = "see the lines before this one"
_HINTS = {
    126: "a program may not be executed: `chmod +x` it, or call its interpreter",
    _NOT_FOUND: "a program was not found: install it on the worker, or in `beforeCommands`",
}
