"""What a rendering knows and has used up: variables, template variables, bounds, blocks."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from penstock.base.errors import PenstockError
from penstock.expressions.environment import Environment, Limits, Resolver, Settings
from penstock.expressions.errors import ExpressionError, LimitExceededError
from penstock.expressions.values import json_of, text_of

if TYPE_CHECKING:
    from penstock.expressions.program import Program

Writer = Callable[["Frame", list[str]], None]
"""A compiled piece of a template: appends its text."""

Evaluator = Callable[["Frame"], Any]
"""A compiled expression."""

_CONTAINERS = (dict, list)
_GUARDED_NODES = 2_000_000


class Interruption(BaseException):
    """Carries an exception of the resolver that is no PenstockError out of a rendering, past all handlers.

    A resolver may stop a rendering to fetch what it does not have yet; no filter may take that for a failure.
    """

    def __init__(self, original: Exception) -> None:
        super().__init__()
        self.original = original


class Budget:
    """The work of one rendering, shared by all its frames. Implements EXP-014."""

    __slots__ = ("iterations", "limits", "work", "written")

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.written = 0
        self.work = 0
        self.iterations = 0

    def overwritten(self) -> LimitExceededError:
        """Return the error for too much output."""
        return LimitExceededError(
            f"the template writes more than {self.limits.output} characters", hint="pass large content by file"
        )

    def spend(self, amount: int) -> None:
        """Count characters or elements that a step produces; raise when it is too much."""
        if amount > self.limits.output:
            raise LimitExceededError(
                f"one step produces more than {self.limits.output} characters", hint="pass large content by file"
            )
        self.work += amount
        if self.work > self.limits.work:
            raise LimitExceededError(f"the template works on more than {self.limits.work} characters")

    def elements(self, amount: int) -> None:
        """Count elements of a list that a step is about to make; raise when it is too much."""
        if amount > self.limits.elements:
            raise LimitExceededError(f"a list of more than {self.limits.elements} elements is too long")
        self.work += amount
        if self.work > self.limits.work:
            raise LimitExceededError(f"the template works on more than {self.limits.work} elements")

    def iterate(self) -> None:
        """Count one round of a loop."""
        self.iterations += 1
        if self.iterations > self.limits.iterations:
            raise LimitExceededError(f"loops of one template run more than {self.limits.iterations} rounds")


class Frame:
    """The state of one rendering, or of one macro call or nested rendering inside it."""

    __slots__ = (
        "active",
        "blocks",
        "budget",
        "compile",
        "depth",
        "environment",
        "guarded",
        "limits",
        "locals",
        "resolver",
        "settings",
        "variables",
    )

    def __init__(
        self,
        variables: Mapping[str, Any],
        resolver: Resolver | None,
        environment: Environment,
        limits: Limits,
        compile_text: Callable[[str], Program],
        settings: Settings,
    ) -> None:
        self.variables = variables
        self.locals: dict[str, Any] = {}
        self.resolver = resolver
        self.environment = environment
        self.limits = limits
        self.budget = Budget(limits)
        self.compile = compile_text
        self.settings = settings
        self.blocks: dict[str, tuple[Writer, ...]] = {}
        self.active: tuple[tuple[str, int], ...] = ()
        self.depth = 0
        self.guarded = False

    def child(self, variables: Mapping[str, Any]) -> Frame:
        """Return a frame for a macro or a nested template: other variables, the same budget, one level deeper."""
        frame = Frame.__new__(Frame)
        frame.variables = variables
        frame.locals = {}
        frame.resolver = self.resolver
        frame.environment = self.environment
        frame.limits = self.limits
        frame.budget = self.budget
        frame.compile = self.compile
        frame.settings = self.settings
        frame.blocks = {}
        frame.active = ()
        frame.depth = self.depth + 1
        frame.guarded = self.guarded
        if frame.depth > self.limits.depth:
            raise self.too_deep()
        return frame

    def too_deep(self) -> LimitExceededError:
        """Return the error for endless nesting."""
        return LimitExceededError(
            f"templates are nested more than {self.limits.depth} levels deep", hint="does one render itself?"
        )

    @property
    def scope(self) -> Mapping[str, Any]:
        """All names visible here, template variables first."""
        return ChainMap(self.locals, self.variables) if self.locals else self.variables  # type: ignore[arg-type]

    def text(self, value: Any) -> str:
        """Return the text of a value (EXP-006) within the limits."""
        if self.guarded and type(value) in _CONTAINERS:
            self.guard(value)
        return text_of(value)

    def json(self, value: Any) -> str:
        """Return the JSON of a value within the limits."""
        if self.guarded and type(value) in _CONTAINERS:
            self.guard(value)
        return json_of(value)

    def guard(self, value: Any) -> None:
        """Raise when a value built by the template is too large to walk through.

        A template can nest a list in itself over and over; its written form then doubles with every step. Only
        templates that keep values (`set`, macros) can do that, so only those pay for the check.
        """
        pending, seen = [value], 0
        while pending:
            item = pending.pop()
            kind = type(item)
            if kind is dict:
                pending.extend(item.values())
                seen += len(item)
            elif kind is list:
                pending.extend(item)
                seen += len(item)
            if seen > _GUARDED_NODES:
                raise LimitExceededError(f"a value of more than {_GUARDED_NODES} elements is too large")

    def write_block(self, name: str, out: list[str], level: int = 0) -> None:
        """Write a block: the most derived form at level 0, its parent's at 1. Implements EXP-072, EXP-073."""
        forms = self.blocks.get(name)
        if forms is None or level >= len(forms):
            what = f"block `{name}` has no parent" if forms else f"there is no block `{name}`"
            raise ExpressionError(what, available=self.blocks)
        if len(self.active) >= self.limits.depth:
            raise self.too_deep()
        outer, self.active = self.active, (*self.active, (name, level))
        try:
            forms[level](self, out)
        finally:
            self.active = outer

    def call_outside(self, function: str, arguments: Mapping[str, Any]) -> Any:
        """Return what the resolver answers for an outside function."""
        if self.resolver is None:
            raise ExpressionError(
                f"`{function}` is not available here", hint="it needs a running execution, which this place has not"
            )
        try:
            return self.resolver.call(function, arguments, self.variables)
        except PenstockError:
            raise
        except Exception as error:
            raise Interruption(error) from error.__cause__
