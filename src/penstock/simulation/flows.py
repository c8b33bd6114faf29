"""The flows of a simulation: small ones, each for one thing that can go wrong, and the task they do their work with."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import ClassVar

from pydantic import Field

from penstock.base.clock import SECOND, Micros
from penstock.sdk import PollingTrigger, Property, RunContext, Task, TriggerEvent
from penstock.services.worker.context import WorkerRunContext
from penstock.simulation.threads import CURRENT

NAMESPACE = "simulated"


class Source:
    """Where events come from that a trigger polls: one every few seconds, given out until it is acknowledged.

    Args:
        now: Virtual time.
    """

    def __init__(self, now: Callable[[], Micros]) -> None:
        self._now = now
        self._last: int | None = None
        self.acknowledged: set[int] = set()

    @property
    def come(self) -> int:
        """How many events there have been."""
        return self._now() // EVENT_EVERY if self._last is None else self._last

    def close(self) -> None:
        """Let no more come."""
        self._last = self.come

    def next(self) -> int | None:
        """Return the first event that is not acknowledged."""
        return next((number for number in range(1, self.come + 1) if number not in self.acknowledged), None)


class Draw:
    """What chance says about attempts; the same for the same attempt, whatever else happens.

    Args:
        number: Returns a number from 0 to 1 for a key.
        source: Gives events to triggers that poll.
        begun: Told the task run, the attempt and the worker of each attempt that begins.
        wrong: Told what a task saw that must not be.
    """

    def __init__(
        self,
        number: Callable[[str], float],
        source: Source,
        begun: Callable[[str, int, str], None],
        wrong: Callable[[str], None],
    ) -> None:
        self.number = number
        self.source = source
        self.begun = begun
        self.wrong = wrong


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


class Keep(Task):
    """Store a file."""

    type_name: ClassVar[str] = "penstock.simulation.Keep"

    def run(self, context: RunContext) -> dict[str, str]:
        """Store it and say what is in it: something else at each try, since another may still be writing."""
        about = context.task_run
        text = f"kept by {about['id']}/{about['attemptsCount']} on {_worker_of(context)}"
        return {"uri": context.put_bytes(text.encode(), KEPT), "text": text}


class Fetch(Task):
    """Read a file that an earlier task has stored."""

    type_name: ClassVar[str] = "penstock.simulation.Fetch"

    uri: Property[str]
    text: Property[str] = Field(description="What must be in it.")

    def run(self, context: RunContext) -> dict[str, str]:
        """Read it; what is in it must be what was stored."""
        found = b"".join(context.stream_file(context.render(self.uri))).decode()
        if found != context.render(self.text):
            DRAW.get().wrong(f"`{context.render(self.text)}` was stored and `{found}` read")
        return {"text": found}


class Note(Task):
    """Store a key-value pair, again and again, as a task does that notes how far it has come."""

    type_name: ClassVar[str] = "penstock.simulation.Note"

    def run(self, context: RunContext) -> dict[str, str]:
        """Store it and say what is in it: who has it, so that it can be seen whether they may."""
        about, thread = context.task_run, CURRENT.get()
        text = f"{about['id']}/{int(about['attemptsCount']) + 1}/{_worker_of(context)}"
        for _ in range(_NOTES):
            context.call("kvSet", key=context.render(Property.of(NOTED)), value=text)
            thread.wait(round(2 * SECOND * DRAW.get().number(text)))
        return {"text": text}


class Recall(Task):
    """Read what an earlier task has noted."""

    type_name: ClassVar[str] = "penstock.simulation.Recall"

    text: Property[str] = Field(description="What must be in it.")

    def run(self, context: RunContext) -> dict[str, str]:
        """Read it; what is in it must be what the attempt has noted that counts."""
        found = str(context.call("kv", key=context.render(Property.of(NOTED))))
        if found != context.render(self.text):
            DRAW.get().wrong(f"`{context.render(self.text)}` was noted and `{found}` read")
        return {"text": found}


class Poll(PollingTrigger):
    """Ask the simulation's source for its next event."""

    type_name: ClassVar[str] = "penstock.simulation.Poll"

    def poll(self, context: RunContext) -> TriggerEvent | None:
        """Take some time, then return what there is."""
        source = DRAW.get().source
        CURRENT.get().wait(SECOND // 2)
        number = source.next()
        if number is None:
            return None
        return TriggerEvent({"number": number}, str(number), lambda: source.acknowledged.add(number))


TYPES = [Work, Poll, Keep, Fetch, Note, Recall]
"""The types there are in a simulation beside those of every server."""


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
POLLED = "polled"
FILED = "filed"
"""The flow that stores a file and reads it."""
NOTING = "noting"
"""The flow that stores a key-value pair and reads it."""
NOTED = "noted-{{ execution.id }}"
"""The key of that pair."""
_NOTES = 4
EVENT_EVERY: Micros = 7 * SECOND
"""How often there is something to poll for."""
KEPT = "kept.txt"
"""The name of that file."""
UPSTREAM, DOWNSTREAM = "retried", "downstream"
ENDLESS = frozenset({"family", "deaf", "endless_child"})
"""Flows whose tasks never end by themselves within a simulation."""
STARTED = ("chain", "fan", "loop", "retried", "paused", "parent", "queued", "cancelled", "failing", "timed")
"""Flows that clients start (and the endless ones)."""
SWITCHED = ("chain", "ticking", "ticking.tick", "exclusive", "exclusive.tick", "polled", "polled.watch")
"""Flows and triggers that people enable, disable and pause."""

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
    FILED: f"""
tasks:
  - {{id: keep, type: {Keep.type_name}, retry: {{type: constant, interval: PT3S, maxAttempts: 3}}}}
  - id: fetch
    type: {Fetch.type_name}
    uri: "{{{{ outputs.keep.uri }}}}"
    text: "{{{{ outputs.keep.text }}}}"
    retry: {{type: constant, interval: PT3S, maxAttempts: 3}}
""",
    NOTING: f"""
tasks:
  - {{id: note, type: {Note.type_name}}}
  - {{id: recall, type: {Recall.type_name}, text: "{{{{ outputs.note.text }}}}"}}
""",
    POLLED: f"""
triggers:
  - {{id: watch, type: {Poll.type_name}, interval: PT3S, allowConcurrent: true}}
tasks:
  - {{id: work, {_RETURN}}}
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
