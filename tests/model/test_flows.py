"""Whole flows as fixtures: valid ones have no problems, invalid ones exactly those written beside them."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.engine.resolve import resolve
from penstock.model.flow import parse_flow, read_flow
from penstock.model.registry import TypeRegistry
from penstock.wiring.plugins import builtin_types

FLOWS = Path(__file__).parents[1] / "flows"
VALID = sorted((FLOWS / "valid").glob("*.yaml"))
INVALID = sorted((FLOWS / "invalid").glob("*.yaml"))


@pytest.fixture(scope="module")
def builtins() -> TypeRegistry:
    return TypeRegistry(builtin_types())


@pytest.mark.parametrize("file", VALID, ids=lambda file: file.stem)
def test_valid_flow_parsed_has_no_problems_and_resolves(file: Path, builtins: TypeRegistry) -> None:
    """Implements ENG-001, ENG-002."""
    source = file.read_text()
    parsed = read_flow(source, builtins)
    assert [str(problem) for problem in parsed.problems] == []
    assert parsed.source == source
    assert resolve(parsed, builtins, tenant="main", revision=1).tasks


@pytest.mark.parametrize("file", INVALID, ids=lambda file: file.stem)
def test_invalid_flow_parsed_has_the_problems_written_beside_it(file: Path, builtins: TypeRegistry) -> None:
    """Implements BEY-033, EXP-009, EXP-042, MIG-010, MIG-025."""
    parsed = parse_flow(file.read_text(), builtins)
    found = [f"{problem.severity}: {problem}" for problem in parsed.problems]
    assert found == file.with_suffix(".problems").read_text().splitlines()
