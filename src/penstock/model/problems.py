"""What is wrong with a flow: problems with a place and a way out, gathered rather than raised one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from penstock.base.errors import InvalidRequestError

Path = tuple[str | int, ...]
"""The way to a value in a document: keys and list positions."""


class Severity(StrEnum):
    """How bad it is. Only errors keep a flow from being saved."""

    ERROR = "error"
    WARNING = "warning"
    DEPRECATION = "deprecation"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding. Implements the parts an editor marks: path, line and column (first is 1; 0 when unknown)."""

    severity: Severity
    path: str
    """Such as `tasks[0].message`; empty for the document itself."""
    message: str
    hint: str = ""
    line: int = 0
    column: int = 0
    code: str = "INVALID_FLOW"
    rename: tuple[str, str] | None = None
    """A name that stands there, and the one to write instead: the same thing is meant."""

    def __str__(self) -> str:
        where = self.path or "flow"
        if self.line:
            where += f" ({self.line}:{self.column})"
        return f"{where}: {self.message}" + (f" ({self.hint})" if self.hint else "")


class InvalidFlow(InvalidRequestError):
    """A flow with errors; carries every problem, warnings included."""

    code = "INVALID_FLOW"

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        errors = [problem for problem in self.problems if problem.severity is Severity.ERROR]
        super().__init__("\n".join(str(problem) for problem in errors))


def path_text(path: Path) -> str:
    """Return a path as people write it: `tasks[0].message`; keys that hold dots or spaces are quoted."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif step and all(char.isalnum() or char in "_-" for char in step):
            text += f".{step}" if text else step
        else:
            text += f"['{step}']"
    return text
