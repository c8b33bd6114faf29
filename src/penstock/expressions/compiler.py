"""From the tree of a template to a program: text, outputs and tags.

Implements EXP-065 to EXP-073.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from penstock.expressions.analysis import Analysis, analyze
from penstock.expressions.errors import ExpressionError, ExpressionTypeError, kind_of
from penstock.expressions.expression_compiler import ExpressionCompiler, Library
from penstock.expressions.frame import Evaluator, Frame, Writer
from penstock.expressions.nodes import (
    Block,
    Call,
    Document,
    Extends,
    For,
    If,
    Macro,
    Node,
    Output,
    Set,
    Text,
)
from penstock.expressions.program import Program
from penstock.expressions.registry import REQUIRED, Parameter, bind
from penstock.expressions.values import is_list, is_truthy


def compile_document(document: Document, library: Library) -> tuple[Program, Analysis]:
    """Return the program of a template, and what is known about it without running it.

    Raises:
        ExpressionSyntaxError: A filter, function, test or argument does not exist.
    """
    analysis = analyze(document, library)
    return _Compiler(document, library, analysis).program(), analysis


class _Compiler:
    def __init__(self, document: Document, library: Library, analysis: Analysis) -> None:
        self._document = document
        self._text = document.text
        self._analysis = analysis
        self._macros: dict[str, Callable[[Call], Evaluator]] = {
            macro.name: partial(self._macro_call, macro) for macro in document.macros
        }
        self._bodies: dict[str, Writer] = {}
        self._expressions = ExpressionCompiler(
            document.text, library, analysis.assigned, self._macros, self._body, conceals=analysis.confidential
        )
        self._writers: dict[type[Node], Callable[[Any], Writer]] = {
            Text: self._write_text,
            Output: self._write_output,
            Set: self._write_set,
            If: self._write_if,
            For: self._write_for,
            Block: self._write_block,
        }

    def program(self) -> Program:
        document = self._document
        for macro in document.macros:
            self._bodies[macro.name] = self._body(macro.body)
        body = document.body
        only = body[0] if len(body) == 1 else None
        is_static = all(isinstance(node, Text) for node in body)
        return Program(
            text=document.text,
            body=self._body(body),
            single=self._expressions.strict(only.expression) if isinstance(only, Output) else None,
            static="".join(node.text for node in body if isinstance(node, Text)) if is_static else None,
            blocks=tuple((block.name, self._body(block.body)) for block in document.blocks),
            parent=self._expressions.strict(document.parent) if document.parent is not None else None,
            assignments=self._body(tuple(node for node in body if isinstance(node, Set))),
            keeps_values=self._analysis.keeps_values,
        )

    def _body(self, nodes: tuple[Node, ...]) -> Writer:
        writers = [self._writers[type(node)](node) for node in nodes if not isinstance(node, Macro | Extends)]
        if len(writers) == 1:
            return writers[0]

        def write(frame: Frame, out: list[str]) -> None:
            for writer in writers:
                writer(frame, out)

        return write

    def _write_text(self, node: Text) -> Writer:
        text, length = node.text, len(node.text)

        def write(frame: Frame, out: list[str]) -> None:
            out.append(text)
            frame.budget.written += length

        return write

    def _write_output(self, node: Output) -> Writer:
        evaluate, source, offset = self._expressions.strict(node.expression), self._text, node.offset

        def write(frame: Frame, out: list[str]) -> None:
            value = evaluate(frame)
            if type(value) is not str:
                try:
                    value = frame.text(value)
                except ExpressionError as error:
                    raise error.at(source, offset) from None
            out.append(value)
            budget = frame.budget
            budget.written += len(value)
            if budget.written > budget.limits.output:
                raise budget.overwritten().at(source, offset)

        return write

    def _write_set(self, node: Set) -> Writer:
        name, evaluate = node.name, self._expressions.strict(node.expression)

        def write(frame: Frame, out: list[str]) -> None:
            frame.locals[name] = evaluate(frame)

        return write

    def _write_if(self, node: If) -> Writer:
        branches = [(self._expressions.strict(condition), self._body(body)) for condition, body in node.branches]
        otherwise = self._body(node.otherwise)

        def write(frame: Frame, out: list[str]) -> None:
            for condition, body in branches:
                if is_truthy(condition(frame)):
                    body(frame, out)
                    return
            otherwise(frame, out)

        return write

    def _write_for(self, node: For) -> Writer:
        evaluate, body, otherwise = (
            self._expressions.strict(node.iterable),
            self._body(node.body),
            self._body(node.otherwise),
        )
        variable, source, offset = node.variable, self._text, node.offset
        # Names first set inside the loop do not outlive it; a name set before keeps what the loop gives it.
        inner = {variable, "loop", *_names_set(node.body)}

        def write(frame: Frame, out: list[str]) -> None:
            try:
                items = _items(evaluate(frame))
            except ExpressionError as error:
                raise error.at(source, offset) from None
            if not items:
                otherwise(frame, out)
                return
            names = frame.locals
            before = {name: names[name] for name in (variable, "loop") if name in names}
            fresh = [name for name in inner if name not in names]
            for index, item in enumerate(items):
                try:
                    frame.budget.iterate()
                except ExpressionError as error:
                    raise error.at(source, offset) from None
                if len(out) > _PIECES:
                    out[:] = ["".join(out)]
                names[variable] = item
                names["loop"] = _loop(index, len(items))
                body(frame, out)
            for name in fresh:
                names.pop(name, None)
            names.update(before)

        return write

    def _write_block(self, node: Block) -> Writer:
        name = node.name
        return lambda frame, out: frame.write_block(name, out)

    def _macro_call(self, macro: Macro, node: Call) -> Evaluator:
        source, offset, bodies = self._text, node.offset, self._bodies
        parameters = tuple(
            Parameter(parameter.name, REQUIRED if parameter.default is None else None) for parameter in macro.parameters
        )
        try:
            bound = bind(f"macro `{macro.name}`", parameters, node.arguments)
        except ExpressionError as error:
            raise error.at(source, offset) from None
        named = {name for name, _ in node.arguments.named}
        arguments: list[tuple[str, Evaluator, bool]] = []
        for index, (parameter, argument) in enumerate(zip(macro.parameters, bound, strict=True)):
            is_given = index < len(node.arguments.positional) or parameter.name in named
            # A default is evaluated inside the macro, where only its arguments exist.
            expression = argument if is_given or parameter.default is None else parameter.default
            arguments.append((parameter.name, self._expressions.strict(expression), not is_given))

        def call(frame: Frame) -> str:
            values: dict[str, Any] = {}
            try:
                inside = frame.child(values)
            except ExpressionError as error:
                raise error.at(source, offset) from None
            for name, evaluate, own in arguments:
                values[name] = evaluate(inside if own else frame)
            out: list[str] = []
            bodies[macro.name](inside, out)
            return "".join(out)

        return call


_PIECES = 10_000


def _items(value: Any) -> list[Any]:
    if value is None:
        return []
    if isinstance(value, Mapping):
        return [{"key": key, "value": item} for key, item in value.items()]
    if is_list(value):
        return list(value)
    raise ExpressionTypeError(f"`for` needs a list or a map, {kind_of(value)} is given")


def _loop(index: int, length: int) -> dict[str, Any]:
    """Return the variable `loop` of one round. Implements EXP-068."""
    return {
        "index": index,
        "length": length,
        "first": index == 0,
        "last": index == length - 1,
        "revindex": length - index - 1,
    }


def _names_set(nodes: tuple[Node, ...]) -> set[str]:
    names: set[str] = set()
    for node in nodes:
        if isinstance(node, Set):
            names.add(node.name)
        elif isinstance(node, If):
            for _, body in node.branches:
                names |= _names_set(body)
            names |= _names_set(node.otherwise)
        elif isinstance(node, For):
            names |= _names_set(node.body) | _names_set(node.otherwise)
        elif isinstance(node, Block):
            names |= _names_set(node.body)
    return names
