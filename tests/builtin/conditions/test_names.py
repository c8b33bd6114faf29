"""Conditions as flows name them, of every generation."""

from __future__ import annotations

import json
from typing import Any

import pytest

from penstock.model.parsing import read_flow
from penstock.model.problems import InvalidFlow
from tests.builtin.conditions.conftest import PREFIX, REGISTRY

OLDEST = "io.kestra.core.models.conditions.types."
RENAMED = (
    "DateTimeBetween", "DayWeek", "DayWeekInMonth", "ExecutionFlow", "ExecutionLabels", "ExecutionNamespace",
    "ExecutionOutputs", "ExecutionStatus", "Expression", "HasRetryAttempt", "Not", "Or", "PublicHoliday",
    "TimeBetween", "Weekend",
)  # fmt: skip
KEPT = ("FlowCondition", "FlowNamespaceCondition", "MultipleCondition")


@pytest.mark.parametrize("name", RENAMED)
def test_every_generation_of_names_is_known(name: str) -> None:
    """ENG-273, MIG-012, MIG-020, MIG-021."""
    for spelt in (f"{PREFIX}{name}", f"{PREFIX}{name}Condition", f"{OLDEST}{name}Condition"):
        found = REGISTRY.find(spelt)
        assert found is not None, spelt
        assert found.entry.name == f"{PREFIX}{name}"


def test_names_that_kept_their_suffix_are_known() -> None:
    """MIG-020."""
    for name in KEPT:
        for spelt in (f"{PREFIX}{name}", f"{OLDEST}{name}"):
            found = REGISTRY.find(spelt)
            assert found is not None, spelt
            assert found.entry.name == f"{PREFIX}{name}"
    variable = REGISTRY.find(f"{OLDEST}VariableCondition")
    assert variable is not None
    assert variable.entry.name == f"{PREFIX}Expression"


def flow(conditions: list[dict[str, Any]]) -> str:
    trigger = {
        "id": "daily",
        "type": "io.kestra.plugin.core.trigger.Schedule",
        "cron": "0 8 * * *",
        "conditions": conditions,
    }
    log = {"id": "log", "type": "io.kestra.plugin.core.log.Log", "message": "x"}
    return json.dumps({"id": "flow", "namespace": "company.team", "tasks": [log], "triggers": [trigger]})


def test_conditions_of_a_trigger_are_checked_at_any_depth() -> None:
    """ENG-272, ENG-399."""
    weekend = {"type": f"{PREFIX}Weekend", "date": "{{ trigger.date }}"}
    multiple = {"type": f"{PREFIX}MultipleCondition", "id": "m", "conditions": {"a": weekend}}
    nested = {"type": f"{PREFIX}Or", "conditions": [weekend, {"type": f"{PREFIX}Not", "conditions": [multiple]}]}
    read_flow(flow([weekend, nested]), REGISTRY)
    for wrong in ({"type": f"{PREFIX}Weekday"}, {"type": f"{PREFIX}Weekend", "colour": "red"}):
        deep = {"type": f"{PREFIX}MultipleCondition", "id": "m", "conditions": {"a": wrong}}
        for conditions in ([wrong], [{"type": f"{PREFIX}Not", "conditions": [deep]}]):
            with pytest.raises(InvalidFlow, match=r"Weekday|colour"):
                read_flow(flow(conditions), REGISTRY)
