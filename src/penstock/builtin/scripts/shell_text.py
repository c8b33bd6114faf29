"""From the commands of a task to the arguments of one process."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePath

_SHELLS = frozenset({"ash", "bash", "busybox", "dash", "ksh", "sh", "zsh"})
_LONGEST_ARGUMENT = 100_000
"""In bytes; Linux takes about 131,000."""


def shell_arguments(interpreter: Sequence[str], lines: Sequence[str], aside: Path, *, fail_fast: bool) -> list[str]:
    """Return what runs all lines in one shell. Implements SCR-005, SCR-006.

    Args:
        interpreter: The shell, with the argument after which its text follows.
        lines: Commands of one or more lines each.
        aside: Where the text is written when it is too long to be an argument.
        fail_fast: Whether the first command that fails ends it all.
    """
    is_shell = any(PurePath(part).name in _SHELLS for part in interpreter)
    text = "\n".join(["set -e", *lines] if fail_fast and is_shell else lines)
    if is_shell and interpreter[-1] == "-c" and len(text.encode()) > _LONGEST_ARGUMENT:
        aside.parent.mkdir(parents=True, exist_ok=True)
        aside.write_text(text, encoding="utf-8", newline="")
        return [*interpreter[:-1], str(aside)]
    return [*interpreter, text]
