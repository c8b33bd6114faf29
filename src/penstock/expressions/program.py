"""A compiled template, ready to run. Holds functions only; all state of a rendering is in the frame."""

from __future__ import annotations

from collections import ChainMap
from dataclasses import dataclass
from typing import Any

from penstock.base.errors import PenstockError
from penstock.expressions.errors import ExpressionError, FunctionFailedError
from penstock.expressions.frame import Evaluator, Frame, Writer


@dataclass(frozen=True, slots=True)
class Program:
    """What the compiler makes of a template.

    Args:
        text: The template, for messages.
        body: Writes the whole template.
        single: The expression, when the template is exactly one output.
        static: The text, when the template has no expressions and tags at all.
        blocks: Writers of the blocks declared here.
        parent: Gives the name of the template this one extends.
        assignments: Runs the `set` tags outside of blocks; they count although a parent writes the text.
        keeps_values: The template has `set` or macros, so that it can build values larger than its input.
    """

    text: str
    body: Writer
    single: Evaluator | None
    static: str | None
    blocks: tuple[tuple[str, Writer], ...]
    parent: Evaluator | None
    assignments: Writer
    keeps_values: bool

    def write(self, frame: Frame, out: list[str]) -> None:
        """Append the text of the template, or of its parent with the blocks of this one (EXP-073)."""
        for name, writer in self.blocks:
            frame.blocks[name] = (*frame.blocks.get(name, ()), writer)
        if self.parent is None:
            self.body(frame, out)
            return
        self.assignments(frame, [])
        name = frame.text(self.parent(frame))
        try:
            source = frame.call_outside("namespaceTemplate", {"name": name})
        except ExpressionError:
            raise
        except PenstockError as error:
            reason = f"the parent template `{name}` cannot be read: {error.message}"
            raise FunctionFailedError(reason, hint=error.hint).at(self.text, 0) from error
        if not isinstance(source, str):
            raise ExpressionError(f"the parent template `{name}` has no text")
        parent = frame.compile(source)
        if frame.depth >= frame.limits.depth:
            raise frame.too_deep()
        frame.depth += 1
        frame.variables = ChainMap(frame.locals, frame.variables)  # type: ignore[arg-type]
        frame.guarded = frame.guarded or parent.keeps_values
        parent.write(frame, out)

    def render(self, frame: Frame) -> str:
        """Return the text of the template."""
        if self.static is not None:
            return self.static
        frame.guarded = frame.guarded or self.keeps_values
        if self.single is not None:
            value = self.single(frame)
            text = value if type(value) is str else frame.text(value)
            if len(text) > frame.limits.output:
                raise frame.budget.overwritten()
            return text
        out: list[str] = []
        self.write(frame, out)
        return "".join(out)

    def evaluate(self, frame: Frame) -> Any:
        """Return the typed value of a single output, else the text."""
        if self.single is None:
            return self.render(frame)
        frame.guarded = self.keeps_values
        value = self.single(frame)
        if frame.guarded:
            frame.guard(value)
        return value
