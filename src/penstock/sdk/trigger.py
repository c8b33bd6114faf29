"""Triggers and conditions."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from penstock.sdk.task import PluginModel, WorkerGroup


class ConditionBase(PluginModel):
    """Base of conditions (PLG-037)."""

    type_name: ClassVar[str] = ""
    type_aliases: ClassVar[tuple[str, ...]] = ()
    type: str


class TriggerBase(PluginModel):
    """Properties every trigger has (ENG-259, API-034)."""

    type_name: ClassVar[str] = ""
    type_aliases: ClassVar[tuple[str, ...]] = ()

    id: str = Field(description="Unique within the flow.")
    type: str
    description: str | None = None
    disabled: bool = Field(False, description="The trigger creates no executions.")
    allow_concurrent: bool = Field(False, description="Start again while an execution of this trigger still runs.")
    conditions: list[dict[str, Any]] | None = Field(None, description="All must hold for the trigger to start the flow.")
    inputs: dict[str, Any] | None = Field(None, description="Values for the flow's inputs.")
    labels: Any = None
    stop_after: list[str] | None = Field(None, description="Disable the trigger after an execution ended in one of these states.")
    fail_on_trigger_error: bool = False
    worker_group: WorkerGroup | None = None
    log_level: str | None = None
    log_to_file: bool = False
    version: str | None = None
    assets: dict[str, Any] | None = None


class TaskRunnerBase(PluginModel):
    """Base of task runners: where a script's commands run (SCR-050)."""

    type_name: ClassVar[str] = ""
    type_aliases: ClassVar[tuple[str, ...]] = ()
    type: str
    version: str | None = None
