"""The code of the guide for plugin authors does what the guide says."""

from __future__ import annotations

import re
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from penstock.testing.flows import run_flow

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guides" / "plugins.md"
FUNCTION, CLASS, TESTS = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)


def module(name: str, *codes: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    made = types.ModuleType(name)
    monkeypatch.setitem(sys.modules, name, made)
    for code in codes:
        exec(compile(code, str(GUIDE), "exec", dont_inherit=True), made.__dict__)
    return made.__dict__


def test_guide_function_is_a_task(monkeypatch: pytest.MonkeyPatch) -> None:
    """PLG-012."""
    found = module("guide_function", FUNCTION, monkeypatch=monkeypatch)
    flow = "id: a\nnamespace: b\ntasks: [{id: r, type: com.acme.weather.Reverse, text: abc}]"
    assert run_flow(flow, types=[found["reverse"]]).outputs_of("r") == {"value": "cba"}


def test_guide_tests_of_the_class_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """PLG-004, PLG-012, PLG-053, PLG-054."""
    found = module("guide_class", CLASS, TESTS, monkeypatch=monkeypatch)
    found["test_reverse_by_itself"]()
    found["test_reverse_in_a_flow"]()


def test_guide_class_without_an_example_does_not_pass_the_contract(monkeypatch: pytest.MonkeyPatch) -> None:
    """PLG-057."""
    contract = module("guide_class", CLASS, TESTS, monkeypatch=monkeypatch)["TestTypes"]()
    contract.test_types_have_a_schema()
    contract.test_types_describe_each_property()
    with pytest.raises(AssertionError, match="has no example"):
        contract.test_types_have_an_example_and_each_is_a_valid_flow()
