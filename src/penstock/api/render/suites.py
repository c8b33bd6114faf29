"""Test suites and how they went as JSON.

Implements API-047.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penstock.api.render.instants import iso
from penstock.api.settings import ApiSettings
from penstock.model.suites import CASE_TYPE
from penstock.ports.suite_results import KeptResult
from penstock.services.unit_tests import StoredSuite

_ASSERTION = {
    "value": "value",
    "operator": "operator",
    "expected": "expected",
    "actual": "actual",
    "is_success": "isSuccess",
    "task_id": "taskId",
    "description": "description",
    "error_message": "errorMessage",
}
_ALWAYS = frozenset({"operator", "expected", "actual", "is_success"})


def render_suite(suite: StoredSuite) -> dict[str, Any]:
    """Return a test suite as written, and its source."""
    return {
        **suite.data,
        "disabled": suite.document.disabled,
        "deleted": False,
        "source": suite.source,
        "updated": iso(suite.updated),
    }


def render_result(result: KeptResult, settings: ApiSettings) -> dict[str, Any]:
    """Return how a test suite went."""
    return {
        "id": result.id,
        "testSuiteId": result.suite_id,
        "namespace": result.namespace,
        "flowId": result.flow_id,
        "state": result.state,
        "startDate": iso(result.started),
        "endDate": iso(result.ended),
        "results": [_case(result, case, settings) for case in result.cases],
    }


def _case(result: KeptResult, case: Mapping[str, Any], settings: ApiSettings) -> dict[str, Any]:
    body: dict[str, Any] = {
        "testId": case["testId"],
        "testType": CASE_TYPE,
        "state": case["state"],
        "assertionResults": [_assertion(one) for one in case["assertionResults"]],
        "errors": [{"message": message} for message in case["errors"]],
    }
    if execution := case["executionId"]:
        body["executionId"] = execution
        body["url"] = settings.execution_url(result.namespace, result.flow_id, execution)
    return body


def _assertion(told: Mapping[str, Any]) -> dict[str, Any]:
    # Results of earlier versions do not tell everything.
    return {name: told.get(key) for key, name in _ASSERTION.items() if key in _ALWAYS or told.get(key) is not None}
