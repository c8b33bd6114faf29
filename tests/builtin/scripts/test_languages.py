"""Every language's tasks: real programs where this machine has them, and the exact command line of each."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock.builtin.runners.process import Process
from penstock.builtin.scripts import jbang, languages, node, python, shell
from penstock.builtin.scripts.task import ScriptTask, TaskException
from penstock.builtin.tools.tool_task import ToolTask
from penstock.services.worker.settings import WorkerSettings, task_environment
from penstock.testing.run_context import RunContextFactory, messages_of
from penstock.wiring.plugins import builtin_types

BY_NAME: dict[str, type[ScriptTask]] = {
    entry.name: entry.cls
    for entry in builtin_types()
    if issubclass(entry.cls, ScriptTask) and not issubclass(entry.cls, ToolTask)
}
COMMAND_LINES = {
    "bun": "bun run {}/_script.ts",
    "deno": "deno run --allow-all {}/_script.ts",
    "go": "go run {}/script.go",
    "groovy": "groovy {}/_script.groovy",
    "jbang": "jbang --quiet {}/_script.java",
    "julia": "julia {}/_script.jl",
    "lua": "lua {}/_script.lua",
    "node": "node {}/_script.js",
    "perl": "perl {}/_script.pl",
    "php": "php {}/_script.php",
    "python": "python3 {}/_script.py",
    "r": "Rscript {}/_script.R",
    "ruby": "ruby {}/_script.rb",
}
"""The command lines of scripts; `{}` is the working directory."""

IMAGES = {
    "bun": "oven/bun",
    "deno": "denoland/deno",
    "go": "golang",
    "groovy": "groovy",
    "jbang": "jbangdev/jbang-action",
    "julia": "julia",
    "lua": "nickblah/lua",
    "node": "node",
    "perl": "perl",
    "php": "php",
    "powershell": "mcr.microsoft.com/powershell",
    "python": "python:3.13-slim",
    "r": "r-base",
    "ruby": "ruby",
    "shell": "ubuntu",
}

# Each reads a file, an argument of the environment and a rendered value, says both ways of output, and then fails.
SCRIPTS = {
    "go": """
        package main
        import ("fmt"; "os")
        func main() {
            text, _ := os.ReadFile("in.txt")
            form := "::{\\"outputs\\":{\\"text\\":\\"%s {{ name }}\\",\\"word\\":\\"%s\\"}}::\\n"
            fmt.Printf(form, text, os.Getenv("WORD"))
            fmt.Fprintln(os.Stderr, "to stderr")
        }
    """,
    "groovy": """
        def text = new File("in.txt").text
        println '::{"outputs":{"text":"' + text + ' {{ name }}","word":"' + System.getenv("WORD") + '"}}::'
        System.err.println("to stderr")
    """,
    "lua": """
        local text = io.open("in.txt"):read("a")
        print('::{"outputs":{"text":"' .. text .. ' {{ name }}","word":"' .. os.getenv("WORD") .. '"}}::')
        io.stderr:write("to stderr\\n")
    """,
    "node": """
        const text = require("fs").readFileSync("in.txt", "utf8")
        console.log(`::${JSON.stringify({outputs: {text: `${text} {{ name }}`, word: process.env.WORD}})}::`)
        console.error("to stderr")
    """,
    "perl": """
        open(my $file, '<', 'in.txt'); my $text = <$file>;
        print qq(::{"outputs":{"text":"$text {{ name }}","word":"$ENV{WORD}"}}::\\n);
        print STDERR "to stderr\\n";
    """,
    "php": """<?php
        $text = file_get_contents("in.txt");
        echo '::' . json_encode(["outputs" => ["text" => "$text {{ name }}", "word" => getenv("WORD")]]) . "::\\n";
        fwrite(STDERR, "to stderr\\n");
    """,
    "r": """
        text <- readLines("in.txt", warn = FALSE)
        word <- Sys.getenv("WORD")
        cat(sprintf('::{"outputs":{"text":"%s {{ name }}","word":"%s"}}::', text, word), "\\n")
        message("to stderr")
    """,
    "ruby": """
        require "json"
        outputs = {text: File.read("in.txt") + " {{ name }}", word: ENV["WORD"]}
        puts "::#{JSON.generate({outputs: outputs})}::"
        warn "to stderr"
    """,
}
"""Scripts in the languages whose programs Debian has."""

FAILING = {
    "go": 'package main\nimport "os"\nfunc main() { os.Exit(3) }',
    "groovy": "System.exit(3)",
    "lua": "os.exit(3)",
    "node": "process.exit(3)",
    "perl": "exit 3;",
    "php": "<?php exit(3);",
    "r": "quit(status = 3)",
    "ruby": "exit 3",
}


def task_of(package: str, form: str, **properties: Any) -> ScriptTask:
    name = f"io.kestra.plugin.scripts.{package}.{form}"
    definition = {"id": "t", "type": name, "taskRunner": {"type": Process.type_name}, **properties}
    return BY_NAME[name].model_validate(definition)


def have(program: str) -> None:
    if shutil.which(program) is None:
        if os.environ.get("CI"):
            pytest.fail(f"there is no {program}: python -m scripts.machine installs it")
        pytest.skip(f"there is no {program}")


def with_path(path: Path, **more: str) -> RunContextFactory:
    environment = {**task_environment(os.environ), "PATH": str(path), **more}
    return RunContextFactory(settings=WorkerSettings(threads=1, environment=environment))


@pytest.fixture
def programs(tmp_path: Path) -> Iterator[Path]:
    """A folder with a shell alone, to be all of the `PATH`."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("sh", "cat"):
        (folder / name).symlink_to(shutil.which(name) or f"/bin/{name}")
    return folder


