"""What can go wrong in a template, and how it is told.

An error names the place, the reason and the names that exist there. It never repeats a value: values may be secrets,
and messages end in logs.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from penstock.base.errors import PenstockError

_EXCERPT = 40
_NAMES_SHOWN = 30


class ExpressionError(PenstockError):
    """A template that cannot be rendered (EXP-009).

    Args:
        reason: What is wrong, without any value of the context.
        hint: What the author can do about it.
        available: Names that exist where the error happened.

    The position is added by `at`, as it is known only to the code that holds the template.
    """

    code = "EXPRESSION_INVALID"

    def __init__(self, reason: str, *, hint: str | None = None, available: Iterable[str] = ()) -> None:
        super().__init__(reason, hint=hint)
        self.reason = reason
        self.available: tuple[str, ...] = tuple(available)
        self.template: str | None = None
        self.line = 0
        self.column = 0

    def at(self, template: str, offset: int) -> ExpressionError:
        """Attach the position, unless a deeper call has done so already, and return the error itself."""
        if self.template is None:
            self.template = template
            self.line, self.column = _position(template, offset)
            self.message = self._describe(offset)
            self.args = (self.message,)
        return self

    def _describe(self, offset: int) -> str:
        where = f"line {self.line}, column {self.column} of `{_excerpt(self.template or '', offset)}`"
        shown = ", ".join(self.available[:_NAMES_SHOWN])
        if len(self.available) > _NAMES_SHOWN:
            shown += ", ..."
        names = f"; available here: {shown}" if shown else ""
        return f"{self.reason}, at {where}{names}"


class ExpressionSyntaxError(ExpressionError):
    """The template itself is wrong: seen before anything is rendered."""

    code = "EXPRESSION_SYNTAX"


class UndefinedVariableError(ExpressionError):
    """A variable or attribute does not exist (EXP-008); `??`, `???`, `default` and `is defined` recover from it."""

    code = "EXPRESSION_UNDEFINED"
    hint = "provide it, or give a fallback with `??`"


class ExpressionTypeError(ExpressionError):
    """An operator, a filter or a function does not take a value of this kind."""

    code = "EXPRESSION_TYPE"


class FunctionFailedError(ExpressionError):
    """A function that reaches outside (a secret, a file, a key) failed; the original error is the cause."""

    code = "EXPRESSION_FUNCTION_FAILED"


class LimitExceededError(ExpressionError):
    """The template would do more work than one template may (EXP-014)."""

    code = "EXPRESSION_LIMIT"


def suggestion(name: str, names: Iterable[str]) -> str:
    """Return "did you mean ...?" for the name most like `name`, or nothing."""
    close = get_close_matches(name, list(names), n=1)
    return f"did you mean `{close[0]}`?" if close else ""


def kind_of(value: object) -> str:
    """Return the user's word for the kind of a value, for messages that must not show the value."""
    return _KINDS.get(type(value).__name__, f"a value of type {type(value).__name__}")


_KINDS = {
    "NoneType": "null",
    "bool": "a boolean",
    "int": "a number",
    "float": "a number",
    "Decimal": "a number",
    "str": "a string",
    "list": "a list",
    "tuple": "a list",
    "dict": "a map",
    "datetime": "a date-time",
    "date": "a date",
}


def _position(template: str, offset: int) -> tuple[int, int]:
    line = template.count("\n", 0, offset) + 1
    return line, offset - (template.rfind("\n", 0, offset) + 1) + 1


def _excerpt(template: str, offset: int) -> str:
    start, end = max(0, offset - _EXCERPT), min(len(template), offset + _EXCERPT)
    text = template[start:end].replace("\r", "").replace("\n", "\\n")
    return ("..." if start else "") + text + ("..." if end < len(template) else "")
