"""What is known about a template without running it: what it reads, what it calls.

The engine loads only what a template reads; the debug console refuses templates that call `secret`; validation warns
about names that cannot exist. So the answer must never miss anything, and is `*` where it cannot know.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from penstock.expressions.errors import ExpressionSyntaxError
from penstock.expressions.nodes import (
    Access,
    Binary,
    Block,
    Call,
    Capture,
    Document,
    Extends,
    Filter,
    For,
    If,
    ListLiteral,
    Literal,
    Macro,
    MapLiteral,
    MethodCall,
    Name,
    Node,
    Output,
    Set,
    Ternary,
    Test,
    Text,
    Unary,
)
from penstock.expressions.parser import parse
from penstock.expressions.registry import Registry

Path = tuple[str, ...]

EVERYTHING: Path = ("*",)
_RENDERING = ("render", "renderOnce")


class _Library(Protocol):
    functions: Registry


@dataclass(frozen=True, slots=True)
class Analysis:
    """Facts about a template.

    Args:
        references: Paths read, such as `("outputs", "t1", "value")`; a step not known ends the path with `*`.
        functions: Functions called, aliases resolved.
        filters: Filters applied.
        assigned: Names the template gives a value itself.
        needs_resolver: Something goes through the resolver, or may.
        confidential: A function is called whose result must not be shown.
        keeps_values: The template has `set` tags or macros.
    """

    references: frozenset[Path]
    functions: frozenset[str]
    filters: frozenset[str]
    assigned: frozenset[str]
    needs_resolver: bool
    confidential: bool
    keeps_values: bool
    certain: frozenset[Path] = frozenset()
    """The references that every rendering reads, with no fallback for what does not exist."""
    offsets: Mapping[Path, int] = field(default_factory=dict)
    """Where a reference stands first."""
    asked: frozenset[tuple[str, str, int]] = frozenset()
    """(function, its only argument, offset) of calls with one literal text that every rendering makes."""


def analyze(document: Document, library: _Library) -> Analysis:
    """Return what the template reads and calls."""
    walker = _Walker(document, library)
    walker.nodes(document.body, set())
    return Analysis(
        references=frozenset(walker.references),
        functions=frozenset(walker.functions),
        filters=frozenset(walker.filters),
        assigned=frozenset(walker.assigned),
        needs_resolver=walker.needs_resolver or document.parent is not None,
        confidential=walker.confidential,
        keeps_values=walker.keeps_values or bool(document.macros),
        certain=frozenset(walker.certain),
        offsets=walker.offsets,
        asked=frozenset(walker.asked),
    )


class _Walker:
    def __init__(self, document: Document, library: _Library) -> None:
        self._library = library
        self._macros = {macro.name for macro in document.macros}
        self._in_macro = False
        self.references: set[Path] = set()
        self.functions: set[str] = set()
        self.filters: set[str] = set()
        self.assigned: set[str] = set()
        self.needs_resolver = False
        self.confidential = False
        self.keeps_values = False
        self.certain: set[Path] = set()
        self.offsets: dict[Path, int] = {}
        self.asked: set[tuple[str, str, int]] = set()
        self._is_certain = True
        self._visitors: dict[type[Node], Callable[[Any, set[str]], None]] = {
            Literal: self._nothing,
            Text: self._nothing,
            Name: self._path,
            Access: self._path,
            Call: self._call,
            MethodCall: lambda node, known: self.nodes((node.target, *node.arguments.nodes()), known),
            Filter: self._filter,
            Test: lambda node, known: self._perhaps((node.target,), known),
            Unary: lambda node, known: self.node(node.operand, known),
            Binary: self._binary,
            Ternary: self._ternary,
            ListLiteral: lambda node, known: self.nodes(node.items, known),
            MapLiteral: lambda node, known: self.nodes(tuple(part for item in node.items for part in item), known),
            Capture: lambda node, known: self.nodes(node.body, known),
            Output: lambda node, known: self.node(node.expression, known),
            Set: self._set,
            If: self._if,
            For: self._for,
            Macro: self._macro,
            Block: lambda node, known: self.nodes(node.body, known),
            Extends: lambda node, known: self.node(node.parent, known),
        }

    def node(self, node: Node, known: set[str]) -> None:
        """Note what one node does; `known` are the names given a value before it."""
        self._visitors[type(node)](node, known)

    def nodes(self, nodes: tuple[Node, ...], known: set[str]) -> None:
        """Note what the nodes do, in order."""
        for node in nodes:
            self.node(node, known)

    def _perhaps(self, nodes: tuple[Node, ...], known: set[str]) -> None:
        """Note what nodes do that are not always evaluated, or whose failure does not matter."""
        before, self._is_certain = self._is_certain, False
        self.nodes(nodes, known)
        self._is_certain = before

    def _refer(self, path: Path, offset: int) -> None:
        self.references.add(path)
        self.offsets.setdefault(path, offset)
        if self._is_certain:
            self.certain.add(path)

    def _binary(self, node: Binary, known: set[str]) -> None:
        if node.operator in ("??", "???"):
            self._perhaps((node.left, node.right), known)
        elif node.operator in ("and", "or"):
            self.node(node.left, known)
            self._perhaps((node.right,), known)
        else:
            self.nodes((node.left, node.right), known)

    def _ternary(self, node: Ternary, known: set[str]) -> None:
        self.node(node.condition, known)
        self._perhaps((node.then, node.otherwise), known)

    def _nothing(self, node: Node, known: set[str]) -> None:
        pass

    def _path(self, node: Name | Access, known: set[str]) -> None:
        steps: list[str] = []
        at: Node = node
        while isinstance(at, Access):
            if isinstance(at.key, Literal) and isinstance(at.key.value, str | int):
                steps.append(str(at.key.value))
            else:
                # What follows an unknown step is unknown too.
                steps = ["*"]
                self.node(at.key, known)
            at = at.target
        if not isinstance(at, Name):
            self.node(at, known)
            return
        steps.reverse()
        if at.name == "_context":
            self._refer(tuple(steps) or EVERYTHING, node.offset)
        elif at.name not in known and not self._in_macro:
            self._refer((at.name, *steps), at.offset)

    def _call(self, node: Call, known: set[str]) -> None:
        self.nodes(node.arguments.nodes(), known)
        if node.name in self._macros:
            return
        entry = self._library.functions.get(node.name)
        if entry is None:
            self.functions.add(node.name)
            return
        self.functions.add(entry.name)
        self.references.update(entry.reads)
        self.needs_resolver = self.needs_resolver or entry.outside
        self.confidential = self.confidential or entry.confidential
        given = node.arguments
        only = given.nodes()[0] if len(given.nodes()) == 1 else None
        if self._is_certain and isinstance(only, Literal) and isinstance(only.value, str):
            self.asked.add((entry.name, only.value, node.offset))
        if entry.name in _RENDERING:
            self._rendered(node)

    def _rendered(self, node: Call) -> None:
        """Note what `render` evaluates: known for a literal, anything for a variable."""
        first = node.arguments.nodes()[0] if node.arguments.nodes() else None
        try:
            if isinstance(first, Literal) and isinstance(first.value, str):
                inner = analyze(parse(first.value), self._library)
                for path in inner.references:
                    self.references.add(path)
                    self.offsets.setdefault(path, node.offset)
                self.functions |= inner.functions
                self.filters |= inner.filters
                self.needs_resolver = self.needs_resolver or inner.needs_resolver
                self.confidential = self.confidential or inner.confidential
                return
        except ExpressionSyntaxError:
            # The call itself will raise, with the position in the inner template.
            return
        self.references.add(EVERYTHING)
        self.needs_resolver = True

    def _filter(self, node: Filter, known: set[str]) -> None:
        self.filters.add(node.name)
        if node.name == "default":
            self._perhaps((node.target, *node.arguments.nodes()), known)
        else:
            self.nodes((node.target, *node.arguments.nodes()), known)

    def _set(self, node: Set, known: set[str]) -> None:
        self.keeps_values = True
        self.node(node.expression, known)
        self.assigned.add(node.name)
        known.add(node.name)

    def _if(self, node: If, known: set[str]) -> None:
        for index, (condition, body) in enumerate(node.branches):
            if index == 0:
                self.node(condition, known)
            else:
                self._perhaps((condition,), known)
            self._perhaps(body, known)
        self._perhaps(node.otherwise, known)

    def _for(self, node: For, known: set[str]) -> None:
        self.node(node.iterable, known)
        self.assigned |= {node.variable, "loop"}
        self._perhaps(node.body, known | {node.variable, "loop"})
        self._perhaps(node.otherwise, known)

    def _macro(self, node: Macro, known: set[str]) -> None:
        outer, self._in_macro = self._in_macro, True
        names = {parameter.name for parameter in node.parameters}
        self._perhaps(tuple(parameter.default for parameter in node.parameters if parameter.default), names)
        self._perhaps(node.body, names)
        self._in_macro = outer
