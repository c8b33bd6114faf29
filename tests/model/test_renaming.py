"""Older names in flows are replaced where they stand."""

from __future__ import annotations

from penstock.model.parsing import parse_flow
from penstock.model.problems import Severity
from penstock.model.registry import TypeRegistry
from penstock.model.renaming import renamed

OLDER = """# kept: test.old.Return
id: older
namespace: team
taskDefaults: # kept too
  - type: test.old.Return
    values: {format: x}
inputs:
  - {id: sure, type: BOOLEAN}
tasks:
  - {type: "test.old.Return", id: test-old, format: type of test.old.Return}
  - id: image
    type: test.Script
    containerImage: image
    script: containerImage
"""


def test_older_names_are_replaced_and_all_else_stays(registry: TypeRegistry) -> None:
    """BEY-051."""
    text = renamed(OLDER, parse_flow(OLDER, registry).problems)
    assert text == (
        OLDER.replace("taskDefaults", "pluginDefaults")
        .replace("- type: test.old.Return", "- type: test.Return")
        .replace('{type: "test.old.Return"', '{type: "test.Return"')
        .replace("BOOLEAN", "BOOL")
        .replace("containerImage: image", "image: image")
    )
    assert not [one for one in parse_flow(text, registry).problems if one.severity is Severity.DEPRECATION]
    assert renamed(text, parse_flow(text, registry).problems) == text
