"""Showing a run as it goes: a live tree with logs above it on a terminal, plain lines elsewhere, or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from penstock.base.clock import Clock, to_iso
from penstock.cli.run.tree import SYMBOLS, changed, duration_text, path_label, rows
from penstock.cli.terminal import console, say
from penstock.engine.records import Execution, LogLine, TaskRun
from penstock.engine.states import StateType

if TYPE_CHECKING:
    from rich.text import Text

STYLES = {
    "SUCCESS": "green",
    "WARNING": "yellow",
    "FAILED": "bold red",
    "KILLED": "red",
    "CANCELLED": "red",
    "RUNNING": "cyan",
    "PAUSED": "magenta",
    "RETRYING": "yellow",
    "ERROR": "bold red",
    "WARN": "yellow",
    "INFO": "default",
    "DEBUG": "dim",
    "TRACE": "dim",
}


_UNTOLD = frozenset({StateType.CREATED, StateType.SUBMITTED, StateType.RESUBMITTED, StateType.KILLING})
"""States that last a moment and tell a reader nothing."""


class Display(Protocol):
    """Shows what is new of an execution."""

    def show(self, execution: Execution, task_runs: Sequence[TaskRun], lines: Sequence[LogLine]) -> None:
        """Show the execution as it is now, and log lines that are new."""
        ...

    def close(self, execution: Execution, task_runs: Sequence[TaskRun]) -> None:
        """Show how it ended."""
        ...


class Silent:
    """Shows nothing."""

    def show(self, execution: Execution, task_runs: Sequence[TaskRun], lines: Sequence[LogLine]) -> None:
        """Show nothing."""

    def close(self, execution: Execution, task_runs: Sequence[TaskRun]) -> None:
        """Show nothing."""


class Plain:
    """One line for each log entry and each change of a state: for files, pipes and build servers."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._states: dict[str, StateType] = {}
        self._execution: StateType | None = None

    def show(self, execution: Execution, task_runs: Sequence[TaskRun], lines: Sequence[LogLine]) -> None:
        """Write what is new."""
        self._show_execution(execution)
        by_id = {run.id: run for run in task_runs}
        events = [(line.date, f"{line.level:<8} {_origin(line)}{line.message}") for line in lines]
        for run in changed(self._states, task_runs):
            self._states[run.id] = run.state.current
            if run.state.current not in _UNTOLD:
                text = f"{run.state.current:<8} {path_label(run, by_id)}{_took(run)}"
                events.append((run.state.histories[-1].date, text))
        for date, text in sorted(events, key=lambda event: event[0]):
            say(f"{to_iso(date)} {text}")

    def _show_execution(self, execution: Execution) -> None:
        if self._execution is None:
            when = to_iso(execution.created)
            say(f"{when} STARTED  {execution.namespace}.{execution.flow_id}, execution {execution.id}")
            self._execution = execution.state.current

    def close(self, execution: Execution, task_runs: Sequence[TaskRun]) -> None:
        """Write the end."""
        length = (execution.state.end or self._clock.now()) - execution.state.start
        say(f"{execution.state.current} after {duration_text(length)}")
        if execution.error:
            say(f"error: {execution.error}")
        for name, value in (execution.outputs or {}).items():
            say(f"output {name}: {value}")


class Live:
    """A tree that is redrawn in place, with the log running above it."""

    def __init__(self, clock: Clock) -> None:
        from rich.live import Live as RichLive

        self._clock = clock
        self._console = console()
        self._live = RichLive(console=self._console, auto_refresh=False, transient=False)
        self._live.start()

    def show(self, execution: Execution, task_runs: Sequence[TaskRun], lines: Sequence[LogLine]) -> None:
        """Redraw, new log lines above."""
        if lines:  # in one piece: the tree is redrawn below each print
            from rich.text import Text

            self._live.console.print(Text("\n").join(log_text(line) for line in lines))
        self._live.update(self._tree(execution, task_runs), refresh=True)

    def close(self, execution: Execution, task_runs: Sequence[TaskRun]) -> None:
        """Leave the last picture, with error and outputs below."""
        self._live.update(self._tree(execution, task_runs), refresh=True)
        self._live.stop()
        if execution.error:
            self._console.print(f"error: {execution.error}", style="bold red")
        for name, value in (execution.outputs or {}).items():
            self._console.print(f"  {name}: {value}")

    def _tree(self, execution: Execution, task_runs: Sequence[TaskRun]) -> Text:
        from rich.text import Text

        text = Text()
        for row in rows(execution, task_runs, self._clock.now())[-max(4, self._console.height - 4) :]:
            style = STYLES.get(row.state or "", "dim")
            text.append("  " * row.depth)
            if row.state is not None:
                text.append(f"{SYMBOLS.get(row.state, '·')} ", style=style)
            text.append(row.label)
            if row.state is not None and row.duration is not None:
                text.append(f"  {row.state.lower()}", style=style)
                text.append(f"  {duration_text(row.duration)}", style="dim")
            text.append("\n")
        text.rstrip()
        return text


def _origin(line: LogLine) -> str:
    return f"[{line.task_id}] " if line.task_id else ""


def _took(run: TaskRun) -> str:
    end = run.state.end
    return "" if end is None else f" ({duration_text(end - run.state.start)})"


def log_text(line: LogLine) -> Text:
    """Return a log line as a terminal shows it."""
    from rich.text import Text

    text = Text(to_iso(line.date)[11:23], style="dim")
    text.append(f" {line.level:<5} ", style=STYLES.get(line.level, ""))
    if line.task_id:
        text.append(f"{line.task_id}  ", style="not dim cyan")
    text.append(line.message, style="not dim default")
    return text
