"""`RunContext` in a plugin's own process: whatever needs the server is asked of it (see `penstock.sdk.context`)."""

from __future__ import annotations

import itertools
import queue
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from penstock.engine.records import TaskRun
from penstock.sdk import PermanentError, PluginError, TaskLogger
from penstock.services.isolation.messages import Answer, Ask, Message, Tell
from penstock.services.property_values import PropertyValues

_PIECE = 65_536
_OWN = ".penstock"
"""The folder of the working directory that is never an output."""


class RemoteContext:
    """What one piece of work sees of the world, from another process than the worker's. Implements PLG-007.

    Args:
        say: Says something to the server.
    """

    def __init__(self, say: Callable[[Message], None]) -> None:
        self._say = say
        self._numbers = itertools.count(1)
        self._answers: dict[int, queue.Queue[Answer]] = {}
        self._values = PropertyValues(self.render_text, self.render_nested)
        self._lock = threading.Lock()
        self._actions: list[Callable[[], None]] | None = []
        self.logger = RemoteLogger(self._tell)
        self.task: BaseModel | None = None

    # -- the server

    def _ask(self, name: str, /, **arguments: Any) -> Any:
        number = next(self._numbers)
        answers = self._answers[number] = queue.Queue(1)
        self._say(Ask(number, name, arguments))
        answer = answers.get()
        del self._answers[number]
        if answer.error is not None:
            raise (PermanentError if answer.is_permanent else PluginError)(answer.error)
        return answer.value

    def _tell(self, name: str, /, **arguments: Any) -> None:
        self._say(Tell(name, arguments))

    def take(self, answer: Answer) -> None:
        """Take the server's answer."""
        self._answers[answer.number].put(answer)

    # -- expressions

    @cached_property
    def variables(self) -> Mapping[str, Any]:
        """The expression context."""
        found: Mapping[str, Any] = self._ask("variables")
        return found

    @property
    def task_run(self) -> Mapping[str, Any]:
        """`taskrun` of the expression context."""
        found: Mapping[str, Any] = self.variables.get("taskrun", {})
        return found

    def render(self, value: Any, default: Any = None) -> Any:
        """Return a property's value, rendered and converted to its type; `default` when it is absent."""
        return self._values.value(self.task, value, default)

    def render_text(self, template: str, extra: Mapping[str, Any] | None = None) -> str:
        """Return a template's text."""
        if "{" not in template:
            return template
        return str(self._ask("render_text", template=template, extra=extra))

    def render_nested(self, value: Any, extra: Mapping[str, Any] | None = None) -> Any:
        """Return a structure with all strings in it rendered to text."""
        return self._ask("render_nested", value=value, extra=extra)

    def call(self, function: str, **arguments: Any) -> Any:
        """Call an expression function of the server."""
        return self._ask("call", function=function, arguments=arguments)

    @cached_property
    def environment(self) -> Mapping[str, str]:
        """The environment variables a process of the task starts from."""
        found: Mapping[str, str] = self._ask("environment")
        return found

    # -- files

    @cached_property
    def working_directory(self) -> Path:
        """The task run's own folder."""
        return Path(self._ask("working_directory"))

    def resolve(self, name: str) -> Path:
        """Return a path inside the working directory."""
        return Path(self._ask("resolve", name=str(name)))

    def put_file(self, path: Path, name: str | None = None, *, keep: bool = False) -> str:
        """Store a file of the working directory and return its URI; the local file is removed unless kept."""
        return str(self._ask("put_file", path=str(path), name=name, keep=keep))

    def put_bytes(self, content: bytes, name: str) -> str:
        """Store bytes and return their URI."""
        aside = self._aside()
        aside.write_bytes(content)
        return self.put_file(aside, name)

    def get_file(self, uri: str, target: Path) -> None:
        """Copy a stored file, a namespace file or an allowed host file into the working directory."""
        self._ask("get_file", uri=uri, target=str(target))

    def stream_file(self, uri: str) -> Iterator[bytes]:
        """Return a file's bytes in pieces."""
        aside = self._aside()
        try:
            self.get_file(uri, aside)
            with aside.open("rb") as file:
                yield from iter(lambda: file.read(_PIECE), b"")
        finally:
            aside.unlink(missing_ok=True)

    def _aside(self) -> Path:
        folder = self.working_directory / _OWN
        folder.mkdir(exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
            return Path(file.name)

    # -- what the task says

    def counter(self, name: str, value: float, tags: Mapping[str, str] | None = None) -> None:
        """Record a count."""
        self._tell("counter", name=name, value=value, tags=tags)

    def timer(self, name: str, seconds: float, tags: Mapping[str, str] | None = None) -> None:
        """Record a length of time."""
        self._tell("timer", name=name, seconds=seconds, tags=tags)

    def gauge(self, name: str, value: float, tags: Mapping[str, str] | None = None) -> None:
        """Record how high something stands."""
        self._tell("gauge", name=name, value=value, tags=tags)

    def mask(self, value: str) -> None:
        """Hide a value from everything the execution says from now on."""
        self._tell("mask", value=value)

    def set_labels(self, labels: Mapping[str, str]) -> None:
        """Set labels on the execution when the task ends."""
        self._tell("set_labels", labels=labels)

    def set_variables(self, variables: Mapping[str, Any]) -> None:
        """Replace the execution's variables when the task ends."""
        self._tell("set_variables", variables=variables)

    def end_execution(self, state: str) -> None:
        """Have the execution end in a state when the task ends."""
        self._tell("end_execution", state=state)

    # -- other tasks

    def child_task_run(self, run: TaskRun) -> None:
        """Record a task run that ran inside this task."""
        self._tell("child_task_run", run=run)

    def run_child(self, definition: Mapping[str, Any]) -> bool:
        """Run a task inside this one and return whether others are to follow; raises when it fails."""
        follow: bool = self._ask("run_child", definition=definition)
        return follow

    def run_instead(self, spec: str) -> Mapping[str, Any] | None:
        """Run the task that a YAML text defines, in this one's stead."""
        found: Mapping[str, Any] | None = self._ask("run_instead", spec=spec)
        return found

    def outputs_of(self, definition: Mapping[str, Any]) -> Mapping[str, Any]:
        """Run a task for its outputs alone."""
        found: Mapping[str, Any] = self._ask("outputs_of", definition=definition)
        return found

    # -- kills

    def on_kill(self, action: Callable[[], None]) -> None:
        """Have an action called when the work is to end; at once when that has happened already."""
        with self._lock:
            if self._actions is not None:
                self._actions.append(action)
                return
        action()

    def unconfirmed(self, what: str, *left: str) -> None:
        """Say what of the work may still run though it was to end."""
        self._tell("unconfirmed", what=what, left=left)

    @property
    def is_killed(self) -> bool:
        """Whether the work is to end."""
        return self._actions is None

    def interrupt(self) -> None:
        """Have the work end: what is to be done for that is done beside it, the last action first."""
        with self._lock:
            actions, self._actions = self._actions or [], None
        for action in reversed(actions):
            threading.Thread(target=action, name="kill", daemon=True).start()


class RemoteLogger(TaskLogger):
    """Writes to the logs of the task run, or of the trigger."""

    def __init__(self, tell: Callable[..., None]) -> None:
        self._tell = tell

    def log(self, level: str, message: str) -> None:
        """Write a line at the level of this name."""
        self._tell("log", level=level, message=str(message))
