"""Children again and again: `ForEach` over values, `LoopUntil` a condition holds."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, AliasChoices, Field

from penstock.sdk.errors import PluginError
from penstock.sdk.flow import EndedChild, Launch, Scope, Step, is_truthy
from penstock.sdk.task import FlowableTask, PluginModel, TaskList
from penstock.sdk.values import Duration, duration, json_text


class ForEach(FlowableTask):
    """Run a group of tasks once for each value.

    Within one iteration the tasks run one after another. Implements ENG-076 to ENG-085.

    Run tasks for each region, two at a time:

    ```yaml
    tasks:
      - id: regions
        type: io.kestra.plugin.core.flow.ForEach
        values: ["north", "east", "south", "west"]
        concurrencyLimit: 2
        tasks:
          - id: load
            type: io.kestra.plugin.core.log.Log
            message: "Loads {{ taskrun.value }}"
    ```
    """

    type_name = "io.kestra.plugin.core.flow.ForEach"
    type_aliases: ClassVar[tuple[str, ...]] = ("io.kestra.core.tasks.flows.ForEach",)

    values: str | list[Any] = Field(description="A list, a JSON array as text, or an expression that gives one.")
    tasks: TaskList = Field(min_length=1, description="What to run for each value; the value is `taskrun.value`.")
    concurrency_limit: int = Field(1, ge=0, description="How many iterations run at most at a time; 0 means all.")

    def lists(self) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """Return the tasks of one iteration."""
        return {"tasks": self.tasks}

    def side_by_side(self) -> bool:
        """Return whether several iterations may run at a time."""
        return self.concurrency_limit != 1

    def most_at_a_time(self) -> int:
        """Return the limit."""
        return self.concurrency_limit

    def rewound(self, memory: Mapping[str, Any], iteration: int | None) -> Mapping[str, Any]:
        """Go on after the iteration, when iterations run one after another."""
        return memory if self.side_by_side() or iteration is None else {**memory, "next": iteration + 1}

    def start(self, scope: Scope) -> Step:
        """Render the values and begin with as many iterations as may run at a time."""
        items = tuple(json_text(value) for value in self._values(scope))
        count = min(self.concurrency_limit or len(items), len(items))
        first = scope.task.lists["tasks"][0]
        launches = tuple(Launch(first, items[index], index) for index in range(count))
        return Step(launches=launches, items=items, memory={"next": count}, outputs=None)

    def child_ended(self, scope: Scope, child: EndedChild) -> Step:
        """Go on within the iteration, or begin the next one; after a failure nothing new begins."""
        following = None if child.failed else scope.following(child.task)
        if following is not None:
            return Step(launches=(Launch(following, child.value, child.iteration),))
        index = scope.memory["next"]
        if scope.failed or index >= len(scope.items):
            return Step()
        launch = Launch(scope.task.lists["tasks"][0], scope.items[index], index)
        return Step(launches=(launch,), memory={"next": index + 1})

    def _values(self, scope: Scope) -> list[Any]:
        if isinstance(self.values, list):
            return [self._value(scope, value) for value in self.values]
        value = scope.evaluate(self.values)
        if isinstance(value, str):
            try:
                value = json.loads(value)
            except ValueError:
                value = None
        if not isinstance(value, Sequence) or isinstance(value, str):
            raise PluginError(
                f"`values` of `{self.id}` is no list",
                hint="write a YAML list, a JSON array, or an expression that gives one",
            )
        return list(value)

    @staticmethod
    def _value(scope: Scope, value: Any) -> Any:
        return scope.evaluate(value) if isinstance(value, str) else value


class Loop(ForEach):
    """Run a group of tasks once for each value: the spelling of 2.0.

    The value is `item.value`, its position `item.index`. Implements BEY-050.

    Run tasks for each of some values:

    ```yaml
    tasks:
      - id: tables
        type: io.kestra.plugin.core.flow.Loop
        values: ["orders", "customers"]
        concurrencyLimit: 1
        tasks:
          - id: load
            type: io.kestra.plugin.core.log.Log
            message: "Loads {{ item.value }}"
    ```
    """

    type_name = "io.kestra.plugin.core.flow.Loop"
    type_aliases = ()


class EachSequential(ForEach):
    """Run a group of tasks once for each value, one after another; kept for older flows.

    Run tasks for one value after the other:

    ```yaml
    tasks:
      - id: months
        type: io.kestra.plugin.core.flow.EachSequential
        value: ["2026-01", "2026-02"]
        tasks:
          - id: load
            type: io.kestra.plugin.core.log.Log
            message: "Loads {{ taskrun.value }}"
    ```
    """

    type_name = "io.kestra.plugin.core.flow.EachSequential"
    type_aliases = ("io.kestra.core.tasks.flows.EachSequential",)
    type_deprecation = f"use `{ForEach.type_name}`"

    values: str | list[Any] = Field(
        validation_alias=AliasChoices("value", "values"),
        description="A list, a JSON array as text, or an expression that gives one.",
    )


class EachParallel(EachSequential):
    """Run a group of tasks for all values at the same time; kept for older flows.

    The tasks of one value run one after another.

    Run tasks for all values at once:

    ```yaml
    tasks:
      - id: regions
        type: io.kestra.plugin.core.flow.EachParallel
        value: ["north", "south"]
        tasks:
          - id: load
            type: io.kestra.plugin.core.log.Log
            message: "Loads {{ taskrun.value }}"
    ```
    """

    type_name = "io.kestra.plugin.core.flow.EachParallel"
    type_aliases = ("io.kestra.core.tasks.flows.EachParallel",)

    concurrency_limit: int = Field(
        0,
        ge=0,
        validation_alias=AliasChoices("concurrent", "concurrencyLimit"),
        description="How many values are worked on at most at a time; 0 means all.",
    )


def _template(text: str) -> str:
    if "{{" not in text and "{%" not in text:
        raise ValueError("must be a whole number, or an expression that gives one")
    return text


class CheckFrequency(PluginModel):
    """How often and how long a loop goes on."""

    interval: Duration = Field("PT1M", description="Time between two iterations.")
    max_iterations: Annotated[int, Field(ge=1)] | Annotated[str, AfterValidator(_template)] | None = Field(
        None, description="End the loop after that many iterations; may be an expression."
    )
    max_duration: Duration | None = Field(None, description="End the loop after that long.")

    def most(self, scope: Scope) -> int | None:
        """Return how many iterations there may be.

        Raises:
            PluginError: The expression gives no number.
        """
        if not isinstance(self.max_iterations, str):
            return self.max_iterations
        text = scope.render(self.max_iterations).strip()
        try:
            return int(text) if text else None
        except ValueError:
            hint = "see what its expression renders to"
            raise PluginError(f"`maxIterations` must be a whole number, not `{text}`", hint=hint) from None


class LoopUntil(FlowableTask):
    """Run a group of tasks again until a condition holds.

    Ask every ten seconds until a job is done:

    ```yaml
    tasks:
      - id: wait
        type: io.kestra.plugin.core.flow.LoopUntil
        condition: "{{ outputs.job.code == 200 }}"
        checkFrequency:
          interval: PT10S
          maxDuration: PT1H
        tasks:
          - id: job
            type: io.kestra.plugin.core.http.Request
            uri: https://example.com/jobs/42
            options:
              allowedResponseCodes: [200, 202]
    ```

    Implements ENG-090, ENG-091: reaching a limit is a normal end.
    """

    type_name = "io.kestra.plugin.core.flow.LoopUntil"
    type_aliases = ("io.kestra.plugin.core.flow.WaitFor", "io.kestra.core.tasks.flows.WaitFor")
    repeats = True

    condition: str = Field(description="Looked at after each iteration; sees the outputs of the latest one.")
    tasks: TaskList = Field(min_length=1, description="What to run in each iteration.")
    check_frequency: CheckFrequency = Field(default_factory=CheckFrequency)

    def lists(self) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """Return the tasks of one iteration."""
        return {"tasks": self.tasks}

    def rewound(self, memory: Mapping[str, Any], iteration: int | None) -> Mapping[str, Any]:
        """Go on in the iteration."""
        return memory if iteration is None else {**memory, "iteration": iteration}

    def start(self, scope: Scope) -> Step:
        """Begin the first iteration."""
        return self._iterate(scope, 0, scope.now)

    def _iterate(self, scope: Scope, iteration: int, started: int) -> Step:
        launch = Launch(scope.task.lists["tasks"][0], None, iteration)
        return Step(launches=(launch,), memory={"iteration": iteration, "started": started})

    def child_ended(self, scope: Scope, child: EndedChild) -> Step:
        """Go on within the iteration; after its last task look at the condition."""
        if child.failed:
            return Step()
        following = scope.following(child.task)
        if following is not None:
            return Step(launches=(Launch(following, None, child.iteration),))
        done = scope.memory["iteration"] + 1
        started = scope.memory["started"]
        frequency = self.check_frequency
        outputs = {"iterationCount": done}
        most = frequency.most(scope)
        if is_truthy(scope.render(self.condition)) or (most is not None and done >= most):
            return Step(outputs=outputs)
        due = scope.now + duration(scope.render(frequency.interval))
        if frequency.max_duration and due - started > duration(scope.render(frequency.max_duration)):
            return Step(outputs=outputs)
        return Step(wait_until=due, outputs=outputs)

    def timer_due(self, scope: Scope) -> Step:
        """Begin the next iteration."""
        return self._iterate(scope, scope.memory["iteration"] + 1, scope.memory["started"])
