"""Tasks: what a worker runs (`Task`) and what steers other tasks (`FlowableTask`).

A task is a pydantic model with a `run(context)`; its docstring and field descriptions are its documentation, its JSON
Schema drives validation, completion and forms (PLG-012, PLG-047).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from penstock.engine.flow import EndedChild, FlowEnd, Launch, Scope, Step
from penstock.engine.states import StateType
from penstock.model.base import ID_PATTERN, FlowModel
from penstock.model.markers import ChildTasks as ChildTasks
from penstock.model.markers import InputDefinitions, Typed
from penstock.model.markers import Literally as Literally
from penstock.model.policies import LogLevel, TaskCache
from penstock.model.policies import WorkerGroup as WorkerGroup
from penstock.model.registry import TypeKind
from penstock.model.retry import Duration, Retry
from penstock.sdk.context import RunContext


class PluginModel(FlowModel):
    """Base of everything a flow configures: unknown properties are errors (ENG-399), names are camelCase in YAML."""

    model_config = ConfigDict(arbitrary_types_allowed=True, defer_build=True)


class Output(BaseModel):
    """Base of declared task outputs; `None` fields are left out."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="allow")


TaskDefinition = Annotated[dict[str, Any], ChildTasks()]
"""A property that holds one task definition."""
TaskList = Annotated[list[dict[str, Any]], ChildTasks()]
"""A property that holds a list of task definitions; validated each by its own type."""
TaskRunnerDefinition = Annotated[dict[str, Any], Typed(TypeKind.TASK_RUNNER)]
"""A property that holds a task runner's definition."""
ConditionList = Annotated[list[dict[str, Any]], Typed(TypeKind.CONDITION)]
"""A property that holds a list of condition definitions."""
InputList = Annotated[list[dict[str, Any]], InputDefinitions()]
"""A property that holds input definitions, like a flow's `inputs`."""


OutputModel = type[BaseModel]
# A name of its own, since `type` means a property within the classes below.


@dataclass(frozen=True, slots=True)
class MetricNote:
    """A metric that a type says it records."""

    name: str
    type: Literal["counter", "timer", "gauge"]
    description: str = ""


class TaskBase(PluginModel):
    """Properties every task has (ENG-042 to ENG-053, API-034)."""

    type_name: ClassVar[str] = ""
    """The canonical `type`, such as `io.kestra.plugin.core.log.Log`."""
    type_aliases: ClassVar[tuple[str, ...]] = ()
    """Older names, still accepted (MIG-010)."""
    type_kind: ClassVar[TypeKind] = TypeKind.TASK
    type_deprecation: ClassVar[str] = ""
    """What to use instead, when the type is kept for older flows only."""
    type_metrics: ClassVar[tuple[MetricNote, ...]] = ()
    """The metrics it records, for its documentation (PLG-045)."""
    output_type: ClassVar[OutputModel | None] = None
    """The model of the outputs, when the type always gives the same ones; references are checked against it."""
    brings_tasks: ClassVar[bool] = False
    """Whether task runs of tasks come with it that the flow does not declare."""
    calls_flow: ClassVar[bool] = False
    """Whether it starts the flow that its properties `namespace` and `flowId` name."""
    steers: ClassVar[bool] = False
    """Whether it decides which other tasks run; no worker runs it."""

    id: str = Field(pattern=ID_PATTERN, description="Unique within the flow.")
    type: str = Field(description="The type of the task.")
    description: Annotated[str | None, Literally()] = Field(None, description="What the task is for; Markdown.")
    retry: Retry | None = Field(None, description="When and how often a failed attempt is tried again.")
    timeout: Duration | None = Field(None, description="The longest an attempt may take, as ISO 8601 duration.")
    run_if: str | bool | None = Field(
        None,
        validation_alias=AliasChoices("runIf", "when"),
        description="Skip the task when this expression is false; `when` is another name.",
    )
    disabled: bool = Field(False, description="Skip the task.")
    worker_group: WorkerGroup | None = None
    allow_failure: bool = Field(False, description="A failure becomes a warning and the flow goes on.")
    allow_warning: bool = Field(False, description="A warning becomes a success.")
    log_level: LogLevel | None = Field(None, description="The lowest level of log lines that is kept.")
    log_to_file: bool = Field(False, description="Keep the logs as a file in internal storage.")
    task_cache: TaskCache | None = Field(None, description="Reuse the outputs of an earlier identical run.")
    version: str | None = Field(None, description="The plugin version to use.")
    assets: dict[str, Any] | None = None
    policy_refs: list[str] | None = Field(None, description="A property of 2.0; has no effect.")


