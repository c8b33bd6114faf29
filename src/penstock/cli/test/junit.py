"""Results as JUnit XML, which build servers read. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from penstock.base.clock import to_iso
from penstock.services.unit_tests import CaseResult, SuiteResult, Verdict

_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML cannot hold, whatever the escape."""


def junit(results: Sequence[SuiteResult]) -> str:
    """Return the document of all suites."""
    root = ET.Element("testsuites")
    for result in results:
        suite = ET.SubElement(root, "testsuite", name=f"{result.namespace}.{result.suite_id}")
        suite.set("tests", str(len(result.cases)))
        for name, verdict in (("failures", "FAILED"), ("errors", "ERROR"), ("skipped", "SKIPPED")):
            suite.set(name, str(sum(case.verdict == verdict for case in result.cases)))
        suite.set("time", f"{(result.ended - result.started) / 1e6:.3f}")
        suite.set("timestamp", to_iso(result.started))
        for case in result.cases:
            _add(suite, result, case)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _add(suite: ET.Element, result: SuiteResult, case: CaseResult) -> None:
    name = f"{result.namespace}.{result.suite_id}"
    element = ET.SubElement(suite, "testcase", classname=name, name=case.case_id, time=f"{case.duration / 1e6:.3f}")
    if case.verdict is Verdict.SKIPPED:
        ET.SubElement(element, "skipped")
    elif case.verdict is Verdict.ERROR:
        _tell(element, "error", list(case.errors))
    elif case.verdict is Verdict.FAILED:
        _tell(element, "failure", failures(case))
    if case.logs:
        lines = [f"{to_iso(line.date)} {line.level} [{line.task_id or ''}] {line.message}" for line in case.logs]
        ET.SubElement(element, "system-out").text = _legal("\n".join(lines))


def _tell(element: ET.Element, kind: str, lines: list[str]) -> None:
    ET.SubElement(element, kind, message=_legal(lines[0] if lines else "")).text = _legal("\n".join(lines))


def failures(case: CaseResult) -> list[str]:
    """Return what did not hold, a line each."""
    found = []
    for one in case.assertions:
        if not one.is_success:
            text = f"{one.description or one.operator}: expected {one.operator} {one.expected!r}, got {one.actual!r}"
            found.append(f"{text} ({one.error_message})" if one.error_message else text)
    return found


def _legal(text: str) -> str:
    return _ILLEGAL.sub("\ufffd", text)
