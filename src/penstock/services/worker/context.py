"""`RunContext` for an attempt: the synchronous face of the worker towards a task (see `penstock.sdk.context`)."""

from __future__ import annotations

import contextlib
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from penstock.base.clock import Clock
from penstock.base.codec import from_json, to_json_text
from penstock.base.errors import InvalidRequestError, PenstockError
from penstock.engine.confidential import CONFIDENTIAL, call_text
from penstock.engine.decision import Job
from penstock.engine.records import TaskRun
from penstock.engine.states import StateType
from penstock.engine.variables import VariableChange, changes
from penstock.expressions import compile_template, render, render_nested
from penstock.expressions.encrypted import is_sealed
from penstock.model.registry import TypeRegistry
from penstock.ports.gateway import Assignment
from penstock.sdk.context import TaskLogger
from penstock.sdk.task import Output
from penstock.services.masking import Masker
from penstock.services.outcome import plain_outputs
from penstock.services.property_values import PropertyValues
from penstock.services.worker.children import run_child
from penstock.services.worker.definitions import read_definition
from penstock.services.worker.host import Host
from penstock.services.worker.instances import build
from penstock.services.worker.log_file import LogFile
from penstock.services.worker.task_log import TaskLog
from penstock.services.worker.working_files import WorkingDirectory, allowed_host_file


