"""Which suites and flows there are in files and folders, with everything that is wrong with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from penstock.cli.run.sources import FlowSource, SuiteSource, read_flows, read_suites
from penstock.model.problems import Problem, Severity
from penstock.model.suites import SuiteDocument
from penstock.wiring.flow_reading import FlowReading


@dataclass(frozen=True, slots=True)
class Collection:
    """What was found."""

    suites: Sequence[SuiteSource]
    flows: Sequence[FlowSource]

    def problems(self) -> Iterable[tuple[Path, str, Sequence[Problem]]]:
        """Yield (file, its text, problems) of suites that cannot run, or whose flow cannot."""
        flows = {_name(flow.parsed.data): flow for flow in self.flows}
        told: set[tuple[object, object]] = set()
        for suite in self.suites:
            data = suite.parsed.data
            name = (data.get("namespace"), data.get("flowId"))
            flow = flows.get(name)
            problems = list(suite.parsed.problems)
            if flow is None and all(name):
                known = ", ".join(f"{namespace}.{flow_id}" for namespace, flow_id in flows) or "none"
                problems.append(
                    Problem(
                        Severity.ERROR,
                        "flowId",
                        f"there is no flow {name[0]}.{name[1]}",
                        f"name its file or folder too, or give --flows; flows found: {known}",
                    )
                )
            if problems:
                yield suite.file, suite.whole, problems
            if flow is not None and flow.parsed.errors and name not in told:
                told.add(name)
                yield flow.file, flow.whole, flow.parsed.errors

    def chosen(self, only: str | None) -> list[SuiteDocument]:
        """Return the suites with the cases whose `suite.case` contains a text; all without one."""
        found = []
        for suite in self.suites:
            document = suite.parsed.document
            if document is None:
                continue
            cases = [case for case in document.test_cases if only is None or only in f"{document.id}.{case.id}"]
            if cases:
                found.append(document.model_copy(update={"test_cases": cases}))
        return found


def collect(paths: Iterable[Path], folders: Iterable[Path], reading: FlowReading) -> Collection:
    """Return the suites of `paths`, and the flows of both; other YAML files are passed over.

    Raises:
        NotFoundError: There is no such file or folder.
    """
    mine = tuple(paths)
    flows: dict[tuple[object, object], FlowSource] = {}
    for flow in read_flows([*mine, *folders], reading):
        if {"namespace", "tasks"} <= flow.parsed.data.keys():
            flows.setdefault(_name(flow.parsed.data), flow)
    return Collection(read_suites(mine), list(flows.values()))


def _name(data: Mapping[str, object]) -> tuple[object, object]:
    return data.get("namespace"), data.get("id")
