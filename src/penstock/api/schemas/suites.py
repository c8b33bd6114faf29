"""Test suites and how they went."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from penstock.api.schemas.base import Shape

State = Literal["ERROR", "FAILED", "SUCCESS", "SKIPPED"]


class TestSuite(Shape):
    """A test suite as written, and its source."""

    id: str
    namespace: str
    flow_id: str
    description: str | None = None
    disabled: bool
    deleted: bool
    test_cases: list[dict[str, Any]]
    source: str
    updated: datetime


class PagedTestSuites(Shape):
    """A page of test suites."""

    results: list[TestSuite]
    total: int


class AssertionOutcome(Shape):
    """One operator of one assertion."""

    value: str | None = None
    operator: str
    expected: Any
    actual: Any
    is_success: bool
    task_id: str | None = None
    description: str | None = None
    error_message: str | None = None


class CaseError(Shape):
    """Why a case could not be carried out."""

    message: str


class CaseRun(Shape):
    """How a test case went."""

    test_id: str
    test_type: str
    execution_id: str | None = None
    url: str | None = None
    state: State
    assertion_results: list[AssertionOutcome]
    errors: list[CaseError]


class SuiteRun(Shape):
    """How a test suite went."""

    id: str
    test_suite_id: str
    namespace: str
    flow_id: str
    state: State
    start_date: datetime
    end_date: datetime
    results: list[CaseRun]


class PagedSuiteRuns(Shape):
    """A page of how test suites went."""

    results: list[SuiteRun]
    total: int


class LastSuiteRuns(Shape):
    """How some test suites went the last time."""

    results: list[SuiteRun]


class SuiteName(Shape):
    """A test suite by name."""

    namespace: str
    id: str


class SuiteNames(Shape):
    """Several test suites by name."""

    ids: list[SuiteName] = Field(min_length=1)


class LastSuiteQuery(Shape):
    """Of which test suites the last result is wanted."""

    test_suite_ids: list[SuiteName] | None = None


class ChosenCases(Shape):
    """The cases of a test suite that are to run; all without any."""

    test_cases: list[str] | None = None


class SuiteQuery(Shape):
    """Which test suites are to run: those of a namespace, of a flow, or all."""

    namespace: str | None = None
    flow_id: str | None = None
    include_child_namespaces: bool = True


class SuiteRuns(Shape):
    """How the test suites of a query went."""

    request_made: SuiteQuery
    tenant_id: str
    number_of_test_suites_to_be_run: int
    number_of_test_cases_to_be_run: int
    results: list[SuiteRun]
