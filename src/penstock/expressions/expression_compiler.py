"""From expression trees to Python closures.

Every expression has two compiled forms. The strict one raises when a name does not exist; the lenient one, used under
`??`, `???`, `is defined` and `default`, gives UNDEFINED instead. Paths such as `inputs.name` become one closure that
reads nested maps directly; only a failure takes the slow road that finds out what was missing.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Collection, Mapping
from typing import Any, NoReturn

from penstock.base.errors import PenstockError
from penstock.expressions.access import access, call_method, names_in
from penstock.expressions.encrypted import OPENING, is_sealed
from penstock.expressions.errors import (
    ExpressionError,
    ExpressionTypeError,
    FunctionFailedError,
    LimitExceededError,
    UndefinedVariableError,
    kind_of,
    suggestion,
)
from penstock.expressions.frame import Evaluator, Frame, Writer
from penstock.expressions.nodes import (
    Access,
    Binary,
    Call,
    Capture,
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
from penstock.expressions.operators import BINARY, UNARY
from penstock.expressions.registry import Entry, Registry, bind
from penstock.expressions.values import UNDEFINED, is_truthy, text_of

CONTEXT_NAME = "_context"
_CONTAINERS = (dict, list)
_LONG = 1024


class Library:
    """The filters, functions and tests a template may use."""

    def __init__(self, filters: Registry, functions: Registry, tests: Registry) -> None:
        self.filters = filters
        self.functions = functions
        self.tests = tests


class ExpressionCompiler:
    """Compiles the expressions of one template.

    Args:
        text: The template, for messages.
        library: What may be called.
        assigned: Names that the template itself gives a value somewhere.
        macros: Compiled calls of the template's macros, filled while its tags are compiled.
        capture: Compiles template text used as a value.
        conceals: The template calls something confidential, so messages do not show what `render` is given.
    """

    def __init__(
        self,
        text: str,
        library: Library,
        assigned: Collection[str],
        macros: Mapping[str, Callable[[Call], Evaluator]],
        capture: Callable[[tuple[Node, ...]], Writer],
        *,
        conceals: bool,
    ) -> None:
        self._text = text
        self._library = library
        self._assigned = assigned
        self._macros = macros
        self._capture = capture
        self._conceals = conceals
        self._strict: dict[type[Node], Callable[[Any], Evaluator]] = {
            Literal: self._literal,
            Name: self._path,
            Access: self._path,
            Call: self._call,
            MethodCall: self._method,
            Filter: self._filter,
            Test: self._test,
            Unary: self._unary,
            Binary: self._binary,
            Ternary: self._ternary,
            ListLiteral: self._list,
            MapLiteral: self._map,
            Capture: self._captured,
        }

    def strict(self, node: Node) -> Evaluator:
        """Return the closure that raises on undefined names (EXP-008)."""
        return self._strict[type(node)](node)

    def lenient(self, node: Node) -> Evaluator:
        """Return the closure that gives UNDEFINED where the strict one raises UndefinedVariableError."""
        if isinstance(node, Name | Access):
            return self._path(node, lenient=True)
        evaluate = self.strict(node)

        def recover(frame: Frame) -> Any:
            try:
                return evaluate(frame)
            except UndefinedVariableError:
                return UNDEFINED

        return evaluate if isinstance(node, Literal) else recover

    # ------------------------------------------------------------------------------------------------ names and paths

    def _literal(self, node: Literal) -> Evaluator:
        value = node.value
        return lambda _frame: value

    def _path(self, node: Name | Access, *, lenient: bool = False) -> Evaluator:
        keys: list[Node] = []
        root: Node = node
        while isinstance(root, Access):
            keys.append(root.key)
            root = root.target
        keys.reverse()
        slow = self._slow_path(root, keys, lenient=lenient)
        is_plain = isinstance(root, Name) and root.name not in self._assigned and root.name != CONTEXT_NAME
        names = [key.value for key in keys if isinstance(key, Literal) and type(key.value) is str]
        read = slow
        if is_plain and isinstance(root, Name) and len(names) == len(keys) and len(names) < len(_FAST):
            read = _FAST[len(names)](root.name, names, slow)
        return self._opened(read, root, keys, node) if keys else read

    def _opened(self, read: Evaluator, root: Node, keys: list[Node], node: Node) -> Evaluator:
        """Return what reads a value that may be encrypted (ENG-186, ENG-209)."""
        text, offset = self._text, node.offset
        steps = [self.strict(key) for key in keys]
        is_input = isinstance(root, Name) and root.name == "inputs"

        def open_sealed(frame: Frame) -> Any:
            value = read(frame)
            if type(value) is not dict or not is_sealed(value):
                return value
            arguments = {"value": value["value"]}
            if is_input:
                arguments["input"] = ".".join(text_of(step(frame)) for step in steps)
            try:
                return frame.call_outside(OPENING, arguments)
            except ExpressionError as error:
                raise error.at(text, offset) from None
            except PenstockError as error:
                raise FunctionFailedError(error.message, hint=error.hint).at(text, offset) from error

        return open_sealed

    def _slow_path(self, root: Node, keys: list[Node], *, lenient: bool) -> Evaluator:
        start = self._root(root, lenient=lenient)
        steps = [(self.lenient(key) if lenient else self.strict(key), key) for key in keys]
        text, shown = self._text, _shown(root)

        def read(frame: Frame) -> Any:
            value = start(frame)
            for index, (evaluate_key, key) in enumerate(steps):
                found = access(value, evaluate_key(frame))
                if found is UNDEFINED:
                    if lenient:
                        return UNDEFINED
                    raise _missing(value, shown, keys[:index], key).at(text, key.offset)
                value = found
            return value

        return read

    def _root(self, root: Node, *, lenient: bool) -> Evaluator:
        if not isinstance(root, Name):
            return self.lenient(root) if lenient else self.strict(root)
        name, offset, text = root.name, root.offset, self._text

        def load(frame: Frame) -> Any:
            if name in frame.locals:
                return frame.locals[name]
            try:
                return frame.variables[name]
            except KeyError:
                pass
            if name == CONTEXT_NAME:
                return ChainMap(frame.locals, frame.variables)  # type: ignore[arg-type]
            if lenient:
                return UNDEFINED
            available = names_in(frame.scope)
            hint = suggestion(name, available) or None
            raise UndefinedVariableError(f"`{name}` is not defined", hint=hint, available=available).at(text, offset)

        return load

    # ----------------------------------------------------------------------------------------------------- operators

    def _unary(self, node: Unary) -> Evaluator:
        operand = self.strict(node.operand)
        if node.operator == "not":
            return lambda frame: not is_truthy(operand(frame))
        apply, text, offset = UNARY[node.operator], self._text, node.offset

        def compute(frame: Frame) -> Any:
            try:
                return apply(frame, operand(frame))
            except ExpressionError as error:
                raise error.at(text, offset) from None

        return compute

    def _binary(self, node: Binary) -> Evaluator:
        if node.operator in ("??", "???"):
            return self._coalesce(node)
        left, right = self.strict(node.left), self.strict(node.right)
        if node.operator == "and":
            return lambda frame: is_truthy(left(frame)) and is_truthy(right(frame))
        if node.operator == "or":
            return lambda frame: is_truthy(left(frame)) or is_truthy(right(frame))
        apply, text, offset = BINARY[node.operator], self._text, node.offset

        def compute(frame: Frame) -> Any:
            first, second = left(frame), right(frame)
            try:
                if frame.guarded:
                    frame.guard([first, second])
                return apply(frame, first, second)
            except ExpressionError as error:
                raise error.at(text, offset) from None

        return compute

    def _coalesce(self, node: Binary) -> Evaluator:
        left, right = self.lenient(node.left), self.strict(node.right)
        if node.operator == "???":

            def if_undefined(frame: Frame) -> Any:
                value = left(frame)
                return right(frame) if value is UNDEFINED else value

            return if_undefined

        def if_null(frame: Frame) -> Any:
            value = left(frame)
            return right(frame) if value is None or value is UNDEFINED else value

        return if_null

    def _ternary(self, node: Ternary) -> Evaluator:
        condition, then, otherwise = self.strict(node.condition), self.strict(node.then), self.strict(node.otherwise)
        return lambda frame: then(frame) if is_truthy(condition(frame)) else otherwise(frame)

    # ------------------------------------------------------------------------------------------------------ literals

    def _list(self, node: ListLiteral) -> Evaluator:
        items = [self.strict(item) for item in node.items]
        return lambda frame: [item(frame) for item in items]

    def _map(self, node: MapLiteral) -> Evaluator:
        items = [(self.strict(key), self.strict(value)) for key, value in node.items]
        return lambda frame: {frame.text(key(frame)): value(frame) for key, value in items}

    def _captured(self, node: Capture) -> Evaluator:
        write = self._capture(node.body)

        def evaluate(frame: Frame) -> str:
            out: list[str] = []
            write(frame, out)
            return "".join(out)

        return evaluate

    # --------------------------------------------------------------------------------------------------------- calls

    def _test(self, node: Test) -> Evaluator:
        entry = self._find(self._library.tests, node)
        target = self.lenient(node.target) if entry.name == "defined" else self.strict(node.target)
        apply, negated, text, offset = entry.function, node.negated, self._text, node.offset

        def check(frame: Frame) -> bool:
            try:
                return bool(apply(target(frame))) is not negated
            except ExpressionError as error:
                raise error.at(text, offset) from None

        return check

    def _filter(self, node: Filter) -> Evaluator:
        entry = self._find(self._library.filters, node)
        target = self.lenient(node.target) if entry.name == "default" else self.strict(node.target)
        arguments = self._arguments(entry, f"filter `{entry.name}`", node)
        function, wants_frame, takes_null = entry.function, entry.context, entry.accepts_null
        fail = self._failure(entry, f"filter `{entry.name}`", node.offset)

        def apply(frame: Frame) -> Any:
            value = target(frame)
            if value is None and not takes_null:
                return None
            given = [argument(frame) for argument in arguments]
            try:
                if frame.guarded and type(value) in _CONTAINERS:
                    frame.guard(value)
                result = function(frame, value, *given) if wants_frame else function(value, *given)
                if type(result) is str and len(result) > _LONG:
                    frame.budget.spend(len(result))
            except Exception as error:
                fail(error, value)
            return result

        return apply

    def _call(self, node: Call) -> Evaluator:
        macro = self._macros.get(node.name)
        if macro is not None:
            return macro(node)
        entry = self._find(self._library.functions, node, self._macros)
        arguments = self._arguments(entry, f"function `{entry.name}`", node)
        function, wants_frame = entry.function, entry.context
        fail = self._failure(entry, f"function `{entry.name}`", node.offset)

        def call(frame: Frame) -> Any:
            given = [argument(frame) for argument in arguments]
            try:
                if frame.guarded:
                    frame.guard(given)
                result = function(frame, *given) if wants_frame else function(*given)
                if type(result) is str and len(result) > _LONG:
                    frame.budget.spend(len(result))
            except Exception as error:
                fail(error, None)
            return result

        return call

    def _method(self, node: MethodCall) -> Evaluator:
        target = self.strict(node.target)
        if node.arguments.named:
            error = ExpressionTypeError(f"method `{node.name}` takes no named arguments")
            raise error.at(self._text, node.offset)
        arguments = [self.strict(argument) for argument in node.arguments.positional]
        name, text, offset = node.name, self._text, node.offset

        def call(frame: Frame) -> Any:
            value = target(frame)
            try:
                return call_method(value, name, [argument(frame) for argument in arguments])
            except ExpressionError as error:
                raise error.at(text, offset) from None

        return call

    def _find(self, registry: Registry, node: Test | Filter | Call, others: Collection[str] = ()) -> Entry:
        try:
            return registry.find(node.name, others)
        except ExpressionError as error:
            raise error.at(self._text, node.offset) from None

    def _arguments(self, entry: Entry, what: str, node: Filter | Call) -> list[Evaluator]:
        try:
            bound = bind(what, entry.parameters, node.arguments, variadic=entry.variadic)
        except ExpressionError as error:
            raise error.at(self._text, node.offset) from None
        if entry.variadic:
            return [self.strict(argument) for argument in bound]
        return [
            self.lenient(argument) if parameter.lenient else self.strict(argument)
            for parameter, argument in zip(entry.parameters, bound, strict=True)
        ]

    def _failure(self, entry: Entry, what: str, offset: int) -> Callable[[Exception, Any], NoReturn]:
        """Return what raises the template's error for an error inside a filter or function."""
        text, conceals = self._text, self._conceals and entry.name in ("render", "renderOnce")

        def fail(error: Exception, value: Any) -> NoReturn:
            if isinstance(error, ExpressionError):
                if conceals and error.template not in (None, text):
                    raise ExpressionError(f"{what} is given text that cannot be rendered").at(text, offset) from None
                raise error.at(text, offset) from error.__cause__
            if isinstance(error, PenstockError):
                failed = FunctionFailedError(f"{what} failed: {error.message}", hint=error.hint)
                raise failed.at(text, offset) from error
            if isinstance(error, RecursionError | MemoryError):
                raise LimitExceededError(f"{what} is given too large a value").at(text, offset) from None
            # The text of a foreign error may quote the value, and the value may be a secret.
            given = f" {kind_of(value)}" if value is not None else " these arguments"
            raise ExpressionTypeError(f"{what} cannot handle{given}").at(text, offset) from None

        return fail


