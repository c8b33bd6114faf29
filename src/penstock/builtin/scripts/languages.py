"""The languages that need nothing but their name: a line of a table each, and two task types made of it."""

from __future__ import annotations

import types
from typing import Any

from penstock.builtin.scripts.language import Language
from penstock.builtin.scripts.language_task import CommandsTask, FileScriptTask
from penstock.builtin.scripts.samples import example
from penstock.builtin.scripts.task import ScriptTask

_FAMILY = "io.kestra.plugin.scripts"
_POWERSHELL = ("pwsh", "-NoLogo", "-NonInteractive", "-Command")

LANGUAGES = (
    Language("Bun", "bun", "oven/bun", "bun", "the npm package `bun`", "bun run {}", ".ts"),
    Language("Deno", "deno", "denoland/deno", "deno", "the npm package `deno`", "deno run --allow-all {}", ".ts"),
    # Go does not see files whose names begin with an underscore.
    Language("Go", "go", "golang", "go", "the Debian package `golang-go`", "go run {}", ".go", "script"),
    Language(
        *("Groovy", "groovy", "groovy", "groovy", "the Debian packages `groovy` and `default-jre-headless`"),
        *("groovy {}", ".groovy"),
    ),
    Language("Julia", "julia", "julia", "julia", "Julia as its makers pack it", "julia {}", ".jl"),
    Language("Lua", "lua", "nickblah/lua", "lua", "the Debian package `lua5.4`", "lua {}", ".lua"),
    Language("Perl", "perl", "perl", "perl", "the Debian package `perl`", "perl {}", ".pl"),
    Language("PHP", "php", "php", "php", "the Debian package `php-cli`", "php {}", ".php"),
    Language(
        *("PowerShell", "powershell", "mcr.microsoft.com/powershell", "pwsh", "PowerShell as its makers pack it"),
        # Without the last part every failure would be a 1.
        *("& {}; exit $LASTEXITCODE", ".ps1"),
        interpreter=_POWERSHELL,
    ),
    Language("R", "r", "r-base", "Rscript", "the Debian package `r-base-core`", "Rscript {}", ".R"),
    Language("Ruby", "ruby", "ruby", "ruby", "the Debian package `ruby`", "ruby {}", ".rb"),
)


def _task(base: type[ScriptTask], language: Language, name: str, about: str) -> type[ScriptTask]:
    """Return the task type of a language: what a class statement with these attributes would make."""
    type_name = f"{_FAMILY}.{language.package}.{name}"
    attributes: dict[str, Any] = {
        "__doc__": f"{about}\n\n{example(language, type_name)}\n\nImplements SCR-001, SCR-003.\n",
        "__module__": __name__,
        "language": language,
        "type_name": type_name,
    }
    made = types.new_class(f"{language.name}{name}", (base,), exec_body=lambda body: body.update(attributes))
    assert issubclass(made, ScriptTask)
    return made


def _tasks(language: Language) -> tuple[type[ScriptTask], type[ScriptTask]]:
    about = f"Run shell commands that call {language.name}, one after the other, until one fails."
    if language.interpreter == _POWERSHELL:
        about = f"Run {language.name} commands, one after the other, until one fails."
    return (
        _task(CommandsTask, language, "Commands", about),
        _task(FileScriptTask, language, "Script", f"Run a script in {language.name}."),
    )


TYPES: tuple[type[ScriptTask], ...] = tuple(made for language in LANGUAGES for made in _tasks(language))