def pretend(folder: Path, program: str, code: int = 0) -> None:
    """Put a program into a folder that writes what it was called with."""
    path = folder / program
    path.write_text(f'#!/bin/sh\nprintf "%s" "$(basename "$0")"; printf " %s" "$@"; echo\nexit {code}\n')
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    (folder / "basename").exists() or (folder / "basename").symlink_to(shutil.which("basename") or "/usr/bin/basename")


def test_every_language_has_both_forms() -> None:
    """SCR-001."""
    packages = {name.split(".")[-2]: set() for name in BY_NAME}
    for name in BY_NAME:
        packages[name.split(".")[-2]].add(name.split(".")[-1])
    assert {*packages} == {*IMAGES}
    assert all(forms == {"Commands", "Script"} for forms in packages.values())


@pytest.mark.parametrize(("package", "image"), IMAGES.items())
def test_language_has_an_image_of_its_own(package: str, image: str) -> None:
    """SCR-002."""
    for form in ("Commands", "Script"):
        assert BY_NAME[f"io.kestra.plugin.scripts.{package}.{form}"].language.image == image


@pytest.mark.parametrize("package", SCRIPTS)
def test_script_in_a_language_reads_files_and_gives_outputs(contexts: RunContextFactory, package: str) -> None:
    """SCR-001, SCR-003, SCR-004, SCR-034."""
    have(BY_NAME[f"io.kestra.plugin.scripts.{package}.Script"].language.program)
    context = contexts.of({"name": "Ada"})
    task = task_of(
        *(package, "Script"),
        script=SCRIPTS[package],
        beforeCommands=["export WORD=$WORD-two"],
        env={"WORD": "one"},
        inputFiles={"in.txt": "from outside"},
        outputFiles=["**"],
    )
    output = task.run(context)
    assert output.vars == {"text": "from outside Ada", "word": "one-two"}
    assert messages_of(context) == [("ERROR", "to stderr")]
    assert set(output.output_files) == {"in.txt"}


@pytest.mark.parametrize("package", FAILING)
def test_script_in_a_language_fails_with_its_exit_code(contexts: RunContextFactory, package: str) -> None:
    """SCR-011."""
    have(BY_NAME[f"io.kestra.plugin.scripts.{package}.Script"].language.program)
    # `go run` tells of the code, and ends with 1 itself.
    with pytest.raises(TaskException, match=r"exit code 1" if package == "go" else "exit code 3"):
        task_of(package, "Script", script=FAILING[package]).run(contexts.of())


@pytest.mark.parametrize(("package", "line"), COMMAND_LINES.items())
def test_script_is_run_by_the_command_line_of_its_language(programs: Path, package: str, line: str) -> None:
    """SCR-003."""
    program = line.partition(" ")[0]
    pretend(programs, program)
    with with_path(programs) as contexts:
        context = contexts.of()
        task_of(package, "Script", script="anything").run(context)
        assert messages_of(context) == [("INFO", line.format(context.working_directory))]