class Task(TaskBase):
    """A task that a worker runs.

    `run` is called in a thread of the worker; it renders what it needs through the context, logs through
    `context.logger`, and returns its outputs (an `Output`, a mapping or None). Any exception fails the attempt.
    """

    quick: ClassVar[bool] = False
    """Set to True only when `run` never waits for anything and needs next to no time."""

    def run(self, context: RunContext) -> Output | Mapping[str, Any] | None:
        """Do the work of one attempt."""
        raise TypeError(f"{type(self).__name__} has no run method")


class FlowableTask(TaskBase):
    """A control-flow task: decides which children start (see `penstock.engine.flow.Flowable`). No I/O, little work."""

    steers: ClassVar[bool] = True
    heeds_timeout: ClassVar[bool] = False
    """Whether it ends by itself when its `timeout` is over."""
    is_loop: ClassVar[bool] = False
    """Whether children run once for each of several values, which then key their outputs (ENG-081).

    True on its own for types with a property `values`.
    """

    in_order: ClassVar[bool] = True
    """Whether the children of a list run one after another."""
    forgives: ClassVar[bool] = False
    """Whether a failure inside does not fail what comes after it."""
    repeats: ClassVar[bool] = False
    """Whether children run again, so that outputs of later ones may be there already."""

    brings_in: ClassVar[bool] = False
    """Whether the tasks of another flow, or of a template, run in its place; a method `target` says of which."""

    errors: TaskList | None = Field(None, description="Tasks that run when a child has failed.")
    finally_: TaskList | None = Field(None, alias="finally", description="Tasks that run last, whatever happened.")

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        if "is_loop" not in vars(cls) and "values" in cls.model_fields:
            cls.is_loop = True

    def lists(self) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """Return the definitions of the children by list name, `errors` and `finally` left out."""
        raise TypeError(f"{type(self).__name__} names no children")

    def side_by_side(self) -> bool:
        """Whether children may run at the same time: no, one after another."""
        return False

    def most_at_a_time(self) -> int:
        """Return how many children may run at the same time: all."""
        return 0

    def rewound(self, memory: Mapping[str, Any], iteration: int | None) -> Mapping[str, Any]:
        """Return the memory with which a replay goes on: the same."""
        return memory

    def start(self, scope: Scope) -> Step:
        """Return the first step: the first child of the list `tasks`."""
        return self.first_of(scope.task.lists.get("tasks", ()))

    def child_ended(self, scope: Scope, child: EndedChild) -> Step:
        """Return the step after a child's end: nothing; see `Sequence` behaviours of the concrete class."""
        return Step()

    def timer_due(self, scope: Scope) -> Step:
        """Return the step after a timer: nothing."""
        return Step()

    def resumed(self, scope: Scope, inputs: Mapping[str, Any], by: str | None) -> Step:
        """Return the step after a resume: nothing."""
        return Step()

    def restarted(self, scope: Scope) -> Step:
        """Return the first step after a restart of the execution: begin again."""
        return self.start(scope)

    def flow_started(self, scope: Scope, execution_id: str) -> Step:
        """Return the step after a started flow that is not waited for: nothing."""
        return Step()

    def flow_ended(self, scope: Scope, end: FlowEnd) -> Step:
        """Return the step after the end of a flow: nothing."""
        return Step()

    def fold(self, state: StateType) -> StateType:
        """Return the own end state: that of the children."""
        return state

    @staticmethod
    def first_of(tasks: Sequence[Any]) -> Step:
        """Return a step that launches the first task of a list, or ends when the list is empty."""
        return Step(launches=(Launch(tasks[0]),)) if tasks else Step()
