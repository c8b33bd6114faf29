"""Triggers, their backfills and what they wait for."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel

from penstock.api.schemas.base import Label, Shape
from penstock.api.schemas.flows import TriggerDefinition
from penstock.api.schemas.switches import Switch


class Trigger(Shape):
    """The state of a trigger."""

    namespace: str
    flow_id: str
    trigger_id: str
    date: datetime
    next_execution_date: datetime | None = None
    disabled: bool | None = None
    execution_id: str | None = None
    backfill: dict[str, Any] | None = None
    updated_date: datetime | None = None
    evaluate_running_date: datetime | None = None
    failures: int | None = None
    late_since: datetime | None = Field(None, description="The date it should have fired at, when that has passed.")
    error: str | None = None
    switch: Switch | None = Field(None, description="What people say of it on this instance.")
    held_by_flow: bool | None = Field(None, description="Whether it fires nothing: its flow is disabled or paused.")
    flow_switch: Switch | None = Field(None, description="What people say of that flow on this instance.")


class Precondition(Shape):
    """One of all that a trigger waits for."""

    id: str
    wanted: dict[str, Any]
    met: bool
    execution_id: str | None = None
    date: datetime | None = None
    until: datetime | None = None


class WaitingStart(Shape):
    """A start for which all is met, and that waits for the end of the running execution."""

    execution_id: str
    state: str
    date: datetime


class TriggerPreconditions(Shape):
    """What a trigger on other flows waits for."""

    namespace: str
    flow_id: str
    trigger_id: str
    preconditions: list[Precondition]
    waiting: list[WaitingStart]
    execution_id: str | None = None


class TriggerRow(Shape):
    """A trigger of a list: its definition and its state."""

    abstract_trigger: TriggerDefinition | None = None
    trigger_context: Trigger


class PagedTriggerRows(Shape):
    """A page of triggers."""

    results: list[TriggerRow]
    total: int


class PagedTriggers(Shape):
    """A page of states of triggers."""

    results: list[Trigger]
    total: int


class BackfillOrder(Shape):
    """Which dates of a schedule are run again."""

    start: datetime
    end: datetime | None = Field(None, description="Now, when left out.")
    inputs: dict[str, Any] | None = None
    labels: list[Label] | None = None


class TriggerChange(Shape):
    """A trigger, and what is to change about it."""

    model_config = ConfigDict(alias_generator=to_camel, extra="allow")

    namespace: str
    flow_id: str
    trigger_id: str
    disabled: bool | None = None
    backfill: BackfillOrder | None = None


class SetDisabled(Shape):
    """Triggers that are switched off or on."""

    triggers: list[TriggerChange]
    disabled: bool
