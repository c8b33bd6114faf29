"""The lint of plugins finds what it is there to find."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock.model.registry import TypeEntry
from penstock.model.schema import type_schema
from penstock.testing.plugin import PluginContract

TYPES = """
from typing import Annotated
from pydantic import Field
from penstock.sdk import MetricNote, Property, RunContext, Task, task

class Bare(Task):
    type_name = "org.example.Bare"
    text: Property[str] = Field(description="A text.")

    def run(self, context: RunContext) -> None:
        context.counter("characters", 1)

class Whole(Task):
    type_name = "org.example.Whole"
    type_metrics = (MetricNote("characters", "counter", "How many there were."),)
    text: Property[str] = Field(description="A text.", json_schema_extra={"group": "main"})

    def run(self, context: RunContext) -> None:
        context.counter("characters", 1)

@task("org.example.Count", metrics=(MetricNote("words", "counter"),))
def count(
    text: Annotated[str, Field(description="A text.", json_schema_extra={"group": "main"})], context: RunContext
) -> int:
    context.timer("waited", 1.0)
    return 1
"""
FLOW = "id: a\nnamespace: b\ntasks:\n  - {id: w, type: org.example.Whole, text: x}\n"


@pytest.fixture
def found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "linted_types.py").write_text(TYPES)
    yield vars(importlib.import_module("linted_types"))
    del sys.modules["linted_types"]


def contract(*types: Any) -> PluginContract:
    return type("Contract", (PluginContract,), {"types": types, "__module__": "linted_types"})()


def test_property_without_a_group_is_named(found: dict[str, Any]) -> None:
    """PLG-057, PLG-046."""
    contract(found["Whole"], found["count"]).test_types_put_each_property_into_a_group()
    with pytest.raises(AssertionError, match="set json_schema_extra to a group") as failure:
        contract(found["Bare"]).test_types_put_each_property_into_a_group()
    assert "org.example.Bare: text" in str(failure.value)
    entry = TypeEntry.of(found["count"].task_type)
    assert type_schema(entry)["properties"]["properties"]["text"]["group"] == "main"


def test_metric_that_is_not_told_of_is_named(found: dict[str, Any]) -> None:
    """PLG-057, PLG-045."""
    contract(found["Whole"]).test_types_tell_of_each_metric_they_record()
    with pytest.raises(AssertionError, match=r"org\.example\.Bare: characters"):
        contract(found["Bare"]).test_types_tell_of_each_metric_they_record()
    with pytest.raises(AssertionError, match=r"org\.example\.Count: waited"):
        contract(found["count"]).test_types_tell_of_each_metric_they_record()


def test_metric_without_a_description_is_named(found: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """PLG-057."""
    monkeypatch.setattr("penstock.testing.plugin._recorded", lambda cls: set())
    with pytest.raises(AssertionError, match=r"org\.example\.Count: words"):
        contract(found["count"]).test_types_tell_of_each_metric_they_record()


def test_repository_without_a_read_me_or_a_flow_does_not_pass(found: dict[str, Any], tmp_path: Path) -> None:
    """PLG-057."""
    checks = contract(found["Whole"])
    with pytest.raises(AssertionError, match=r"no pyproject\.toml"):
        checks.test_repository_has_a_read_me_and_flows_with_the_types()
    (tmp_path / "pyproject.toml").touch()
    with pytest.raises(AssertionError, match=r"add README\.md"):
        checks.test_repository_has_a_read_me_and_flows_with_the_types()
    (tmp_path / "README.md").touch()
    with pytest.raises(AssertionError, match="let a flow in tests/flows use them"):
        checks.test_repository_has_a_read_me_and_flows_with_the_types()
    flows = tmp_path / "tests" / "flows"
    flows.mkdir(parents=True)
    (flows / "sanity.yaml").write_text(FLOW)
    checks.test_repository_has_a_read_me_and_flows_with_the_types()
    (flows / "wrong.yaml").write_text(FLOW.replace("text: x", "txt: x"))
    with pytest.raises(AssertionError, match="txt"):
        checks.test_repository_has_a_read_me_and_flows_with_the_types()
