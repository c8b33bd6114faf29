"""Functions that render and look at the context. Implements EXP-072, EXP-073, EXP-138 to EXP-141."""

from __future__ import annotations

from typing import Any

from penstock.expressions.encrypted import hidden
from penstock.expressions.errors import ExpressionError, ExpressionTypeError
from penstock.expressions.frame import Frame
from penstock.expressions.registry import Entry, Parameter
from penstock.expressions.values import is_truthy


def render(frame: Frame, expression: Any, recursive: Any = True) -> Any:
    """Return the text of a template held by a value, again and again until nothing is left to render (EXP-138)."""
    rendered = render_once(frame, expression)
    if not is_truthy(recursive):
        return rendered
    passes = 0
    while isinstance(rendered, str) and rendered != expression and ("{{" in rendered or "{%" in rendered):
        passes += 1
        if passes > frame.limits.depth:
            raise frame.too_deep()
        expression, rendered = rendered, render_once(frame, rendered)
    return rendered


def render_once(frame: Frame, expression: Any) -> Any:
    """Return the text of a template held by a value; what is no text is returned unchanged (EXP-139)."""
    if not isinstance(expression, str) or "{" not in expression:
        return expression
    return frame.compile(expression).render(frame.child(frame.scope))


def print_context(frame: Frame) -> str:
    """Return all variables as JSON, secrets hidden (EXP-141)."""
    variables = {str(name): frame.scope[name] for name in frame.scope}
    if frame.guarded:
        frame.guard(variables)
    return frame.json(hidden(variables))


def block(frame: Frame, name: Any) -> str:
    """Return the text of a declared block (EXP-140)."""
    if not isinstance(name, str):
        raise ExpressionTypeError("the name of a block must be a string")
    out: list[str] = []
    frame.write_block(name, out)
    return "".join(out)


def parent(frame: Frame) -> str:
    """Return the text that the parent template has for the block being written (EXP-140)."""
    if not frame.active:
        raise ExpressionError("`parent` is called outside of a block")
    name, level = frame.active[-1]
    out: list[str] = []
    frame.write_block(name, out, level + 1)
    return "".join(out)


ENTRIES = [
    Entry(
        "render",
        render,
        "Evaluates text that itself contains expressions, until none is left.",
        (Parameter("expression"), Parameter("recursive", True)),
        examples=(("{{ render('{{ 1 + 1 }}') }}", "2"),),
        context=True,
    ),
    Entry(
        "renderOnce",
        render_once,
        "Evaluates text that itself contains expressions, one time.",
        (Parameter("expression"),),
        examples=(("{{ renderOnce('{{ 1 + 1 }}') }}", "2"),),
        context=True,
    ),
    Entry(
        "printContext",
        print_context,
        "All variables as JSON, secrets hidden.",
        examples=(("{{ printContext() is json }}", "true"),),
        aliases=("fetchContext",),
        context=True,
        reads=(("*",),),
    ),
    Entry(
        "block",
        block,
        "The text of a declared block, again.",
        (Parameter("name"),),
        examples=(('{% block "b" %}x{% endblock %}{{ block("b") }}', "xx"),),
        context=True,
    ),
    Entry("parent", parent, "Inside an overriding block, the text of the parent template's block.", context=True),
]
