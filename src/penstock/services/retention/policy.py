"""How long executions and log lines are kept. The first rule that fits an execution decides; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from penstock.base.clock import SECOND, Micros
from penstock.ports.queries import Filter

DAY: Micros = 24 * 3600 * SECOND
FOREVER: Micros | None = None
"""The period of what is never removed."""


@dataclass(frozen=True, slots=True)
class Rule:
    """How long some executions are kept. What is not given does not matter.

    Args:
        executions: How long after their end; None for ever.
        logs: How long their lines are kept after they were written; None for ever.
        namespace: Those of a namespace and the ones below it.
        states: Those that ended in one of these states.
        labels: Those with all of these labels.
    """

    executions: Micros | None
    logs: Micros | None
    namespace: str | None = None
    states: Sequence[str] = ()
    labels: Mapping[str, str] = field(default_factory=dict)

    def filters(self) -> list[Filter]:
        """Return what makes an execution fit."""
        found = []
        if self.namespace is not None:
            found.append(Filter("namespace", "PREFIX", self.namespace))
        if self.states:
            found.append(Filter("state", "IN", list(self.states)))
        if self.labels:
            found.append(Filter("labels", "EQUALS", dict(self.labels)))
        return found


@dataclass(frozen=True, slots=True)
class Part:
    """The executions one rule decides about: those that fit it, and none of the rules before it."""

    rule: Rule
    filters: Sequence[Filter]
    unless: Sequence[Sequence[Filter]]


@dataclass(frozen=True, slots=True)
class Policy:
    """All rules of an instance.

    Args:
        executions: How long executions are kept that no rule is about.
        logs: The same of log lines.
        rules: Exceptions; of those that fit the first decides.
    """

    executions: Micros | None = 90 * DAY
    logs: Micros | None = 30 * DAY
    rules: Sequence[Rule] = ()

    def parts(self) -> Iterator[Part]:
        """Yield disjoint parts that are all executions together."""
        before: list[Sequence[Filter]] = []
        for rule in self.rules:
            yield Part(rule, rule.filters(), tuple(before))
            before.append(rule.filters())
        if [] not in before:  # a rule without a condition leaves nothing to the general period
            yield Part(Rule(self.executions, self.logs), (), tuple(before))
