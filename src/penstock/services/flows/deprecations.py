"""Which flows use what is deprecated, and where. Implements API-100 (`deprecated`)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from penstock.model.problems import Problem, Severity
from penstock.ports.flows import FlowStore, StoredFlow
from penstock.services.flows.verdicts import FlowChecker


@dataclass(frozen=True, slots=True)
class DatedFlow:
    """A flow, and what of it is deprecated."""

    flow: StoredFlow
    deprecations: Sequence[Problem]


async def dated_flows(
    flows: FlowStore, checker: FlowChecker, tenant: str, namespace: str | None = None
) -> list[DatedFlow]:
    """Return the flows of a namespace and those below it, or of all, that use what is deprecated."""
    found = []
    for flow in await flows.all_latest(tenant):
        if namespace and not f"{flow.namespace}.".startswith(f"{namespace}."):
            continue
        problems = checker.parse(tenant, flow.source).problems
        deprecations = [one for one in problems if one.severity is Severity.DEPRECATION]
        if deprecations:
            found.append(DatedFlow(flow, deprecations))
        await asyncio.sleep(0)  # there may be thousands, and others want to be answered meanwhile
    return found