def _fast_one(root: str, keys: list[str], slow: Evaluator) -> Evaluator:
    def read(frame: Frame) -> Any:
        try:
            return frame.variables[root]
        except (KeyError, TypeError):
            return slow(frame)

    return read


def _fast_two(root: str, keys: list[str], slow: Evaluator) -> Evaluator:
    (first,) = keys

    def read(frame: Frame) -> Any:
        try:
            return frame.variables[root][first]
        except (KeyError, TypeError):
            return slow(frame)

    return read


def _fast_three(root: str, keys: list[str], slow: Evaluator) -> Evaluator:
    first, second = keys

    def read(frame: Frame) -> Any:
        try:
            return frame.variables[root][first][second]
        except (KeyError, TypeError):
            return slow(frame)

    return read


_FAST = (_fast_one, _fast_two, _fast_three)
"""What reads a path of names, by how many follow the first."""


def _shown(root: Node) -> str:
    return root.name if isinstance(root, Name) else "the value"


def _missing(parent: Any, shown: str, keys: list[Node], key: Node) -> UndefinedVariableError:
    """Return the error for the first step of a path that leads nowhere."""
    path = shown + "".join(_step(step) for step in keys)
    available = names_in(parent)
    hint = suggestion(key.value, available) if isinstance(key, Literal) and isinstance(key.value, str) else ""
    if parent is None:
        reason = f"`{path}` is null, so `{path}{_step(key)}` is not defined"
    elif isinstance(parent, Mapping | list):
        reason = f"`{path}{_step(key)}` is not defined"
    else:
        reason = f"`{path}` is {kind_of(parent)} and has no `{_step(key).lstrip('.')}`"
    return UndefinedVariableError(reason, hint=hint or None, available=available)


def _step(key: Node) -> str:
    if not isinstance(key, Literal):
        return "[...]"
    return f".{key.value}" if isinstance(key.value, str) and key.value.isidentifier() else f"[{key.value!r}]"
