"""What the guide shows works."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from penstock.model.flow import parse_flow
from penstock.model.registry import TypeRegistry
from penstock.testing.run_context import RunContextFactory
from penstock.wiring.plugins import builtin_types

GUIDE = (Path(__file__).parents[3] / "docs" / "guides" / "event-triggers.md").read_text()
REGISTRY = TypeRegistry(builtin_types())
FLOWS = re.findall(r"^```yaml\n(.*?)^```", GUIDE, re.DOTALL | re.MULTILINE)
(PYTHON,) = re.findall(r"^```python\n(.*?)^```", GUIDE, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("text", FLOWS, ids=lambda text: text.partition("\n")[0])
def test_flow_of_the_guide_is_valid(text: str) -> None:
    assert [str(problem) for problem in parse_flow(text, REGISTRY).problems] == []


def test_trigger_of_the_guide_finds_events(contexts: RunContextFactory) -> None:
    """ENG-307."""
    moved: list[str] = []
    names: dict[str, Any] = {"list_folder": lambda folder: [f"{folder}/a"], "move_away": moved.extend}
    exec(compile(PYTHON, "guide", "exec", dont_inherit=True), names)
    trigger = names["NewFiles"].model_validate({"id": "new", "type": "org.example.NewFiles", "folder": "{{ folder }}"})
    event = trigger.poll(contexts.of({"folder": "in"}))
    assert (event.variables, event.key) == ({"names": ["in/a"]}, "in/a")
    event.acknowledge()
    assert moved == ["in/a"]
