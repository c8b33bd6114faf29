"""How tests of flows went. Implements GOV-328, API-047 (results)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from penstock.base.clock import Instant, Micros
from penstock.engine.records import LogLine


class Verdict(StrEnum):
    """The outcome of a test case or a suite, worst first."""

    ERROR = "ERROR"
    """It could not be carried out."""
    FAILED = "FAILED"
    SUCCESS = "SUCCESS"
    SKIPPED = "SKIPPED"


@dataclass(frozen=True, slots=True)
class AssertionResult:
    """One operator of one assertion."""

    operator: str
    expected: Any
    actual: Any
    is_success: bool
    task_id: str | None = None
    description: str | None = None
    error_message: str | None = None
    value: str | None = None
    """What was looked at, as it is written."""


@dataclass(frozen=True, slots=True)
class CaseResult:
    """One test case."""

    case_id: str
    verdict: Verdict
    assertions: Sequence[AssertionResult] = ()
    errors: Sequence[str] = ()
    """Why it could not be carried out."""
    execution_id: str | None = None
    execution_state: str | None = None
    logs: Sequence[LogLine] = ()
    duration: Micros = 0


@dataclass(frozen=True, slots=True)
class SuiteResult:
    """All test cases of a suite."""

    id: str
    suite_id: str
    namespace: str
    flow_id: str
    started: Instant
    ended: Instant
    cases: Sequence[CaseResult]

    @property
    def verdict(self) -> Verdict:
        """The worst of the cases' verdicts; SKIPPED when none ran."""
        verdicts = {case.verdict for case in self.cases}
        return next((one for one in Verdict if one in verdicts), Verdict.SKIPPED)
