"""From the commands of a task to the text that one shell reads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

_SHELLS = frozenset({"ash", "bash", "busybox", "dash", "ksh", "sh", "zsh"})
_POWERSHELLS = frozenset({"powershell", "powershell.exe", "pwsh", "pwsh.exe"})
_LONGEST_ARGUMENT = 100_000
"""In bytes; Linux takes about 131,000."""


def shell_text(interpreter: Sequence[str], lines: Sequence[str], *, fail_fast: bool) -> str:
    """Return all lines as one text for one shell. Implements SCR-005, SCR-006.

    Args:
        interpreter: The shell, with the argument after which its text follows.
        lines: Commands of one or more lines each.
        fail_fast: Whether the first command that fails ends it all.
    """
    if not fail_fast:
        return "\n".join(lines)
    if _names(interpreter) & _SHELLS:
        return "\n".join(["set -e", *lines])
    if _names(interpreter) & _POWERSHELLS:
        return "\n".join([_STRICT_POWERSHELL, *lines])
    return "\n".join(lines)


_STRICT_POWERSHELL = "$ErrorActionPreference = 'Stop'; $PSNativeCommandUseErrorActionPreference = $true"


def is_too_long(interpreter: Sequence[str], text: str) -> bool:
    """Return whether a text has to be a file of the shell, being too long for an argument."""
    takes_files = bool(_names(interpreter) & _SHELLS) and interpreter[-1] == "-c"
    return takes_files and len(text.encode()) > _LONGEST_ARGUMENT


def _names(interpreter: Sequence[str]) -> frozenset[str]:
    return frozenset(PurePath(part).name for part in interpreter)
