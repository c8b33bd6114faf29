"""The flows of a simulation: small ones, each for one thing that can go wrong, and the task they do their work with."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import ClassVar

from pydantic import Field

from penstock.base.clock import SECOND
from penstock.sdk import RunContext, Task
from penstock.services.worker.context import WorkerRunContext
from penstock.simulation.threads import CURRENT

NAMESPACE = "simulated"


class Draw:
    """What chance says about attempts; the same for the same attempt, whatever else happens.

    Args:
        number: Returns a number from 0 to 1 for a key.
        begun: Told the task run, the attempt and the worker of each attempt that begins.
    """

    def __init__(self, number: Callable[[str], float], begun: Callable[[str, int, str], None]) -> None:
        self.number = number
        self.begun = begun


DRAW: ContextVar[Draw] = ContextVar("draw")
"""The chance of the simulation at hand."""


class Work(Task):
    """Wait for virtual time, then succeed or fail as chance has it."""

    type_name: ClassVar[str] = "penstock.simulation.Work"

    seconds: float = Field(1.0, description="The longest it takes.")
    failures: float = Field(0.0, description="How often it fails, from 0 to 1.")
    deaf: bool = Field(False, description="Do not listen to a kill.")
    whole: bool = Field(False, description="Take the longest time each time.")

    def run(self, context: RunContext) -> dict[str, str]:
        """Wait, then return or raise."""
        draw, thread = DRAW.get(), CURRENT.get()
        about = context.task_run
        key = f"{about['id']}/{about['attemptsCount']}"
        draw.begun(str(about["id"]), int(about["attemptsCount"]) + 1, _worker_of(context))
        if not self.deaf:
            context.on_kill(thread.wake)
        thread.wait(round(self.seconds * SECOND * (1.0 if self.whole else draw.number(f"{key}/time"))))
        if draw.number(f"{key}/failure") < self.failures:
            raise RuntimeError("chance would have it")
        return {"value": str(about["id"])}


def _worker_of(context: RunContext) -> str:
    assert isinstance(context, WorkerRunContext)
    return context.worker_id or ""


_WORK = f"type: {Work.type_name}"
_CORE = "io.kestra.plugin.core"
_RETURN = f"type: {_CORE}.debug.Return, format: '{{{{ execution.id }}}}'"

LIMITS = {"queued": 2, "cancelled": 1, "failing": 1}
"""How many executions of a flow may run at once."""
SCHEDULES = {"ticking": 5, "exclusive": 10}
"""Seconds between the dates of a flow."""
UPSTREAM, DOWNSTREAM = "retried", "downstream"
ENDLESS = frozenset({"family", "deaf", "endless_child"})
"""Flows whose tasks never end by themselves within a simulation."""
STARTED = ("chain", "fan", "loop", "retried", "paused", "parent", "queued", "cancelled", "failing", "timed")
"""Flows that clients start (and the endless ones)."""

_BODIES = {
    "chain": f"""
tasks:
  - {{id: first, {_RETURN}}}
  - {{id: second, {_WORK}, seconds: 2}}
  - {{id: third, {_RETURN}}}
""",
    "fan": f"""
tasks:
  - id: all
    type: {_CORE}.flow.Parallel
    concurrent: 2
    tasks:
      - {{id: a, {_WORK}, seconds: 3}}
      - {{id: b, {_RETURN}}}
      - {{id: c, {_WORK}, seconds: 1, failures: 0.1}}
      - {{id: d, {_WORK}, seconds: 3}}
finally:
  - {{id: last, {_WORK}, seconds: 0.1}}
""",
    "loop": f"""
tasks:
  - id: each
    type: {_CORE}.flow.ForEach
    values: [1, 2, 3, 4]
    concurrencyLimit: 2
    tasks:
      - {{id: first, {_WORK}, seconds: 1}}
      - {{id: second, {_RETURN}}}
""",
    "retried": f"""
tasks:
  - {{id: flaky, {_WORK}, seconds: 1, failures: 0.5, retry: {{type: constant, interval: PT2S, maxAttempts: 3}}}}
  - {{id: after, {_RETURN}}}
errors:
  - {{id: sorry, {_RETURN}}}
""",
    "paused": f"""
tasks:
  - {{id: before, {_RETURN}}}
  - {{id: short, type: {_CORE}.flow.Pause, pauseDuration: PT10S}}
  - {{id: long, type: {_CORE}.flow.Pause}}
  - {{id: after, {_WORK}}}
""",
    "child": f"""
tasks:
  - {{id: work, {_WORK}, seconds: 4}}
outputs:
  - {{id: result, type: STRING, value: "{{{{ outputs.work.value }}}}"}}
""",
    "parent": f"""
tasks:
  - {{id: one, type: {_CORE}.flow.Subflow, namespace: {NAMESPACE}, flowId: child, wait: true, transmitFailed: true}}
  - id: several
    type: {_CORE}.flow.ForEach
    values: [1, 2, 3]
    concurrencyLimit: 0
    tasks:
      - {{id: each, type: {_CORE}.flow.Subflow, namespace: {NAMESPACE}, flowId: queued, wait: true}}
""",
    "endless_child": f"""
tasks:
  - {{id: work, {_WORK}, seconds: 1000000, whole: true}}
""",
    "family": f"""
tasks:
  - id: all
    type: {_CORE}.flow.Parallel
    tasks:
      - {{id: one, type: {_CORE}.flow.Subflow, namespace: {NAMESPACE}, flowId: endless_child, wait: true}}
      - {{id: two, type: {_CORE}.flow.Subflow, namespace: {NAMESPACE}, flowId: endless_child, wait: true}}
""",
    "deaf": f"""
tasks:
  - {{id: work, {_WORK}, seconds: 1000000, whole: true, deaf: true}}
""",
    "queued": f"""
concurrency: {{limit: 2, behavior: QUEUE}}
tasks:
  - {{id: work, {_WORK}, seconds: 5}}
""",
    "cancelled": f"""
concurrency: {{limit: 1, behavior: CANCEL}}
tasks:
  - {{id: work, {_WORK}, seconds: 5}}
""",
    "failing": f"""
concurrency: {{limit: 1, behavior: FAIL}}
tasks:
  - {{id: work, {_WORK}, seconds: 5, failures: 0.3}}
""",
    "timed": f"""
tasks:
  - {{id: slow, {_WORK}, seconds: 1000000, whole: true, timeout: PT5S}}
""",
    "ticking": f"""
triggers:
  - {{id: tick, type: {_CORE}.trigger.Schedule, cron: "*/5 * * * * *", withSeconds: true, allowConcurrent: true}}
tasks:
  - {{id: work, {_RETURN}}}
""",
    "exclusive": f"""
triggers:
  - id: tick
    type: {_CORE}.trigger.Schedule
    cron: "*/10 * * * * *"
    withSeconds: true
    allowConcurrent: false
tasks:
  - {{id: work, {_WORK}, seconds: 12}}
""",
    "downstream": f"""
triggers:
  - id: listen
    type: {_CORE}.trigger.Flow
    preconditions:
      id: any
      flows:
        - {{namespace: {NAMESPACE}, flowId: {UPSTREAM}, states: [SUCCESS, FAILED, KILLED, WARNING, CANCELLED]}}
tasks:
  - {{id: work, {_RETURN}}}
""",
}


def sources() -> dict[str, str]:
    """Return the source of each flow."""
    return {name: f"id: {name}\nnamespace: {NAMESPACE}\n{body}" for name, body in _BODIES.items()}
