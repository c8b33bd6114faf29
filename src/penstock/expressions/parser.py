"""From tokens to the tree of a whole template: text, outputs and tags.

Implements EXP-065 to EXP-073.
"""

from __future__ import annotations

from collections.abc import Callable

from penstock.expressions.errors import ExpressionSyntaxError, suggestion
from penstock.expressions.expression_parser import ExpressionParser, TokenStream
from penstock.expressions.lexer import Kind, Token, tokenize
from penstock.expressions.nodes import (
    Block,
    Capture,
    Document,
    Extends,
    For,
    If,
    Macro,
    MacroParameter,
    Node,
    Output,
    Set,
    Text,
)

_MAX_NESTING = 50


def parse(text: str) -> Document:
    """Return the tree of a template.

    Raises:
        ExpressionSyntaxError: The template is malformed; the error names line and column.
    """
    try:
        return _TemplateParser(text).document()
    except RecursionError:
        error = ExpressionSyntaxError("the template is nested too deeply")
        error.at(text, 0)
        raise error from None


class _TemplateParser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._stream = TokenStream(text, tokenize(text))
        self._expressions = ExpressionParser(self._stream)
        self._macros: dict[str, Macro] = {}
        self._blocks: dict[str, Block] = {}
        self._parent: Node | None = None
        self._nesting = 0
        self._tags: dict[str, Callable[[Token], Node]] = {
            "set": self._set,
            "if": self._if,
            "for": self._for,
            "filter": self._filter,
            "macro": self._macro,
            "block": self._block,
            "extends": self._extends,
        }

    def document(self) -> Document:
        body = self._body(())
        return Document(self._text, body, tuple(self._macros.values()), tuple(self._blocks.values()), self._parent)

    def _body(self, closing: tuple[str, ...], opening: Token | None = None) -> tuple[Node, ...]:
        """Return the nodes up to a tag named in `closing`; that tag's name is the current token afterwards."""
        self._nesting += 1
        if self._nesting > _MAX_NESTING:
            raise self._stream.error("tags are nested too deeply")
        nodes: list[Node] = []
        while not self._at_end(closing, opening):
            token = self._stream.take()
            if token.kind is Kind.TEXT:
                nodes.append(Text(token.offset, token.value))
            elif token.kind is Kind.OUTPUT_OPEN:
                nodes.append(Output(token.offset, self._expressions.parse()))
                self._stream.expect_kind(Kind.OUTPUT_CLOSE, "`}}`")
            else:
                nodes.append(self._tag(closing))
        self._nesting -= 1
        return tuple(nodes)

    def _at_end(self, closing: tuple[str, ...], opening: Token | None) -> bool:
        token = self._stream.current
        if token.kind is Kind.END:
            if opening is not None:
                raise self._stream.error(
                    f"`{opening.value}` is not closed", opening, f"close it with `{{% {closing[-1]} %}}`"
                )
            return True
        if token.kind is Kind.TAG_OPEN and self._stream.peek().value in closing:
            self._stream.take()
            return True
        return False

    def _tag(self, closing: tuple[str, ...]) -> Node:
        name = self._stream.expect_kind(Kind.NAME, "the name of a tag")
        parse_tag = self._tags.get(name.value)
        if parse_tag is None:
            hint = suggestion(name.value, self._tags) or f"the tags are {', '.join(sorted(self._tags))} and raw"
            if closing and name.value.startswith(("end", "else")):
                hint = f"expected {' or '.join(closing)} here"
            raise self._stream.error(f"there is no tag `{name.value}` here", name, hint)
        return parse_tag(name)

    def _close(self) -> None:
        self._stream.expect_kind(Kind.TAG_CLOSE, "`%}`")

    def _end(self) -> None:
        self._stream.take()
        self._close()

    def _name(self, what: str) -> str:
        return str(self._stream.expect_kind(Kind.NAME, what).value)

    def _set(self, tag: Token) -> Node:
        name = self._name("the name of a variable")
        self._stream.expect("=")
        node = Set(tag.offset, name, self._expressions.parse())
        self._close()
        return node

    def _if(self, tag: Token) -> Node:
        branches: list[tuple[Node, tuple[Node, ...]]] = []
        otherwise: tuple[Node, ...] = ()
        word = "if"
        while word in ("if", "elseif"):
            condition = self._expressions.parse()
            self._close()
            branches.append((condition, self._body(("elseif", "else", "endif"), tag)))
            word = str(self._stream.take().value)
        if word == "else":
            self._close()
            otherwise = self._body(("endif",), tag)
            self._stream.take()
        self._close()
        return If(tag.offset, tuple(branches), otherwise)

    def _for(self, tag: Token) -> Node:
        variable = self._name("the name of a variable")
        word = self._stream.expect_kind(Kind.NAME, "`in`")
        if word.value != "in":
            raise self._stream.error(f"expected `in`, found {word.describe()}", word)
        iterable = self._expressions.parse()
        self._close()
        body = self._body(("else", "endfor"), tag)
        otherwise: tuple[Node, ...] = ()
        if self._stream.take().value == "else":
            self._close()
            otherwise = self._body(("endfor",), tag)
            self._stream.take()
        self._close()
        return For(tag.offset, variable, iterable, body, otherwise)

    def _filter(self, tag: Token) -> Node:
        # The body comes after the filters in the text, but is their input: parse the chain around a placeholder.
        mark = self._stream.mark()
        self._expressions.filters(Capture(tag.offset, ()))
        self._close()
        body = self._body(("endfilter",), tag)
        self._end()
        after = self._stream.mark()
        self._stream.reset(mark)
        filtered = self._expressions.filters(Capture(tag.offset, body))
        self._stream.reset(after)
        return Output(tag.offset, filtered)

    def _macro(self, tag: Token) -> Node:
        name = self._stream.expect_kind(Kind.NAME, "the name of the macro")
        self._stream.expect("(")
        parameters: list[MacroParameter] = []
        while not self._stream.accept(")"):
            parameter = self._name("the name of a parameter")
            default = self._expressions.parse() if self._stream.accept("=") else None
            parameters.append(MacroParameter(parameter, default))
            if not self._stream.at(")"):
                self._stream.expect(",")
        self._close()
        body = self._body(("endmacro",), tag)
        self._end()
        if name.value in self._macros:
            raise self._stream.error(f"macro `{name.value}` is defined twice", name)
        macro = Macro(tag.offset, name.value, tuple(parameters), body)
        self._macros[macro.name] = macro
        return macro

    def _block(self, tag: Token) -> Node:
        token = self._stream.take()
        if token.kind not in (Kind.STRING, Kind.NAME):
            raise self._stream.error(f"expected the name of the block, found {token.describe()}", token)
        self._close()
        body = self._body(("endblock",), tag)
        self._stream.take()
        if self._stream.current.kind in (Kind.STRING, Kind.NAME):
            self._stream.take()
        self._close()
        if token.value in self._blocks:
            raise self._stream.error(f"block `{token.value}` is declared twice", token)
        block = Block(tag.offset, token.value, body)
        self._blocks[block.name] = block
        return block

    def _extends(self, tag: Token) -> Node:
        if self._parent is not None or self._nesting > 1:
            raise self._stream.error("`extends` stands once, outside all other tags", tag)
        self._parent = self._expressions.parse()
        self._close()
        return Extends(tag.offset, self._parent)
