"""The syntax tree of a template: frozen data, no behaviour."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Node:
    """Something at a place of the template."""

    offset: int


@dataclass(frozen=True, slots=True)
class Literal(Node):
    """A string, number, boolean or null."""

    value: Any


@dataclass(frozen=True, slots=True)
class Name(Node):
    """A variable."""

    name: str


@dataclass(frozen=True, slots=True)
class Access(Node):
    """`target.key` or `target[key]`."""

    target: Node
    key: Node


@dataclass(frozen=True, slots=True)
class Arguments:
    """What stands between the parentheses of a call."""

    positional: tuple[Node, ...] = ()
    named: tuple[tuple[str, Node], ...] = ()

    def nodes(self) -> tuple[Node, ...]:
        """Return all argument expressions in order."""
        return self.positional + tuple(node for _, node in self.named)


@dataclass(frozen=True, slots=True)
class Call(Node):
    """A function or macro call."""

    name: str
    arguments: Arguments


@dataclass(frozen=True, slots=True)
class MethodCall(Node):
    """`target.name(arguments)`; only for a few methods of collections (EXP-043)."""

    target: Node
    name: str
    arguments: Arguments


@dataclass(frozen=True, slots=True)
class Filter(Node):
    """`target | name(arguments)`."""

    target: Node
    name: str
    arguments: Arguments


@dataclass(frozen=True, slots=True)
class Test(Node):
    """`target is name`, or `is not`."""

    target: Node
    name: str
    negated: bool


@dataclass(frozen=True, slots=True)
class Unary(Node):
    """`not x`, `-x`, `+x`."""

    operator: str
    operand: Node


@dataclass(frozen=True, slots=True)
class Binary(Node):
    """An operator between two expressions."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Ternary(Node):
    """`condition ? then : otherwise`."""

    condition: Node
    then: Node
    otherwise: Node


@dataclass(frozen=True, slots=True)
class ListLiteral(Node):
    """`[a, b]`."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class MapLiteral(Node):
    """`{"a": b}`."""

    items: tuple[tuple[Node, Node], ...]


@dataclass(frozen=True, slots=True)
class Capture(Node):
    """Template text used as a value: the body of a `filter` tag."""

    body: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Text(Node):
    """Text copied as it is."""

    text: str


@dataclass(frozen=True, slots=True)
class Output(Node):
    """`{{ expression }}`."""

    expression: Node


@dataclass(frozen=True, slots=True)
class Set(Node):
    """`{% set name = expression %}`."""

    name: str
    expression: Node


@dataclass(frozen=True, slots=True)
class If(Node):
    """`{% if %}` with its branches in order."""

    branches: tuple[tuple[Node, tuple[Node, ...]], ...]
    otherwise: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class For(Node):
    """`{% for variable in iterable %}`."""

    variable: str
    iterable: Node
    body: tuple[Node, ...]
    otherwise: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class MacroParameter:
    """A parameter of a macro; without default it is required."""

    name: str
    default: Node | None = None


@dataclass(frozen=True, slots=True)
class Macro(Node):
    """`{% macro name(parameters) %}`."""

    name: str
    parameters: tuple[MacroParameter, ...]
    body: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Block(Node):
    """`{% block name %}`."""

    name: str
    body: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Extends(Node):
    """`{% extends expression %}`."""

    parent: Node


@dataclass(frozen=True, slots=True)
class Document:
    """A whole template."""

    text: str
    body: tuple[Node, ...]
    macros: tuple[Macro, ...] = field(default=())
    blocks: tuple[Block, ...] = field(default=())
    parent: Node | None = None
