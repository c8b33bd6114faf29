"""Templates and the renderer: the package's front door.

A renderer compiles a text once, keeps the compiled template in a bounded cache, and renders it with the variables of
the moment. It is safe to share between threads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from penstock.expressions.analysis import Analysis
from penstock.expressions.compiler import compile_document
from penstock.expressions.environment import DEFAULT, SYSTEM, Environment, Limits, Resolver, Settings
from penstock.expressions.errors import ExpressionError, ExpressionSyntaxError, LimitExceededError
from penstock.expressions.frame import Frame, Interruption
from penstock.expressions.library import LIBRARY
from penstock.expressions.parser import parse
from penstock.expressions.program import Program
from penstock.expressions.values import plain

_CACHE_SIZE = 1000
_MAX_PASSES = 32


class Template:
    """A compiled template. Implements EXP-001, EXP-002.

    Args:
        text: The template as written.
        program: Its compiled form.
        analysis: What it reads and calls.
        compile_text: Compiles what `render()` is given.
        settings: The operator's.
    """

    __slots__ = ("_analysis", "_compile", "_program", "_settings", "text")

    def __init__(
        self,
        text: str,
        program: Program,
        analysis: Analysis,
        compile_text: Callable[[str], Program],
        settings: Settings,
    ) -> None:
        self.text = text
        self._program = program
        self._analysis = analysis
        self._compile = compile_text
        self._settings = settings

    @property
    def program(self) -> Program:
        """The compiled form, for templates that this one is part of."""
        return self._program

    @property
    def is_static(self) -> bool:
        """Whether the template has no expressions and tags at all, so that it renders the same everywhere."""
        return self._program.static is not None

    @property
    def references(self) -> frozenset[tuple[str, ...]]:
        """Access paths the template may read; `*` ends a path, or is one, where more cannot be known."""
        return self._analysis.references

    @property
    def analysis(self) -> Analysis:
        """Everything that is known without rendering."""
        return self._analysis

    @property
    def functions(self) -> frozenset[str]:
        """Names of the functions called, aliases resolved."""
        return self._analysis.functions

    @property
    def needs_resolver(self) -> bool:
        """Whether the template calls, or by `render` of a variable may call, a function of the outside world."""
        return self._analysis.needs_resolver

    def render(
        self,
        variables: Mapping[str, Any],
        resolver: Resolver | None = None,
        *,
        limits: Limits = DEFAULT,
        environment: Environment = SYSTEM,
    ) -> str:
        """Return the text of the template.

        Raises:
            ExpressionError: The template cannot be rendered with these variables. Anything else that a resolver
                raises and that is no PenstockError passes through unchanged.
        """
        if self._program.static is not None:
            return self._program.static
        frame = Frame(variables, resolver, environment, limits, self._compile, self._settings)
        try:
            return self._program.render(frame)
        except (ExpressionError, Interruption, RecursionError, MemoryError) as error:
            raise self._final(error) from error.__cause__

    def evaluate(
        self,
        variables: Mapping[str, Any],
        resolver: Resolver | None = None,
        *,
        limits: Limits = DEFAULT,
        environment: Environment = SYSTEM,
    ) -> Any:
        """Return the typed value when the template is exactly one `{{ expression }}`, else its text.

        Raises:
            ExpressionError: As for `render`.
        """
        if self._program.static is not None:
            return self._program.static
        frame = Frame(variables, resolver, environment, limits, self._compile, self._settings)
        try:
            value = self._program.evaluate(frame)
        except (ExpressionError, Interruption, RecursionError, MemoryError) as error:
            raise self._final(error) from error.__cause__
        # Only these filters make values of other classes than Python's own.
        return value if self._analysis.filters.isdisjoint(("number", "yaml")) else plain(value)

    def _final(self, error: BaseException) -> BaseException:
        """Return what the caller shall see for an error: located, and without the package's inner signals."""
        if isinstance(error, Interruption):
            return error.original
        if isinstance(error, ExpressionError):
            return error.at(self.text, 0)
        return LimitExceededError("a value is nested too deeply or too large").at(self.text, 0)


