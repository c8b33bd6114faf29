"""Completion of commands and options by shells; the words come from the command itself when the shell asks."""

from __future__ import annotations

import os

from penstock.base.errors import InvalidRequestError

SHELLS = ("bash", "zsh", "fish", "powershell", "pwsh")


def completion_script(program: str, shell: str) -> str:
    """Return the script that has a shell ask a program for completions.

    Raises:
        InvalidRequestError: No such shell is known.
    """
    from typer.completion import get_completion_script  # type: ignore[attr-defined]  # nothing else has it

    if shell not in SHELLS:
        raise InvalidRequestError(f"completion for `{shell}` is not known", hint=f"known: {', '.join(SHELLS)}")
    variable = f"_{program.replace('-', '_').upper()}_COMPLETE"
    script: str = get_completion_script(prog_name=program, complete_var=variable, shell=shell)
    return script


def answer_shells() -> None:
    """Have the program understand shells that ask; one that asks says so by a variable."""
    if any(name.endswith("_COMPLETE") for name in os.environ):
        from typer.completion import get_completion_inspect_parameters

        get_completion_inspect_parameters()  # makes the shells known; the options it returns are not wanted
