"""Expressions outside of a running execution: those of inputs, checks, conditions and webhook keys.

What they need from the outside is looked up between two attempts to render, as the engine does it, so that nothing
waits in a thread.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from penstock.base.errors import PenstockError
from penstock.engine.facts import FactNeeded, Facts
from penstock.engine.flow import ResolvedFlow
from penstock.engine.records import Execution
from penstock.expressions import Resolver

T = TypeVar("T")

Answer = Callable[[Execution, str, Mapping[str, Any]], Awaitable[Any]]
"""Answers a function that needs the outside: (execution it is asked for, function, arguments) -> value."""


class _Noted:
    """Facts that remember what was asked for last, in case the caller of the expression swallows the question."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self.needed: FactNeeded | None = None

    def call(self, function: str, arguments: Mapping[str, Any], variables: Mapping[str, Any]) -> Any:
        try:
            return self._facts.call(function, arguments, variables)
        except FactNeeded as needed:
            self.needed = needed
            raise


async def with_answers(work: Callable[[Resolver], T], execution: Execution, answer: Answer) -> T:
    """Return what `work` makes of a resolver, calling it again with each answer it turns out to need."""
    facts = Facts()
    while True:
        resolver = _Noted(facts)
        error: Exception | None = None
        try:
            result = work(resolver)
        except Exception as raised:
            error = raised
        needed = resolver.needed
        if needed is None:
            if error is not None:
                raise error
            return result
        facts = Facts({**facts.answers, needed.key: await _answer(answer, execution, needed)})


def asker(flow: ResolvedFlow) -> Execution:
    """Return the execution that functions are answered for while there is none yet."""
    return Execution("", flow.tenant, flow.namespace, flow.id, flow.revision, 0, "", 0)


async def _answer(answer: Answer, execution: Execution, needed: FactNeeded) -> Any:
    try:
        return await answer(execution, needed.function, needed.arguments)
    except PenstockError as error:
        return error