class Renderer:
    """Compiles, caches and renders templates. Implements EXP-003, EXP-012.

    Args:
        environment: Clock, chance and time zone.
        limits: Bounds that hold unless a call gives others.
        settings: The operator's.
        cache_size: Compiled templates kept; 0 keeps none.
    """

    def __init__(
        self,
        environment: Environment = SYSTEM,
        limits: Limits = DEFAULT,
        settings: Settings = Settings(),  # noqa: B008  # frozen
        cache_size: int = _CACHE_SIZE,
    ) -> None:
        self._environment = environment
        self._limits = limits
        self.configure(settings, cache_size)

    def configure(self, settings: Settings, cache_size: int = _CACHE_SIZE) -> None:
        """Take other settings; templates are compiled anew, since they carry the settings they run with."""
        self._settings = settings
        self._cached = lru_cache(maxsize=cache_size)(self._compile)

    def compile(self, text: str) -> Template:
        """Return the compiled template, from the cache if it is there.

        Raises:
            ExpressionSyntaxError: The template is malformed.
        """
        return self._cached(text)

    def render(
        self,
        template: str,
        variables: Mapping[str, Any],
        *,
        resolver: Resolver | None = None,
        limits: Limits | None = None,
        environment: Environment | None = None,
    ) -> str:
        """Return the text of a template. Implements EXP-006.

        Raises:
            ExpressionError: The template is malformed, or cannot be rendered with these variables.
        """
        if "{" not in template:
            return template
        bounds, sources = limits or self._limits, environment or self._environment
        text = self._cached(template).render(variables, resolver, limits=bounds, environment=sources)
        if self._settings.recursive_rendering:
            text = self._stable(
                template, text, lambda again: again.render(variables, resolver, limits=bounds, environment=sources)
            )
        return text

    def evaluate(
        self,
        template: str,
        variables: Mapping[str, Any],
        *,
        resolver: Resolver | None = None,
        limits: Limits | None = None,
        environment: Environment | None = None,
    ) -> Any:
        """Return the typed value when the template is exactly one `{{ expression }}`, else its text.

        Raises:
            ExpressionError: The template is malformed, or cannot be rendered with these variables.
        """
        if "{" not in template:
            return template
        bounds, sources = limits or self._limits, environment or self._environment
        value = self._cached(template).evaluate(variables, resolver, limits=bounds, environment=sources)
        if self._settings.recursive_rendering:
            value = self._stable(
                template, value, lambda again: again.evaluate(variables, resolver, limits=bounds, environment=sources)
            )
        return value

    def render_nested(
        self,
        value: Any,
        variables: Mapping[str, Any],
        *,
        resolver: Resolver | None = None,
        limits: Limits | None = None,
        environment: Environment | None = None,
    ) -> Any:
        """Return the value with every string in its lists and maps, keys too, rendered to text. Implements EXP-013.

        Raises:
            ExpressionError: One of the templates is malformed, or cannot be rendered with these variables.
        """

        def nested(part: Any) -> Any:
            if isinstance(part, str):
                return self.render(part, variables, resolver=resolver, limits=limits, environment=environment)
            if isinstance(part, Mapping):
                return {nested(key): nested(item) for key, item in part.items()}
            return [nested(item) for item in part] if isinstance(part, list | tuple) else part

        return nested(value)

    def _compile(self, text: str) -> Template:
        try:
            program, analysis = compile_document(parse(text), LIBRARY)
        except RecursionError:
            raise ExpressionSyntaxError("the template is nested too deeply").at(text, 0) from None
        return Template(text, program, analysis, self._program, self._settings)

    def _program(self, text: str) -> Program:
        return self._cached(text).program

    def _stable(self, template: str, value: Any, render: Callable[[Template], Any]) -> Any:
        """Return the value rendered again and again until it no longer changes (EXP-003)."""
        previous: Any = template
        for _ in range(_MAX_PASSES):
            if not isinstance(value, str) or value == previous or "{" not in value:
                return value
            previous, value = value, render(self._cached(value))
        raise LimitExceededError(
            f"the text still changes after {_MAX_PASSES} renderings", hint="does it contain itself?"
        ).at(template, 0)


DEFAULT_RENDERER = Renderer()
