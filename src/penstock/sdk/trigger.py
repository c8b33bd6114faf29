"""Triggers and conditions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field, model_validator

from penstock.engine.states import StateType
from penstock.model.base import ID_PATTERN
from penstock.model.markers import Literally
from penstock.model.policies import LogLevel, WorkerGroup
from penstock.model.registry import TypeKind
from penstock.sdk.task import ConditionList, PluginModel

EXPRESSION = "io.kestra.plugin.core.condition.Expression"
"""The condition that an expression alone is."""


class ConditionBase(PluginModel):
    """Base of conditions (PLG-037)."""

    type_name: ClassVar[str] = ""
    type_aliases: ClassVar[tuple[str, ...]] = ()
    type_kind: ClassVar[TypeKind] = TypeKind.CONDITION
    remembers: ClassVar[bool] = False
    """Whether a trigger remembers which parts of it executions have met, one after the other."""

    type: str = Field(description="The type of the condition.")


class TriggerBase(PluginModel):
    """Properties every trigger has (ENG-259, API-034)."""

    type_name: ClassVar[str] = ""
    type_aliases: ClassVar[tuple[str, ...]] = ()
    type_kind: ClassVar[TypeKind] = TypeKind.TRIGGER

    variable_names: ClassVar[frozenset[str] | None] = None
    """What `trigger` holds in expressions; None when that depends. References are checked against it."""

    id: str = Field(pattern=ID_PATTERN, description="Unique within the flow.")
    type: str = Field(description="The type of the trigger.")
    description: Annotated[str | None, Literally()] = Field(None, description="What the trigger is for; Markdown.")
    disabled: bool = Field(False, description="The trigger creates no executions.")
    allow_concurrent: bool = Field(False, description="Start again while an execution of this trigger still runs.")
    conditions: ConditionList | None = Field(None, description="All must hold for the trigger to start the flow.")
    when: str | None = Field(None, description="An expression that must hold as well; the 2.0 spelling (BEY-050).")
    inputs: dict[str, Any] | None = Field(None, description="Values for the flow's inputs.")
    labels: Any = None
    stop_after: list[StateType] | None = Field(
        None, description="Disable the trigger after an execution ended in one of these states."
    )
    fail_on_trigger_error: bool = False
    worker_group: WorkerGroup | None = None
    log_level: LogLevel | None = None
    log_to_file: bool = Field(
        False, description="Keep the log of a look as a file of the execution it starts; of triggers that poll."
    )
    version: str | None = None
    assets: dict[str, Any] | None = None
    policy_refs: list[str] | None = Field(None, description="A property of 2.0; has no effect.")

    @model_validator(mode="before")
    @classmethod
    def _take_when(cls, data: Any) -> Any:
        """Let `when` be one of the conditions, so that whoever asks those need not know of it."""
        if not isinstance(data, Mapping) or data.get("when") is None:
            return data
        condition = {"type": EXPRESSION, "expression": data["when"]}
        return {**data, "conditions": [*(data.get("conditions") or ()), condition]}


class TaskRunnerBase(PluginModel):
    """Base of task runners: where a script's commands run (SCR-050)."""

    type_name: ClassVar[str] = ""
    type_aliases: ClassVar[tuple[str, ...]] = ()
    type_kind: ClassVar[TypeKind] = TypeKind.TASK_RUNNER

    type: str = Field(description="The type of the task runner.")
    version: str | None = None
