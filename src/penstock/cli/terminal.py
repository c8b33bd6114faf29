"""Where commands write: colours and live displays on a terminal, plain text everywhere else."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from penstock.base.errors import PenstockError

if TYPE_CHECKING:
    from rich.console import Console


def is_terminal() -> bool:
    """Return whether a person reads the standard output, rather than a file or another program."""
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def console(*, stderr: bool = False) -> Console:
    """Return a console; without a terminal, and with NO_COLOR, it writes plain text."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    plain = not stream.isatty()
    return Console(stderr=stderr, highlight=False, soft_wrap=plain, no_color=plain or None, emoji=False, markup=False)


class OutputError(PenstockError):
    """What a command says cannot be written."""

    code = "OUTPUT_FAILED"


def unwritten(error: OSError) -> OutputError:
    """Return the error of an output that the system refuses."""
    reason = error.strerror or str(error)
    return OutputError(f"the output cannot be written: {reason}", hint="make room, or write elsewhere")


def say(text: str = "") -> None:
    """Write a line to the standard output."""
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise unwritten(error) from error


def tell(text: str) -> None:
    """Write a line to the standard error, where it does not mix with results."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