def test_powershell_reads_its_commands_itself(programs: Path) -> None:
    """SCR-003, SCR-005, SCR-006."""
    pretend(programs, "pwsh")
    strict = "$ErrorActionPreference = 'Stop'; $PSNativeCommandUseErrorActionPreference = $true"
    start = f"pwsh -NoLogo -NonInteractive -Command {strict}"
    with with_path(programs) as contexts:
        context = contexts.of()
        task_of("powershell", "Commands", commands=[r".\hello.ps1"], beforeCommands=["$a = 1"]).run(context)
        assert [text for _, text in messages_of(context)] == [start, "$a = 1", r".\hello.ps1"]
        task_of("powershell", "Script", script="Write-Output hi").run(context)
        script = f"{context.working_directory}/_script.ps1"
        assert [text for _, text in messages_of(context)] == [start, f"& {script}; exit $LASTEXITCODE"]
        task_of("powershell", "Script", script="Write-Output hi", failFast=False).run(context)
        assert messages_of(context)[0][1].startswith("pwsh -NoLogo -NonInteractive -Command & ")


def test_jbang_takes_the_language_from_the_extension(programs: Path) -> None:
    pretend(programs, "jbang")
    with with_path(programs) as contexts:
        context = contexts.of()
        task_of("jbang", "Script", script="println(1)", extension="kt", quiet=False).run(context)
        assert messages_of(context) == [("INFO", f"jbang {context.working_directory}/_script.kt")]


@pytest.mark.parametrize(
    "made", [*languages.LANGUAGES, node.NODE, jbang.JBANG], ids=lambda language: str(language.package)
)
@pytest.mark.parametrize("form", ["Commands", "Script"])
def test_program_that_is_missing_is_named_with_what_brings_it(programs: Path, made: Any, form: str) -> None:
    """SCR-046."""
    given = {"script": "x"} if form == "Script" else {"commands": [f"{made.program} x"]}
    with with_path(programs) as contexts, pytest.raises(TaskException) as failure:
        task_of(made.package, form, **given).run(contexts.of())
    assert f"there is no program `{made.program}`" in failure.value.message
    assert made.installed_by in (failure.value.hint or "")
    assert made.image in (failure.value.hint or "")


def test_program_made_by_the_commands_before_is_found(programs: Path, tmp_path: Path) -> None:
    """SCR-005, SCR-046."""
    later = tmp_path / "later"
    later.mkdir()
    pretend(later, "julia")
    with with_path(programs) as contexts:
        context = contexts.of()
        task_of("julia", "Script", script="x", beforeCommands=[f"export PATH=$PATH:{later}"]).run(context)
        assert messages_of(context) == [("INFO", f"julia {context.working_directory}/_script.jl")]


def test_another_missing_program_is_not_blamed_on_the_language(programs: Path) -> None:
    pretend(programs, "ruby")
    with with_path(programs) as contexts, pytest.raises(TaskException) as failure:
        task_of("ruby", "Commands", commands=["no-such-program"]).run(contexts.of())
    assert "ruby" not in failure.value.message


@pytest.mark.parametrize("package", sorted(SCRIPTS))
def test_commands_run_files_of_the_language(contexts: RunContextFactory, package: str) -> None:
    """SCR-003, SCR-019."""
    cls = BY_NAME[f"io.kestra.plugin.scripts.{package}.Commands"]
    have(cls.language.program)
    context = contexts.of()
    file = f"main{cls.language.suffix}"
    line = COMMAND_LINES[package].split(" {}")[0]
    text = SCRIPTS[package].replace("{{ name }}", "Ada")
    files = {file: text, "in.txt": "from inside"}
    output = task_of(package, "Commands", commands=[f"{line} {file}"], inputFiles=files, env={"WORD": "w"}).run(context)
    assert output.vars == {"text": "from inside Ada", "word": "w"}


def test_any_other_language_runs_by_shell_commands(contexts: RunContextFactory) -> None:
    """SCR-009."""
    have("java")
    line = 'System.out.println("::{\\"outputs\\":{\\"a\\":1}}::");'
    files = {"Hello.java": f"class Hello {{ public static void main(String[] words) {{ {line} }} }}"}
    output = task_of("shell", "Commands", commands=["java Hello.java"], inputFiles=files).run(contexts.of())
    assert output.vars == {"a": 1}


def test_modules_hold_the_types_of_all_languages() -> None:
    declared = {*languages.TYPES, node.Commands, node.Script, jbang.Commands, jbang.Script}
    assert {*BY_NAME.values()} == declared | {python.Commands, python.Script, shell.Commands, shell.Script}
