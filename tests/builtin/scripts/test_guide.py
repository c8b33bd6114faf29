"""The flows of the guide are flows."""

import re
from pathlib import Path

import pytest

from penstock.model.flow import parse_flow
from penstock.model.registry import TypeRegistry
from penstock.wiring.plugins import builtin_types

GUIDE = Path(__file__).parents[3] / "docs" / "guides" / "scripts.md"
REGISTRY = TypeRegistry(builtin_types())
FLOWS = re.findall(r"^```yaml\n(.*?)^```", GUIDE.read_text(), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("text", FLOWS, ids=lambda text: text.partition("\n")[0])
def test_flow_of_the_guide_is_valid(text: str) -> None:
    assert [str(problem) for problem in parse_flow(text, REGISTRY).problems] == []
