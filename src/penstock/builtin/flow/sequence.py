"""Children one after another: `Sequential`, `AllowFailure`, and the two that choose a list first: `If`, `Switch`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Self

from pydantic import AliasChoices, Field, model_validator

from penstock.sdk.flow import EndedChild, Launch, Scope, StateType, Step, is_truthy
from penstock.sdk.task import ChildTasks, FlowableTask, TaskList


class InOrder(FlowableTask):
    """Base of flowables whose children run one after another; a failed child ends the list (ENG-005)."""

    def chosen(self, scope: Scope) -> str:
        """Return the name of the list to run."""
        return "tasks"

    def start(self, scope: Scope) -> Step:
        """Begin with the first task of the chosen list; without one the flowable succeeds."""
        return self.first_of(scope.task.lists.get(self.chosen(scope), ()))

    def child_ended(self, scope: Scope, child: EndedChild) -> Step:
        """Go on with the next task of the same list, unless the child failed."""
        if child.failed:
            return Step()
        following = scope.following(child.task)
        return Step(launches=(Launch(following),)) if following else Step()


class Sequential(InOrder):
    """Run tasks one after another, as a group.

    Group tasks that belong together:

    ```yaml
    tasks:
      - id: prepare
        type: io.kestra.plugin.core.flow.Sequential
        tasks:
          - id: first
            type: io.kestra.plugin.core.log.Log
            message: Makes room
          - id: second
            type: io.kestra.plugin.core.log.Log
            message: Unpacks
    ```

    Implements ENG-068.
    """

    type_name = "io.kestra.plugin.core.flow.Sequential"
    type_aliases = ("io.kestra.core.tasks.flows.Sequential",)

    tasks: TaskList = Field(min_length=1, description="What to run, in order.")

    def lists(self) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """Return the children."""
        return {"tasks": self.tasks}


class AllowFailure(Sequential):
    """Run tasks one after another; a failure among them ends the group with a warning and the flow goes on.

    Go on with a warning when an optional step fails:

    ```yaml
    tasks:
      - id: optional
        type: io.kestra.plugin.core.flow.AllowFailure
        tasks:
          - id: notify
            type: io.kestra.plugin.core.http.Request
            uri: https://example.com/notify
            method: POST
      - id: next
        type: io.kestra.plugin.core.log.Log
        message: This runs in any case
    ```

    Implements ENG-092.
    """

    type_name = "io.kestra.plugin.core.flow.AllowFailure"
    type_aliases = ("io.kestra.core.tasks.flows.AllowFailure",)
    forgives = True

    def fold(self, state: StateType) -> StateType:
        """Turn a failure into a warning."""
        return StateType.WARNING if state is StateType.FAILED else state


class If(InOrder):
    """Run one list of tasks or another, depending on a condition.

    Do one thing or another:

    ```yaml
    inputs:
      - id: amount
        type: INT
    tasks:
      - id: large
        type: io.kestra.plugin.core.flow.If
        condition: "{{ inputs.amount > 1000 }}"
        then:
          - id: approve
            type: io.kestra.plugin.core.flow.Pause
        else:
          - id: accept
            type: io.kestra.plugin.core.log.Log
            message: Accepted without approval
    ```

    Implements ENG-072, ENG-073.
    """

    type_name = "io.kestra.plugin.core.flow.If"
    type_aliases = ("io.kestra.core.tasks.flows.If",)

    condition: str | bool | int | float = Field(
        description="False when it renders to `false`, `0`, `-0`, `null` or nothing; true otherwise."
    )
    then: TaskList = Field(min_length=1, description="What to run when the condition holds.")
    else_: TaskList | None = Field(None, alias="else", description="What to run when it does not.")

    def lists(self) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """Return both branches."""
        return {"then": self.then, "else": self.else_ or []}

    def chosen(self, scope: Scope) -> str:
        """Return the branch that the condition selects."""
        text = scope.render(self.condition) if isinstance(self.condition, str) else str(self.condition).lower()
        return "then" if is_truthy(text) else "else"


def _case_key(key: Any) -> str:
    return str(key).lower() if isinstance(key, bool) else str(key)


class Switch(InOrder):
    """Run the list of tasks that belongs to a value.

    Do something else for each kind of customer:

    ```yaml
    inputs:
      - id: kind
        type: SELECT
        values: ["private", "business"]
    tasks:
      - id: by_kind
        type: io.kestra.plugin.core.flow.Switch
        value: "{{ inputs.kind }}"
        cases:
          business:
            - id: invoice
              type: io.kestra.plugin.core.log.Log
              message: Writes an invoice
        defaults:
          - id: charge
            type: io.kestra.plugin.core.log.Log
            message: Charges the card
    ```

    Implements ENG-074, ENG-075.
    """

    type_name = "io.kestra.plugin.core.flow.Switch"
    type_aliases = ("io.kestra.core.tasks.flows.Switch",)

    value: str | bool | int | float = Field(description="Compared with the keys of `cases` as text.")
    cases: Annotated[dict[Any, list[dict[str, Any]]], ChildTasks()] | None = Field(
        None, description="Lists of tasks by value."
    )
    defaults: TaskList | None = Field(
        None,
        validation_alias=AliasChoices("defaults", "default"),
        description="What to run when no case matches; without it nothing runs and the task succeeds.",
    )

    @model_validator(mode="after")
    def _has_a_branch(self) -> Self:
        if not self.cases and not self.defaults:
            raise ValueError("there is nothing to choose from: give `cases`, `defaults` or both")
        return self

    def lists(self) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """Return the cases, each as a list of its own, and the fallback."""
        named = {f"cases.{_case_key(key)}": tasks for key, tasks in (self.cases or {}).items()}
        return {**named, "defaults": self.defaults or []}

    def chosen(self, scope: Scope) -> str:
        """Return the case that the value selects."""
        value = scope.render(self.value) if isinstance(self.value, str) else _case_key(self.value)
        name = f"cases.{value}"
        return name if name in scope.task.lists else "defaults"
