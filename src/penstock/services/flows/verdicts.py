"""Checking flows without storing them: every problem of every document at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from penstock.base.codec import to_json_text
from penstock.model.defaults import Levels
from penstock.model.flow import ParsedFlow, parse_flow
from penstock.model.problems import Problem
from penstock.model.references import CODES
from penstock.model.registry import TypeRegistry
from penstock.model.yaml import split_documents
from penstock.ports.flows import FlowStore
from penstock.services.flows.cycles import CallCycles
from penstock.services.flows.known_names import KnownNames

_ANY_TASK = {"id": "task", "type": "io.kestra.plugin.core.log.Log", "message": "-"}
LevelsOfNamespace = Callable[[str, str], Levels]
"""Plugin defaults from outside a flow, for its tenant and namespace."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be said of one flow source (API-039)."""

    index: int
    namespace: str | None
    flow_id: str | None
    problems: Sequence[Problem]
    outdated: bool = False
    """Whether the source names a revision that is no longer the latest."""
    filename: str | None = None

    def of(self, severity: str) -> list[Problem]:
        """Return the problems of one severity."""
        return [problem for problem in self.problems if problem.severity == severity]


class FlowChecker:
    """Checks sources.

    Implements API-007, API-039, ENG-015.

    Args:
        flows: Tells which revision is the latest.
        registry: The types a flow may use.
        defaults: The plugin defaults from outside a flow, by tenant and namespace.
        names: The secrets and keys there are.
    """

    def __init__(
        self,
        flows: FlowStore,
        registry: TypeRegistry,
        *,
        defaults: LevelsOfNamespace = lambda *_: (),
        names: KnownNames | None = None,
    ) -> None:
        self._flows = flows
        self._registry = registry
        self._defaults = defaults
        self._names = names
        self._cycles = CallCycles(flows, self.parse)

    async def read(self, tenant: str, source: str, *, first_line: int = 1) -> ParsedFlow:
        """Return the parsed flow with all its problems, those with other flows, secrets and keys included."""
        parsed = self.parse(tenant, source, first_line=first_line)
        found = list(await self._cycles.problems(tenant, parsed))
        if self._names is not None:
            found += await self._names.problems(tenant, parsed)
        if not found:
            return parsed
        problems = sorted((*parsed.problems, *found), key=lambda problem: (problem.line, problem.column))
        return replace(parsed, problems=tuple(problems))

    def parse(self, tenant: str, source: str, *, first_line: int = 1) -> ParsedFlow:
        """Return the parsed flow with the problems it has by itself."""
        return parse_flow(source, self._registry, defaults=partial(self._defaults, tenant), first_line=first_line)

    async def check(self, tenant: str, source: str, *, filename: str | None = None, first: int = 0) -> list[Verdict]:
        """Return one verdict for each document of a text."""
        documents = split_documents(source) or [(source, 1)]
        return [
            await self._verdict(tenant, document, line, first + index, filename)
            for index, (document, line) in enumerate(documents)
        ]

    def check_part(self, tenant: str, kind: str, definition: Mapping[str, Any]) -> Verdict:
        """Return what is to be said of one task or one trigger by itself.

        Args:
            tenant: Whose plugin defaults apply.
            kind: `tasks` or `triggers`.
            definition: The task or trigger.
        """
        flow = {"id": "check", "namespace": "check", "tasks": [_ANY_TASK], kind: [definition]}
        parsed = self.parse(tenant, to_json_text(flow))
        place = f"{kind}[0]"
        found = [
            replace(problem, path=problem.path.removeprefix(place).removeprefix("."), line=0, column=0)
            for problem in parsed.problems
            # What its expressions refer to may be declared by the flow it is for.
            if problem.path.startswith(place) and problem.code not in CODES
        ]
        return Verdict(0, None, None, found)

    async def _verdict(self, tenant: str, source: str, line: int, index: int, filename: str | None) -> Verdict:
        parsed = await self.read(tenant, source, first_line=line)
        namespace, flow_id = _text(parsed.data.get("namespace")), _text(parsed.data.get("id"))
        outdated = False
        revision = parsed.data.get("revision")
        if namespace and flow_id and isinstance(revision, int):
            stored = await self._flows.get(tenant, namespace, flow_id)
            outdated = stored is not None and stored.revision > revision
        return Verdict(index, namespace, flow_id, parsed.problems, outdated, filename)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
