"""Test suites of flows as written. Implements GOV-317, GOV-318, GOV-321 to GOV-324, GOV-326, GOV-327, API-047."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import AliasChoices, Field, field_validator

from penstock.model.base import ID_PATTERN, NAMESPACE_PATTERN, FlowModel
from penstock.model.complaints import Complaint
from penstock.model.definitions import make_model
from penstock.model.problems import Problem, Severity, path_text
from penstock.model.wanted import Wanted, settle
from penstock.model.yaml import YamlDocument, read_yaml

CASE_TYPE = "io.kestra.core.tests.flow.UnitTest"
OPERATORS = (
    *("isNotNull", "isNull", "equalTo", "notEqualTo", "endsWith", "startsWith", "contains"),
    *("greaterThan", "greaterThanOrEqualTo", "lessThan", "lessThanOrEqualTo", "in", "notIn"),
)
"""What an assertion may ask of its value (GOV-327)."""

EndState = Literal["SUCCESS", "WARNING", "FAILED", "KILLED", "CANCELLED", "SKIPPED"]


class AssertionDocument(FlowModel):
    """What must hold after the run: one value, and one or more operators."""

    value: Any = Field(description="An expression over `outputs`, `inputs`, `trigger`, `tasks`, `execution`, `logs`.")
    task_id: str | None = Field(None, description="See the value as this task sees it.")
    error_message: str | None = Field(None, description="What is told when it does not hold.")
    description: str | None = None
    is_not_null: bool | None = None
    is_null: bool | None = None
    equal_to: Any = Field(None, validation_alias=AliasChoices("equalTo", "equalsTo"))
    not_equal_to: Any = None
    ends_with: Any = None
    starts_with: Any = None
    contains: Any = None
    greater_than: Any = None
    greater_than_or_equal_to: Any = None
    less_than: Any = None
    less_than_or_equal_to: Any = None
    in_: list[Any] | None = Field(None, alias="in")
    not_in: list[Any] | None = None

    def expected(self) -> dict[str, Any]:
        """Return the operators given, with what they expect."""
        names = {field.alias or "equalTo": name for name, field in AssertionDocument.model_fields.items()}
        return {one: getattr(self, names[one]) for one in OPERATORS if names[one] in self.model_fields_set}


class TaskFixtureDocument(FlowModel):
    """A task that does not run."""

    id: str = Field(pattern=ID_PATTERN, description="The task.")
    description: str | None = None
    state: EndState = "SUCCESS"
    outputs: dict[str, Any] = Field(default_factory=dict, description="They may hold expressions.")
    value: str | None = Field(None, description="In a loop, only for this value.")
    assets: list[Any] | None = None

    @field_validator("outputs", mode="before")
    @classmethod
    def _empty(cls, value: Any) -> Any:
        return {} if value is None else value


class TriggerFixtureDocument(FlowModel):
    """A trigger that seems to have started the flow."""

    id: str = Field(pattern=ID_PATTERN)
    type: str
    variables: dict[str, Any] = Field(default_factory=dict)


class FixturesDocument(FlowModel):
    """What stands in for the real thing."""

    inputs: dict[str, Any] = Field(default_factory=dict)
    files: dict[str, str] = Field(default_factory=dict, description="Contents by file name.")
    tasks: list[TaskFixtureDocument] = Field(default_factory=list)
    trigger: TriggerFixtureDocument | None = Field(None, validation_alias=AliasChoices("trigger", "triggers"))

    @field_validator("trigger", mode="before")
    @classmethod
    def _first(cls, value: Any) -> Any:
        return value[0] if isinstance(value, list) and len(value) == 1 else value


class CaseDocument(FlowModel):
    """One run of the flow, and what must hold after it."""

    id: str = Field(pattern=ID_PATTERN, description="Unique within the suite.")
    type: Literal["io.kestra.core.tests.flow.UnitTest"]
    disabled: bool = False
    description: str | None = None
    fixtures: FixturesDocument = Field(default_factory=FixturesDocument)
    assertions: list[AssertionDocument] = Field(min_length=1)

    @field_validator("fixtures", mode="before")
    @classmethod
    def _empty(cls, value: Any) -> Any:
        return {} if value is None else value


class SuiteDocument(FlowModel):
    """Tests of one flow."""

    id: str = Field(pattern=ID_PATTERN, description="Unique within the namespace.")
    namespace: str = Field(pattern=NAMESPACE_PATTERN, description="That of the flow.")
    flow_id: str = Field(pattern=ID_PATTERN, description="The flow that is tested.")
    description: str | None = None
    disabled: bool = False
    deleted: bool = Field(False, description="Maintained by the server.")
    test_cases: list[CaseDocument] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class ParsedSuite:
    """A test suite that has been read."""

    source: str
    document: SuiteDocument | None
    """None when there are errors."""
    problems: tuple[Problem, ...]
    data: Mapping[str, Any]
    """What the text says, as far as it is a map."""


def is_suite(data: Any) -> bool:
    """Return whether a document is a test suite rather than a flow."""
    return isinstance(data, Mapping) and "testCases" in data


def parse_suite(source: str, *, first_line: int = 1) -> ParsedSuite:
    """Return what a test suite says and every problem in it."""
    yaml = read_yaml(source, first_line)
    problems = list(yaml.problems)
    if not isinstance(yaml.data, dict):
        problems = problems or [Problem(Severity.ERROR, "", "a test suite is a map", "", first_line, 1)]
        return ParsedSuite(source, None, tuple(problems), {})
    data = settle(yaml.data, Wanted(model=SuiteDocument))
    document, wrong = make_model(SuiteDocument, data)
    if isinstance(document, SuiteDocument):
        wrong = [*_duplicates(document), *_without_operators(document)]
    problems += [_problem(yaml, complaint) for complaint in wrong]
    problems.sort(key=lambda problem: (problem.line, problem.column))
    return ParsedSuite(source, None if problems else document, tuple(problems), data)


def _duplicates(suite: SuiteDocument) -> list[Complaint]:
    seen: set[str] = set()
    found = []
    for index, case in enumerate(suite.test_cases):
        if case.id in seen:
            path = ("testCases", index, "id")
            found.append(Complaint(path, f"a test case `{case.id}` exists already", "ids are unique within the suite"))
        seen.add(case.id)
    return found


def _without_operators(suite: SuiteDocument) -> list[Complaint]:
    return [
        Complaint(
            ("testCases", index, "assertions", number), "the assertion asks for nothing", f"add {', '.join(OPERATORS)}"
        )
        for index, case in enumerate(suite.test_cases)
        for number, assertion in enumerate(case.assertions)
        if not assertion.expected()
    ]


def _problem(yaml: YamlDocument, complaint: Complaint) -> Problem:
    place = yaml.position(complaint.path)
    return Problem(
        Severity.ERROR,
        path_text(complaint.path),
        complaint.message,
        complaint.hint,
        place.line,
        place.column,
        complaint.code,
    )
