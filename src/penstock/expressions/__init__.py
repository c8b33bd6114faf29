"""The template language of flows: `{{ expressions }}` and `{% tags %}` in YAML strings.

Pure: no I/O, no clock, no chance of its own. What a template may reach beyond its variables comes in as an
`Environment` and a `Resolver`.
"""

from __future__ import annotations

from penstock.expressions.dotted import DottedMap
from penstock.expressions.environment import DEFAULT, SYSTEM, Environment, Limits, RandomSource, Resolver, Settings
from penstock.expressions.errors import (
    ExpressionError,
    ExpressionSyntaxError,
    ExpressionTypeError,
    FunctionFailedError,
    LimitExceededError,
    UndefinedVariableError,
)
from penstock.expressions.filters import FILTERS
from penstock.expressions.functions import FUNCTIONS
from penstock.expressions.predicates import TESTS
from penstock.expressions.registry import Entry, Parameter, Registry
from penstock.expressions.template import DEFAULT_RENDERER, Renderer, Template
from penstock.expressions.values import UNDEFINED, is_truthy, json_of, text_of

compile_template = DEFAULT_RENDERER.compile
render = DEFAULT_RENDERER.render
evaluate = DEFAULT_RENDERER.evaluate
render_nested = DEFAULT_RENDERER.render_nested

__all__ = [
    "DEFAULT",
    "DEFAULT_RENDERER",
    "FILTERS",
    "FUNCTIONS",
    "SYSTEM",
    "TESTS",
    "UNDEFINED",
    "DottedMap",
    "Entry",
    "Environment",
    "ExpressionError",
    "ExpressionSyntaxError",
    "ExpressionTypeError",
    "FunctionFailedError",
    "LimitExceededError",
    "Limits",
    "Parameter",
    "RandomSource",
    "Registry",
    "Renderer",
    "Resolver",
    "Settings",
    "Template",
    "UndefinedVariableError",
    "compile_template",
    "evaluate",
    "is_truthy",
    "json_of",
    "render",
    "render_nested",
    "text_of",
]
