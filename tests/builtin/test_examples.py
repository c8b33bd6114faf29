"""Every type that comes with the server shows how it is used, and what it shows is right."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml

from penstock.model.parsing import parse_flow
from penstock.model.registry import TypeEntry, TypeRegistry
from penstock.model.schema_text import examples_in
from penstock.services.plugins import documentation_of, title_of
from penstock.wiring.plugins import builtin_types

TYPES = {entry.name: entry for entry in builtin_types()}
PARTS = ("ForEachItemSplit", "ForEachItemMerge")
"""Tasks that another one brings, and that nobody writes: their examples show that one."""
LOG = {"id": "after", "type": "io.kestra.plugin.core.log.Log", "message": "done"}
COMMANDS = {"id": "job", "type": "io.kestra.plugin.scripts.shell.Commands", "commands": ["date"]}


@pytest.fixture(scope="module")
def registry() -> TypeRegistry:
    return TypeRegistry(TYPES.values())


def flow_of(code: str, entry: TypeEntry) -> dict[str, Any]:
    """Return the flow an example is a part of."""
    written = yaml.load(code, yaml.CSafeLoader)
    if isinstance(written, list):
        written = {"triggers" if entry.kind == "triggers" else "tasks": written}
    if "taskRunner" in written:
        written = {"tasks": [COMMANDS | written]}
    return {"id": "example", "namespace": "company.team", "tasks": [LOG]} | written


def test_every_type_of_the_server_has_an_example_that_is_a_valid_flow(registry: TypeRegistry) -> None:
    """UI-147, UI-148, PLG-045: titles and code that can be pasted."""
    wrong = {}
    for name, entry in TYPES.items():
        examples = examples_in(entry.cls.__doc__ or "")
        if not examples or not all(one["title"] for one in examples):
            wrong[name] = "no example, or one without a title"
        for one in examples:
            if name not in one["code"] and not name.endswith(PARTS):
                wrong[name] = "its example does not show it"
            parsed = parse_flow(json.dumps(flow_of(one["code"], entry)), registry)
            if problems := [
                (one.path, one.message) for one in parsed.problems if one.code not in ("DEPRECATED", "UNDECLARED_NAME")
            ]:
                wrong[name] = str(problems)
    assert wrong == {}


def test_documentation_of_types_names_no_requirement() -> None:
    told = [title_of(entry) + documentation_of(entry) for entry in TYPES.values()]
    assert [one for one in told if re.search(r"\b[A-Z]{3}-\d{3}\b|Implements", one)] == []
