"""Unit tests of flows: run a flow with stand-ins, and check what came of it."""

from penstock.services.unit_tests.recording import SuiteRecorder
from penstock.services.unit_tests.results import AssertionResult, CaseResult, SuiteResult, Verdict
from penstock.services.unit_tests.service import UnitTests
from penstock.services.unit_tests.stored import StoredSuite, SuiteService

__all__ = [
    "AssertionResult",
    "CaseResult",
    "StoredSuite",
    "SuiteRecorder",
    "SuiteResult",
    "SuiteService",
    "UnitTests",
    "Verdict",
]
