"""From the tokens of one expression to its tree: operator precedence, literals, calls.

Implements EXP-040, EXP-041, EXP-044, EXP-050 to EXP-061.
"""

from __future__ import annotations

from penstock.expressions.errors import ExpressionSyntaxError
from penstock.expressions.lexer import Kind, Token
from penstock.expressions.nodes import (
    Access,
    Arguments,
    Binary,
    Call,
    Filter,
    ListLiteral,
    Literal,
    MapLiteral,
    MethodCall,
    Name,
    Node,
    Ternary,
    Test,
    Unary,
)

_MAX_NESTING = 100

# Loosest first; a higher number binds tighter (EXP-060). All are left associative.
PRECEDENCE = {
    "or": 10,
    "and": 20,
    "is": 30,
    "contains": 30,
    "isIn": 30,
    "==": 40,
    "equals": 40,
    "!=": 40,
    "<": 40,
    ">": 40,
    "<=": 40,
    ">=": 40,
    "+": 50,
    "-": 50,
    "*": 60,
    "/": 60,
    "%": 60,
    "|": 70,
    "~": 80,
    "??": 90,
    "???": 90,
    "..": 90,
}
_WORD_OPERATORS = frozenset(("or", "and", "is", "contains", "isIn", "equals"))
_CONSTANTS = {
    "true": True,
    "TRUE": True,
    "false": False,
    "FALSE": False,
    "null": None,
    "NULL": None,
    "none": None,
    "NONE": None,
}


class TokenStream:
    """A cursor over the tokens of a template."""

    def __init__(self, text: str, tokens: list[Token]) -> None:
        self.text = text
        self._tokens = tokens
        self._index = 0

    @property
    def current(self) -> Token:
        """The token not yet taken."""
        return self._tokens[self._index]

    def peek(self) -> Token:
        """Return the token after the current one."""
        return self._tokens[min(self._index + 1, len(self._tokens) - 1)]

    def take(self) -> Token:
        """Take the current token and go on."""
        token = self._tokens[self._index]
        if token.kind is not Kind.END:
            self._index += 1
        return token

    def mark(self) -> int:
        """Return the place of the cursor, for `reset`."""
        return self._index

    def reset(self, mark: int) -> None:
        """Go back (or forward) to a place got from `mark`."""
        self._index = mark

    def at(self, value: str) -> bool:
        """Return whether the current token is this operator."""
        token = self.current
        return token.kind is Kind.OPERATOR and token.value == value

    def accept(self, value: str) -> bool:
        """Take the operator if it is there."""
        if self.at(value):
            self._index += 1
            return True
        return False

    def expect(self, value: str) -> Token:
        """Take the operator or raise."""
        if not self.at(value):
            raise self.error(f"expected `{value}`, found {self.current.describe()}")
        return self.take()

    def expect_kind(self, kind: Kind, what: str) -> Token:
        """Take a token of this kind or raise."""
        if self.current.kind is not kind:
            raise self.error(f"expected {what}, found {self.current.describe()}")
        return self.take()

    def error(self, reason: str, token: Token | None = None, hint: str | None = None) -> ExpressionSyntaxError:
        """Return a syntax error at the token, or at the current one."""
        error = ExpressionSyntaxError(reason, hint=hint)
        error.at(self.text, (token or self.current).offset)
        return error


