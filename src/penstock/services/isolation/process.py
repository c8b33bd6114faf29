"""Processes of a plugin, as the worker has them: started when there is work, kept for the next, ended after a while."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from penstock.sdk import PermanentError, PluginError, RunContext
from penstock.services.isolation.answers import Answers
from penstock.services.isolation.messages import (
    Ask,
    Done,
    End,
    Event,
    Failed,
    Message,
    Settle,
    Settled,
    Start,
    Tell,
    Word,
    line_of,
    word_in,
)

_MODULE = "penstock.services.isolation.program"
_KEPT = 30.0
"""Seconds a process is kept that nobody needs; it ends by itself somewhat later."""
_GRACE = 3.0
_LONGEST_IMPORT = 120.0


class PluginCrashed(PluginError):
    """The process of a plugin has ended in the middle of its work."""

    code = "PLUGIN_CRASHED"


class PluginBroken(PluginError):
    """A plugin in an environment of its own cannot be imported."""

    code = "PLUGIN_BROKEN"


class Program:
    """How the processes of one version of a plugin are started.

    Args:
        name: The plugin, for people.
        folder: The packages it was installed with.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self._folder = folder

    def describe(self, made_by: str) -> bytes:
        """Return the plugin's manifest.

        Raises:
            PluginBroken: It cannot be imported.
        """
        command = [*self._command, "--describe", made_by]
        done = subprocess.run(  # noqa: S603 - the server's own interpreter
            command, env=self.environment(os.environ), stdin=subprocess.DEVNULL, capture_output=True,
            timeout=_LONGEST_IMPORT, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            lines = done.stderr.decode(errors="replace").strip().splitlines()
            raise PluginBroken(
                f"{self.name} cannot be imported: {lines[-1] if lines else f'exit code {done.returncode}'}"
            )
        return done.stdout

    def start(self, environment: Mapping[str, str]) -> PluginProcess:
        """Return a new process."""
        return PluginProcess(
            self.name,
            subprocess.Popen(  # noqa: S603 - the server's own interpreter
                self._command, env=self.environment(environment), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                start_new_session=True,
            ),
        )  # fmt: skip

    @property
    def _command(self) -> list[str]:
        return [sys.executable, "-P", "-m", _MODULE, str(self._folder)]

    def environment(self, given: Mapping[str, str]) -> dict[str, str]:
        """Return variables with which the plugin finds its own packages first, then what the server has."""
        path = [str(self._folder), *(entry for entry in sys.path if entry)]
        return {**given, "PYTHONPATH": os.pathsep.join(path), "PYTHONSAFEPATH": "1"}


class PluginProcess:
    """A process of a plugin. One thread at a time works with it; `order` may be called by any."""

    def __init__(self, name: str, process: subprocess.Popen[bytes]) -> None:
        self._name = name
        self._process = process
        self._lock = threading.Lock()
        self.idle_since = 0.0

    def order(self, message: Message) -> None:
        """Say something to it; without effect when it has gone, which its next word shows."""
        assert self._process.stdin is not None
        with self._lock, contextlib.suppress(OSError, ValueError):
            self._process.stdin.write(line_of(message))
            self._process.stdin.flush()

    def word(self) -> Word:
        """Return what it says next.

        Raises:
            PluginCrashed: It says nothing any more.
        """
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if line.endswith(b"\n"):
            return word_in(line)
        code = self._process.wait()
        how = f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"
        raise PluginCrashed(f"the process of {self._name} has ended in the middle of its work ({how})")

    def end(self) -> None:
        """End it for good."""
        self.kill()
        self._process.wait()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        self._process.stdout.close()

    def kill(self) -> None:
        """Kill it with all processes it has started."""
        with contextlib.suppress(OSError):
            os.killpg(self._process.pid, signal.SIGKILL)


class Processes:
    """The processes of one version of a plugin. May be used by several threads at once.

    Args:
        program: How they are started.
    """

    def __init__(self, program: Program) -> None:
        self._program = program
        self._lock = threading.Lock()
        self._idle: list[PluginProcess] = []

    @property
    def name(self) -> str:
        """The plugin, for people."""
        return self._program.name

    def take(self, environment: Mapping[str, str]) -> PluginProcess:
        """Return a process that has nothing to do; `give` or `end` it afterwards."""
        with self._lock:
            fresh = time.monotonic() - _KEPT
            stale = [one for one in self._idle if one.idle_since < fresh]
            self._idle = [one for one in self._idle if one.idle_since >= fresh]
            found = self._idle.pop() if self._idle else None
        for one in stale:
            one.end()
        return found if found is not None else self._program.start(environment)

    def give(self, process: PluginProcess) -> None:
        """Keep a process for the next work."""
        process.idle_since = time.monotonic()
        with self._lock:
            self._idle.append(process)

    def close(self) -> None:
        """End the processes that have nothing to do."""
        with self._lock:
            idle, self._idle = self._idle, []
        for process in idle:
            process.end()


class Session:
    """One piece of work in a process of a plugin; used by one thread.

    Args:
        processes: Where the process comes from and goes back to.
        start: What is to be done.
        context: Answers what the plugin asks for.
    """

    def __init__(self, processes: Processes, start: Start, context: RunContext) -> None:
        self._processes = processes
        self._context = context
        self._answers = Answers(context)
        self._is_reusable = False
        self._is_closed = False
        self._insistence = threading.Timer(_GRACE, self._insist)
        self._insistence.daemon = True
        self._process = processes.take(context.environment)
        context.on_kill(self._kill)
        self._process.order(start)

    def _kill(self) -> None:
        """Have the work end, and end it when it does not listen."""
        if not self._is_closed:
            self._process.order(End())
            self._insistence.start()

    def _insist(self) -> None:
        if not self._is_closed:
            self._process.kill()

    def result(self) -> Event | Done:
        """Return the next event, or the end of the work, answering what is asked meanwhile.

        Raises:
            PluginError: The work has failed, or the process has.
        """
        word = self._word()
        assert not isinstance(word, Settled)
        if isinstance(word, Failed):
            self._is_reusable = True
            if word.detail:
                self._context.logger.debug(word.detail)
            raise (PermanentError if word.is_permanent else PluginError)(word.message)
        self._is_reusable = isinstance(word, Done)
        return word

    def settle(self, settle: Settle) -> None:
        """Have the plugin do with its last event what became of it.

        Raises:
            PluginError: That went wrong.
        """
        self._process.order(settle)
        word = self._word()
        assert isinstance(word, Settled)
        if word.error is not None:
            raise PluginError(word.error)

    def _word(self) -> Event | Settled | Done | Failed:
        while True:
            word = self._process.word()
            if isinstance(word, Ask):
                self._process.order(self._answers.answer(word))
            elif isinstance(word, Tell):
                self._answers.hear(word)
            else:
                return word

    def close(self) -> None:
        """Let go of the process: it is kept when its work has come to an end by itself."""
        if self._is_closed:
            return
        self._is_closed = True
        self._insistence.cancel()
        if self._is_reusable and not self._context.is_killed:
            self._processes.give(self._process)
        else:
            self._process.end()


def definition_of(instance: Any, own: frozenset[str]) -> dict[str, Any]:
    """Return a definition as it was written, for another process to read."""
    written: dict[str, Any] = json.loads(instance.model_dump_json(by_alias=True, exclude_unset=True))
    return {name: value for name, value in written.items() if name in own}
