"""Whether flows would run here: as they are, after older names are replaced, or why not. Implements BEY-051."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from enum import StrEnum
from pathlib import Path

from penstock.cli.carrying.origin import Origin
from penstock.cli.including import expanded
from penstock.cli.run.sources import flow_files
from penstock.cli.texts import text_of
from penstock.model.parsing import parse_flow
from penstock.model.problems import Problem, Severity
from penstock.model.renaming import renamed
from penstock.model.suites import is_suite
from penstock.model.yaml import split_documents
from penstock.wiring.flow_reading import FlowReading


class Verdict(StrEnum):
    """What is to be said of a flow."""

    OK = "ok"
    REWRITTEN = "rewritten"
    """It is accepted, and better in today's words."""
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class CheckedText:
    """A file, or the flow of a server."""

    name: str
    source: str
    rewritten: str
    problems: Sequence[Problem]
    """Those of the text as it is written then."""

    @property
    def verdict(self) -> Verdict:
        """What is to be said of it."""
        if self.errors:
            return Verdict.REFUSED
        return Verdict.OK if self.source == self.rewritten else Verdict.REWRITTEN

    @property
    def errors(self) -> list[Problem]:
        """Why it is refused."""
        return [one for one in self.problems if one.severity is Severity.ERROR]

    @property
    def left(self) -> list[Problem]:
        """What is deprecated and cannot be replaced by another name."""
        return [one for one in self.problems if one.severity is Severity.DEPRECATION]

    @property
    def diff(self) -> str:
        """How the text changes."""
        before, after = (text.splitlines(keepends=True) for text in (self.source, self.rewritten))
        return "".join(unified_diff(before, after, self.name, self.name))


def check_files(paths: Iterable[Path], reading: FlowReading) -> Iterator[tuple[Path, CheckedText]]:
    """Yield files with what is to be said of their flows; files that include others are not rewritten."""
    for file in dict.fromkeys(flow_files(paths)):
        source, whole = text_of(file), expanded(file)
        yield file, _checked(str(file), whole, reading, rewrite=source == whole)


def check_origin(origin: Origin, reading: FlowReading) -> Iterator[CheckedText]:
    """Yield what is to be said of the flows of a server."""
    for namespace, flow_id in origin.flows():
        yield _checked(f"{namespace}.{flow_id}", origin.source(namespace, flow_id), reading, rewrite=True)


def _checked(name: str, source: str, reading: FlowReading, *, rewrite: bool) -> CheckedText:
    problems = _problems(source, reading)
    if rewrite and any(one.rename for one in problems):
        text = renamed(source, problems)
        remaining = _problems(text, reading)
        # A text that is not understood is better left alone.
        if _errors(remaining) <= _errors(problems):
            return CheckedText(name, source, text, remaining)
    return CheckedText(name, source, source, problems)


def _problems(text: str, reading: FlowReading) -> list[Problem]:
    found: list[Problem] = []
    for document, line in split_documents(text) or [(text, 1)]:
        parsed = parse_flow(document, reading.registry, defaults=reading.defaults, first_line=line)
        found += () if is_suite(parsed.data) else parsed.problems
    return found


def _errors(problems: Iterable[Problem]) -> int:
    return sum(one.severity is Severity.ERROR for one in problems)