class ExpressionParser:
    """A precedence-climbing parser for expressions."""

    def __init__(self, stream: TokenStream) -> None:
        self._stream = stream
        self._nesting = 0

    def parse(self) -> Node:
        """Return the expression that starts at the current token."""
        self._enter()
        condition = self._binary(0)
        if self._stream.at("?"):
            offset = self._stream.take().offset
            then = self.parse()
            self._stream.expect(":")
            condition = Ternary(offset, condition, then, self.parse())
        self._nesting -= 1
        return condition

    def filters(self, target: Node) -> Node:
        """Return the target with the chain `name | name(...)` that starts at the current token applied (EXP-069)."""
        target = self._filter(target)
        while self._stream.at("|"):
            self._stream.take()
            target = self._filter(target)
        return target

    def _enter(self) -> None:
        self._nesting += 1
        if self._nesting > _MAX_NESTING:
            raise self._stream.error("the expression is nested too deeply", hint="split it with `set`")

    def _binary(self, minimum: int) -> Node:
        left = self._unary()
        while (operator := self._operator()) and PRECEDENCE[operator] >= minimum:
            offset = self._stream.take().offset
            if operator == "|":
                left = self._filter(left)
            elif operator == "is":
                left = self._test(left)
            else:
                right = self._binary(PRECEDENCE[operator] + 1)
                left = Binary(offset, "==" if operator == "equals" else operator, left, right)
        return left

    def _operator(self) -> str | None:
        token = self._stream.current
        is_word = token.kind is Kind.NAME and token.value in _WORD_OPERATORS
        is_sign = token.kind is Kind.OPERATOR and token.value in PRECEDENCE
        return str(token.value) if is_word or is_sign else None

    def _filter(self, target: Node) -> Node:
        name = self._stream.expect_kind(Kind.NAME, "the name of a filter")
        return Filter(name.offset, target, name.value, self._optional_arguments())

    def _test(self, target: Node) -> Node:
        negated = self._stream.current.kind is Kind.NAME and self._stream.current.value == "not"
        if negated:
            self._stream.take()
        name = self._stream.expect_kind(Kind.NAME, "the name of a test")
        return Test(name.offset, target, name.value, negated)

    def _unary(self) -> Node:
        token = self._stream.current
        is_sign = token.kind is Kind.OPERATOR and token.value in ("-", "+")
        if is_sign or (token.kind is Kind.NAME and token.value == "not"):
            self._stream.take()
            self._enter()
            operand = self._unary()
            self._nesting -= 1
            return Unary(token.offset, token.value, operand)
        return self._postfix(self._primary())

    def _postfix(self, target: Node) -> Node:
        stream = self._stream
        while True:
            if stream.at("."):
                stream.take()
                name = stream.expect_kind(Kind.NAME, "a name after `.`")
                if stream.at("("):
                    target = MethodCall(name.offset, target, name.value, self._optional_arguments())
                else:
                    target = Access(name.offset, target, Literal(name.offset, name.value))
            elif stream.at("["):
                offset = stream.take().offset
                target = Access(offset, target, self.parse())
                stream.expect("]")
            else:
                return target

    def _primary(self) -> Node:
        token = self._stream.current
        if token.kind in (Kind.STRING, Kind.NUMBER):
            self._stream.take()
            return Literal(token.offset, token.value)
        if token.kind is Kind.NAME:
            return self._name()
        if token.kind is Kind.OPERATOR and token.value == "(":
            self._stream.take()
            inner = self.parse()
            self._stream.expect(")")
            return inner
        if token.kind is Kind.OPERATOR and token.value == "[":
            return self._list()
        if token.kind is Kind.OPERATOR and token.value == "{":
            return self._map()
        raise self._stream.error(f"expected an expression, found {token.describe()}")

    def _name(self) -> Node:
        token = self._stream.take()
        if self._stream.at("("):
            return Call(token.offset, token.value, self._optional_arguments())
        if token.value in _CONSTANTS:
            return Literal(token.offset, _CONSTANTS[token.value])
        if token.value in _WORD_OPERATORS:
            raise self._stream.error(f"expected an expression, found the operator `{token.value}`", token)
        return Name(token.offset, token.value)

    def _list(self) -> Node:
        offset = self._stream.expect("[").offset
        items: list[Node] = []
        while not self._stream.accept("]"):
            items.append(self.parse())
            if not self._stream.at("]"):
                self._stream.expect(",")
        return ListLiteral(offset, tuple(items))

    def _map(self) -> Node:
        offset = self._stream.expect("{").offset
        items: list[tuple[Node, Node]] = []
        while not self._stream.accept("}"):
            key = self.parse()
            self._stream.expect(":")
            items.append((key, self.parse()))
            if not self._stream.at("}"):
                self._stream.expect(",")
        return MapLiteral(offset, tuple(items))

    def _optional_arguments(self) -> Arguments:
        stream = self._stream
        if not stream.accept("("):
            return Arguments()
        positional: list[Node] = []
        named: list[tuple[str, Node]] = []
        while not stream.accept(")"):
            token, following = stream.current, stream.peek()
            if token.kind is Kind.NAME and following.kind is Kind.OPERATOR and following.value == "=":
                stream.take()
                stream.take()
                if any(name == token.value for name, _ in named):
                    raise stream.error(f"argument `{token.value}` is given twice", token)
                named.append((token.value, self.parse()))
            elif named:
                raise stream.error(
                    "a positional argument follows a named one", token, "give it a name, or put it first"
                )
            else:
                positional.append(self.parse())
            if not stream.at(")"):
                stream.expect(",")
        return Arguments(tuple(positional), tuple(named))
