"""Conditions made from definitions by the registry, as a trigger makes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import pytest

from penstock.expressions import render
from penstock.sdk.condition import Condition, ConditionContext, ExecutionFacts, FlowFacts
from penstock.wiring.plugins import load_plugins

REGISTRY = load_plugins().registry
PREFIX = "io.kestra.plugin.core.condition."


def make(definition: Mapping[str, Any]) -> Condition:
    found = REGISTRY.find(definition["type"])
    assert found is not None, definition["type"]
    condition: Any = found.entry.cls.model_validate(definition)
    return condition  # type: ignore[no-any-return]


def context_of(
    *,
    execution: ExecutionFacts | None = None,
    date: str | None = None,
    variables: Mapping[str, Any] | None = None,
) -> ConditionContext:
    """Return a context of flow company.team.flow whose templates see these variables."""

    def renderer(template: str, extra: Mapping[str, Any]) -> str:
        return render(template, {**(variables or {}), **extra})

    return ConditionContext(
        flow=FlowFacts("company.team", "flow"),
        make=make,
        renderer=renderer,
        execution=execution,
        date=datetime.fromisoformat(date) if date else None,
    )


Ask = Callable[..., bool]


@pytest.fixture
def holds() -> Ask:
    """Return what asks a condition, given by its short name and its properties."""

    def ask(name: str, context: ConditionContext, **properties: Any) -> bool:
        return make({"type": f"{PREFIX}{name}", **properties}).test(context)

    return ask
