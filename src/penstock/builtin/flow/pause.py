"""Waiting for somebody, or for some time: `Pause`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from pydantic import AliasChoices, Field

from penstock.builtin.flow.sequence import InOrder
from penstock.sdk.errors import PluginError
from penstock.sdk.flow import Scope, StateType, Step
from penstock.sdk.task import InputList, TaskList
from penstock.sdk.values import Duration, duration, iso_date


class NotResumed(PluginError):
    """A pause has lasted as long as it may."""

    code = "NOT_RESUMED"


class Pause(InOrder):
    """Wait until somebody resumes the execution, or for a fixed time.

    Wait until somebody has approved, and say why:

    ```yaml
    tasks:
      - id: approval
        type: io.kestra.plugin.core.flow.Pause
        onResume:
          - id: reason
            type: STRING
            description: Why is this all right?
      - id: deploy
        type: io.kestra.plugin.core.log.Log
        message: "Approved: {{ outputs.approval.onResume.reason }}"
    ```

    Without a duration, `timeout` bounds the pause: it fails when nobody has resumed in time.

    Implements ENG-095, ENG-096; `delay` and `tasks` are older spellings that go on working.
    """

    type_name = "io.kestra.plugin.core.flow.Pause"
    type_aliases = ("io.kestra.core.tasks.flows.Pause",)
    heeds_timeout: ClassVar[bool] = True

    pause_duration: Duration | None = Field(
        None,
        validation_alias=AliasChoices("pauseDuration", "delay"),
        description="Go on by itself after this time; without it only a resume ends the pause.",
    )
    behavior: Literal["RESUME", "WARN", "CANCEL", "FAIL"] = Field(
        "RESUME", description="What happens when the duration is over and nobody has resumed."
    )
    on_resume: InputList | None = Field(None, description="Inputs asked for on resume.")
    tasks: TaskList | None = Field(None, description="What to run after the resume.")

    def lists(self) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """Return the tasks that follow the resume."""
        return {"tasks": self.tasks or []}

    def start(self, scope: Scope) -> Step:
        """Wait."""
        longest = self.pause_duration or self.timeout
        if longest is None:
            return Step(paused=True)
        return Step(paused=True, wait_until=scope.now + duration(scope.render(longest)))

    def resumed(self, scope: Scope, inputs: Mapping[str, Any], by: str | None) -> Step:
        """Go on, with the values given on resume as outputs (USE-B029, USE-B030)."""
        resumed = {"by": by, "on": iso_date(scope.now), "to": "RUNNING"}
        outputs = {"onResume": dict(inputs), "resumed": {key: value for key, value in resumed.items() if value}}
        return Step(launches=self.first_of(scope.task.lists.get("tasks", ())).launches, outputs=outputs)

    def timer_due(self, scope: Scope) -> Step:
        """Do what `behavior` says; fail at the end of the `timeout`.

        Raises:
            NotResumed: The pause fails.
        """
        if self.pause_duration is None or self.behavior == "FAIL":
            raise NotResumed(f"nobody has resumed the execution within {self.pause_duration or self.timeout}")
        if self.behavior == "RESUME":
            return self.resumed(scope, {}, None)
        return Step(state=StateType.WARNING if self.behavior == "WARN" else StateType.CANCELLED)
