"""Running programs of the filter `jq`.

The library runs in the process that calls it and cannot be stopped; it even crashes it, on deeply nested values. So
only programs whose work and result are bounded by their input (`jq_grammar`) are run where they stand. All others are
for a process that may be lost.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from penstock.expressions.errors import ExpressionError, LimitExceededError

# Programs see their input alone: not the server's environment variables, files or process.
_FENCE = (
    '{} as $ENV | def env: {}; def input: error("no input"); def inputs: empty; def debug: .; def debug(f): .;'
    ' def stderr: .; def input_filename: null; def halt: error("halt"); def halt_error: error("halt");'
    ' def halt_error(f): error("halt"); def modulemeta: error("no modules"); def get_search_list: []; (\n'
)
_SAFE_REASON = re.compile(r"Cannot (?:index|iterate over|check whether|use) [a-z ]+")


@lru_cache(maxsize=256)
def _compiled(program: str) -> Any:
    try:
        import jq  # type: ignore[import-not-found]
    except ImportError:
        raise ExpressionError("the filter `jq` is not installed", hint="pip install jq") from None
    try:
        return jq.compile(f"{_FENCE}{program}\n)")
    except ValueError as error:
        reason = str(error).splitlines()[0].removeprefix("jq: error: ").partition(" at <")[0]
        raise ExpressionError(f"the jq program is malformed: {reason or 'it does not compile'}") from None


def run_program(program: str, text: str, most: int) -> list[Any]:
    """Return all results of a program for an input in JSON (EXP-087).

    Args:
        program: The program.
        text: Its input, as JSON.
        most: How many results it may have.

    Raises:
        ExpressionError: The program or its input is malformed, or it fails.
    """
    results: list[Any] = []
    try:
        for result in _compiled(program).input_text(text):
            results.append(result)
            if len(results) > most:
                raise LimitExceededError(f"a list of more than {most} elements is too long")
    except ValueError as error:
        message = str(error)
        if message.startswith("parse error"):
            raise ExpressionError("the input of `jq` is text, but no JSON") from None
        # jq quotes the value it failed at; only the part before it may be shown.
        found = _SAFE_REASON.match(message)
        raise ExpressionError(f"the jq program failed: {found.group().strip() if found else 'see its input'}") from None
    return results
