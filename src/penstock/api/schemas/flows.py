"""Flows, what is said of their sources, and their limits."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel

from penstock.api.schemas.base import Label, Problem, Shape
from penstock.api.schemas.switches import Switch


class FlowFilter(Shape):
    """The name of a flow."""

    namespace: str
    id: str


class InputDependency(Shape):
    """When an input is asked for."""

    inputs: list[str] | None = None
    condition: str | None = None


class Input(Shape):
    """What an execution is given."""

    id: str
    type: str
    description: str | None = None
    display_name: str | None = None
    required: bool | None = None
    defaults: Any = None
    prefill: Any = None
    values: list[str] | None = None
    expression: str | None = None
    item_type: str | None = None
    validator: str | None = None
    min: Any = None
    max: Any = None
    after: str | None = None
    before: str | None = None
    allowed_file_extensions: list[str] | None = None
    allow_custom_value: bool | None = None
    auto_select_first: bool | None = None
    depends_on: InputDependency | None = None


class Output(Shape):
    """What an execution returns."""

    id: str
    type: str | None = None
    value: Any = None
    description: str | None = None


class Task(Shape):
    """A task as written; its other properties are those of its type."""

    model_config = ConfigDict(alias_generator=to_camel, extra="allow")

    id: str
    type: str
    description: str | None = None


class TriggerDefinition(Shape):
    """A trigger as written; its other properties are those of its type."""

    model_config = ConfigDict(alias_generator=to_camel, extra="allow")

    id: str
    type: str
    description: str | None = None
    disabled: bool | None = None
    cron: str | None = None


class Author(Shape):
    """Who saved a revision of a flow, and over which way."""

    name: str | None = Field(None, description="A user, a service account, an execution as `flow/id`, or a file.")
    way: Literal["INTERFACE", "API", "SERVICE_ACCOUNT", "COMMAND_LINE", "TASK", "FOLDER"]


class Flow(Shape):
    """A flow as written, with what the server knows of it."""

    id: str
    namespace: str
    revision: int | None = None
    updated: datetime | None = None
    description: str | None = None
    inputs: list[Input] | None = None
    outputs: list[Output] | None = None
    disabled: bool | None = None
    labels: list[Label] | None = None
    variables: dict[str, Any] | None = None
    tasks: list[Task] | None = None
    errors: list[Task] | None = None
    finally_: list[Task] | None = Field(None, alias="finally")
    after_execution: list[Task] | None = None
    triggers: list[TriggerDefinition] | None = None
    deleted: bool | None = None
    source: str | None = None
    saved_by: Author | None = Field(None, description="Who saved this revision; absent where nobody noted it.")
    late_triggers: int | None = Field(None, description="In lists: how many have a date that has passed unserved.")
    failing_triggers: int | None = Field(None, description="In lists: of how many the last evaluation failed.")
    switches: list[Switch] | None = Field(None, description="What people say of it and its triggers on this instance.")


class FlowForExecution(Shape):
    """What is needed of a flow to execute it: of tasks and triggers no properties, and no source."""

    id: str
    namespace: str
    revision: int | None = None
    description: str | None = None
    inputs: list[Input] | None = None
    outputs: list[Output] | None = None
    disabled: bool | None = None
    labels: dict[str, str] | None = None
    variables: dict[str, Any] | None = None
    tasks: list[Task] | None = None
    errors: list[Task] | None = None
    finally_: list[Task] | None = Field(None, alias="finally")
    after_execution: list[Task] | None = None
    triggers: list[TriggerDefinition] | None = None
    deleted: bool | None = None


class PagedFlows(Shape):
    """A page of flows."""

    results: list[Flow]
    total: int


class SearchResult(Shape):
    """A flow whose source contains what was searched for."""

    model: Flow
    fragments: list[str]


class PagedSearchResults(Shape):
    """A page of such flows."""

    results: list[SearchResult]
    total: int


class Violation(Shape):
    """What is to be said of a flow; valid when `constraints` is absent."""

    index: int
    filename: str | None = None
    namespace: str | None = None
    flow: str | None = None
    constraints: str | None = None
    outdated: bool | None = None
    deprecation_paths: list[str] | None = None
    warnings: list[str] | None = None
    infos: list[str] | None = None
    problems: list[Problem] | None = None


class ConcurrencyLimit(Shape):
    """A flow with a concurrency limit, and how full it is."""

    tenant_id: str
    namespace: str
    flow_id: str
    running: int
    queued: int | None = None
    limit: int | None = None
    pool: str | None = None
    behavior: Literal["QUEUE", "CANCEL", "FAIL"] | None = None


class PagedConcurrencyLimits(Shape):
    """A page of flows with a concurrency limit."""

    results: list[ConcurrencyLimit]
    total: int


class DatedFlow(Shape):
    """A flow, and what of it is deprecated."""

    namespace: str
    id: str
    revision: int
    deprecations: list[Problem]


class TriggerPlan(Shape):
    """When a trigger fires next: as the flow is, and as it would be."""

    id: str
    before: list[datetime]
    after: list[datetime]


class FlowPlan(Shape):
    """What would become of a flow."""

    namespace: str
    id: str
    action: Literal["CREATED", "UPDATED", "UNCHANGED", "DELETED", "REFUSED"]
    triggers: list[TriggerPlan]
    problem: str | None = Field(None, description="Why a source of a file would be refused.")
