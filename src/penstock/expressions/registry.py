"""Filters, functions and tests as data: a name, a callable, an argument list, words and examples.

The catalogue of the interface and the reference page list what is registered; the compiler binds calls against the
argument lists, so that positional and named arguments work everywhere alike (EXP-044).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from penstock.expressions.errors import ExpressionSyntaxError, suggestion
from penstock.expressions.nodes import Arguments, Literal, Node


class _Required:
    def __repr__(self) -> str:
        return "required"


REQUIRED: Final = _Required()


@dataclass(frozen=True, slots=True)
class Parameter:
    """An argument of a filter or function; without default it is required."""

    name: str
    default: Any = REQUIRED
    lenient: bool = False
    """An undefined value is passed on instead of raising."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A filter, function or test.

    Args:
        name: The name in templates.
        function: Takes (the frame if `context`), then the value (filters, tests), then the arguments in order.
        summary: One sentence for the catalogue.
        parameters: The arguments in positional order.
        examples: Pairs of a template and its result; executed by the tests.
        aliases: Further accepted names.
        context: The callable wants the frame: limits, clock, variables, resolver.
        accepts_null: A filter that handles null itself; the others return null for null.
        outside: The function goes through the resolver.
        confidential: What the function returns must not show up in messages.
        variadic: Any number of positional arguments.
        reads: Variables the function looks at without naming them in the template.
    """

    name: str
    function: Callable[..., Any]
    summary: str
    parameters: tuple[Parameter, ...] = ()
    examples: tuple[tuple[str, str], ...] = ()
    aliases: tuple[str, ...] = ()
    context: bool = False
    accepts_null: bool = False
    outside: bool = False
    confidential: bool = False
    variadic: bool = False
    reads: tuple[tuple[str, ...], ...] = ()


class Registry(Mapping[str, Entry]):
    """All entries of one kind, by name; aliases are found, but not listed."""

    def __init__(self, kind: str, entries: Iterable[Entry]) -> None:
        self.kind = kind
        self._entries = {entry.name: entry for entry in sorted(entries, key=lambda entry: entry.name.lower())}
        self._by_name = dict(self._entries)
        for entry in self._entries.values():
            for alias in entry.aliases:
                self._by_name[alias] = entry

    def __getitem__(self, name: str) -> Entry:
        return self._by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def find(self, name: str, others: Iterable[str] = ()) -> Entry:
        """Return the entry.

        Raises:
            ExpressionSyntaxError: There is none; the hint names the one most alike, `others` included.
        """
        entry = self._by_name.get(name)
        if entry is None:
            hint = (
                suggestion(name, (*self._by_name, *others)) or f"see the reference of expressions for all {self.kind}s"
            )
            raise ExpressionSyntaxError(f"there is no {self.kind} `{name}`", hint=hint)
        return entry


def bind(what: str, parameters: tuple[Parameter, ...], arguments: Arguments, *, variadic: bool = False) -> list[Node]:
    """Return one expression per parameter: the given argument or the default. Implements EXP-044.

    Raises:
        ExpressionSyntaxError: An argument is unknown, missing, given twice or one too many.
    """
    if variadic:
        if arguments.named:
            raise ExpressionSyntaxError(f"{what} takes no argument named `{arguments.named[0][0]}`")
        return list(arguments.positional)
    if len(arguments.positional) > len(parameters):
        takes = f"at most {len(parameters)} arguments" if parameters else "no arguments"
        raise ExpressionSyntaxError(f"{what} takes {takes}, {len(arguments.positional)} are given")
    names = [parameter.name for parameter in parameters]
    given = dict(zip(names, arguments.positional, strict=False))
    for name, node in arguments.named:
        if name not in names:
            hint = suggestion(name, names) or (f"it takes {', '.join(names)}" if names else "it takes no arguments")
            raise ExpressionSyntaxError(f"{what} has no argument `{name}`", hint=hint)
        if name in given:
            raise ExpressionSyntaxError(f"argument `{name}` of {what} is given twice")
        given[name] = node
    return [_argument(what, parameter, given) for parameter in parameters]


def _argument(what: str, parameter: Parameter, given: Mapping[str, Node]) -> Node:
    node = given.get(parameter.name)
    if node is None:
        if parameter.default is REQUIRED:
            raise ExpressionSyntaxError(f"argument `{parameter.name}` of {what} is missing")
        node = Literal(0, parameter.default)
    return node
