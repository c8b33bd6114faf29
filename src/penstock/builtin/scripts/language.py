"""What script tasks have to know of a language."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import PurePath

SHELL_INTERPRETER = ("/bin/sh", "-c")


@dataclass(frozen=True, slots=True)
class Language:
    """A language whose scripts are files that one command line runs. Implements SCR-002, SCR-003.

    Args:
        name: As people write it.
        package: The last part but one of its type names.
        image: The container image, where the task names none.
        program: What has to be installed.
        installed_by: What brings the program, for those who miss it.
        run: The command line; `{}` is the script's file.
        suffix: Of the script's file.
        stem: The name of the script's file.
        interpreter: What the command line is given to, as one more argument.
    """

    name: str
    package: str
    image: str
    program: str
    installed_by: str
    run: str = ""
    suffix: str = ""
    stem: str = "_script"
    interpreter: tuple[str, ...] = SHELL_INTERPRETER

    def command(self, script: PurePath) -> str:
        """Return the command line that runs a script."""
        return self.run.format(shlex.quote(str(script)))
