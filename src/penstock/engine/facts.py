"""What expressions inside a decision learn from the outside, handed in rather than looked up.

The engine does no I/O. When a condition calls `kv('x')`, `decide` stops with `FactNeeded`; the shell looks the answer
up, adds it to the facts and decides again: `decide` is pure, so nothing has happened in between.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from penstock.base.codec import from_json, to_json_text
from penstock.engine.confidential import CONFIDENTIAL, call_text


def fact_key(function: str, arguments: Mapping[str, Any]) -> str:
    """Return the key under which the answer to a call is kept."""
    return function + to_json_text(sorted(arguments.items()))


class FactNeeded(Exception):  # a request to the shell rather than an error
    """The shell has to answer this call before the engine can decide."""

    def __init__(self, function: str, arguments: Mapping[str, Any]) -> None:
        super().__init__(function)
        self.function = function
        self.arguments = arguments

    @property
    def key(self) -> str:
        """Where the answer goes."""
        return fact_key(self.function, self.arguments)


class Facts:
    """Answers gathered so far: a `Resolver` for expressions. An answer may be an exception; it is raised."""

    def __init__(self, answers: Mapping[str, Any] | None = None) -> None:
        self.answers = dict(answers or {})

    def call(self, function: str, arguments: Mapping[str, Any], variables: Mapping[str, Any]) -> Any:
        """Return the known answer to a function call, or ask the shell for it."""
        key = fact_key(function, arguments)
        if key not in self.answers:
            raise FactNeeded(function, arguments)
        answer = self.answers[key]
        if isinstance(answer, Exception):
            raise answer
        return answer

    @cached_property
    def confidential(self) -> tuple[str, ...]:
        """The calls that have given secrets (BEY-061)."""
        return tuple(self._confidential())

    def _confidential(self) -> Iterator[str]:
        for key, answer in self.answers.items():
            function, _, pairs = key.partition("[")
            if function in CONFIDENTIAL and isinstance(answer, str):
                yield call_text(function, dict(from_json(f"[{pairs}")))


NO_FACTS = Facts()
