"""A small registry of types that shows each way in which a class can describe itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

import pytest
from pydantic import AliasChoices, Field

from penstock.model.flow import ParsedFlow, parse_flow
from penstock.model.markers import ChildTasks
from penstock.model.problems import Problem
from penstock.model.registry import TypeEntry, TypeRegistry
from penstock.sdk.context import RunContext
from penstock.sdk.property import Property
from penstock.sdk.task import (
    FlowableTask,
    InputList,
    Output,
    PluginModel,
    Task,
    TaskDefinition,
    TaskList,
    TaskRunnerDefinition,
)
from penstock.sdk.trigger import ConditionBase, TaskRunnerBase, TriggerBase


class ReturnOutput(Output):
    value: str


class Return(Task):
    """Return a text. Implements ENG-111."""

    type_name = "test.Return"
    type_aliases = ("test.old.Return",)
    output_type = ReturnOutput

    format: Property[str] | None = None


class Log(Task):
    """Write lines."""

    type_name = "test.log.Log"
    quick = True

    message: Property[str | list[str]]
    level: Property[str] = Property.of("INFO")

    def run(self, context: RunContext) -> None:
        """Write nothing."""


class Script(Task):
    """Run a script."""

    type_name = "test.Script"

    script: Property[str]
    env: Property[dict[str, str]] | None = None
    retries: Property[int] | None = None
    options: dict[str, Any] | None = None
    image: str | None = Field(None, validation_alias=AliasChoices("image", "containerImage"))
    task_runner: TaskRunnerDefinition | None = None


class Docker(TaskRunnerBase):
    """Run in a container."""

    type_name = "test.runner.Docker"

    image: str
    cpus: float = 1.0


class Process(TaskRunnerBase):
    """Run as a process."""

    type_name = "test.runner.Process"


class Group(FlowableTask):
    """Run tasks in order."""

    type_name = "test.Group"

    tasks: TaskList = Field(min_length=1)

    def lists(self) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        return {"tasks": self.tasks}


class Loop(FlowableTask):
    """Run tasks for each value."""

    type_name = "test.Loop"

    values: Property[list[str]]
    tasks: TaskList

    def lists(self) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        return {"tasks": self.tasks}


class Choose(FlowableTask):
    """Run one of several lists."""

    type_name = "test.Choose"

    value: Property[str]
    cases: Annotated[dict[str, list[dict[str, Any]]], ChildTasks()]
    on_ask: InputList | None = None

    def lists(self) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        return {f"cases.{name}": tasks for name, tasks in self.cases.items()}


class GraphNode(PluginModel):
    """A task and what it waits for."""

    task: TaskDefinition
    depends_on: list[str] = []


class Graph(FlowableTask):
    """Run tasks by their dependencies."""

    type_name = "test.Graph"
    in_order = False

    tasks: list[GraphNode]

    def lists(self) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        return {"tasks": [node.task for node in self.tasks]}


class Call(Task):
    """Start another flow."""

    type_name = "test.Call"
    calls_flow = True

    namespace: str
    flow_id: str


class Timer(TriggerBase):
    """Start a flow now and then."""

    type_name = "test.Timer"

    interval: str = "PT1M"


class Clock(TriggerBase):
    """Start a flow at dates."""

    type_name = "test.Clock"
    variable_names = frozenset(("date", "next"))


class Weekend(ConditionBase):
    """Hold on weekends."""

    type_name = "test.Weekend"


CLASSES = (Return, Log, Script, Docker, Process, Group, Loop, Choose, Graph, Call, Timer, Clock, Weekend)


@pytest.fixture(scope="session")
def registry() -> TypeRegistry:
    return TypeRegistry(TypeEntry.of(cls) for cls in CLASSES)


@pytest.fixture(scope="session")
def parse(registry: TypeRegistry) -> Callable[[str], ParsedFlow]:
    """Return what parses a flow's text."""
    return lambda source: parse_flow(source, registry)


@pytest.fixture(scope="session")
def problems(registry: TypeRegistry) -> Callable[..., list[Problem]]:
    """Return what finds the problems of a flow that has these lines after `id` and `namespace`."""

    def find(*parts: str) -> list[Problem]:
        lines = "\n".join(parts)
        tasks = "" if "\ntasks:" in f"\n{lines}" else "\ntasks: [{id: only, type: test.Return}]"
        return list(parse_flow(f"id: f\nnamespace: n\n{lines}{tasks}\n", registry).problems)

    return find
