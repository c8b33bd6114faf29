"""A flow as the engine runs it: defaults applied, templates compiled, every task knowing what follows it.

Three shapes of a flow are kept apart: the source text with positions, the parsed model as written (`penstock.model`),
and this one. It is built once per revision and never changed. Control-flow tasks satisfy the `Flowable` protocol, so
that new ones arrive as plugins without the engine knowing them.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

from penstock.base.clock import Instant, Micros
from penstock.engine.records import Execution, Pins, StartedFlows, TaskRun
from penstock.engine.states import StateType


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """When and how often a failed attempt is tried again (ENG-235, ENG-236)."""

    kind: str
    """`constant`, `exponential` or `random`."""
    interval: Micros
    max_attempts: int | None = None
    """All attempts, the first included (ENG-392)."""
    max_duration: Micros | None = None
    max_interval: Micros | None = None
    factor: float = 2.0
    warning_on_retry: bool = False
    behavior: str = "RETRY_FAILED_TASK"


@dataclass(frozen=True, slots=True)
class Launch:
    """A child that shall begin."""

    task: ResolvedTask
    value: str | None = None
    iteration: int | None = None


@dataclass(frozen=True, slots=True)
class StartFlow:
    """Another flow that shall be executed on behalf of a task run (ENG-101)."""

    namespace: str
    flow_id: str
    revision: int | None = None
    inputs: Mapping[str, Any] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    inherit_labels: bool = False
    schedule_date: Instant | None = None
    iteration: int | None = None
    """Its position among those the task run starts; the first by default. A position is started once."""
    wait: bool = True
    """Whether the task run waits for the end; otherwise only for the start."""
    outputs: Mapping[str, Any] | None = None
    """Expressions to be evaluated at the end of the execution, where older flows may still ask that (ENG-107)."""


@dataclass(frozen=True, slots=True)
class FlowEnd:
    """The end of an execution that a flowable started."""

    execution_id: str
    state: StateType
    outputs: Mapping[str, Any] | None
    iteration: int | None


@dataclass(frozen=True, slots=True)
class Step:
    """What a flowable wants next. With nothing launched, nothing active and nothing awaited it has ended."""

    launches: Sequence[Launch] = ()
    starts: Sequence[StartFlow] = ()
    """Flows to execute; each counts as an active child until it has started, or ended when it is waited for."""
    restarts: Sequence[int] = ()
    """Positions of ended executions, started by this flowable before, to restart and wait for."""
    memory: Mapping[str, Any] | None = None
    """The flowable's memory from now on; None leaves it as it is."""
    items: tuple[str, ...] | None = None
    """What a loop iterates over; only a `start` may set it."""
    outputs: Mapping[str, Any] | None = None
    wait_until: Instant | None = None
    """Call `timer_due` at this instant; until then the scope stays open."""
    paused: bool = False
    """Wait for a resume; task run and execution are PAUSED meanwhile."""
    state: StateType | None = None
    """End in this state whatever the children did."""


