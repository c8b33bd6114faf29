"""Control-flow tasks of plugins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from penstock.sdk import FlowableTask, TaskList
from penstock.sdk.flow import Scope, Step
from penstock.testing.flows import run_flow


class OnlyLast(FlowableTask):
    """Run the last task alone."""

    type_name = "org.example.OnlyLast"

    tasks: TaskList
    broken: bool = False

    def lists(self) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        return {"tasks": self.tasks}

    def start(self, scope: Scope) -> Step:
        if self.broken:
            raise ZeroDivisionError("a mistake of the author")
        return self.first_of(scope.task.lists["tasks"][-1:])


FLOW = """
id: choosing
namespace: company.team
tasks:
  - id: chosen
    type: org.example.OnlyLast
    broken: {broken}
    tasks:
      - id: first
        type: io.kestra.plugin.core.log.Log
        message: first
      - id: last
        type: io.kestra.plugin.core.log.Log
        message: last
errors:
  - id: told
    type: io.kestra.plugin.core.log.Log
    message: it failed
"""


def test_flowable_of_a_plugin_decides_which_children_run() -> None:
    """PLG-027."""
    done = run_flow(FLOW.replace("{broken}", "false"), types=[OnlyLast])
    assert done.state == "SUCCESS"
    assert [run.task_id for run in done.task_runs] == ["chosen", "last"]


def test_flowable_that_breaks_fails_its_execution_and_the_executor_goes_on() -> None:
    """PLG-027: what comes after it in the same process, the flow's `errors`, still runs."""
    done = run_flow(FLOW.replace("{broken}", "true"), types=[OnlyLast])
    assert done.state == "FAILED"
    assert "it failed" in done.messages