class WorkerRunContext:
    """What one attempt sees of the world. Implements EXP-007, ENG-054, PLG-014, PLG-019 to PLG-021, PLG-025, SCR-018.

    Most attempts use little of it, so nothing is made before it is asked for.
    """

    __slots__ = (
        "_actions",
        "_assignment",
        "_directory",
        "_folder",
        "_host",
        "_killed",
        "_lock",
        "_masker",
        "_outer",
        "children",
        "exit",
        "is_over",
        "is_unconfirmed",
        "labels",
        "left",
        "log",
        "new_variables",
        "task",
        "warned",
        "worker_id",
    )

    def __init__(
        self,
        assignment: Assignment,
        host: Host,
        task: BaseModel | None = None,
        *,
        outer: WorkerRunContext | None = None,
        job: Job | None = None,
        log_to_file: bool = False,
    ) -> None:
        """Make the context of an attempt, or of a task that runs inside another one.

        Args:
            assignment: The attempt's. A task inside another has the outer one's job in it: that is what the server
                knows, and on whose behalf files and functions are asked for.
            host: The worker.
            task: The task.
            outer: The context of the task around it, whose directory it shares.
            job: What log lines and metrics are kept under; the assignment's by default.
            log_to_file: Whether log lines are kept as a file.
        """
        settings = host.settings
        self._assignment = assignment
        self._host = host
        self._directory: WorkingDirectory | None = None
        self._killed = False
        self._actions: list[Callable[[], None]] | None = None
        self._lock = threading.Lock()
        self._masker: Masker | None = None
        self._outer = outer
        self._folder = ""
        self.task = task
        self.worker_id: str | None = None
        self.is_over = False
        """Whether its job has ended with what was reported: nothing is asked under its lease any more."""
        self.is_unconfirmed = False
        """Whether something of it may still run, by its own word."""
        self.left: tuple[str, ...] = ()
        """What that is, as far as it is known."""
        self.warned = False
        """Whether a task inside ended with a warning."""
        file = LogFile(settings.directory) if log_to_file else None
        if outer is None or job is None:
            self.log = TaskLog(
                assignment.job,
                host.clock,
                self._known_masker,
                least=assignment.log_level,
                kind=assignment.kind,
                bound=settings.message_bound,
                file=file,
            )
        else:
            self.log = outer.log.within(job, assignment.log_level, file)
            self.worker_id = outer.worker_id
            self._folder = f"{outer._folder}.tasks/{job.task_id}/"
            self._masker = outer._masker
        self.labels: dict[str, str] = {}
        self.children: list[TaskRun] = []
        self.exit: StateType | None = None
        """The state in which the task wants its execution to end."""
        self.new_variables: Mapping[str, Any] | None = None

    @property
    def clock(self) -> Clock:
        """The worker's clock."""
        return self._host.clock

    @property
    def outputs_bound(self) -> int:
        """Most bytes of JSON the outputs may take."""
        return self._host.settings.outputs_bound

    # -- expressions

    @property
    def variables(self) -> Mapping[str, Any]:
        """The expression context."""
        return self._assignment.variables

    @property
    def logger(self) -> TaskLogger:
        """The attempt's logger."""
        return self.log

    @property
    def task_run(self) -> Mapping[str, Any]:
        """`taskrun` of the expression context."""
        found: Mapping[str, Any] = self.variables.get("taskrun", {})
        return found

    def render(self, value: Any, default: Any = None) -> Any:
        """Return a property's value, rendered and converted to its type; `default` when it is absent."""
        values = PropertyValues(self.render_text, self.render_nested, self.hide)
        return values.value(self.task, value, default)

    def render_text(self, template: str, extra: Mapping[str, Any] | None = None) -> str:
        """Return a template's text."""
        variables = {**self.variables, **extra} if extra else self.variables
        text = render(template, variables, resolver=_Functions(self))
        if self._masker is not None:
            self._mask_derived(template, text)
        return text

    def render_nested(self, value: Any, extra: Mapping[str, Any] | None = None) -> Any:
        """Return a structure with all strings in it rendered to text."""
        variables = {**self.variables, **extra} if extra else self.variables
        rendered = render_nested(value, variables, resolver=_Functions(self))
        if self._masker is not None:
            self._mask_nested(value, rendered)
        return rendered

    def _mask_derived(self, template: str, text: str) -> None:
        """Hide what the only expression of a template has made of a secret (BEY-061)."""
        if template.count("{{") != 1 or "{%" in template or not self._is_confidential(template):
            return
        before, after = template.index("{{"), len(template) - template.rindex("}}") - 2
        made = text[before : len(text) - after]
        assert self._masker is not None
        self._masker.add_derived(made.strip())

    def _is_confidential(self, template: str) -> bool:
        """Return whether a template shows a secret, or something made of one."""
        compiled = compile_template(template)
        if compiled.functions & CONFIDENTIAL:
            return True
        return any(_reads_sealed(self.variables, path) for path in compiled.references)

    def _mask_nested(self, value: Any, rendered: Any) -> None:
        if isinstance(value, str):
            self._mask_derived(value, rendered)
        elif isinstance(value, Mapping):
            for inner, made in zip(value.values(), rendered.values(), strict=False):
                self._mask_nested(inner, made)
        elif isinstance(value, list):
            for inner, made in zip(value, rendered, strict=False):
                self._mask_nested(inner, made)

    # -- the outside

    def call(self, function: str, **arguments: Any) -> Any:
        """Call an expression function of the server."""
        return self.ask(function, arguments)

    def ask(self, function: str, arguments: Mapping[str, Any]) -> Any:
        """Return the server's answer to an expression function; secrets in it are masked from now on."""
        job = self._assignment.job
        worker_id = None if self.is_over else self.worker_id
        answer = self._host.wait_for(self._host.gateway.call(job, function, arguments, worker_id))
        if function in CONFIDENTIAL and isinstance(answer, str):
            self.mask(answer)
            assert self._masker is not None
            self._masker.add_source(call_text(function, dict(arguments)), answer)
        return answer

    def hide_confidential(self) -> None:
        """Learn the secrets that earlier tasks, perhaps of other workers, have put into their outputs (BEY-061)."""
        for call in self._assignment.confidential:
            masker = self._host.maskers.find(self._assignment.job.execution_id)
            if masker is not None and masker.knows(call):
                continue
            function, arguments = from_json(call)
            if function in CONFIDENTIAL:
                with contextlib.suppress(PenstockError):  # a secret that is gone cannot be told from other text
                    self.ask(function, arguments)

    def confidential(self, outputs: object) -> tuple[str, ...]:
        """Return the calls that give the secrets in what the task leaves behind."""
        if self._masker is None:
            return ()
        left = [outputs, self.new_variables, self.labels, [run.outputs for run in self.children]]
        return self._masker.sources_in(to_json_text(left))

    @property
    def environment(self) -> Mapping[str, str]:
        """The environment variables a process of the task starts from."""
        return self._host.settings.environment

    # -- files

    @property
    def _files(self) -> WorkingDirectory:
        if self._outer is not None:
            return self._outer._files
        if self._directory is None:
            self._directory = WorkingDirectory(self._host.settings.directory)
        return self._directory

    @property
    def working_directory(self) -> Path:
        """The attempt's own folder."""
        return self._files.path

    def resolve(self, name: str) -> Path:
        """Return a path inside the working directory."""
        return self._files.resolve(name)

    def put_file(self, path: Path, name: str | None = None, *, keep: bool = False) -> str:
        """Store a file of the working directory and return its URI; the local file is removed unless kept."""
        local = self._files.resolve(path)
        if not local.is_file():
            raise InvalidRequestError(f"`{path}` is not a file of the working directory")
        stored = name or local.relative_to(self.working_directory).as_posix()
        uri = self._put(stored, local)
        if not keep:
            local.unlink(missing_ok=True)
        return uri

    def put_bytes(self, content: bytes, name: str) -> str:
        """Store bytes and return their URI."""
        return self._put(name, content)

    def _put(self, name: str, content: bytes | Path) -> str:
        """Store a file where only this worker's try of the attempt stores any (BEY-004).

        Whoever was given up may still write while another has taken over; it is known by another name once it is back.
        """
        job = self._assignment.job
        place = f"{job.attempt}-{self.worker_id or ''}/{self._folder}{name}"
        return self._host.wait_for(self._host.gateway.put_file(job, place, content))

    def get_file(self, uri: str, target: Path) -> None:
        """Copy a stored file, a namespace file or an allowed host file into the working directory."""
        local = self._files.resolve(target)
        local.parent.mkdir(parents=True, exist_ok=True)
        if uri.startswith("file://"):
            shutil.copyfile(allowed_host_file(uri, self._host.settings.allowed_paths), local)
            return
        self._host.wait_for(self._host.gateway.get_file(self._assignment.job, uri, local))

    def stream_file(self, uri: str) -> Iterator[bytes]:
        """Return a file's bytes in pieces."""
        if uri.startswith("file://"):
            with allowed_host_file(uri, self._host.settings.allowed_paths).open("rb") as file:
                yield from iter(lambda: file.read(65_536), b"")
            return
        yield from self._host.iterate(self._host.gateway.stream_file(self._assignment.job, uri))

    # -- what the task says

    def store_log(self) -> str | None:
        """Hand in the log that is kept as a file, and return its URI; called when nothing more is said (ENG-051)."""
        file = self.log.file
        if file is None:
            return None
        try:
            return self._put(f".logs/attempt-{self._assignment.job.attempt}.log", file.path)
        except PenstockError as error:
            self.log.warning(f"The log could not be kept as a file: {error}")
            self.log.return_lines()
            return None
        finally:
            file.close()

    def counter(self, name: str, value: float, tags: Mapping[str, str] | None = None) -> None:
        """Record a count."""
        self.log.metric("counter", name, value, tags)

    def timer(self, name: str, seconds: float, tags: Mapping[str, str] | None = None) -> None:
        """Record a length of time."""
        self.log.metric("timer", name, seconds, tags)

    def gauge(self, name: str, value: float, tags: Mapping[str, str] | None = None) -> None:
        """Record how high something stands."""
        self.log.metric("gauge", name, value, tags)

    def mask(self, value: str) -> None:
        """Hide a value from everything the execution says from now on."""
        if self._masker is None:
            self._masker = self._host.maskers.of(self._assignment.job.execution_id)
        self._masker.add(value)

    def hide(self, text: str) -> str:
        """Return a text with the execution's secrets masked."""
        masker = self._known_masker()
        return text if masker is None else masker.hide(text)

    def _known_masker(self) -> Masker | None:
        """Return the execution's masker, if it has used a secret."""
        return self._masker or self._host.maskers.find(self._assignment.job.execution_id)

    def set_labels(self, labels: Mapping[str, str]) -> None:
        """Set labels on the execution when the task ends."""
        self.labels.update(labels)

    def set_variables(self, variables: Mapping[str, Any]) -> None:
        """Replace the execution's variables when the task ends."""
        self.new_variables = dict(variables)

    def variable_changes(self) -> tuple[VariableChange, ...]:
        """Return what the task changed on the execution's variables."""
        if self.new_variables is None:
            return ()
        return tuple(changes(self.variables.get("vars") or {}, self.new_variables))

    def end_execution(self, state: str) -> None:
        """Have the execution end in a state when the task ends."""
        self.exit = StateType(state)
        self.warned = self.warned or self.exit is StateType.WARNING

    @property
    def end_state(self) -> StateType:
        """The state of a run that has gone well."""
        if self.exit in (StateType.KILLED, StateType.CANCELLED):
            return self.exit
        return StateType.WARNING if self.warned else StateType.SUCCESS

    def child_task_run(self, run: TaskRun) -> None:
        """Record a task run that ran inside this task."""
        self.children.append(run)

    # -- other tasks

    @property
    def assignment(self) -> Assignment:
        """What the attempt is about."""
        return self._assignment

    @property
    def registry(self) -> TypeRegistry:
        """The task types installed here."""
        return self._host.registry

    def run_child(self, definition: Mapping[str, Any]) -> bool:
        """Run a task inside this one and return whether others are to follow; raises when it fails."""
        return run_child(self, definition)

    def run_instead(self, spec: str) -> Output | Mapping[str, Any] | None:
        """Run the task that a YAML text defines, in this one's stead."""
        definition = read_definition(spec, str(self.variables.get("task", {}).get("id", "task")))
        task = build(self.registry, str(definition.get("type")), definition)
        self.task = task
        return task.run(self)

    def outputs_of(self, definition: Mapping[str, Any]) -> Mapping[str, Any]:
        """Run a task for its outputs alone."""
        task = build(self.registry, str(definition.get("type")), {"id": "inner", **definition})
        inner = WorkerRunContext(self._assignment, self._host, task, outer=self, job=self._assignment.job)
        return plain_outputs(task.run(inner), self.outputs_bound) or {}

    def inner(self, assignment: Assignment, job: Job, *, log_to_file: bool) -> WorkerRunContext:
        """Return the context of a task that runs inside this one."""
        return WorkerRunContext(assignment, self._host, outer=self, job=job, log_to_file=log_to_file)

    # -- kills

    def on_kill(self, action: Callable[[], None]) -> None:
        """Have an action called when the attempt is killed or times out; at once when that has happened already."""
        with self._lock:
            if not self._killed:
                self._actions = [*(self._actions or ()), action]
                return
        action()

    def unconfirmed(self, what: str, *left: str) -> None:
        """Say what may still run, and have the attempt that the server knows of marked (BEY-009)."""
        self.logger.error(what)
        context: WorkerRunContext | None = self
        while context is not None:
            context.is_unconfirmed = True
            context.left = (*context.left, *left)
            context = context._outer

    @property
    def is_killed(self) -> bool:
        """Whether a kill or a timeout has been ordered."""
        return self._killed

    def interrupt(self) -> list[Callable[[], None]]:
        """Order the end; returns the actions that are to be called for it, the last one first."""
        with self._lock:
            self._killed = True
            actions, self._actions = self._actions or [], None
        return actions[::-1]

    def close(self) -> None:
        """Remove what the attempt leaves on the disk."""
        if self._directory is not None:
            self._directory.remove()


class _Functions:
    """The door of a template to the outside (`penstock.expressions.Resolver`)."""

    __slots__ = ("_context",)

    def __init__(self, context: WorkerRunContext) -> None:
        self._context = context

    def call(self, function: str, arguments: Mapping[str, Any], variables: Mapping[str, Any]) -> Any:
        """Return the result of a function that needs the outside."""
        return self._context.ask(function, arguments)


def _reads_sealed(value: Any, path: Sequence[str]) -> bool:
    """Return whether a path of names leads to an encrypted value; after a `*`, which is any name, it may."""
    for name in path:
        if not isinstance(value, Mapping):
            return False
        if name == "*":
            return _holds_sealed(value)
        value = value.get(name)
    return is_sealed(value)


def _holds_sealed(value: Any) -> bool:
    """Return whether there is an encrypted value anywhere in this one."""
    if isinstance(value, Mapping):
        return is_sealed(value) or any(_holds_sealed(item) for item in value.values())
    return isinstance(value, list) and any(_holds_sealed(item) for item in value)