class Scope(Protocol):
    """What a flowable may know when it is asked: itself, its memory, the time, expressions. No I/O."""

    @property
    def task(self) -> ResolvedTask:
        """The flowable's own task."""
        ...

    @property
    def memory(self) -> Mapping[str, Any]:
        """What the flowable's last step left."""
        ...

    @property
    def items(self) -> tuple[str, ...]:
        """What the loop iterates over."""
        ...

    @property
    def active(self) -> int:
        """Children that have begun and not ended; an ended child is no longer counted."""
        ...

    @property
    def failed(self) -> bool:
        """Whether a child has failed."""
        ...

    @property
    def flows(self) -> StartedFlows:
        """The executions that the flowable has started."""
        ...

    @property
    def now(self) -> Instant:
        """The event's instant."""
        ...

    def following(self, task: ResolvedTask) -> ResolvedTask | None:
        """Return the task after a child in its list; None after the last."""
        ...

    def entered(self, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the memory with which the tasks of the called flow begin; `inputs` are checked by what it declares."""
        ...

    def render(self, template: str) -> str:
        """Return a template's text in the flowable's context."""
        ...

    def render_nested(self, value: Any) -> Any:
        """Return a structure with all strings in it rendered to text."""
        ...

    def evaluate(self, template: str) -> Any:
        """Return a template's value in the flowable's context."""
        ...


@dataclass(frozen=True, slots=True)
class EndedChild:
    """A child that has ended, as its flowable sees it."""

    task: ResolvedTask
    state: StateType
    value: str | None
    iteration: int | None
    failed: bool
    """Whether the end counts as a failure (an allowed failure does not)."""


@runtime_checkable
class Flowable(Protocol):
    """A control-flow task: which children start first, and what follows a child's end.

    `task.lists` holds the children by list name (`tasks`, `then`, `else`, ...). Errors and finally lists are the
    engine's business, the same for every flowable.
    """

    def side_by_side(self) -> bool:
        """Whether children (of other iterations, in loops) may run at the same time."""
        ...

    def most_at_a_time(self) -> int:
        """How many children (or iterations) may run at the same time; 0 for all, or where the flowable sees to it."""
        ...

    def rewound(self, memory: Mapping[str, Any], iteration: int | None) -> Mapping[str, Any]:
        """Return the memory with which a replay goes on at a child (of an iteration, in loops)."""
        ...

    def start(self, scope: Scope) -> Step:
        """Return the first step."""
        ...

    def child_ended(self, scope: Scope, child: EndedChild) -> Step:
        """Return the step after a child's end."""
        ...

    def timer_due(self, scope: Scope) -> Step:
        """Return the step after `wait_until` has come."""
        ...

    def resumed(self, scope: Scope, inputs: Mapping[str, Any], by: str | None) -> Step:
        """Return the step after a resume."""
        ...

    def restarted(self, scope: Scope) -> Step:
        """Return the first step when the execution is restarted; the memory is that of the earlier run."""
        ...

    def flow_started(self, scope: Scope, execution_id: str) -> Step:
        """Return the step after a flow has started that is not waited for."""
        ...

    def flow_ended(self, scope: Scope, end: FlowEnd) -> Step:
        """Return the step after the end of a flow that is waited for."""
        ...

    def fold(self, state: StateType) -> StateType:
        """Return the flowable's own end state, given what its children's ends amount to."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class ResolvedTask:
    """One task, ready to run."""

    id: str
    type: str
    """The canonical type name."""
    properties: Mapping[str, Any]
    """The task's whole definition with defaults applied, expressions unrendered: what the worker builds it from."""
    branch: str = "tasks"
    """The list it stands in: `tasks`, `errors`, `finally`, `afterExecution`, or a flowable's own list name."""
    flowable: Flowable | None = None
    """The control-flow behaviour; None for a task that a worker runs."""
    lists: Mapping[str, tuple[ResolvedTask, ...]] = field(default_factory=dict)
    """A flowable's children by list name, `errors` and `finally` included."""
    inside: tuple[str, ...] = ()
    """The names of the tasks that a worker runs inside it."""
    run_if: str | None = None
    disabled: bool = False
    allow_failure: bool = False
    allow_warning: bool = False
    retry: RetryPolicy | None = None
    timeout: str | None = None
    """A duration or a template of one; enforced by the worker."""
    worker_group: str = ""
    fallback: str = "WAIT"
    """What happens when no worker of the group lives: WAIT, FAIL or CANCEL (ENG-047)."""
    log_level: str | None = None
    quick: bool = False
    """Whether the type promises never to wait and to need next to no time; such tasks share one worker thread."""
    call: str = ""
    """The id of the innermost call that brought it here; empty for the flow's own tasks."""
    called: ResolvedFlow | None = None
    """The flow whose tasks it runs inside the execution, once that is linked."""

    @property
    def name(self) -> str:
        """Its id in the flow that declares it."""
        return self.id[len(self.call) + 1 :] if self.call else self.id


class CallKind(StrEnum):
    """What the tasks come from that run in the place of a call."""

    FLOW = "flow"
    TEMPLATE = "template"


@dataclass(frozen=True, slots=True)
class InnerCall:
    """A task in whose place the tasks of another flow, or of a template, run inside the same execution."""

    task_id: str
    kind: CallKind
    namespace: str
    id: str
    revision: int | None = None
    """As the task says; otherwise the latest there is when the execution begins."""

    @property
    def pin(self) -> str:
        """The name under which an execution keeps the revision."""
        return f"{self.kind}:{self.namespace}.{self.id}"


Holds = Callable[[Execution, Sequence[TaskRun], Callable[[str, Mapping[str, Any]], str]], bool]
"""Whether conditions hold of an execution with its task runs; renders templates with more variables."""
HoldsOf = Callable[[str, str, Sequence[Mapping[str, Any]]], Holds]
"""Gives that for the definitions of conditions in a flow, named by namespace and id."""


@dataclass(frozen=True, slots=True, eq=False)
class Listener:
    """Tasks that run after the execution, outside of its result, when conditions hold (ENG-014)."""

    tasks: tuple[ResolvedTask, ...]
    holds: Holds


@dataclass(frozen=True, slots=True, eq=False)
class ResolvedFlow:
    """A flow revision, ready to run."""

    tenant: str
    namespace: str
    id: str
    revision: int
    lists: Mapping[str, tuple[ResolvedTask, ...]]
    """`tasks`, `errors`, `finally`, `afterExecution`."""
    tasks: Mapping[str, ResolvedTask]
    """Every task of the flow by id, nested ones included."""
    following: Mapping[str, ResolvedTask]
    """The next task in the same list; the last of a list has none."""
    parents: Mapping[str, str]
    """The id of the enclosing flowable; top-level tasks have none."""
    variables: Mapping[str, Any] = field(default_factory=dict)
    labels: tuple[tuple[str, str], ...] = ()
    outputs: Sequence[Mapping[str, Any]] = ()
    retry: RetryPolicy | None = None
    disabled: bool = False
    disabled_why: str = ""
    """By whom, until when and why, where that is known."""
    changes_at: Instant | None = None
    """When it is enabled or disabled otherwise, by itself."""
    said: tuple[Hashable, ...] = ()
    """What people say of it and of its triggers on this instance; whoever acts on it can tell if it still holds."""
    concurrency: Mapping[str, Any] | None = None
    sla: Sequence[Mapping[str, Any]] = ()
    namespace_variables: Mapping[str, Any] = field(default_factory=dict)
    """`namespace` of the expression context (ENG-022)."""
    defaults: Sequence[Any] = ()
    """The plugin defaults from outside that were applied (`penstock.model.defaults`), for triggers."""
    listeners: tuple[Listener, ...] = ()
    """Empty unless the instance runs them."""
    calls: tuple[InnerCall, ...] = ()
    """Calls whose tasks are still to be linked in (`penstock.engine.linking`); a flow that runs has none."""
    pins: Pins = field(default_factory=dict)
    """The revisions that were linked in."""
    source: Any = None
    """The parsed flow document this was resolved from (`penstock.model`), for inputs, triggers and checks."""
