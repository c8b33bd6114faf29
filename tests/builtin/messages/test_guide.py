"""What the guides show is valid."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from penstock.model.flow import parse_flow
from penstock.model.registry import TypeRegistry
from penstock.wiring.plugins import builtin_types

GUIDES = Path(__file__).parents[3] / "docs" / "guides"
TEXT = "".join(
    (GUIDES / name).read_text() for name in ("aws.md", "data.md", "google-cloud.md", "messages.md", "notifications.md")
)
REGISTRY = TypeRegistry(builtin_types())
FLOWS = re.findall(r"^```yaml\n(id: .*?)^```", TEXT, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("text", FLOWS, ids=lambda text: text.partition("\n")[0])
def test_flow_of_a_guide_is_valid(text: str) -> None:
    """ENG-312."""
    assert [str(problem) for problem in parse_flow(text, REGISTRY).problems] == []
