"""Errors as people read them: what is wrong, where, and what to do; for flows with the line in question."""

from __future__ import annotations

import errno
from collections.abc import Iterable
from typing import TYPE_CHECKING

from penstock.base.errors import PenstockError

if TYPE_CHECKING:
    from rich.text import Text

    from penstock.model.problems import Problem

_STYLES = {"error": "bold red", "warning": "yellow", "deprecation": "magenta", "info": "cyan"}


def show_error(error: PenstockError) -> None:
    """Write an error to the standard error."""
    from rich.text import Text

    from penstock.cli.terminal import console

    text = Text("error: ", style="bold red")
    text.append(error.message, style="not bold default")
    if error.hint:
        text.append(f"\nhint:  {error.hint}", style="not bold cyan")
    console(stderr=True).print(text)


def refusal(error: OSError) -> PenstockError | None:
    """Return in words what the system has refused a command: a path, or room for its output; None for all else."""
    if error.filename is not None:
        reason = error.strerror or str(error)
        return PenstockError(f"{error.filename}: {reason}", hint="check the path, and who may read and write there")
    if error.errno == errno.ENOSPC:
        from penstock.cli.terminal import unwritten

        return unwritten(error)
    return None


def problem_text(problem: Problem, file: str, source: str) -> Text:
    """Return a problem with its file, line and column, the line itself and a caret below the place."""
    from rich.text import Text

    place = f"{file}:{problem.line}:{problem.column}" if problem.line else file
    text = Text(f"{place}: ", style="bold")
    text.append(problem.severity, style=_STYLES.get(problem.severity, ""))
    where = f"{problem.path}: " if problem.path else ""
    text.append(f": {where}{problem.message}", style="not bold")
    lines = source.splitlines()
    if 0 < problem.line <= len(lines):
        line = lines[problem.line - 1]
        number = f"{problem.line:>5} | "
        text.append(f"\n{number}{line}", style="not bold dim")
        caret = " " * (len(number) + max(0, problem.column - 1)) + "^"
        text.append(f"\n{caret}", style="not bold red")
    if problem.hint:
        text.append(f"\n  hint: {problem.hint}", style="not bold cyan")
    return text


def show_problems(problems: Iterable[Problem], file: str, source: str, *, stderr: bool = True) -> None:
    """Write the problems of one file."""
    from penstock.cli.terminal import console

    output = console(stderr=stderr)
    for problem in problems:
        output.print(problem_text(problem, file, source))
