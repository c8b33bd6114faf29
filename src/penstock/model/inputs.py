"""The values an execution begins with: what was given, checked and completed by what the flow declares.

Pure: expressions are rendered by a callable, secrets encrypted by another. All that is wrong is told at once.

Implements ENG-158 to ENG-171, ENG-189 to ENG-191, ENG-402 to ENG-405.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from penstock.base.errors import InvalidRequestError
from penstock.expressions import ExpressionError, is_truthy
from penstock.expressions.values import text_of
from penstock.model.complaints import closest
from penstock.model.input_types import REGEX_TIMEOUT, ChoiceInput, Input, TextInput, has_expression
from penstock.model.scalars import plain
from penstock.model.values import Mismatch, coerce

Render = Callable[[str, Mapping[str, Any]], Any]
"""Returns the value of a template; the mapping holds variables to add, `inputs` among them."""
Encrypt = Callable[[str, str], Any]
"""Returns what is stored in place of a secret's value."""
_SHOWN = 80


@dataclass(frozen=True, slots=True)
class InputProblem:
    """What is wrong with one input."""

    id: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        return f"input `{self.id}`: {self.message}" + (f" ({self.hint})" if self.hint else "")


class InvalidInputs(InvalidRequestError):
    """Inputs that an execution cannot begin with (ENG-189); carries every problem."""

    code = "INVALID_INPUTS"

    def __init__(self, problems: Sequence[InputProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(str(problem) for problem in self.problems))


@dataclass(frozen=True, slots=True)
class InputState:
    """One input as a launch form shows it: asked for or not, what there is to choose from, what it holds."""

    input: Input
    enabled: bool
    value: Any = None
    is_default: bool = False
    choices: Sequence[str] | None = None
    problem: InputProblem | None = None


def read_inputs(
    inputs: Sequence[Input],
    given: Mapping[str, Any],
    render: Render,
    *,
    encrypt: Encrypt | None = None,
    regex_timeout: float = REGEX_TIMEOUT,
) -> dict[str, Any]:
    """Return the values of a flow's inputs, dotted ids nested in objects.

    Args:
        inputs: What the flow declares.
        given: What was given, by id; inputs with dotted ids may be given nested too.
        render: Renders expressions.
        encrypt: Encrypts the values of SECRET inputs: (id, value) -> what is kept; without it they cannot be given.
        regex_timeout: Seconds a `validator` may take (`kestra.regex.timeout`).

    Raises:
        InvalidInputs: At least one value is missing, wrong or unknown.
    """
    states, unknown = check_inputs(inputs, given, render, regex_timeout=regex_timeout)
    problems = [state.problem for state in states if state.problem] + unknown
    result: dict[str, Any] = {}
    for state in states:
        value = state.value
        if value is not None and state.input.type == "SECRET":
            if encrypt is None:
                hint = "set `kestra.encryption.secret-key` in the server's configuration"
                problems.append(InputProblem(state.input.id, "secrets need an encryption key", hint))
                continue
            value = encrypt(state.input.id, value)
        _put(result, state.input.id, value)
    if problems:
        raise InvalidInputs(problems)
    return result


def check_inputs(
    inputs: Sequence[Input], given: Mapping[str, Any], render: Render, *, regex_timeout: float = REGEX_TIMEOUT
) -> tuple[list[InputState], list[InputProblem]]:
    """Return how each input stands, in the declared order, and the problems of given values nobody declares.

    For launch forms that are being filled in; secrets are not encrypted.
    """
    states: dict[str, InputState] = {}
    values: dict[str, Any] = {}
    by_id = {one.id: one for one in inputs}
    for one in _ordered(inputs, by_id):
        states[one.id] = state = _state(one, given, values, states, render, regex_timeout)
        _put(values, one.id, state.value)
    return [states[one.id] for one in inputs], list(_unknown(by_id, given))


def check_given(inputs: Sequence[Input], given: Mapping[str, Any], *, regex_timeout: float = REGEX_TIMEOUT) -> None:
    """Check values for executions to come: each is given for an input, and is what that takes.

    Where that depends on other values it is left to the executions, and so is what is not given.

    Raises:
        InvalidInputs: At least one value is wrong or unknown.
    """
    problems = [problem for one in inputs if (problem := _misfit(one, _given(given, one), regex_timeout))]
    problems += _unknown({one.id for one in inputs}, given)
    if problems:
        raise InvalidInputs(problems)


def _misfit(one: Input, value: Any, regex_timeout: float) -> InputProblem | None:
    depends = one.depends_on is not None or (isinstance(one, ChoiceInput) and one.expression is not None)
    if depends or not _is_given(one, value):
        return None
    try:
        _accept(one, value, one.values if isinstance(one, ChoiceInput) else None, regex_timeout)
    except Mismatch as mismatch:
        return InputProblem(one.id, _wrong(one, value, mismatch.wanted, is_default=False))
    return None


def _ordered(inputs: Sequence[Input], by_id: Mapping[str, Input]) -> Iterator[Input]:
    """Yield inputs so that each comes after those it depends on; otherwise in the declared order."""
    done: set[str] = set()

    def visit(one: Input) -> Iterator[Input]:
        if one.id in done:
            return
        done.add(one.id)
        for name in (one.depends_on.inputs if one.depends_on else None) or ():
            if name in by_id:
                yield from visit(by_id[name])
        yield one

    for one in inputs:
        yield from visit(one)


def _state(
    one: Input,
    given: Mapping[str, Any],
    values: Mapping[str, Any],
    states: Mapping[str, InputState],
    render: Render,
    regex_timeout: float,
) -> InputState:
    scope = {"inputs": values}
    try:
        if not _is_asked(one, states, scope, render):
            return InputState(one, enabled=False)
        choices = _choices(one, scope, render)
        value, is_default = _value(one, _given(given, one), choices, scope, render)
    except _Refused as refused:
        return InputState(one, enabled=True, problem=InputProblem(one.id, refused.message, refused.hint))
    try:
        accepted = None if value is None else _accept(one, value, choices, regex_timeout)
    except Mismatch as mismatch:
        problem = InputProblem(one.id, _wrong(one, value, mismatch.wanted, is_default=is_default))
        return InputState(one, enabled=True, choices=choices, problem=problem)
    if accepted is None and one.required:
        hint = "give a value, or declare `defaults` or `required: false`"
        return InputState(one, enabled=True, choices=choices, problem=InputProblem(one.id, "is required", hint))
    return InputState(one, enabled=True, value=accepted, is_default=is_default, choices=choices)


class _Refused(Exception):
    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def _is_asked(one: Input, states: Mapping[str, InputState], scope: Mapping[str, Any], render: Render) -> bool:
    """Return whether what the input depends on is there and its condition holds (ENG-402)."""
    if one.depends_on is None:
        return True
    for name in one.depends_on.inputs or ():
        state = states.get(name)
        if state is None or state.value is None:
            return False
    condition = one.depends_on.condition
    if isinstance(condition, str):
        return is_truthy(_rendered(condition, "dependsOn.condition", scope, render))
    return condition is not False


def _choices(one: Input, scope: Mapping[str, Any], render: Render) -> list[str] | None:
    """Return what a SELECT or MULTISELECT offers; None for other types (ENG-165)."""
    if not isinstance(one, ChoiceInput):
        return None
    if one.expression is None:
        return one.values
    rendered = _rendered(one.expression, "expression", scope, render)
    try:
        values = coerce("ARRAY", rendered)
    except Mismatch:
        raise _Refused("`expression` does not render to a list", "look at what the expression renders to") from None
    return [text_of(value) for value in values if value is not None]


def _given(given: Mapping[str, Any], one: Input) -> Any:
    """Return what was given for an input, by its id or nested (ENG-106, ENG-168)."""
    if one.id in given:
        return given[one.id]
    value: Any = given
    for part in one.id.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return None
        value = value[part]
    return value


def _is_given(one: Input, value: Any) -> bool:
    """Return whether there is a value. Nothing typed into a field is nothing, but for texts."""
    return value is not None and (value != "" or isinstance(one, TextInput))


def _value(
    one: Input, given: Any, choices: list[str] | None, scope: Mapping[str, Any], render: Render
) -> tuple[Any, bool]:
    """Return the value to check, and whether it is a default."""
    if _is_given(one, given):
        return given, False
    value = one.defaults
    if value is None and choices is None:
        value = one.expression
    if value is not None:
        return _deep(value, scope, render), True
    if isinstance(one, ChoiceInput) and one.auto_select_first and choices:
        return ([choices[0]] if one.type == "MULTISELECT" else choices[0]), True
    return None, False


def _deep(value: Any, scope: Mapping[str, Any], render: Render) -> Any:
    if isinstance(value, str):
        return _rendered(value, "defaults", scope, render) if has_expression(value) else value
    if isinstance(value, Mapping):
        return {key: _deep(item, scope, render) for key, item in value.items()}
    if isinstance(value, list):
        return [_deep(item, scope, render) for item in value]
    return plain(value)


def _rendered(template: str, name: str, scope: Mapping[str, Any], render: Render) -> Any:
    try:
        return render(template, scope)
    except ExpressionError as error:
        raise _Refused(f"`{name}` cannot be rendered: {error.message}", error.hint) from error


def _accept(one: Input, value: Any, choices: list[str] | None, regex_timeout: float) -> Any:
    if isinstance(one, ChoiceInput):
        return one.choose(value, choices)
    if isinstance(one, TextInput):
        return one.matching(value, regex_timeout)
    return one.accept(value)


def _wrong(one: Input, value: Any, wanted: str, *, is_default: bool) -> str:
    """Return what is wrong; a secret's value, and a long one, is not repeated."""
    if one.type == "SECRET":
        return f"must be {wanted}"
    text = text_of(plain(value))
    shown = f"`{text}`" if len(text) <= _SHOWN and "\n" not in text else "the value"
    origin = " (from `defaults`)" if is_default else ""
    return f"{shown}{origin} is given, it must be {wanted}"


def _put(result: dict[str, Any], identifier: str, value: Any) -> None:
    """Set a value; a dotted id makes objects (ENG-168)."""
    *path, last = identifier.split(".")
    for part in path:
        inner = result.get(part)
        if not isinstance(inner, dict):
            inner = result[part] = {}
        result = inner
    result[last] = value


def _unknown(by_id: Collection[str], given: Mapping[str, Any]) -> Iterator[InputProblem]:
    """Yield a problem for each given value that no input takes: nothing is dropped in silence (BEY-045)."""
    for name, value in _leaves(given, by_id):
        del value
        near = closest(name, by_id)
        hint = f"did you mean `{near}`?" if near else "the flow declares no such input"
        yield InputProblem(name, "is not declared", hint)


def _leaves(given: Mapping[str, Any], by_id: Collection[str], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in given.items():
        name = f"{prefix}{key}"
        if name in by_id:
            continue
        if isinstance(value, Mapping) and any(one.startswith(f"{name}.") for one in by_id):
            yield from _leaves(value, by_id, f"{name}.")
        else:
            yield name, value
