"""The flow as written. Implements ENG-001, ENG-002.

Tasks and triggers stay definitions here: what they may hold is their types' business, see `penstock.model.definitions`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field

from penstock.model.base import ID_PATTERN, NAMESPACE_PATTERN, FlowModel
from penstock.model.defaults import PluginDefaults
from penstock.model.input_types import Input, TypeName
from penstock.model.markers import ChildTasks, InputDefinitions, Literally, Typed
from penstock.model.policies import Check, Concurrency, Idempotency, Sla, WorkerGroup
from penstock.model.registry import TypeKind
from penstock.model.retry import Retry

RESERVED_FLOW_IDS = frozenset(
    ("pause", "resume", "force-run", "change-status", "kill", "executions", "search", "source", "disable", "enable")
)
"""They would collide with addresses of the API (API-012, MIG-057)."""

Labels = tuple[tuple[str, str], ...]
Definition = dict[str, Any]
"""A task, trigger, condition or task runner as written."""


def _not_reserved(flow_id: str) -> str:
    if flow_id in RESERVED_FLOW_IDS:
        raise ValueError(f"`{flow_id}` is a word of the API and cannot name a flow; choose another id")
    return flow_id


def _pairs(value: Any) -> Any:
    """Return labels given as a map or as a list of `{key, value}` as pairs (ENG-026)."""
    if isinstance(value, Mapping):
        return tuple((key, _label(item, key)) for key, item in value.items())
    if isinstance(value, list):
        pairs = []
        for item in value:
            if not isinstance(item, Mapping) or set(item) != {"key", "value"}:
                raise ValueError("labels are a map, or a list of `key` and `value`")
            pairs.append((str(item["key"]), _label(item["value"], str(item["key"]))))
        return tuple(pairs)
    if isinstance(value, tuple):
        return value
    raise ValueError("labels are a map, or a list of `key` and `value`")


def _label(value: Any, key: str) -> str:
    if isinstance(value, Mapping | list) or value is None:
        raise ValueError(f"label `{key}` must be text")
    return str(value).lower() if isinstance(value, bool) else str(value)


class FlowOutput(FlowModel):
    """What an execution returns. Implements ENG-206."""

    id: str = Field(pattern=ID_PATTERN, description="Unique among the outputs.")
    type: TypeName | None = Field(None, description="What the value is brought to; left as rendered without it.")
    value: Any = Field(description="An expression.")
    description: str | None = None
    display_name: str | None = None
    required: bool | None = None
    item_type: TypeName | None = None


class DefaultsEntry(FlowModel):
    """Values for all definitions of a type. Implements ENG-314 to ENG-316."""

    type: str = Field(description="A type, or a prefix of types such as `io.kestra.plugin.aws`.")
    values: dict[str, Any] = Field(default_factory=dict, description="Properties and their values.")
    forced: bool = Field(False, description="Win over what the definition says.")


class Listener(FlowModel):
    """Tasks that run after the flow under conditions; deprecated. Implements ENG-014, MIG-032."""

    tasks: Annotated[list[Definition], ChildTasks()]
    conditions: Annotated[list[Definition], Typed(TypeKind.CONDITION)] | None = None
    description: str | None = None


Tasks = Annotated[list[Definition], ChildTasks()]


class FlowDocument(FlowModel):
    """A flow."""

    id: Annotated[str, Field(pattern=ID_PATTERN), AfterValidator(_not_reserved)] = Field(
        description="Unique within the namespace."
    )
    namespace: str = Field(pattern=NAMESPACE_PATTERN, description="Where the flow lives, such as `company.team`.")
    revision: int | None = Field(None, description="Maintained by the server.")
    description: Annotated[str | None, Literally()] = Field(None, description="What the flow is for; Markdown.")
    labels: Annotated[Labels, BeforeValidator(_pairs)] = Field((), description="Inherited by executions.")
    inputs: Annotated[list[Input], InputDefinitions()] = Field(
        default_factory=list, description="What an execution is given."
    )
    variables: dict[str, Any] = Field(default_factory=dict, description="Read as `vars.<key>`; not rendered by itself.")
    tasks: Tasks = Field(min_length=1, description="What runs, in order.")
    errors: Tasks | None = Field(None, description="What runs when a task has failed.")
    finally_: Tasks | None = Field(None, alias="finally", description="What runs at the end, whatever happened.")
    after_execution: Tasks | None = Field(None, description="What runs when the execution has ended.")
    outputs: list[FlowOutput] = Field(default_factory=list, description="What an execution returns.")
    triggers: Annotated[list[Definition], Typed(TypeKind.TRIGGER)] | None = Field(
        None, description="What starts the flow."
    )
    plugin_defaults: list[DefaultsEntry] = Field(
        default_factory=list,
        validation_alias=AliasChoices("pluginDefaults", "taskDefaults"),
        description="Values for all tasks, triggers and so on of a type.",
    )
    retry: Retry | None = Field(None, description="When and how often a failed execution is tried again.")
    sla: list[Sla] = Field(default_factory=list, description="Limits that executions must keep.")
    concurrency: Concurrency | None = Field(None, description="How many executions may run at a time.")
    idempotency: Idempotency | None = Field(None, description="When two launches are one and the same.")
    checks: list[Check] = Field(default_factory=list, description="What must hold before an execution is created.")
    disabled: bool = Field(False, description="No executions, and no triggers.")
    worker_group: WorkerGroup | None = Field(None, description="Which workers run the tasks.")
    policy_refs: list[str] | None = Field(None, description="A property of 2.0; has no effect.")
    listeners: list[Listener] | None = Field(None, description="Deprecated; use `afterExecution`.")
    deleted: bool = Field(False, description="Maintained by the server.")
    tenant_id: str | None = Field(None, description="Maintained by the server.")
    updated: str | None = Field(None, description="Maintained by the server.")

    @property
    def defaults(self) -> tuple[PluginDefaults, ...]:
        """The flow's own plugin defaults."""
        return tuple(PluginDefaults(one.type, one.values, one.forced) for one in self.plugin_defaults)
