"""What a run's result or exception amounts to: outputs within bounds, or an error in words."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from penstock.base.codec import from_json, to_json
from penstock.base.errors import PenstockError
from penstock.sdk.errors import PermanentError, PluginError

_SIMPLE = (int, float, bool, type(None))


class OutputsTooLarge(PluginError):
    """A task returned more than is kept with a task run."""

    code = "OUTPUTS_TOO_LARGE"
    hint = "store the data as a file and return its URI, for instance with `fetchType: STORE` or an output file"


class OutputsInvalid(PluginError):
    """A task returned something that has no JSON form."""

    code = "OUTPUTS_INVALID"
    hint = "return an output model or a map of plain values"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an attempt failed."""

    message: str
    """One line or more for people: what is wrong and what to do."""
    detail: str | None = None
    """The traceback, when nobody foresaw the error."""
    retryable: bool = True


def failure_of(error: BaseException) -> Failure:
    """Return why an attempt failed. Implements PLG-024."""
    if isinstance(error, PenstockError):
        foreseen = error.__cause__ is None or isinstance(error.__cause__, PenstockError)
        return Failure(str(error), None if foreseen else _trace(error), not isinstance(error, PermanentError))
    if isinstance(error, ValidationError):
        return Failure(_problems(error))
    return Failure(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__, _trace(error))


def _trace(error: BaseException) -> str:
    return "".join(traceback.format_exception(error)).rstrip()


def _problems(error: ValidationError) -> str:
    """Return validation problems without the values, which may be secrets."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    lines = [f"`{'.'.join(map(str, problem['loc'])) or error.title}`: {problem['msg']}" for problem in found]
    return "; ".join(lines)


def plain_outputs(result: object, bound: int) -> Mapping[str, Any] | None:
    """Return what a run returned as plain JSON values; a model's absent fields are left out (PLG-023).

    Raises:
        OutputsTooLarge: It is more than `bound` bytes of JSON (ENG-136).
        OutputsInvalid: It is no mapping, or holds what has no JSON form.
    """
    if result is None:
        return None
    if isinstance(result, BaseModel):
        result = result.model_dump(by_alias=True, exclude_none=True)
    if not isinstance(result, Mapping):
        raise OutputsInvalid(f"the task returned {type(result).__name__} instead of its outputs")
    if len(result) <= 16 and _is_small(result, bound // 4):
        return dict(result)
    try:
        encoded = to_json(result)
    except (TypeError, ValueError, RecursionError) as error:
        raise OutputsInvalid(f"the outputs of the task have no JSON form: {error}") from None
    if len(encoded) > bound:
        name, size = _largest(result)
        raise OutputsTooLarge(
            f"the outputs of the task take {len(encoded)} bytes, most of them `{name}` ({size}); "
            f"at most {bound} are kept"
        )
    plain: dict[str, Any] = from_json(encoded)
    return plain


def _largest(outputs: Mapping[Any, Any]) -> tuple[str, int]:
    """Return the name of the output that takes most, and its bytes of JSON."""
    sizes = {str(name): len(to_json(value)) for name, value in outputs.items()}
    return max(sizes.items(), key=lambda entry: entry[1])


def _is_small(result: Mapping[Any, Any], bound: int) -> bool:
    """Return whether these are plain values that take less than the bound beyond doubt; the common case, and quick."""
    size = 0
    for key, value in result.items():
        if type(key) is not str:
            return False
        if type(value) is str:
            size += len(value)
        elif type(value) not in _SIMPLE or value != value:  # not a number has no JSON form
            return False
    return size < bound
