"""`RunContext`: what a task sees of the world while it runs. Synchronous; the worker implements it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, overload

from penstock.engine.records import TaskRun
from penstock.sdk.property import Property

if TYPE_CHECKING:
    from penstock.sdk.task import Output

T = TypeVar("T")
D = TypeVar("D")


class TaskLogger(Protocol):
    """Writes to the execution's logs; whoever derives from it says in `log` where lines go."""

    __slots__ = ()

    def trace(self, message: str) -> None:
        """Write a line at TRACE."""
        self.log("TRACE", message)

    def debug(self, message: str) -> None:
        """Write a line at DEBUG."""
        self.log("DEBUG", message)

    def info(self, message: str) -> None:
        """Write a line at INFO."""
        self.log("INFO", message)

    def warning(self, message: str) -> None:
        """Write a line at WARN."""
        self.log("WARN", message)

    def error(self, message: str) -> None:
        """Write a line at ERROR."""
        self.log("ERROR", message)

    def log(self, level: str, message: str) -> None:
        """Write a line at the level of that name."""
        ...


class RunContext(Protocol):
    """The worker's face towards a task."""

    @property
    def variables(self) -> Mapping[str, Any]:
        """The expression context (EXP-020)."""
        ...

    @property
    def logger(self) -> TaskLogger:
        """The task run's logger (PLG-019)."""
        ...

    @property
    def task_run(self) -> Mapping[str, Any]:
        """`taskrun` of the expression context."""
        ...

    @overload
    def render(self, value: Property[T]) -> T: ...
    @overload
    def render(self, value: Property[T] | None, default: D) -> T | D: ...
    @overload
    def render(self, value: Property[T] | None) -> T | None: ...
    @overload
    def render(self, value: str) -> str: ...

    def render_text(self, template: str, extra: Mapping[str, Any] | None = None) -> str:
        """Return a template's text, with extra variables such as `workingDir`."""
        ...

    def render_nested(self, value: Any, extra: Mapping[str, Any] | None = None) -> Any:
        """Return a structure with all strings in it rendered to text."""
        ...

    @property
    def working_directory(self) -> Path:
        """The task run's own directory, made when first asked for and removed at the end (SCR-018)."""
        ...

    def resolve(self, name: str) -> Path:
        """Return a path inside the working directory; refuses one that leads out of it (PLG-021)."""
        ...

    def put_file(self, path: Path, name: str | None = None, *, keep: bool = False) -> str:
        """Store a file of the working directory in internal storage and return its URI (PLG-020).

        The local file is removed unless it is to be kept.
        """
        ...

    def put_bytes(self, content: bytes, name: str) -> str:
        """Store bytes in internal storage and return their URI."""
        ...

    def get_file(self, uri: str, target: Path) -> None:
        """Copy a file of internal storage, a namespace file or an allowed host file to the local disk."""
        ...

    def stream_file(self, uri: str) -> Iterator[bytes]:
        """Return a stored file's bytes in pieces."""
        ...

    def call(self, function: str, **arguments: Any) -> Any:
        """Call an expression function of the server, such as `kv` or `secret`."""
        ...

    def counter(self, name: str, value: float, tags: Mapping[str, str] | None = None) -> None:
        """Record a count (PLG-025)."""
        ...

    def timer(self, name: str, seconds: float, tags: Mapping[str, str] | None = None) -> None:
        """Record a length of time in seconds (PLG-025)."""
        ...

    def gauge(self, name: str, value: float, tags: Mapping[str, str] | None = None) -> None:
        """Record how high something stands (PLG-025)."""
        ...

    def mask(self, value: str) -> None:
        """Hide a value (and its encodings) from everything the task says from now on."""
        ...

    def set_labels(self, labels: Mapping[str, str]) -> None:
        """Set labels on the execution when the task ends."""
        ...

    def set_variables(self, variables: Mapping[str, Any]) -> None:
        """Replace the variables of the execution when the task ends (ENG-201)."""
        ...

    def end_execution(self, state: str) -> None:
        """Have the execution end when the task ends, in SUCCESS, WARNING, FAILED, KILLED or CANCELLED.

        Nothing begins after it but `errors` of a failure, `finally` and `afterExecution`; see `Exit`.
        """
        ...

    def on_kill(self, action: Callable[[], None]) -> None:
        """Have an action called from another thread when the task is killed or times out (BEY-004)."""
        ...

    def unconfirmed(self, what: str, *left: str) -> None:
        """Say what of the task may still run though it was to end; its attempt is marked so (BEY-009).

        Args:
            what: In words, for the log.
            left: Each thing that is left, by what it is found by (`process 4711 on host`); the attempt names them.
        """
        ...

    @property
    def is_killed(self) -> bool:
        """Whether a kill or a timeout has been ordered; long loops look at it."""
        ...

    @property
    def environment(self) -> Mapping[str, str]:
        """The environment variables a process of the task starts from."""
        ...

    def child_task_run(self, run: TaskRun) -> None:
        """Record a task run that ran inside this task."""
        ...

    def run_child(self, definition: Mapping[str, Any]) -> bool:
        """Run a task inside this one: here and now, in the same working directory, as a task run of its own.

        Its outputs are seen by those that follow it. Returns whether any are to follow: none once it has ended the
        execution (`Exit`). Raises a PluginError when it fails and may not.
        """
        ...

    def run_instead(self, spec: str) -> Output | Mapping[str, Any] | None:
        """Run the task that a YAML text defines in this one's stead, and return its outputs."""
        ...

    def outputs_of(self, definition: Mapping[str, Any]) -> Mapping[str, Any]:
        """Run a task for its outputs alone, which nobody else sees: it is no task run, and needs no `id`.

        May be called from any thread. Raises a PluginError when it fails.
        """
        ...
